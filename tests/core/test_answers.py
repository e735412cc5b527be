"""One response at a time at the core: refused, silent, failed, or told in another way than usual."""

import pytest
from core_talk import (
    CHAT,
    Bench,
    added,
    created,
    done,
    error,
    frames,
    sent,
    shown,
    sound,
    started,
    whole,
    words,
    written,
)

from voicecli.core.changes import (
    TurnGrew,
)
from voicecli.protocol import events as e
from voicecli.protocol.items import (
    StatusError,
)


def test_a_create_refused_because_another_is_active_waits_for_its_end():
    bench = Bench(CHAT).ready()
    create = sent(bench.types("hello", at=1.0))[-1]
    refusal = error("already has an active response", "conversation_already_has_active_response", create.event_id)
    bench.says(created("own"))
    effects = bench.says(refusal)
    assert bench.codes(effects) == []
    assert frames(effects) == []
    assert frames(bench.says(done("own"))) == ["create"]


def test_a_create_refused_before_the_other_response_was_told_waits_for_its_end():
    bench = Bench(CHAT).ready()
    create = sent(bench.types("hello", at=1.0))[-1]
    bench.says(error("Conversation already has an active response", None, create.event_id))
    assert frames(bench.says(created("own"))) == []
    assert frames(bench.says(done("own"))) == ["create"]


def test_a_refusal_without_an_event_id_is_matched_by_its_words():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created("own"), error("Conversation already has an active response", None, None))
    assert frames(bench.says(done("own"))) == ["create"]


def test_a_create_refused_for_another_reason_is_told_and_thinking_ends():
    bench = Bench(CHAT).ready()
    create = sent(bench.types("hello", at=1.0))[-1]
    bench.says(error("nope", "whatever", create.event_id))
    assert bench.codes() == ["answer_refused"]
    assert bench.phase == "waiting_for_you_to_type"


def test_a_create_refused_again_and_again_is_given_up():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    for _ in range(10):
        create = [event for event in sent(bench.effects) if isinstance(event, e.ResponseCreate)][-1]
        if bench.codes():
            break
        bench.says(error("already has an active response", None, create.event_id))
        bench.says(done("somebody"))
    assert bench.codes() == ["answer_refused"]
    assert frames(bench.effects).count("create") == 3
    assert bench.phase == "waiting_for_you_to_type"


def test_an_answer_that_never_begins_is_given_up_after_thirty_seconds():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.until(30.9)
    assert bench.phase == "thinking"
    bench.until(31.1)
    assert bench.codes() == ["silent", "no_answer"]
    assert bench.phase == "waiting_for_you_to_type"


def test_a_response_that_lives_is_not_given_up():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added())
    for n in range(10):
        bench.says(written("word "), at=20.0 * (n + 1))
    assert bench.codes() == []


def test_late_deltas_of_a_response_that_was_given_up_do_not_come_back():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("half"))
    bench.until(40)
    assert bench.turn("a1").status == "failed"
    assert shown(TurnGrew, bench.says(written(" more"))) == []


def test_what_was_typed_behind_a_response_that_was_given_up_is_asked_for():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(created())
    bench.types("two", at=2.0)
    bench.until(40)
    assert frames(bench.effects)[-1] == "create"
    bench.says(created("r2"), added("a2", "r2"), written("yes", "a2", "r2"), done("r2", "a2"))
    assert bench.turn("a2").text.raw == "yes"


def test_a_server_that_tells_no_response_created_is_understood():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(written("hi"), done("r1", "a1"))
    assert bench.turn("a1").status == "done"
    assert bench.phase == "waiting_for_you_to_type"


def test_an_end_without_an_id_ends_the_response_that_is_there():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("hi"), done(""))
    assert bench.phase == "waiting_for_you_to_type"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (done(status="failed", error=StatusError(code="inference_rate_limit_exceeded")), "rate_limit"),
        (done(status="failed", error=StatusError(code="insufficient_quota")), "insufficient_quota"),
        (done(status="failed", error=StatusError(type="billing_hard_limit_reached")), "insufficient_quota"),
        (done(status="failed"), "answer_failed"),
        (done(status="incomplete", reason="max_output_tokens"), "max_output_tokens"),
        (done(status="incomplete", reason="content_filter"), "content_filter"),
        (done(status="incomplete", reason="odd"), "answer_failed"),
    ],
)
def test_a_response_that_did_not_end_well_says_why(event, code):
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), event)
    assert bench.codes() == [code]


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_a_response_that_ended_well_says_nothing(status):
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), done(status=status))
    assert bench.codes() == []


def test_incomplete_because_of_a_turn_is_a_barge_in_and_says_nothing():
    bench = Bench().ready()
    bench.says(created(), added(), words("Well"), at=1.0)
    bench.says(done("r1", status="incomplete", reason="turn_detected"), started())
    assert bench.codes() == []
    assert bench.turn("a1").status == "interrupted"


def test_an_answer_cut_at_a_limit_says_so_in_its_row_once_it_was_heard():
    bench = Bench().ready()
    bench.says(created(), added(), words("As far as"), sound(1000), whole(status="incomplete"), at=1.0)
    bench.says(done("r1", "a1", status="incomplete", reason="max_output_tokens"))
    bench.plays(0, 1000)
    bench.until(2.5)
    row = bench.turn("a1")
    assert (row.status, row.error_code, row.heard.raw) == ("done", "max_output_tokens", "As far as")


def test_an_answer_to_read_that_was_cut_at_a_limit_says_so_in_its_row():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("I was"), whole(status="incomplete"))
    bench.says(done("r1", "a1", status="incomplete", reason="max_output_tokens"))
    assert (bench.turn("a1").status, bench.turn("a1").error_code) == ("done", "max_output_tokens")


def test_an_answer_that_failed_in_mid_sound_is_no_whole_one():
    bench = Bench().ready()
    bench.says(created(), added(), words("As far as"), sound(1000), at=1.0)
    bench.says(done("r1", "a1", status="failed", error=StatusError(code="oops")))
    bench.plays(0, 1000)
    bench.until(2.5)
    assert (bench.turn("a1").status, bench.turn("a1").error_code) == ("failed", "answer_failed")


def test_only_what_was_not_whole_of_a_cut_response_says_so():
    bench = Bench().ready()
    bench.says(created(), added(), words("One"), sound(500), whole(), added("a2"), words("two", "a2"), at=1.0)
    bench.says(sound(500, "a2"), done("r1", "a1", "a2", status="incomplete", reason="max_output_tokens"))
    bench.plays(0, 1000)
    bench.until(2.5)
    assert [bench.turn(item).error_code for item in ("a1", "a2")] == ["", "max_output_tokens"]


def test_a_failed_answer_ends_its_row_with_what_was_said():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("I was"))
    bench.says(done("r1", status="failed", error=StatusError(code="oops", message="broken")))
    turn = bench.turn("a1")
    assert (turn.status, turn.text.raw, turn.error_code, turn.error.raw) == (
        "failed",
        "I was",
        "answer_failed",
        "broken",
    )
