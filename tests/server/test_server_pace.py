"""When sound leaves: a burst, then three times real time, never further ahead of the ear than the bound."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server_talk import FIVE_SECONDS, Talk, every, sound_of, speech, spoken, written

from voicecli.ports import RATE
from voicecli.server.answers import one_item
from voicecli.server.limits import Limits

LONG = one_item(spoken(*((f"w{n}", 0.5) for n in range(60))))
DELTAS = "response.output_audio.delta"


def laid(talk: Talk) -> float:
    """Seconds of sound that have left so far."""
    return sum(len(base64.b64decode(frame["delta"])) for frame in every(talk.seen, DELTAS)) / 2 / RATE


def test_the_first_fifth_of_a_second_leaves_at_once() -> None:
    talk = Talk(FIVE_SECONDS)
    talk.send("response.create")
    assert laid(talk) == pytest.approx(0.2)


def test_then_sound_leaves_three_times_faster_than_it_is_heard() -> None:
    talk = Talk(FIVE_SECONDS)
    talk.send("response.create")
    talk.wait(1.0)
    assert 3.2 - 0.1 <= laid(talk) <= 3.2
    talk.wait(1.0)
    assert laid(talk) == 5.0


def test_no_more_than_ten_seconds_are_ahead_of_the_ear() -> None:
    talk = Talk(LONG)
    talk.send("response.create")
    talk.wait(8.0)
    assert 18.0 - 0.1 <= laid(talk) <= 18.0
    talk.rest()
    assert talk.at == pytest.approx(20.0, abs=0.01)


def test_without_a_bound_it_is_three_times_real_time_to_the_end() -> None:
    talk = Talk(LONG, limits=Limits(ahead_s=None))
    talk.send("response.create")
    talk.rest()
    assert talk.at == pytest.approx((30.0 - 0.2) / 3, abs=0.01)


def test_the_next_answer_waits_for_the_ear_too() -> None:
    talk = Talk(LONG)
    talk.send("response.create")
    talk.rest()
    ended = talk.at
    talk.send("response.create")
    talk.wait(2.0)
    assert laid(talk) - 30.0 == pytest.approx(2.0, abs=0.1)
    assert ended == pytest.approx(20.0, abs=0.01)


def test_who_interrupts_has_an_empty_ear_again() -> None:
    talk = Talk(LONG)
    talk.send("response.create")
    talk.rest()
    talk.speak(speech(0.2))
    talk.send("input_audio_buffer.clear")
    talk.send("response.create")
    talk.wait(1.0)
    assert laid(talk) - 30.0 == pytest.approx(3.2, abs=0.1)


def test_written_words_take_time_too_so_that_there_is_a_during() -> None:
    talk = Talk(one_item(written("one two three")))
    talk.send("response.create")
    seen = [len(every(talk.seen, "response.output_text.delta"))]
    for _ in range(3):
        talk.wait(0.02)
        seen.append(len(every(talk.seen, "response.output_text.delta")))
    assert seen == [0, 1, 2, 3]


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.floats(0.0, 4.0), min_size=1, max_size=30),
    ahead_s=st.floats(0.5, 12.0),
    answers=st.integers(1, 3),
)
def test_the_bound_holds_under_any_ticks(steps: list[float], ahead_s: float, answers: int) -> None:
    talk = Talk(LONG, limits=Limits(ahead_s=ahead_s))
    heard_from = None
    for _ in range(answers):
        for step in steps:
            talk.send("response.create")
            heard_from = talk.at if heard_from is None else heard_from
            talk.at += step  # nobody ticks meanwhile
            talk.take(talk.session.tick(talk.at))
            # An ear that never paused has heard this much at most.
            assert laid(talk) <= (talk.at - heard_from) + ahead_s + 0.001


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.floats(0.0, 3.0), max_size=20))
def test_every_sample_of_the_responder_is_served_once_whatever_the_ticks(steps: list[float]) -> None:
    talk = Talk(FIVE_SECONDS)
    talk.send("response.create")
    for step in steps:
        talk.wait(step)
    talk.rest()
    assert b"".join(base64.b64decode(frame["delta"]) for frame in every(talk.seen, DELTAS)) == sound_of(FIVE_SECONDS)
