"""Talks from end to end at the core: what leaves, what is shown, in which order; and what no order of events may do."""

import sys
from itertools import pairwise

import pytest
from core_talk import (
    CHAT,
    DROPPED,
    PIPE,
    TALK,
    WAV,
    Bench,
    added,
    answer,
    cancelled,
    committed,
    created,
    done,
    error,
    failed,
    frames,
    heard_words,
    message,
    sent,
    shown,
    sound,
    started,
    stopped,
    uploaded,
    whole,
    words,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from voicecli.core.changes import (
    Ended,
    Foreign,
    HeardNow,
    LimitsNow,
    LinkNow,
    PhaseNow,
    SessionNow,
    Told,
    TurnGrew,
    TurnOpened,
    TurnSet,
    UsageNow,
)
from voicecli.core.effects import Connect, Play, Send
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import (
    Asked,
    AudioDropped,
    Begin,
    EchoSet,
    InputSpent,
    KeyboardSpent,
    LinkEnded,
    LinkSlow,
    NotCarried,
    Opened,
    Quit,
    Received,
    Tick,
    Typed,
)
from voicecli.ports import (
    LinkFailure,
    MicBlock,
    Passed,
    Side,
    Silent,
    SoundClosed,
    SoundFailure,
    SoundOpened,
    Span,
    Stale,
)
from voicecli.protocol import events as e
from voicecli.protocol.items import (
    ContentPart,
    InputTokens,
    Item,
    RateLimit,
    SessionConfig,
    StatusError,
    TurnDetection,
    Usage,
)


def test_a_talk_from_begin_to_quit():
    bench = Bench().ready()
    bench.says(started("u1", 100), at=1.0)
    bench.says(stopped("u1", 1300), committed("u1"), at=2.3)
    bench.says(e.ConversationItemAdded(item=message("u1", ContentPart(type="input_audio"), role="user")))
    bench.says(created(), added(), words("Hello "), sound(500), heard_words("Hi there"), at=2.4)
    bench.says(words("you."), sound(500), whole(), done("r1", "a1"))
    bench.plays(0, 1000)
    bench.until(4.0)
    assert (bench.turn("u1").text.raw, bench.turn("u1").received_ms) == ("Hi there", 1200)
    turn = bench.turn("a1")
    assert (turn.status, turn.text.raw, turn.heard_ms, turn.received_ms) == ("done", "Hello you.", 1000, 1000)
    assert turn.heard == turn.text
    assert [now.phase for now in bench.shown(PhaseNow)] == [
        "connecting",
        "listening",
        "you_are_speaking",
        "listening",  # for the moment until the server takes the turn
        "thinking",
        "assistant_speaking",
        "listening",
    ]
    bench.give(Quit())
    assert bench.ended == Ended(exit_code=0, reason="quit", seconds=4.0, turns=2, interruptions=0)
    assert bench.codes() == []


def test_every_connection_sends_one_session_update():
    bench = Bench().ready()
    bench.says(e.SessionCreated(session=SessionConfig()), e.SessionUpdated(session=SessionConfig()))
    assert frames(bench.effects) == ["update"]
    bench.give(DROPPED, at=5.0)
    bench.asks("retry")
    bench.ready(6.0)
    assert frames(bench.effects) == ["update", "update"]


def test_the_effective_settings_are_shown_and_what_differs_is_told_once():
    bench = Bench().ready(session=SessionConfig(voice="other", turn_detection=None))
    (now,) = bench.shown(SessionNow)
    assert now.refused == (("turn_detection", Foreign("null")),)
    bench.says(e.SessionUpdated(session=SessionConfig(turn_detection=None)))
    assert bench.codes().count("settings_differ") == 1


# ---- typed text


def test_a_typed_text_is_an_item_then_a_create():
    bench = Bench(CHAT).ready()
    effects = bench.types("hello", at=1.0)
    assert frames(effects) == [("item", "hello"), "create"]
    item = sent(effects)[0].item
    assert (item.role, item.type, item.content[0].type) == ("user", "message", "input_text")
    assert bench.turn(item.id).text.raw == "hello"


def test_a_text_typed_before_the_link_is_ready_waits_for_it():
    bench = Bench(CHAT).dialled()
    assert frames(bench.types("early", at=0.05)) == []
    assert bench.codes() == []
    bench.ready()
    assert frames(bench.effects) == ["update", ("item", "early"), "create"]


def test_a_second_text_while_the_first_is_asked_for_gets_one_answer_after_it():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    assert frames(bench.types("two")) == [("item", "two")]
    assert frames(bench.says(created())) == [("cancel", "r1")]
    assert frames(bench.says(cancelled(reason="client_cancelled"))) == ["create"]
    bench.says(created("r2"), added("a2", "r2"), written("both", "a2", "r2"), whole("a2", "r2"), done("r2", "a2"))
    assert bench.turn("a2").status == "done"
    assert bench.phase == "waiting_for_you_to_type"


def test_texts_from_a_pipe_are_answered_one_after_the_other():
    bench = Bench(PIPE).ready()
    assert frames(bench.give(Typed("one"), Typed("two"), Typed("three"), KeyboardSpent(), at=1.0)) == [
        ("item", "one"),
        "create",
    ]
    for n, after in enumerate(["two", "three", None], 1):
        bench.says(created(f"r{n}"), added(f"a{n}", f"r{n}"), written("x", f"a{n}", f"r{n}"))
        effects = bench.says(done(f"r{n}", f"a{n}"))
        assert frames(effects) == ([("item", after), "create"] if after else [])
    assert bench.ended is not None
    assert bench.ended.exit_code == 0


def test_a_text_from_a_pipe_waits_until_the_answer_was_heard():
    bench = Bench(replace(WAV, microphone="none", keyboard="pipe")).ready()
    bench.give(Typed("one"), Typed("two"), at=1.0)
    answer(bench, 1000)
    bench.plays(0, 1000)
    bench.until(1.9)
    assert ("item", "two") not in frames(bench.effects)
    bench.until(2.1)
    assert frames(bench.effects)[-2:] == [("item", "two"), "create"]


def test_a_pipe_goes_on_after_an_answer_that_stopped_in_the_middle_of_its_sound():
    """A response without an event for 30 s is given up; what came of it is heard, and the next line is sent."""
    bench = Bench(replace(WAV, microphone="none", keyboard="pipe")).ready()
    bench.give(Typed("one"), Typed("two"), at=1.0)
    bench.says(created(), added(), sound(500))
    bench.plays(0, 500)
    bench.until(40.0)
    assert bench.codes() == ["no_answer"]
    assert frames(bench.effects)[-2:] == [("item", "two"), "create"]
    assert bench.turn("a1").status == "done"


def test_typed_texts_are_shown_once_however_often_they_are_acknowledged():
    bench = Bench(CHAT).ready()
    (item, _) = sent(bench.types("hello", at=1.0))
    whole_item = replace(item.item, status="completed")
    bench.says(
        e.ConversationItemCreated(item=whole_item),
        e.ConversationItemAdded(item=whole_item),
        e.ConversationItemDone(item=whole_item),
    )
    assert len(bench.shown(TurnOpened)) == 1
    assert len(bench.shown(TurnSet)) == 1


def test_a_refused_text_is_told_and_its_row_fails():
    bench = Bench(CHAT).ready()
    (item, _) = sent(bench.types("bad", at=1.0))
    bench.says(error("too long", "string_above_max_length", item.event_id))
    assert bench.codes() == ["text_refused"]
    assert (bench.turn(item.item.id).status, bench.turn(item.item.id).error.raw) == ("failed", "too long")


# ---- one response at a time


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
    assert bench.codes() == ["no_answer"]
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


# ---- rows and order


def test_item_created_and_added_and_done_is_one_row():
    bench = Bench().ready()
    item = message("a1")
    bench.says(
        created(),
        added(),
        e.ConversationItemCreated(item=item),
        e.ConversationItemAdded(item=item),
        words("Hello"),
        e.ConversationItemDone(item=message("a1", ContentPart(type="audio", transcript="Hello"))),
        whole(),
        at=1.0,
    )
    assert bench.rows == ["a1"]


def test_two_transcripts_in_swapped_order_go_to_their_own_rows():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(started("u2"), stopped("u2"), committed("u2", "u1"), at=3.0)
    bench.says(heard_words("second", "u2"), heard_words("first", "u1"))
    assert (bench.turn("u1").text.raw, bench.turn("u2").text.raw) == ("first", "second")


def test_a_text_that_comes_only_with_the_end_of_its_item_is_shown():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), whole("a1", "r1", "completed", ContentPart(type="text", text="At once")), done())
    assert (bench.turn("a1").text.raw, bench.turn("a1").heard.raw) == ("At once", "At once")


