"""What the practice partner says to anything that is no exercise: honest, short; and the tones of who has no voice."""

from __future__ import annotations

import itertools
import subprocess
import sys
from array import array

import pytest

from voicecli.server.answers import Answer, AnswerItem, AnswerPart, Sentence
from voicecli.server.partner import HONEST, QUOTED_CHARACTERS, PracticePartner
from voicecli.server.responder import Asked
from voicecli.server.tones import TONE_PEAK, tones

CHARACTERS_A_SECOND = 15
"""How fast the voice speaks, roughly."""


def said(number: int = 0, typed: str = "", heard_ms: int = 0, spoken: bool = True, **more: object) -> str:
    return text_of(PracticePartner().answer(Asked(number, typed, heard_ms, spoken, **more)))  # type: ignore[arg-type]


def text_of(answer: Answer) -> str:
    (item,) = answer.items
    assert isinstance(item, AnswerItem)
    (part,) = item.parts
    return part.text


@pytest.mark.parametrize("spoken", [True, False])
def test_its_first_answer_says_that_it_is_no_language_model(spoken: bool) -> None:
    assert "practice partner and no language model" in HONEST
    assert said(0, "hi", spoken=spoken).startswith(f'You wrote: "hi". {HONEST}')
    assert HONEST in said(0, heard_ms=900, said="hi")
    assert HONEST in said(0, heard_ms=900, spoken=spoken)
    assert HONEST in said(0)


def test_it_never_answers_what_it_was_asked() -> None:
    """The same words to any question, but for the quotation."""
    one, other = (said(3, typed) for typed in ("why is the sky blue?", "where are you?"))
    assert one.replace("why is the sky blue?", "") == other.replace("where are you?", "")


def test_what_it_quotes_is_what_was_typed_or_said() -> None:
    assert 'You wrote: "how are you?" ' in said(typed="how are\n you?")
    assert said(1, heard_ms=900, said="How are you?").startswith('You said: "How are you?" ')


def test_a_long_text_is_quoted_in_short_and_at_a_word() -> None:
    quoted = said(typed="many words " * 100_000).split('"')[1]
    assert quoted.endswith(("words ...", "many ..."))
    assert len(quoted) <= QUOTED_CHARACTERS + 4


@pytest.mark.parametrize("number", range(3))
def test_without_an_ear_it_tells_how_long_it_heard_and_that_it_has_no_words_of_it(number: int) -> None:
    heard = said(number, heard_ms=2_100)
    assert heard.startswith("I heard 2.1 seconds of speech. No words of it reach me.")
    assert " write " in heard, "what is said would not be understood"


def test_speech_without_words_is_told_as_that() -> None:
    assert said(1, heard_ms=2_100, said="").startswith("I heard 2.1 seconds of speech. No words were in it.")


def test_it_says_something_when_it_was_told_nothing() -> None:
    assert said().startswith("You asked me to speak.")


def test_it_says_that_it_cannot_see() -> None:
    assert "You sent 1 image, which I cannot see." in said(0, "what is this?", spoken=False, images=1)
    assert "You sent 2 images, which I cannot see." in said(spoken=False, images=2)
    assert "see" not in said()


def test_it_varies_and_asks_something_back() -> None:
    answers = [said(number, "hello") for number in range(6)]
    assert len(set(answers)) == 6
    assert all(answer.endswith("?") for answer in answers)


@pytest.mark.parametrize("number", range(6))
def test_an_ordinary_answer_takes_less_than_15_seconds(number: int) -> None:
    long = "a text that is much longer than what will be quoted " * 3
    for asked in (
        Asked(number, long, 0, True),
        Asked(number, "", 9_000, True, said=long),
        Asked(number, "", 9_000, True),
        Asked(number, long, 9_000, True, images=3),
        Asked(number, long, 0, True, outputs=(long, long)),
        Asked(number, "help", 0, True),
    ):
        answer = PracticePartner().answer(asked)
        assert len(text_of(answer)) < 15 * CHARACTERS_A_SECOND, text_of(answer)


def test_a_spoken_answer_is_sentences_for_any_voice_and_a_written_one_has_the_same_words() -> None:
    spoken, written = (PracticePartner().answer(Asked(2, "hello", 0, aloud)) for aloud in (True, False))
    for answer, aloud in ((spoken, True), (written, False)):
        (item,) = answer.items
        assert isinstance(item, AnswerItem)
        assert [part.spoken for part in item.parts] == [aloud]
        assert all(isinstance(piece, Sentence) for piece in item.parts[0].pieces)
    assert text_of(spoken).replace("say", "write") == text_of(written)


def test_the_same_question_gets_the_same_answer() -> None:
    asked = Asked(3, "x", 0, True)
    assert PracticePartner().answer(asked) == PracticePartner().answer(asked)


def test_an_answer_of_one_part_reads_as_one_text() -> None:
    assert AnswerPart((Sentence("One."), Sentence("Two."))).text == "One. Two."


# ---- tones


def test_no_two_tones_of_twenty_answers_are_alike() -> None:
    """So that any stretch of a recording can be found in its answer, and in no other one."""
    heads = [pcm[:960] for number in range(20) for pcm in tones(number, [5] * 30)]
    assert len(set(heads)) == len(heads)


def test_tones_are_loud_enough_and_never_silent_for_a_millisecond() -> None:
    sound = array("h", b"".join(tones(1, [3, 8, 1])))
    assert max(map(abs, sound)) <= TONE_PEAK
    quietest = min(max(map(abs, sound[at : at + 96])) for at in range(0, len(sound) - 96, 24))
    assert quietest > TONE_PEAK // 4


def test_words_follow_each_other_without_a_jump() -> None:
    sound = array("h", b"".join(tones(2, [3] * 20)))
    steepest = max(abs(after - before) for before, after in itertools.pairwise(sound))
    assert steepest < TONE_PEAK // 4


def test_a_text_answer_loads_no_numpy() -> None:
    code = (
        "import sys; from voicecli.server.session import ServerSession; "
        "from voicecli.server.partner import PracticePartner\n"
        "session = ServerSession(PracticePartner(), lambda: 1 / 0)\n"
        "session.greeting(0.0)\n"
        'session.receive(\'{"type":"response.create"}\', 0.0)\n'
        "assert session.tick(100.0)\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
