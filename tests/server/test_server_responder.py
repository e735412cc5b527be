"""The practice partner: honest words, and tones by which a recording can be matched."""

from __future__ import annotations

import itertools
import subprocess
import sys
from array import array

import pytest

from voicecli.ports import RATE
from voicecli.server.partner import QUOTED_CHARACTERS, PracticePartner, practice_text
from voicecli.server.responder import Asked
from voicecli.server.tones import TONE_PEAK, tones


def asked(number: int = 0, typed: str = "", heard_ms: int = 0, spoken: bool = True) -> Asked:
    return Asked(number, typed, heard_ms, spoken)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("spoken", [True, False])
def test_it_always_says_that_it_is_no_language_model(number: int, spoken: bool) -> None:
    said = practice_text(asked(number, "hi", spoken=spoken))
    assert "language model" in said
    assert "practice" in said


def test_it_quotes_what_was_typed() -> None:
    assert 'You wrote: "how are you?".' in practice_text(asked(typed="how are\n you?"))


def test_a_long_text_is_quoted_in_short_and_at_a_word() -> None:
    said = practice_text(asked(typed="many words " * 100_000))
    quoted = said.split('"')[1]
    assert quoted.endswith(("words ...", "many ..."))
    assert len(quoted) <= QUOTED_CHARACTERS + 4


def test_it_tells_how_long_it_heard() -> None:
    assert "I heard 2.1 seconds of speech." in practice_text(asked(heard_ms=2_100))


def test_it_says_something_when_it_was_told_nothing() -> None:
    assert practice_text(asked()).startswith("You asked me to speak.")


def test_each_word_has_its_tone_and_the_words_make_the_text() -> None:
    answer = PracticePartner().answer(asked(typed="hello"))
    (part,) = answer.items[0].parts
    assert part.text == practice_text(asked(typed="hello"))
    assert part.spoken
    assert all(100 * RATE // 1000 <= len(piece.pcm) // 2 <= 400 * RATE // 1000 for piece in part.pieces)


def test_a_written_answer_has_no_sound() -> None:
    (part,) = PracticePartner().answer(asked(spoken=False)).items[0].parts
    assert not part.spoken
    assert part.samples == 0


def test_the_same_question_gets_the_same_answer() -> None:
    assert PracticePartner().answer(asked(3, "x")) == PracticePartner().answer(asked(3, "x"))


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


def test_it_says_that_it_cannot_see() -> None:
    assert "You sent 1 image, which I cannot see." in practice_text(Asked(0, "what is this?", 0, False, images=1))
    assert "You sent 2 images, which I cannot see." in practice_text(Asked(0, "", 0, False, images=2))
    assert "see" not in practice_text(asked())