def test_system_items_and_function_calls_have_rows_of_their_own_kind():
    bench = Bench(CHAT).ready()
    call = Item(id="c1", type="function_call", name="weather", arguments='{"a":1}', status="completed")
    bench.says(
        e.ConversationItemAdded(item=message("s1", ContentPart(type="input_text", text="Be kind"), role="system")),
        created(),
        e.OutputItemDone(response_id="r1", item=call),
        at=1.0,
    )
    assert [(turn.item, turn.role) for turn in bench.shown(TurnOpened)] == [("s1", "system"), ("c1", "tool")]
    assert bench.turn("c1").text.raw == 'weather {"a":1}'


def test_a_failed_transcription_is_told_and_the_row_ends():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(e.TranscriptionFailed(item_id="u1"))
    assert bench.turn("u1").status == "failed"
    assert bench.codes() == ["transcription_failed"]


def test_where_nobody_writes_down_a_spoken_turn_is_done_at_once():
    plan = replace(TALK, session=replace(TALK.session, input_audio_transcription=None))
    bench = Bench(plan).ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(e.ConversationItemAdded(item=message("u1", ContentPart(type="input_audio"), role="user")))
    assert bench.turn("u1").status == "done"


# ---- the link


def test_the_link_lost_in_mid_answer_plays_on_and_the_row_ends():
    bench = Bench().ready()
    bench.says(created(), added(), words("All I got"), sound(1000), at=1.0)
    bench.plays(0, 1000)
    bench.give(DROPPED, at=1.2)
    assert bench.phase == "not_connected"
    assert bench.turn("a1").status == "playing"
    bench.until(2.5)
    assert (bench.turn("a1").status, bench.turn("a1").heard_ms) == ("done", 1000)
    assert bench.codes() == ["dropped"]
    assert bench.ended is None


