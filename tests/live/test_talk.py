"""Whole talks on real PortAudio: what was spoken arrives, what is answered is heard, and what is claimed was heard."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from ear import write_wav
from talking import QUESTION, Cut, Ear, Item, Server, Talk, read_wav
from virtual_audio import VirtualAudio

from voicecli.core.stimuli import Asked, Typed
from voicecli.ports import RATE, SAMPLES_PER_MS

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]

ROUNDS = 10
AGREE_MS = 20.0
"""What a claim and a recording may differ by: counted samples, whatever the machine was doing."""

Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, virtual_audio: VirtualAudio) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """A line for the end of the run, and for -s."""

    def line(text: str) -> None:
        print(text)
        record_property("told", text)

    return line


def ms(samples: float) -> float:
    return samples / SAMPLES_PER_MS


def test_a_spoken_question_is_taken_and_its_answer_heard_sample_for_sample(
    virtual_audio: VirtualAudio, server: Server, tell: Tell
) -> None:
    with Talk(server.url([[1.2, 0.9]])) as talk:
        monitor = virtual_audio.monitor()
        virtual_audio.speak_into_mic(QUESTION)
        talk.until(lambda: len(talk.items) == 2 and len(talk.done) == 1)
        talk.wait_for(talk.items[1], 0.9)
        talk.rest(0.3)
        recording = monitor.stop()
    sent = server.recorded(server.talks)
    assert sent.tobytes().find(read_wav(QUESTION).tobytes()) >= 0, "what was spoken is what was sent"
    types = [frame["type"] for way, frame in server.frames(server.talks) if way == "out"]
    assert types.count("input_audio_buffer.committed") == types.count("response.created") == 1
    answer = np.concatenate([talk.pcm(item.id) for item in talk.items])
    start = recording.find(answer)
    assert start is not None, "a sample of the answer is missing, changed or doubled"
    assert np.count_nonzero(recording.pcm) == len(answer), "and nothing else was heard"
    first = recording.when(start) - talk.items[0].came_at
    tell(f"a spoken question: {len(answer)} samples of the answer heard, first after {1000 * first:.0f} ms")


class Case(NamedTuple):
    """Ten interruptions of one kind."""

    answers: list[list[float]]
    target: int
    """Which item of the answer is cut."""
    after_s: tuple[float, float]
    """How much of it has been heard then, between these."""
    by: tuple[str, ...]
    queued: int = 1
    """Items that have sound on the timeline before."""
    pace: dict[str, float] = {}  # noqa: RUF012
    over: bool = False
    """Generation is over before."""
    held_s: float = 0.0
    """In every other round the speaker itself stands still for so long when the sound comes."""


CASES = {
    "one item playing": Case([[6.0]], 0, (0.3, 1.0), ("voice",)),
    "two queued, cut in the first": Case([[1.6, 2.0], [1.5, 1.0, 2.0]], 0, (0.5, 1.2), ("text", "command"), queued=2),
    "two queued, cut in the second": Case([[0.5, 4.0], [0.4, 3.0, 2.0]], 1, (0.3, 1.0), ("command", "text"), queued=2),
    "generation already over": Case(
        [[2.5], [1.5, 1.5]], 0, (0.3, 1.2), ("text", "command"), pace={"speed": 1000.0, "burst": 60.0}, over=True
    ),
    "playout that began late": Case(
        [[3.0], [2.5, 1.0]], 0, (0.6, 1.2), ("command", "text"), pace={"delay": 0.3}, held_s=0.25
    ),
}


class Round(NamedTuple):
    target: Item
    cut: Cut
    held: bool


@pytest.mark.parametrize("name", CASES)
def test_what_is_claimed_at_an_interruption_is_what_the_monitor_recorded(
    name: str, virtual_audio: VirtualAudio, server: Server, tell: Tell, tmp_path: Path
) -> None:
    """Ten times each: the item that was cut is truncated within 20 ms of what was heard of it, and no other one."""
    case = CASES[name]
    rng = random.Random(name)
    interjection = write_wav(tmp_path / "wait.wav", read_wav(QUESTION)[: int(0.6 * RATE)])
    with Talk(server.url(case.answers, **case.pace)) as talk:
        monitor = virtual_audio.monitor(block_ms=5)
        rounds = list(interrupted(case, talk, virtual_audio, rng, interjection))
        talk.rest(0.1)
        recording = monitor.stop()
    judged(name, case, talk, server.frames(server.talks), rounds, Ear(recording), tell)


def interrupted(
    case: Case, talk: Talk, audio: VirtualAudio, rng: random.Random, interjection: Path
) -> Iterator[Round]:
    seen: set[str] = set()
    players = []

    def new() -> list[Item]:
        return [item for item in talk.items if item.response not in seen]

    talk.session.give(Typed("go on"))
    for n in range(ROUNDS):
        by = case.by[n % len(case.by)]
        held = bool(case.held_s and n % 2)
        if held:
            audio.pactl("suspend-sink", "speaker", "1")
            talk.until(lambda: bool(new()))
            talk.rest(case.held_s)
            audio.pactl("suspend-sink", "speaker", "0")
        talk.until(lambda: len(new()) >= case.queued and (not case.over or new()[0].response in talk.done))
        target = new()[case.target]
        talk.wait_for(target, rng.uniform(*case.after_s))
        before = talk.interruptions
        match by:
            case "voice":
                players.append(audio.speaking(interjection))
            case "text":
                talk.session.give(Typed("something else"))
            case _:
                talk.session.give(Asked("interrupt"))
        talk.until(lambda before=before: talk.interruptions > before)
        seen.add(target.response)
        yield Round(target, talk.cuts[-1], held)
        talk.until(lambda target=target: target.response in talk.done)
        if by == "command":
            talk.session.give(Typed("go on"))
    for player in players:
        assert player.wait(10) == 0


def judged(
    name: str, case: Case, talk: Talk, frames: list[tuple[str, dict[str, Any]]], rounds: list[Round], ear: Ear, tell: Tell
) -> None:
    errors = [frame["error"]["code"] for way, frame in frames if way == "out" and frame["type"] == "error"]
    assert set(errors) <= {"response_cancel_not_active"}, "a cancel may cross the end of its response"
    announced: dict[str, list[str]] = {}
    for way, frame in frames:
        if way == "out" and frame["type"] == "response.output_item.added":
            announced.setdefault(frame["response_id"], []).append(frame["item"]["id"])
    truncates = [frame for way, frame in frames if (way, frame["type"]) == ("in", "conversation.item.truncate")]
    deletes = [frame["item_id"] for way, frame in frames if (way, frame["type"]) == ("in", "conversation.item.delete")]
    cancels = [frame for way, frame in frames if (way, frame["type"]) == ("in", "response.cancel")]

    assert [frame["item_id"] for frame in truncates] == [each.target.id for each in rounds], "each once, no other one"
    assert {frame["content_index"] for frame in truncates} == {0}
    differences, firsts, lags, lines, never = [], [], [], [], []
    for each, frame in zip(rounds, truncates, strict=True):
        items = announced[each.target.response]
        place = items.index(each.target.id)
        assert place == case.target
        for item in items[:place]:
            assert ear.heard(talk.pcm(item))[1] == len(talk.pcm(item)), "what went before was heard whole"
        for item in items[place + 1 :]:
            never.append(item)
            assert item not in talk.words or ear.heard(talk.pcm(item))[1] == 0
        pcm = talk.pcm(each.target.id)
        start, n = ear.heard(pcm)
        assert 0 < n < len(pcm)
        difference = frame["audio_end_ms"] - ms(n)
        differences.append(difference)
        held = ", the speaker stood still before" if each.held else ""
        lines.append(
            f"  {each.target.id} by {each.cut.by}: claimed {frame['audio_end_ms']} ms, "
            f"heard {ms(n):.1f} ms, difference {difference:+.1f} ms{held}"
        )
        if not case.held_s:
            first = each.target if case.target == 0 else next(i for i in talk.items if i.id == items[0])
            firsts.append(ear.when(ear.heard(talk.pcm(first.id))[0]) - first.came_at)
            lags.append(ear.when(start + n - 1) + 1 / RATE - each.cut.at)
    tell(f"{name}: {len(rounds)} interruptions, {len(never)} items never heard")
    for line in lines:
        tell(line)
    tell(f"  claimed minus heard: {spread(differences, 1)}")
    if not case.held_s:
        tell(f"  first delta to first sample: {spread(firsts)}; cut to silence: {spread(lags)}")

    assert sorted(deletes) == sorted(never), "what nobody heard is deleted, each once, and nothing else"
    order = [(way, frame["type"], key(frame)) for way, frame in frames]
    response_of = {item: response for response, items in announced.items() for item in items}
    for item in deletes:
        deleted = order.index(("in", "conversation.item.delete", item))
        assert order.index(("out", "response.done", response_of[item])) < deleted, "once its response is done"
    if case.over or case.by == ("voice",):
        assert cancels == [], "there was nothing to cancel, or the server's VAD has done it"
    played = sum(ear.heard(talk.pcm(item))[1] for item in talk.words)
    assert played == len(ear.solid), "everything that was heard is known"
    assert max(map(abs, differences)) <= AGREE_MS


def key(frame: dict[str, Any]) -> str:
    if "response" in frame:
        return str((frame["response"] or {}).get("id"))
    return str(frame.get("item_id"))


def spread(values: list[float], unit: float = 1000) -> str:
    """Least, median and most in milliseconds."""
    found = np.array(values) * unit
    return f"{found.min():+.1f} / {np.median(found):+.1f} / {found.max():+.1f} ms"
