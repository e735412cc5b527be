"""The sentences of an answer get their sound, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicecli.ports import RATE
from voicecli.server.answers import AnswerCall, Ending, NewItem, NewPart, Piece, Sentence, Step, Toned
from voicecli.server.orders import Say
from voicecli.server.voicing import AT_ONCE, ENOUGH_SAMPLES, Voicing, spread, words

SOUND = b"\x01\x00" * 100
OPEN = [NewItem.MESSAGE, NewPart(True)]


def voicing(voice: bool = True, spoken: bool = True) -> tuple[Voicing, list[Say]]:
    orders: list[Say] = []
    return Voicing("resp_1", 3, spoken, voice, orders.append), orders


def texts(steps: list[Step]) -> str:
    return "".join(step.text for step in steps if isinstance(step, Piece))


def test_a_sentence_waits_for_its_sound_and_what_follows_waits_behind_it() -> None:
    made, orders = voicing()
    made.take([*OPEN, Sentence("One two."), Sentence("Three."), AnswerCall("f"), Ending()])
    assert made.ready(0) == OPEN
    assert orders == [Say("resp_1", 0, "One two."), Say("resp_1", 1, "Three.")]
    made.said(1, SOUND)
    assert made.ready(0) == []
    made.said(0, SOUND)
    steps = made.ready(0)
    assert texts(steps) == "One two. Three."
    assert steps[-2:] == [AnswerCall("f"), Ending()]
    assert made.empty


def test_no_more_sentences_are_with_the_voice_than_it_takes_to_keep_it_busy() -> None:
    made, orders = voicing()
    made.take([*OPEN, *(Sentence(f"Number {n}.") for n in range(10))])
    made.ready(0)
    assert len(orders) == AT_ONCE
    made.said(0, bytes(48))
    made.ready(0)
    assert len(orders) == AT_ONCE + 1


def test_while_enough_sound_waits_to_leave_none_is_made() -> None:
    made, orders = voicing()
    made.take([*OPEN, Sentence("Much.")])
    made.ready(ENOUGH_SAMPLES)
    assert orders == []
    made.ready(ENOUGH_SAMPLES - 1)
    assert len(orders) == 1


def test_without_a_voice_each_word_is_a_tone_of_its_own() -> None:
    made, orders = voicing(voice=False)
    made.take([*OPEN, Sentence("One two."), Sentence("Three.")])
    assert made.ready(0) == [*OPEN, Toned(3, ("One", " two."), 0), Toned(3, (" Three.",), 2)]
    assert orders == []


def test_a_voice_that_is_lost_leaves_tones() -> None:
    made, orders = voicing()
    made.take([*OPEN, Sentence("One."), Sentence("Two."), Sentence("Three.")])
    made.ready(0)
    made.said(0, None)
    made.said(1, SOUND)
    steps = made.ready(0)
    assert [type(step) for step in steps if step not in OPEN] == [Toned, Piece, Toned]
    assert len(orders) == AT_ONCE


def test_words_that_the_voice_cannot_say_are_tones() -> None:
    made, _ = voicing()
    made.take([*OPEN, Sentence("こんにちは。"), Sentence("Two.")])
    made.ready(0)
    made.said(0, bytes(4_800))
    made.said(1, SOUND)
    steps = made.ready(0)
    assert [type(step) for step in steps if step not in OPEN] == [Toned, Piece]


def test_where_no_sound_is_wanted_the_words_are_written() -> None:
    made, orders = voicing(spoken=False)
    made.take([*OPEN, Sentence("One two.", pause_s=2.0), Sentence("Three.")])
    steps = made.ready(0)
    assert texts(steps) == "One two. Three."
    assert all(not step.pcm for step in steps if isinstance(step, Piece))
    assert orders == []


def test_a_pause_is_silence_after_the_sentence_spoken_or_toned() -> None:
    for voice in (True, False):
        made, _ = voicing(voice)
        made.take([*OPEN, Sentence("One.", pause_s=0.5)])
        steps = made.ready(0)
        made.said(0, b"\x01\x00" * 100)
        steps += made.ready(0)
        last = steps[-1]
        assert isinstance(last, Piece)
        assert last.pcm.endswith(bytes(RATE))


def test_a_sentence_nobody_asked_for_changes_nothing() -> None:
    made, _ = voicing()
    made.said(7, bytes(100))
    assert made.ready(0) == []


@given(st.text(max_size=60), st.integers(0, 500))
def test_the_words_spread_over_the_sound_are_all_of_both(text: str, samples: int) -> None:
    pcm = bytes(range(256)) * 4
    pcm = pcm[: 2 * samples]
    pieces = list(spread(text, pcm))
    assert "".join(piece.text for piece in pieces) == text
    assert b"".join(piece.pcm for piece in pieces) == pcm
    assert all(len(piece.pcm) % 2 == 0 for piece in pieces)


@given(st.text(max_size=80))
def test_the_words_of_a_text_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text