def test_a_text_typed_without_a_link_goes_to_the_next_connection():
    bench = Bench().ready()
    bench.give(DROPPED, at=1.0)
    assert frames(bench.types("are you there?")) == []
    assert bench.codes() == ["dropped", "no_link"]
    bench.asks("retry", at=2.0)
    bench.ready(3.0)
    assert frames(bench.effects)[-3:] == ["update", ("item", "are you there?"), "create"]
    assert bench.codes()[-1] == "forgotten"


def test_a_text_that_was_sent_and_not_taken_goes_again_in_its_old_row_and_order():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.give(DROPPED)
    bench.types("two")
    bench.asks("retry")
    bench.ready(2.0)
    texts = [frame for frame in frames(bench.effects) if frame[0] == "item"]
    assert texts == [("item", "one"), ("item", "one"), ("item", "two")]
    assert len(bench.rows) == 2


def test_a_text_that_was_taken_is_not_sent_again():
    bench = Bench(CHAT).ready()
    item = sent(bench.types("one", at=1.0))[0].item
    bench.says(e.ConversationItemAdded(item=item))
    bench.give(DROPPED)
    bench.asks("retry")
    bench.ready(2.0)
    assert frames(bench.effects).count(("item", "one")) == 1


def test_a_text_that_was_answered_is_not_sent_again_though_nobody_acknowledged_it():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(created(), added(), written("yes"), done("r1", "a1"))
    bench.give(DROPPED)
    bench.asks("retry")
    bench.ready(2.0)
    assert frames(bench.effects).count(("item", "one")) == 1


