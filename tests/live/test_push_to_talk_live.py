"""Push-to-talk on real PortAudio: who begins before the key and ends with it is heard from first to last word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from ear import noise, write_wav
from talking import Server, Talk
from virtual_audio import VirtualAudio

from voicecli.core.changes import PhaseNow, Told
from voicecli.core.stimuli import TalkPressed, TalkReleased
from voicecli.ports import RATE, SAMPLES_PER_MS
from voicecli.settings import Settings

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]

OLD_S, FIRST_S, MIDDLE_S, LAST_S, AFTER_S = 1.0, 0.25, 0.8, 0.2, 1.0
EARLY_S = 0.2
"""So long before the press the first word begins."""
SLACK_S = 0.02
JITTER_S = 0.01
"""The times of blocks are not quite even, so a cut may fall between two of them."""
TRIES = 4
PARTS = tuple(noise(s, seed=n) for n, s in enumerate((OLD_S, FIRST_S, MIDDLE_S, LAST_S, AFTER_S), 1))


@pytest.fixture
def server(tmp_path: Path, virtual_audio: VirtualAudio) -> Iterator[Server]:
    with Server(tmp_path) as server:
        yield server


def test_the_first_and_the_last_word_are_in_the_commit_and_nothing_older_than_300_ms(
    virtual_audio: VirtualAudio, server: Server, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The key is let go at the end of the last word, while that is still in the device."""
    clip = write_wav(tmp_path / "clip.wav", np.concatenate(PARTS))
    for _ in range(TRIES):
        talk, pressed_at, released_at = spoken(virtual_audio, server, clip)
        sent = server.recorded(server.talks)
        recorded = np.concatenate([np.frombuffer(block.pcm, "<i2") for block in talk.blocks]).tobytes()
        assert recorded.find(sent.tobytes()) % 2 == 0, "what was sent is what was recorded, without a gap"
        first_at, last_at = talk.recorded_at(sent[:24]), talk.recorded_at(sent[-24:])
        assert first_at is not None
        assert last_at is not None
        ended_at = talk.recorded_at(PARTS[3][-24:])
        before, behind = pressed_at - first_at, released_at - last_at - 24 / RATE
        assert 0.3 - JITTER_S < before <= 0.3
        assert behind < JITTER_S
        even = recorded.find(np.concatenate(PARTS[:4]).tobytes()) % 2 == 0
        if even and behind >= -0.0001 and ended_at is not None and ended_at + 24 / RATE <= released_at:
            break  # else the player or we came late somewhere, and the key was not let go when we meant to
    else:
        pytest.fail("nothing was said in time, however often it was tried")
    for name, part in (("first", PARTS[1]), ("middle", PARTS[2]), ("last", PARTS[3])):
        assert sent.tobytes().find(part.tobytes()) % 2 == 0, f"the {name} word is whole"
    old = PARTS[0][: -130 * SAMPLES_PER_MS]
    assert sent.tobytes().find(old[-240:].tobytes()) < 0, "130 ms before the first word is too old"
    line = f"push-to-talk: {len(sent) / SAMPLES_PER_MS:.0f} ms sent, from {1000 * before:.1f} ms before the press "
    line += f"to {1000 * behind:.1f} ms before the release"
    print(line)
    record_property("told", line)


def spoken(audio: VirtualAudio, server: Server, clip: Path) -> tuple[Talk, float, float]:
    """A talk of one press; when it began and when it was over."""
    with Talk(server.url([[0.5]]), Settings(ptt=True)) as talk:
        talk.until(lambda: PhaseNow("press_to_talk") in talk.changes)
        player = audio.speaking(clip)
        talk.until(lambda: talk.recorded_at(PARTS[0][:240]) is not None)
        began = talk.recorded_at(PARTS[0][:240])
        assert began is not None
        talk.rest(began + OLD_S + EARLY_S - perf_counter())
        pressed_at = perf_counter()
        talk.session.give(TalkPressed(pressed_at, True))
        talk.rest(began + OLD_S + FIRST_S + MIDDLE_S + LAST_S + SLACK_S - perf_counter())
        released_at = perf_counter()
        talk.session.give(TalkReleased(released_at))
        talk.until(lambda: len(talk.done) == 1)
        assert player.wait(10) == 0
        talk.rest(0.3)
        assert talk.of(Told) == []
    types = [frame["type"] for way, frame in server.frames(server.talks) if way == "in"]
    assert types == ["session.update", "input_audio_buffer.commit", "response.create"]
    return talk, pressed_at, released_at
