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
SURE_MS = 2.0
"""The times of a device are true within this."""

Tell = Callable[[str], None]
Frame = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, virtual_audio: VirtualAudio) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


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
    assert server.spoken(server.talks) == read_wav(QUESTION).tobytes(), "what was spoken is what was sent"
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
    frames = server.frames(server.talks)
    heard = Heard(talk, frames, rounds, Ear(recording), timed=not case.held_s)
    heard.tell(name, tell)
    only_what_was_cut_is_truncated_and_what_nobody_heard_deleted(case, talk, frames, heard)
    assert heard.total == heard.recorded, "everything that was heard is known"
    assert max(map(abs, heard.differences)) <= AGREE_MS
    assert max(heard.differences) <= SURE_MS, "no more is claimed than was heard"


def interrupted(case: Case, talk: Talk, audio: VirtualAudio, rng: random.Random, interjection: Path) -> Iterator[Round]:
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


class Heard:
    """What the recording says of each round: what was claimed and what was heard, in milliseconds."""

    def __init__(self, talk: Talk, frames: list[Frame], rounds: list[Round], ear: Ear, timed: bool) -> None:
        self.rounds = rounds
        self.announced = announced(frames)
        self.played = {item: ear.heard(talk.pcm(item)) for item in talk.words}
        self.total = sum(n for _, n in self.played.values())
        self.recorded = len(ear.solid)
        claims = {f["item_id"]: f["audio_end_ms"] for f in sent(frames, "conversation.item.truncate")}
        self.deleted = [f["item_id"] for f in sent(frames, "conversation.item.delete")]
        self.differences: list[float] = []
        self._lines: list[str] = []
        firsts, lags = [], []
        for each in rounds:
            item = each.target.id
            start, n = self.played[item]
            claimed = claims[item]
            self.differences.append(claimed - ms(n))
            self._lines.append(
                f"  {item} by {each.cut.by}: claimed {claimed} ms, heard {ms(n):.1f} ms, difference "
                f"{claimed - ms(n):+.1f} ms{', the speaker stood still before' if each.held else ''}"
            )
            head = next(i for i in talk.items if i.id == self.announced[each.target.response][0])
            firsts.append(1000 * (ear.when(self.played[head.id][0]) - head.came_at))
            lags.append(1000 * (ear.when(start + n - 1) + 1 / RATE - each.cut.at))
        self._lines.append(f"  claimed minus heard: {spread(self.differences)}")
        if timed:
            self._lines.append(f"  first delta to first sample: {spread(firsts)}; cut to silence: {spread(lags)}")

    def tell(self, name: str, tell: Tell) -> None:
        gone = f"{len(self.deleted)} items never heard and deleted"
        tell(f"{name}: {len(self.rounds)} interruptions, {gone} (below: least / median / most)")
        for line in self._lines:
            tell(line)


def only_what_was_cut_is_truncated_and_what_nobody_heard_deleted(
    case: Case, talk: Talk, frames: list[Frame], heard: Heard
) -> None:
    errors = [frame["error"]["code"] for way, frame in frames if way == "out" and frame["type"] == "error"]
    assert set(errors) <= {"response_cancel_not_active"}, "a cancel may cross the end of its response"
    truncates = sent(frames, "conversation.item.truncate")
    assert [frame["item_id"] for frame in truncates] == [each.target.id for each in heard.rounds], "each once, no other"
    assert {frame["content_index"] for frame in truncates} == {0}
    never = []
    for each in heard.rounds:
        items = heard.announced[each.target.response]
        place = items.index(each.target.id)
        assert place == case.target
        assert 0 < heard.played[each.target.id][1] < len(talk.pcm(each.target.id))
        for item in items[:place]:
            assert heard.played[item][1] == len(talk.pcm(item)), "what went before was heard whole"
        for item in items[place + 1 :]:
            never.append(item)
            assert item not in heard.played or heard.played[item][1] == 0
    assert sorted(heard.deleted) == sorted(never), "what nobody heard is deleted, each once, and nothing else"
    order = [(way, frame["type"], key(frame)) for way, frame in frames]
    response_of = {item: response for response, items in heard.announced.items() for item in items}
    for item in heard.deleted:
        deleted = order.index(("in", "conversation.item.delete", item))
        assert order.index(("out", "response.done", response_of[item])) < deleted, "once its response is done"
    if case.over or case.by == ("voice",):
        assert sent(frames, "response.cancel") == [], "there was nothing to cancel, or the server's VAD has done it"


def sent(frames: list[Frame], kind: str) -> list[dict[str, Any]]:
    """What the client sent of a kind, in order."""
    return [frame for way, frame in frames if way == "in" and frame["type"] == kind]


def announced(frames: list[Frame]) -> dict[str, list[str]]:
    """Response -> its items."""
    found: dict[str, list[str]] = {}
    for way, frame in frames:
        if way == "out" and frame["type"] == "response.output_item.added":
            found.setdefault(frame["response_id"], []).append(frame["item"]["id"])
    return found


def key(frame: dict[str, Any]) -> str:
    if "response" in frame:
        return str((frame["response"] or {}).get("id"))
    return str(frame.get("item_id"))


def spread(found: list[float]) -> str:
    """Least, median and most, in milliseconds."""
    return f"{min(found):+.1f} / {np.median(found):+.1f} / {max(found):+.1f} ms"