def test_truncates_and_deletes_die_with_their_connection():
    bench = Bench().ready()
    bench.says(created(), added("a1"), sound(1000), whole(), added("b1"), sound(1000, "b1"), at=1.0)
    bench.plays(0, 2000)
    bench.give(DROPPED, at=1.2)
    assert frames(bench.asks("interrupt", at=1.5)) == []
    assert bench.turn("a1").heard_ms == 500


def test_an_old_answer_that_still_plays_is_not_mixed_up_with_the_new_servers_ids():
    bench = Bench().ready()
    bench.says(created(), added("a1"), words("old words"), sound(2000), at=1.0)
    bench.plays(0, 2000)
    bench.give(DROPPED, at=1.2)
    bench.asks("retry")
    bench.ready(1.4)
    bench.says(created(), added("a1"), words("new words"), sound(2000), whole(), done("r1", "a1"))
    bench.plays(2000, 2000, dac_at=3.0)
    bench.until(3.5)
    assert (bench.turn("a1").status, bench.turn("a1").text.raw) == ("done", "old words")
    assert frames(bench.says(started(), at=4.0)) == [("truncate", "a1", 1000)]
    assert bench.turn("a1#2").status == "interrupted"
    assert bench.turn("a1#2").heard_ms == 1000


def test_an_old_answer_cut_on_the_new_connection_is_no_business_of_the_new_server():
    bench = Bench().ready()
    bench.says(created(), added("a1"), words("old words"), sound(2000), at=1.0)
    bench.plays(0, 2000)
    bench.give(DROPPED, at=1.2)
    bench.asks("retry")
    bench.ready(1.4)
    assert frames(bench.asks("interrupt", at=2.0)) == []
    assert bench.turn("a1").heard_ms == 1000


def test_rows_of_a_lost_connection_are_closed():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), created(), added(), words("I wa"), at=1.0)
    bench.give(DROPPED)
    assert (bench.turn("u1").status, bench.turn("u1").error_code) == ("failed", "link_lost")
    assert (bench.turn("a1").status, bench.turn("a1").error_code) == ("failed", "link_lost")


def test_retry_while_connected_says_so():
    bench = Bench().ready()
    effects = bench.asks("retry", at=1.0)
    assert bench.codes(effects) == ["connected_already"]
    assert [effect for effect in effects if isinstance(effect, Connect)] == []


def test_events_of_nobody_after_the_link_ended_change_nothing_that_is_sent():
    bench = Bench().ready()
    bench.give(DROPPED, at=1.0)
    assert [effect for effect in bench.give(DROPPED) if not isinstance(effect, Play)] == []


def test_a_link_that_was_never_had_ends_the_talk_with_3():
    bench = Bench().dialled()
    effects = bench.give(LinkEnded(LinkFailure.DNS, None, "no such name", "far.example"), at=0.5)
    assert bench.codes(effects) == ["dns"]
    assert (bench.ended.exit_code, bench.ended.reason) == (3, "no_connection")


def test_a_server_that_does_not_greet_is_hung_up_after_ten_seconds():
    bench = Bench().dialled()
    bench.give(Opened(1.8e9), at=1.0)
    bench.until(10.9)
    assert bench.codes() == []
    effects = bench.until(11.1)
    assert bench.codes(effects) == ["no_greeting"]
    assert [type(effect).__name__ for effect in effects if not hasattr(effect, "change")] == ["Hangup"]
    effects = bench.give(LinkEnded(LinkFailure.CLOSED, 1000, ""))
    assert bench.codes(effects) == [], "it has been told"
    assert bench.ended.exit_code == 3


def test_a_server_that_does_not_confirm_the_settings_is_talked_with_all_the_same():
    bench = Bench().dialled()
    bench.give(Opened(1.8e9), at=1.0)
    bench.says(e.SessionCreated(session=SessionConfig()))
    assert uploaded(bench.records(at=5.0)) == b""
    bench.until(11.1)
    assert bench.codes() == ["not_configured"]
    assert bench.phase == "listening"
    assert uploaded(bench.records()) != b""
    assert bench.codes(bench.says(e.SessionUpdated(session=TALK.session))) == []


