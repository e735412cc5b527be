"""The device thread with streams that fail, vanish and hang. Every wait is for an event, with a limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, Queue

import pytest

from voicecli.devices.stream import Player, Trouble
from voicecli.devices.worker import Close, Leave, Moved, Open, Watch, Worker
from voicecli.ports import Side, Silent, SoundClosed, SoundEvent, SoundFailed, SoundFailure, SoundOpened


class Stub:
    """A stream whose calls can be made to fail or to hang."""

    device = "stub"
    latency_s = 0.04

    def __init__(self) -> None:
        self.log: Queue[str] = Queue()
        self.fail: dict[str, Trouble] = {}
        self.hang: dict[str, threading.Event] = {}

    def _call(self, name: str) -> None:
        self.log.put(name)
        if name in self.hang:
            self.hang[name].wait(20)
        if name in self.fail:
            raise self.fail.pop(name)

    def start(self) -> None:
        self._call("start")

    def beat(self, now: float) -> float:
        if "beat" in self.fail or "beat" in self.hang:
            self._call("beat")
        return now + 0.01

    def close(self) -> None:
        self._call("close")

    def silence(self, run: int, at: float) -> float:
        self._call("silence")
        return at + 0.005


class House:
    def __init__(self, microphone: Callable[[], Player], speaker: Callable[[], Player]) -> None:
        self.told: Queue[SoundEvent] = Queue()
        self.worker = Worker("test", microphone, speaker, lambda _, event: self.told.put(event))
        self.watch = Watch(self.worker, lambda _, event: self.told.put(event), limit_s=0.1)

    def next(self) -> SoundEvent:
        return self.told.get(timeout=10)

    def leave(self) -> None:
        self.worker.order(Leave())
        assert self.worker.ended(10)
        self.watch.stop()


def test_a_side_is_opened_before_it_delivers_and_closed_when_it_has_let_go() -> None:
    stub = Stub()
    house = House(lambda: stub, Stub)
    house.worker.order(Open(Side.MICROPHONE))
    assert house.next() == SoundOpened(Side.MICROPHONE, "stub", 24_000, 0.04)
    assert stub.log.get(timeout=10) == "start"
    house.worker.order(Open(Side.MICROPHONE))
    house.worker.order(Close(Side.MICROPHONE))
    assert house.next() == SoundClosed(Side.MICROPHONE)
    assert stub.log.get(timeout=10) == "close"
    house.leave()
    assert house.told.empty()


def test_a_side_that_cannot_be_opened_is_told_and_can_be_tried_again() -> None:
    tries = [Trouble(SoundFailure.IN_USE, "busy", "Mic")]

    def make() -> Stub:
        if tries:
            raise tries.pop()
        return Stub()

    house = House(make, Stub)
    house.worker.order(Open(Side.MICROPHONE))
    assert house.next() == SoundFailed(Side.MICROPHONE, SoundFailure.IN_USE, "Mic", "busy")
    house.worker.order(Open(Side.MICROPHONE))
    assert isinstance(house.next(), SoundOpened)
    house.leave()


def test_a_start_that_fails_closes_what_was_opened() -> None:
    stub = Stub()
    stub.fail["start"] = Trouble(SoundFailure.OTHER, "no")
    house = House(lambda: stub, Stub)
    house.worker.order(Open(Side.MICROPHONE))
    assert isinstance(house.next(), SoundOpened)
    assert house.next() == SoundFailed(Side.MICROPHONE, SoundFailure.OTHER, "stub", "no")
    house.leave()
    assert list(stub.log.queue) == ["start", "close"]


def test_a_device_that_vanishes_is_told_once_and_let_go_even_if_that_fails() -> None:
    stub = Stub()
    stub.fail["close"] = Trouble(SoundFailure.OTHER, "gone already")
    house = House(Stub, lambda: stub)
    house.worker.order(Open(Side.SPEAKER))
    assert isinstance(house.next(), SoundOpened)
    stub.fail["beat"] = Trouble(SoundFailure.LOST)
    assert house.next() == SoundFailed(Side.SPEAKER, SoundFailure.LOST, "stub", "")
    house.leave()
    assert house.told.empty()


def test_each_playhead_is_answered_with_or_without_a_speaker() -> None:
    house = House(Stub, Stub)
    house.worker.order(Moved(1, 5.0))
    assert house.next() == Silent(1, 5.0)
    house.worker.order(Open(Side.SPEAKER))
    assert isinstance(house.next(), SoundOpened)
    house.worker.order(Moved(2, 6.0))
    assert house.next() == Silent(2, 6.005)
    house.leave()


def test_a_speaker_that_breaks_while_it_is_cut_is_lost() -> None:
    stub = Stub()
    stub.fail["silence"] = Trouble(SoundFailure.LOST, "dead")
    house = House(Stub, lambda: stub)
    house.worker.order(Open(Side.SPEAKER))
    house.next()
    house.worker.order(Moved(1, 5.0))
    assert house.next() == SoundFailed(Side.SPEAKER, SoundFailure.LOST, "stub", "dead")
    house.worker.order(Moved(2, 6.0))
    assert house.next() == Silent(2, 6.0)
    house.leave()


@pytest.mark.parametrize("where", ["open", "start", "silence", "close"])
def test_a_call_that_never_returns_is_told_within_its_limit_and_what_comes_of_it_later_is_nothing(where: str) -> None:
    """G15: the talk goes on without that side. The limit is 2 s in earnest, less here."""
    stub, go = Stub(), threading.Event()
    stub.hang[where] = go

    def make() -> Stub:
        if where == "open":
            go.wait(20)
        return stub

    house = House(Stub, make)
    house.watch.start()
    house.worker.order(Open(Side.SPEAKER))
    if where != "open":
        assert isinstance(house.next(), SoundOpened)
    if where == "silence":
        house.worker.order(Moved(1, 5.0))
    if where == "close":
        house.worker.order(Close(Side.SPEAKER))
    failed = house.next()
    assert isinstance(failed, SoundFailed)
    assert failed.failure is SoundFailure.STALLED
    assert not house.worker.ended(0)
    go.set()
    while stub.log.get(timeout=10) != "close":
        pass
    house.leave()
    with pytest.raises(Empty):
        house.told.get_nowait()


def test_the_end_does_not_wait_for_a_device_that_does_not_let_go() -> None:
    """G15"""
    stub, go = Stub(), threading.Event()
    stub.hang["close"] = go
    house = House(lambda: stub, Stub)
    house.worker.order(Open(Side.MICROPHONE))
    house.next()
    house.worker.order(Leave())
    assert not house.worker.ended(0.05)
    go.set()
    assert house.worker.ended(10)
