"""The card with files in the place of devices: whole ways through its threads, without a sound card."""

from __future__ import annotations

import struct
import threading
import wave
from collections.abc import Callable
from pathlib import Path

from voicecli.devices.card import Card
from voicecli.devices.stream import Device, File, SoundSetup
from voicecli.ports import (
    InputSpent,
    MicBlock,
    Passed,
    Playhead,
    Side,
    Silent,
    SoundClosed,
    SoundEvent,
    SoundFailed,
    SoundFailure,
    SoundOpened,
)


def ramp(n: int) -> bytes:
    return struct.pack(f"<{n}h", *(i % 30_000 + 1 for i in range(n)))


class Talk:
    """Takes from a card whenever it rings."""

    def __init__(self, setup: SoundSetup) -> None:
        self.rung = threading.Event()
        self.card = Card(setup, self.rung.set)
        self.events: list[SoundEvent] = []

    def until(self, true: Callable[[], bool]) -> None:
        for _ in range(1000):
            self.rung.clear()
            self.events += self.card.take()
            if true():
                return
            self.rung.wait(0.02)
        raise AssertionError(self.events)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def test_a_question_from_a_file_and_an_answer_into_one(tmp_path: Path) -> None:
    talk = Talk(SoundSetup(File("q.wav", ramp(2000)), File(str(tmp_path / "a.wav"))))
    talk.card.open(Side.MICROPHONE)
    talk.card.open(Side.SPEAKER)
    talk.card.lay(ramp(3000))
    talk.until(lambda: bool(talk.of(InputSpent)) and sum(s.n for p in talk.of(Passed) for s in p.spans) == 3000)
    opened, first = [
        e for e in talk.events if isinstance(e, (SoundOpened, MicBlock)) and e != talk.of(SoundOpened)[-1]
    ][:2]
    assert isinstance(opened, SoundOpened)
    assert opened.device == "q.wav"
    assert isinstance(first, MicBlock)
    said = b"".join(block.pcm for block in talk.of(MicBlock))
    assert said[:4000] == ramp(2000)
    assert talk.card.end()
    with wave.open(str(tmp_path / "a.wav")) as read:
        assert ramp(3000)[:4000] in read.readframes(read.getnframes())


def test_a_new_playhead_is_answered_by_silent_and_spans_carry_its_run(tmp_path: Path) -> None:
    talk = Talk(SoundSetup(None, File(str(tmp_path / "a.wav"))))
    talk.card.open(Side.SPEAKER)
    talk.card.lay(ramp(24_000))
    talk.until(lambda: bool(talk.of(Passed)))
    talk.card.move(Playhead(1, 24_000, True))
    talk.until(lambda: bool(talk.of(Silent)))
    assert talk.of(Silent)[0].run == 1
    talk.card.lay(ramp(100))
    talk.until(lambda: any(span.run == 1 for passed in talk.of(Passed) for span in passed.spans))
    span = talk.of(Passed)[-1].spans[-1]
    assert (span.position, span.n) == (24_000, 100)
    assert talk.card.end()


def test_closing_and_opening_again_answers_each_order(tmp_path: Path) -> None:
    talk = Talk(SoundSetup(File("q.wav", ramp(48_000)), None))
    talk.card.open(Side.MICROPHONE)
    talk.until(lambda: len(talk.of(MicBlock)) >= 2)
    talk.card.close(Side.MICROPHONE)
    talk.until(lambda: bool(talk.of(SoundClosed)))
    assert isinstance(talk.events[-1], SoundClosed), "nothing is heard behind the closing"
    talk.card.open(Side.MICROPHONE)
    talk.until(lambda: len(talk.of(SoundOpened)) == 2 and isinstance(talk.events[-1], MicBlock))
    said = b"".join(block.pcm for block in talk.of(MicBlock))
    assert said == ramp(48_000)[: len(said)]
    assert talk.card.end()


def test_a_side_that_was_not_asked_for_cannot_be_opened() -> None:
    talk = Talk(SoundSetup(None, None))
    talk.card.open(Side.SPEAKER)
    talk.until(lambda: bool(talk.of(SoundFailed)))
    assert talk.of(SoundFailed)[0].failure is SoundFailure.NO_DEVICE
    talk.card.move(Playhead(1, 0, True))
    talk.until(lambda: bool(talk.of(Silent)))
    assert talk.card.end()


def test_a_bad_file_is_told_by_the_side_it_stands_for(tmp_path: Path) -> None:
    talk = Talk(SoundSetup(File(str(tmp_path / "absent.wav")), File(str(tmp_path / "absent" / "a.wav"))))
    talk.card.open(Side.MICROPHONE)
    talk.card.open(Side.SPEAKER)
    talk.until(lambda: len(talk.of(SoundFailed)) == 2)
    assert {(event.side, event.failure) for event in talk.of(SoundFailed)} == {
        (Side.MICROPHONE, SoundFailure.BAD_FILE),
        (Side.SPEAKER, SoundFailure.BAD_FILE),
    }
    assert talk.card.end()


def test_a_card_that_was_never_opened_ends_at_once_and_nobody_who_is_gone_is_missed() -> None:
    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    assert Card(SoundSetup(Device(), Device()), gone).end(0)
    card = Card(SoundSetup(File("q.wav", ramp(4800)), None), gone)
    card.open(Side.MICROPHONE)
    assert card.end()


def test_a_file_that_was_taken_late_is_not_stale() -> None:
    """What lay in the mailbox for longer than a live microphone's sound may (G27) is still the question."""
    talk = Talk(SoundSetup(File("q.wav", ramp(480)), None))
    talk.card.open(Side.MICROPHONE)
    threading.Event().wait(2.2)
    talk.until(lambda: bool(talk.of(MicBlock)))
    assert talk.of(MicBlock)[0].pcm == ramp(480)
    assert talk.card.end()