@pytest.mark.parametrize("with_id", [True, False])
def test_a_refused_session_update_is_told_and_the_talk_goes_on(with_id):
    bench = Bench().dialled()
    bench.give(Opened(1.8e9), at=1.0)
    (update,) = sent(bench.says(e.SessionCreated(session=SessionConfig())))
    bench.says(error("Unknown parameter: 'session.x'", "unknown_parameter", update.event_id if with_id else None))
    assert bench.codes() == ["settings_refused"]
    assert bench.phase == "listening"


def test_an_error_before_the_greeting_says_why_the_link_closes():
    bench = Bench().dialled()
    bench.give(Opened(1.8e9), at=1.0)
    bench.says(error("The beta is gone", "beta_api_shape_disabled"))
    bench.give(LinkEnded(LinkFailure.CLOSED, 4000, "beta_api_shape_disabled"))
    assert bench.codes() == ["beta_api_shape_disabled"]
    assert bench.ended.exit_code == 3


def test_an_expired_session_is_told_once_by_error_and_close():
    bench = Bench().ready()
    bench.says(error("Your session hit the maximum duration", "session_expired"), at=1800.0)
    bench.give(LinkEnded(LinkFailure.CLOSED, 1001, ""))
    assert bench.codes() == ["session_expired"]


def test_1001_at_sixty_minutes_is_told_as_the_sessions_end():
    bench = Bench().ready()
    bench.give(LinkEnded(LinkFailure.CLOSED, 1001, "Your session hit the maximum duration of 60 minutes."), at=3600.0)
    (told,) = bench.shown(Told)
    assert (told.code, told.severity) == ("closed_1001", "error")
    assert "/retry" in told.hint
    assert bench.shown(LinkNow)[-1].state == "lost"


# ---- what servers do otherwise


def test_an_error_without_event_id_is_told_and_ends_nothing():
    bench = Bench().ready()
    bench.says(error("something broke", "server_error"), at=1.0)
    assert bench.codes() == ["server_error"]
    assert bench.phase == "listening"


def test_unknown_and_malformed_frames_are_told_once_for_each_type():
    bench = Bench().ready()
    for _ in range(3):
        bench.says(
            e.Unknown("new.thing", b"{}"),
            e.Unknown("other.thing", b"{}"),
            e.Malformed("response.done", b"{", "no JSON"),
            e.Unknown("", b"\x00"),
            at=bench.at + 1,
        )
    assert bench.codes() == ["unknown_event", "unknown_event", "malformed", "unknown_event"]
    assert (bench.session.talk.unknown, bench.session.talk.malformed) == (9, 3)


def test_heartbeats_are_not_told():
    bench = Bench().ready()
    bench.says(e.Unknown("ping", b"{}"))
    assert bench.codes() == []


def test_a_flood_of_new_types_is_told_up_to_a_bound_and_hides_nothing_else():
    bench = Bench().ready()
    for n in range(1000):
        bench.says(e.Unknown(f"type.{n}", b"{}"))
    assert len(bench.codes()) == 32
    bench.says(e.Malformed("x", b"", "why"))
    assert bench.codes()[-1] == "malformed"


def test_what_this_spelling_cannot_carry_is_told_once():
    bench = Bench().ready()
    bench.give(NotCarried("session.speed", "1.2", "beta"), NotCarried("session.speed", "1.2", "beta"))
    assert bench.codes() == ["not_carried"]


def test_a_slow_dial_says_what_it_waits_for():
    bench = Bench().dialled()
    (told,) = shown(Told, bench.give(LinkSlow("the name of far.example"), at=3.0))
    assert "the name of far.example" in told.title


