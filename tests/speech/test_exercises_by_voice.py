"""Every exercise by voice: asked for aloud it is understood, and help takes less than 15 seconds to hear.

Skipped where the engines are not installed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.speech.beside import Beside, engines
from voicecli.ports import RATE
from voicecli.server.exercises import Exercise, request, wanted
from voicecli.server.partner import HELP, HONEST

pytestmark = [engines, pytest.mark.xdist_group("speech engines")]

TOLD = Callable[[str, object], None]


def test_each_exercise_that_is_asked_for_aloud_is_understood(ear: Beside, voice: Beside) -> None:
    heard = {exercise: wanted(ear.hear(voice.say(f"{request(exercise).capitalize()}."))) for exercise in Exercise}
    assert {exercise: found and found.exercise for exercise, found in heard.items()} == {
        each: each for each in Exercise
    }


def test_help_takes_less_than_15_seconds_also_in_the_first_answer(voice: Beside, record_property: TOLD) -> None:
    seconds = sum(len(voice.say(sentence)) for sentence in (HONEST, HELP)) / 2 / RATE
    record_property("told", f"help in the first answer: {seconds:.1f} s")
    assert seconds < 15
