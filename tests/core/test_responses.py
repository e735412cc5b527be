"""One default response at a time: what is asked, created, cancelled, refused, dead; in servers' odd orders too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.core.machine import Rows
from voicecli.core.responses import MOST_DEAD, REFUSALS, SILENCE_LIMIT_S, Responses, Stage


def fresh() -> Responses:
    return Responses(Rows())


def active(name: str = "r1") -> Responses:
    responses = fresh()
    responses.ask(0.0)
    responses.created(name, 0.0)
    return responses


def stage(responses: Responses) -> Stage | None:
    return responses.current.stage if responses.current else None


def test_a_response_is_asked_active_and_done():
    responses = fresh()
    assert responses.ask(0.0) is True
    assert stage(responses) is Stage.ASKED
    assert responses.created("r1", 1.0) is None
    assert stage(responses) is Stage.ACTIVE
    current = responses.done("r1", 2.0)
    assert current is not None
    assert (current.stage, current.ours) == (Stage.DONE, True)
    assert not responses.busy


def test_a_second_answer_waits_for_the_end_of_the_first():
    responses = active()
    assert responses.ask(1.0) is False
    assert responses.wanted
    responses.done("r1", 2.0)
    assert responses.busy
    assert responses.ask(2.0) is True
    assert not responses.wanted


def test_a_response_the_server_begins_by_itself_takes_the_slot():
    responses = fresh()
    responses.expect(0.0)
    assert stage(responses) is Stage.ASKED
    responses.created("r1", 0.0)
    assert responses.current is not None
    assert not responses.current.ours
    assert responses.ask(0.0) is False


def test_a_response_nobody_asked_for_takes_the_slot():
    responses = fresh()
    responses.created("r1", 0.0)
    assert stage(responses) is Stage.ACTIVE


def test_a_cancel_of_an_active_response_gives_its_id_once():
    responses = active()
    assert responses.cancel() == "r1"
    assert responses.cancel() is None
    assert stage(responses) is Stage.CANCELLING


def test_a_cancel_before_the_id_is_known_is_given_when_it_comes():
    responses = fresh()
    responses.ask(0.0)
    assert responses.cancel() is None
    assert responses.created("r1", 0.0) == "r1"
    assert responses.dead("r1")
    assert responses.done("r1", 1.0) is not None


def test_a_cancel_of_nothing_gives_nothing():
    assert fresh().cancel() is None


def test_the_end_of_another_response_changes_nothing_and_is_counted():
    responses = active()
    assert responses.done("other", 0.0) is None
    assert stage(responses) is Stage.ACTIVE
    assert responses.odd == 1


def test_the_end_of_a_dead_response_is_not_taken_for_the_one_that_was_asked_for():
    responses = active()
    responses.timed_out(SILENCE_LIMIT_S)
    responses.ask(40.0)
    assert responses.done("r1", 41.0) is None
    assert stage(responses) is Stage.ASKED


def test_an_end_without_created_ends_what_was_asked_for():
    responses = fresh()
    responses.ask(0.0)
    assert responses.done("r1", 1.0) is not None
    assert not responses.busy


def test_an_end_without_an_id_ends_what_is_there():
    assert active().done("", 1.0) is not None


def test_a_response_told_twice_is_one():
    responses = active()
    responses.kill("r1")
    assert responses.created("r1", 1.0) is None
    assert responses.dead("r1")
    assert responses.done("r1", 2.0) is not None


def test_a_new_response_without_an_id_is_not_dead():
    responses = active("")
    responses.kill("")
    responses.done("", 0.0)
    responses.created("", 1.0)
    assert not responses.dead("")


def test_a_turn_taken_before_the_end_of_the_dead_response_is_expected_after_it():
    responses = active()
    responses.kill("r1")
    responses.expect(1.0)
    responses.done("r1", 2.0)
    assert stage(responses) is Stage.ASKED
    responses.created("r2", 3.0)
    responses.done("r2", 4.0)
    assert not responses.busy


def test_a_turn_taken_while_a_living_response_speaks_promises_nothing():
    responses = active()
    responses.expect(1.0)
    responses.done("r1", 2.0)
    assert not responses.busy


def test_a_cancel_of_what_the_server_does_not_know_frees_the_slot():
    responses = active()
    responses.cancel()
    assert responses.not_active("r1", 1.0) is not None
    assert not responses.busy


@pytest.mark.parametrize("name", ["other", ""])
def test_a_cancel_refused_for_another_response_frees_nothing(name):
    responses = active()
    responses.cancel()
    assert responses.not_active(name, 1.0) is None
    assert stage(responses) is Stage.CANCELLING


def test_a_cancel_refused_that_we_did_not_send_frees_nothing():
    assert active().not_active("r1", 1.0) is None


# ---- refused


def test_a_refused_create_ends_what_was_asked_for():
    responses = fresh()
    responses.ask(0.0)
    assert responses.refused(active=False, at=0.0) is False
    assert not responses.busy


def test_a_create_refused_because_of_another_waits_for_that_one():
    responses = active("own")
    assert responses.refused(active=True, at=0.0) is True
    assert responses.wanted
    assert responses.current is not None
    assert not responses.current.ours


def test_a_create_refused_too_often_is_given_up():
    responses = fresh()
    results = []
    for _ in range(REFUSALS):
        responses.ask(0.0)
        results.append(responses.refused(active=True, at=0.0))
    assert results == [True] * (REFUSALS - 1) + [False]


def test_a_created_response_forgets_earlier_refusals():
    responses = fresh()
    for n in range(3 * REFUSALS):
        responses.ask(0.0)
        assert responses.refused(active=True, at=0.0)
        responses.created(f"r{n}", 0.0)
        responses.done(f"r{n}", 0.0)


def test_a_refusal_whose_other_response_never_ends_is_given_up():
    responses = fresh()
    responses.ask(0.0)
    responses.refused(active=True, at=5.0)
    assert responses.deadline == 5.0 + SILENCE_LIMIT_S
    assert responses.timed_out(35.0)
    assert not responses.busy
    assert responses.deadline is None


# ---- silence


def test_every_event_of_a_response_is_a_sign_of_life():
    responses = active()
    responses.saw("r1", 20.0)
    responses.saw("other", 29.0)
    assert responses.deadline == 20.0 + SILENCE_LIMIT_S
    assert not responses.timed_out(49.0)


def test_a_silent_response_is_given_up_and_its_late_sound_is_dead():
    responses = active()
    assert responses.timed_out(SILENCE_LIMIT_S)
    assert responses.dead("r1")
    assert not responses.busy
    assert responses.deadline is None


def test_what_is_wanted_behind_a_silent_response_stays_wanted():
    responses = active()
    responses.ask(1.0)
    responses.timed_out(SILENCE_LIMIT_S)
    assert responses.wanted
    assert responses.ask(31.0)


def test_a_lost_link_wants_nothing_any_more():
    responses = active()
    responses.ask(0.0)
    responses.gave_up()
    assert not responses.busy
    assert responses.deadline is None


def test_the_dead_that_are_remembered_are_bounded():
    responses = fresh()
    for n in range(MOST_DEAD + 10):
        responses.kill(str(n))
    assert not responses.dead("9")
    assert responses.dead("10")


CALLS = st.one_of(
    st.sampled_from(["ask", "expect", "cancel", "wait", "refused", "busy"]).map(lambda name: (name, "")),
    st.tuples(st.sampled_from(["created", "done", "kill", "saw", "not_active"]), st.sampled_from(["r1", "r2", ""])),
)


@given(st.lists(CALLS, max_size=30))
def test_no_order_of_calls_leaves_a_response_that_is_never_over(calls):
    responses, at = fresh(), 0.0
    for name, response in calls:
        match name:
            case "ask":
                responses.ask(at)
            case "expect":
                responses.expect(at)
            case "cancel":
                responses.cancel()
            case "wait":
                at += 11.0
                responses.timed_out(at)
            case "refused" | "busy":
                responses.refused(name == "busy", at)
            case "created":
                responses.created(response, at)
            case "done":
                responses.done(response, at)
            case "kill":
                responses.kill(response)
            case "saw":
                responses.saw(response, at)
            case "not_active":
                responses.not_active(response, at)
        assert (responses.deadline is not None) == responses.busy
    for _ in range(4):
        if (deadline := responses.deadline) is not None:
            at = max(at, deadline)
            assert responses.timed_out(at)
        if responses.wanted:
            responses.ask(at)
    assert not responses.busy