def test_usage_is_added_up_and_belongs_to_the_last_turn_of_its_response():
    bench = Bench(CHAT).ready()
    usage = Usage(input_token_details=InputTokens(text_tokens=5))
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("x"), done("r1", "a1", usage=usage))
    (now,) = bench.shown(UsageNow)
    assert now.item == "a1"
    assert now.total.input_text == 5


def test_limits_are_shown_as_they_come():
    bench = Bench().ready()
    bench.says(e.RateLimitsUpdated(rate_limits=(RateLimit(name="tokens", limit=100, remaining=7, reset_seconds=1.5),)))
    (now,) = bench.shown(LimitsNow)
    assert (now.limits[0].name.raw, now.limits[0].remaining) == ("tokens", 7)


def test_what_is_heard_is_told_ten_times_a_second():
    bench = Bench().ready()
    bench.says(created(), added(), words("one two three four"), sound(2000), whole(), done("r1", "a1"), at=1.0)
    bench.plays(0, 2000)
    for n in range(200):
        bench.records(10, at=1.0 + n / 100)
    told = bench.shown(HeardNow)
    assert 15 <= len(told) <= 21
    assert [now.ms for now in told] == sorted(now.ms for now in told)
    assert all(now.item == "a1" for now in told)
    assert told[-1].characters > told[0].characters


def test_state_words_follow_the_microphone():
    bench = Bench().ready()
    assert bench.phase == "listening"
    bench.asks("mute", at=1.0)
    assert bench.phase == "muted"
    bench.asks("unmute")
    assert bench.phase == "listening"
    bench.give(failed(Side.MICROPHONE, SoundFailure.LOST))
    assert bench.phase == "waiting_for_you_to_type"


def test_without_a_microphone_the_state_waits_for_typing():
    assert Bench(CHAT).ready().phase == "waiting_for_you_to_type"


def test_a_state_word_is_shown_only_when_it_changes():
    bench = Bench().ready()
    for n in range(50):
        bench.records(20, at=1 + n / 50)
    phases = [now.phase for now in bench.shown(PhaseNow)]
    assert all(a != b for a, b in pairwise(phases))


# ---- what always holds


def test_the_same_stimuli_at_the_same_times_give_the_same_effects():
    bench = Bench().ready()
    bench.types("hello", at=1.0)
    answer(bench, 1000, text="some words")
    bench.plays(0, 1000)
    bench.says(started(), at=1.5)
    bench.give(DROPPED, at=2.0)
    bench.asks("retry")
    again = VoiceSession(TALK)
    replayed = [effect for at, stimulus in bench.log for effect in again.handle(stimulus, at)]
    assert replayed == bench.effects


def test_nothing_follows_from_anything_after_the_end():
    bench = Bench().ready()
    bench.give(Quit())
    assert bench.session.deadline is None
    assert bench.session.ended
    assert bench.give(Typed("x"), DROPPED, Tick(), Quit(130), at=9.0) == []
    assert len(bench.shown(Ended)) == 1
    assert isinstance(bench.effects[-1].change, Ended)


RESPONSES, ITEMS, USERS = ["r1", "r2", ""], ["a1", "b1", "u1", ""], ["u1", "u2", ""]
response, item, user = st.sampled_from(RESPONSES), st.sampled_from(ITEMS), st.sampled_from(USERS)
previous = st.none() | item

