"""An interruption until the speaker is silent, and the question whether the microphone hears the assistant."""

import pytest

from voicecli.core.changes import Cut, Interrupted
from voicecli.core.interruption import SILENCE_LIMIT_S, Interruption
from voicecli.core.machine import Rows

CUT = (Cut("a", 500),)


def fresh() -> Interruption:
    return Interruption(Rows())


def expected(silent_ms: float | None) -> Interrupted:
    return Interrupted(item="a", by="voice", cut=CUT, removed=("b",), silent_ms=silent_ms)


def test_it_is_shown_when_the_speaker_is_silent():
    interruption = fresh()
    assert interruption.cut("voice", "a", CUT, ("b",), 3, 1.0) == []
    assert interruption.deadline == 1.0 + SILENCE_LIMIT_S
    assert interruption.silent(3, 1.0087) == [expected(8.7)]
    assert interruption.deadline is None
    assert interruption.silent(3, 1.1) == []


def test_where_nothing_has_to_stop_it_is_shown_at_once():
    assert fresh().cut("voice", "a", CUT, ("b",), None, 1.0) == [expected(None)]


@pytest.mark.parametrize("run", [0, 2])
def test_silence_of_an_older_run_is_not_ours(run):
    interruption = fresh()
    interruption.cut("voice", "a", CUT, ("b",), 3, 1.0)
    assert interruption.silent(run, 1.01) == []


def test_silence_of_a_newer_run_is_silence():
    interruption = fresh()
    interruption.cut("voice", "a", CUT, ("b",), 3, 1.0)
    assert interruption.silent(4, 1.01) == [expected(10.0)]


def test_silence_before_the_decision_is_no_time_at_all():
    interruption = fresh()
    interruption.cut("voice", "a", CUT, ("b",), 3, 1.0)
    assert interruption.silent(3, 0.9) == [expected(0.0)]


def test_a_device_that_says_nothing_is_not_waited_for():
    interruption = fresh()
    interruption.cut("voice", "a", CUT, ("b",), 3, 1.0)
    assert interruption.tick(1.49) == []
    assert interruption.tick(1.5) == [expected(None)]
    assert interruption.tick(9.0) == []


def test_a_second_one_shows_the_first():
    interruption = fresh()
    interruption.cut("voice", "a", CUT, ("b",), 3, 1.0)
    assert interruption.cut("text", "c", (), (), 4, 1.1) == [expected(None)]
    assert [shown.item for shown in interruption.silent(4, 1.2)] == ["c"]
    assert interruption.count == 2


def test_the_end_shows_what_still_waited():
    interruption = fresh()
    interruption.cut("voice", "a", CUT, ("b",), 3, 1.0)
    assert interruption.flush() == [expected(None)]
    assert interruption.flush() == []


@pytest.mark.parametrize(
    ("heard", "advised"),
    [
        ([0.4, 0.4], [False, True]),
        ([0.0, 0.9], [False, True]),
        ([0.4], [False]),
        ([0.4, 1.0, 0.4], [False, False, False]),
        ([0.4, 0.4, 0.4, 0.4], [False, True, False, False]),
    ],
)
def test_two_answers_in_a_row_cut_in_their_first_second_are_suspicious_once(heard, advised):
    interruption = fresh()
    assert [interruption.suspicious("voice", seconds) for seconds in heard] == advised


def test_an_answer_that_was_heard_long_breaks_the_row():
    interruption = fresh()
    interruption.suspicious("voice", 0.4)
    interruption.heard(1.0)
    assert not interruption.suspicious("voice", 0.4)


def test_a_short_answer_that_was_heard_whole_breaks_no_row():
    interruption = fresh()
    interruption.suspicious("voice", 0.4)
    interruption.heard(0.5)
    assert interruption.suspicious("voice", 0.4)


@pytest.mark.parametrize("by", ["text", "command", "key"])
def test_only_a_voice_can_be_an_echo(by):
    interruption = fresh()
    assert not any(interruption.suspicious(by, 0.1) for _ in range(5))