SERVER = st.one_of(
    st.builds(created, response),
    st.builds(added, item, response),
    st.builds(words, st.sampled_from(["one ", "two ", ""]), item, response, st.integers(0, 1)),
    st.builds(written, st.sampled_from(["one ", "two "]), item, response, st.integers(0, 1)),
    st.builds(sound, st.sampled_from([0, 0.5, 20, 300]), item, response, st.integers(0, 1)),
    st.builds(
        e.AudioDelta,
        response_id=response,
        item_id=item,
        content_index=st.integers(0, 1),
        delta=st.binary(max_size=5),
    ),
    st.builds(whole, item, response, st.sampled_from(["completed", "incomplete"])),
    st.builds(
        done,
        response,
        item,
        status=st.sampled_from(["completed", "cancelled", "failed", "incomplete", "odd"]),
        reason=st.none() | st.sampled_from(["turn_detected", "max_output_tokens"]),
    ),
    st.builds(started, user, st.integers(0, 9)),
    st.builds(stopped, user, st.integers(0, 9)),
    st.builds(committed, user, previous),
    st.builds(heard_words, st.sampled_from(["yes", ""]), user),
    st.builds(e.TranscriptionDelta, item_id=user, delta=st.just("y")),
    st.builds(e.TranscriptionFailed, item_id=user),
    st.builds(
        e.ConversationItemAdded,
        item=st.builds(message, item, role=st.sampled_from(["user", "assistant", "system", "odd"])),
        previous_item_id=previous,
    ),
    st.builds(e.ConversationItemTruncated, item_id=item),
    st.builds(e.ConversationItemDeleted, item_id=item),
    st.builds(
        error,
        st.sampled_from(["no", "already has an active response", "no active response found"]),
        st.none() | st.sampled_from(["session_expired", "invalid_api_key"]),
        st.none() | st.integers(1, 30).map(lambda n: f"evt_voicecli_{n}"),
    ),
    st.just(e.SessionCreated(session=SessionConfig())),
    st.just(e.SessionUpdated(session=SessionConfig(turn_detection=TurnDetection(type="server_vad")))),
    st.builds(e.Unknown, st.sampled_from(["x", "y"]), st.just(b"")),
    st.builds(e.Malformed, st.sampled_from(["x", "y"]), st.just(b""), st.just("why")),
)
side = st.sampled_from(Side)
STIMULI = st.one_of(
    SERVER.map(lambda event: Received(event, 10)),
    SERVER.map(lambda event: Received(event, 10)),
    SERVER.map(lambda event: Received(event, 10)),
    st.just(Opened(1.8e9)),
    st.builds(LinkEnded, st.sampled_from(LinkFailure), st.sampled_from([None, 1001, 4000]), st.just("")),
    st.builds(AudioDropped, st.integers(1, 1000)),
    st.builds(Typed, st.just("text")),
    st.just(KeyboardSpent()),
    st.builds(Asked, st.sampled_from(["interrupt", "mute", "unmute", "retry"])),
    st.builds(EchoSet, st.sampled_from(["off", "half-duplex"])),
    st.just(MicBlock(bytes(960), 0.0)),
    st.builds(SoundOpened, side, st.just("card"), st.just(24000), st.just(0.02)),
    st.builds(SoundClosed, side),
    st.builds(failed, side, st.sampled_from(SoundFailure)),
    st.builds(Silent, st.integers(0, 3), st.just(0.0)),
    st.builds(Stale, st.just(1), st.sampled_from([2.0, 50.0])),
    st.just(InputSpent()),
    st.integers(0, 9).map(lambda n: ("plays", n)),
)
PLANS = st.sampled_from([TALK, CHAT, PIPE, WAV, replace(TALK, echo="half-duplex", keyboard="pipe", levels=True)])


@settings(max_examples=300, deadline=None)
@given(PLANS, st.booleans(), st.lists(st.tuples(STIMULI, st.sampled_from([0.0, 0.05, 0.4, 11.0])), max_size=40))
def test_whatever_happens_in_whatever_order_the_core_neither_raises_nor_hangs(plan, ready, happened):
    bench = Bench(plan)
    if ready:
        bench.ready()
    else:
        bench.dialled()
    for stimulus, wait in happened:
        if isinstance(stimulus, tuple):
            position = min(bench.laid, stimulus[1] * 1000)
            stimulus = Passed((Span(bench.run, position, bench.laid - position, bench.at),))
        bench.give(stimulus, at=bench.at + wait)
    # Everything that can end now does: no input, no link, time.
    bench.until(bench.at + 100)
    bench.give(KeyboardSpent(), InputSpent(), failed(Side.MICROPHONE, SoundFailure.LOST))
    bench.give(failed(Side.SPEAKER, SoundFailure.LOST))
    bench.give(LinkEnded(LinkFailure.DROPPED, None, ""), at=bench.at + 1)
    bench.until(bench.at + 100)
    assert bench.ended is not None, "a finite talk ends"
    assert isinstance(bench.effects[-1].change, Ended)
    assert len(bench.shown(Ended)) == 1
    assert len(set(bench.rows)) == len(bench.rows), "one row for an item"
    assert {turn.item for turn in bench.shown(TurnSet)} <= set(bench.rows)
    last = {turn.item: turn for turn in bench.shown(TurnSet)}
    assert all(item in last and last[item].ended is not None for item in bench.rows), "every row ends"
    ids = [effect.event.event_id for effect in bench.effects if isinstance(effect, Send)]
    assert len(set(ids)) == len(ids)
    cuts = [event.item_id for event in sent(bench.effects) if isinstance(event, e.ConversationItemTruncate)]
    assert all(cuts.count(name) <= 1 + bench.session.talk.connections for name in cuts)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([TALK, CHAT, PIPE, replace(TALK, keyboard="pipe", echo="half-duplex")]),
    st.lists(st.tuples(STIMULI, st.sampled_from([0.0, 0.05, 0.4, 11.0])), max_size=40),
)
def test_every_text_that_was_typed_is_sent_and_an_answer_is_asked_for_after_it(plan, happened):
    """Whatever the link and the server did before; what the server refuses in so many words is another matter."""
    bench = Bench(plan).ready()
    typed = 0
    for stimulus, wait in happened:
        if isinstance(stimulus, tuple | LinkEnded | KeyboardSpent | InputSpent):
            continue
        if isinstance(stimulus, Received) and isinstance(stimulus.event, e.ServerError):
            continue
        if isinstance(stimulus, Typed):
            typed += 1
            stimulus = Typed(f"text {typed}")
        bench.give(stimulus, at=bench.at + wait)
        if wait == 11.0 and bench.phase != "not_connected":
            bench.give(DROPPED)
            if plan.keyboard != "terminal" and bench.ended is None:
                bench.until(bench.at + 100)
            if bench.ended is not None:
                return  # finite input without a link
            bench.asks("retry")
            bench.ready(bench.at)
    bench.give(failed(Side.SPEAKER, SoundFailure.LOST))
    bench.says(stopped(""))
    bench.until(bench.at + 100 * (typed + 1))
    sent_now = [frame for frame in frames(bench.effects) if frame == "create" or frame[0] == "item"]
    texts = [frame[1] for frame in sent_now if frame != "create"]
    assert list(dict.fromkeys(texts)) == [f"text {n + 1}" for n in range(typed)]
    if typed:
        assert sent_now[-1] == "create"
    assert bench.session.talk.texts == type(bench.session.talk.texts)()


def test_work_for_a_stimulus_does_not_grow_with_the_turns():
    """Counted in calls, not in seconds."""

    def calls(bench: Bench) -> int:
        count = 0

        def tracer(frame, kind, arg):
            nonlocal count
            count += kind == "call"

        n = len(bench.rows)
        sys.setprofile(tracer)
        try:
            bench.says(created(f"r{n}"), added(f"a{n}", f"r{n}"), words("hi", f"a{n}", f"r{n}"))
            bench.says(sound(20, f"a{n}", f"r{n}"), whole(f"a{n}", f"r{n}"), done(f"r{n}", f"a{n}"))
        finally:
            sys.setprofile(None)
        bench.plays(bench.laid // 24 - 20, 20)
        bench.until(bench.at + 0.1)
        return count

    bench = Bench().ready()
    few = max(calls(bench) for _ in range(5))
    for n in range(500):
        answer(bench, 20, f"x{n}", f"y{n}")
        bench.plays(bench.laid // 24 - 20, 20)
        bench.until(bench.at + 0.1)
    bench.effects.clear()
    assert max(calls(bench) for _ in range(5)) <= few * 1.2


def test_begin_dials_and_opens_the_devices():
    effects = Bench().give(Begin())
    kinds = [type(effect).__name__ for effect in effects]
    assert kinds.count("Connect") == 1
    assert kinds.count("OpenSound") == 2
