"""The link: greeting, settings, its end, the next one; and what servers do otherwise."""

import pytest
from core_talk import (
    CHAT,
    DROPPED,
    TALK,
    Bench,
    added,
    committed,
    created,
    done,
    error,
    frames,
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
from msgspec.structs import replace

from voicecli.core.changes import (
    LinkNow,
    Told,
)
from voicecli.core.effects import Connect, Play
from voicecli.core.notices import FATAL
from voicecli.core.stimuli import (
    LinkEnded,
    LinkSlow,
    NotCarried,
    Opened,
)
from voicecli.ports import (
    LinkFailure,
)
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_server
from voicecli.protocol.items import CustomVoice, ErrorInfo, RateLimit, SessionConfig, StatusError, TurnDetection
from voicecli.protocol.profiles import GENERIC_BETA, OPENAI


# ---- the link
def test_the_link_lost_in_mid_answer_plays_on_and_the_row_ends():
    bench = Bench().ready()
    bench.says(created(), added(), words("All I got"), sound(1000), at=1.0)
    bench.plays(0, 1000)
    bench.give(DROPPED, at=1.2)
    assert bench.phase == "not_connected"
    assert bench.turn("a1").status == "playing"
    bench.until(2.5)
    row = bench.turn("a1")
    assert (row.status, row.error_code, row.heard_ms) == ("failed", "link_lost", 1000)
    assert row.heard.raw == "All I got"
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


def test_texts_that_were_not_taken_keep_their_order_and_come_once_after_two_losses():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.types("two")
    for _ in range(2):
        bench.give(DROPPED)
        bench.asks("retry")
    bench.ready(2.0)
    assert [frame[1] for frame in frames(bench.effects) if frame[0] == "item"] == ["one", "two", "one", "two"]


def test_whoever_was_speaking_when_the_link_was_lost_is_not_speaking_on_the_next():
    bench = Bench().ready()
    bench.says(started("u1"), at=1.0)
    bench.give(DROPPED)
    bench.asks("retry")
    bench.ready(2.0)
    assert bench.phase == "listening"


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
    assert (bench.turn("a1").status, bench.turn("a1").text.raw) == ("failed", "old words")
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
    assert bench.codes() == ["silent", "not_configured"]
    assert bench.phase == "listening"
    assert uploaded(bench.records()) != b""
    assert bench.codes(bench.says(e.SessionUpdated(session=TALK.session))) == []


@pytest.mark.parametrize("with_id", [True, False])
def test_a_refused_session_update_is_told_and_the_talk_goes_on(with_id):
    bench = Bench().dialled()
    bench.give(Opened(1.8e9), at=1.0)
    (update,) = sent(bench.says(e.SessionCreated(session=SessionConfig())))
    bench.says(error("Unknown parameter: 'session.x'", "unknown_parameter", update.event_id if with_id else None))
    assert bench.codes() == ["setting_unknown"]
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
    bench.give(LinkEnded(LinkFailure.CLOSED, 1001, ""), at=1801.0)
    assert bench.codes() == ["session_expired"]


END_IN_ANY_WAY = [
    DROPPED,
    *(LinkEnded(LinkFailure.CLOSED, code, "bye") for code in (1000, 1001, 1005, 1008, 1011, 4000, 4321)),
    LinkEnded(LinkFailure.CLOSED, 1001, "Your session hit the maximum duration of 30 minutes."),
]


@pytest.mark.parametrize("end", END_IN_ANY_WAY, ids=lambda end: f"{end.failure.value} {end.code}")
@pytest.mark.parametrize("code", sorted(FATAL))
def test_why_the_link_is_gone_is_told_once_by_the_error_before_it(code, end):
    for failing in (error("their words", code), done(status="failed", error=StatusError(code=code))):
        bench = Bench().ready()
        bench.says(created(), failing, at=10.0)
        bench.give(end, at=11.0)
        assert bench.codes() == [code]
        assert bench.shown(LinkNow)[-1].state == "lost"


def test_a_drop_long_after_an_error_that_usually_ends_a_session_is_told_with_a_hint():
    bench = Bench().ready()
    bench.says(error("You exceeded your current quota", "insufficient_quota"), at=10.0)
    bench.give(DROPPED, at=60.0)
    assert bench.codes() == ["insufficient_quota", "dropped"]
    assert "/retry" in bench.shown(Told)[-1].hint


def test_a_model_that_is_not_there_for_the_transcription_ends_nothing():
    bench = Bench().ready()
    bench.says(error("The model `x` does not exist or you do not have access to it.", "model_not_found"), at=10.0)
    bench.give(DROPPED, at=10.5)
    assert bench.codes() == ["model_not_found", "dropped"]


def test_1001_at_sixty_minutes_is_told_as_the_sessions_end():
    bench = Bench().ready()
    bench.give(LinkEnded(LinkFailure.CLOSED, 1001, "Your session hit the maximum duration of 60 minutes."), at=3600.0)
    (told,) = bench.shown(Told)
    assert (told.code, told.severity) == ("session_expired", "error")
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
            decode_server(b"\x00\xff"),
            at=bench.at + 1,
        )
    assert bench.codes() == ["unknown_event", "unknown_event", "malformed", "unknown_event"]
    assert (bench.session.talk.unknown, bench.session.talk.malformed) == (9, 3)
    title = "The server sent something voicecli does not know: a message that is no text."
    assert bench.shown(Told)[-1].title == title


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


def test_a_setting_outside_of_the_protocol_is_refused_here_and_the_talk_goes_on():
    """E5 to E9 are refused before sending, with field, value and limit."""
    beyond = replace(TALK, session=replace(TALK.session, temperature=1.3))
    bench = Bench(beyond).dialled()
    bench.give(Opened(1.8e9), at=0.1)
    effects = bench.says(e.SessionCreated(session=SessionConfig()))
    assert frames(effects) == []
    assert bench.codes(effects) == ["setting_outside"]
    (told,) = shown(Told, effects)
    assert told.detail.raw == "Invalid 'session.temperature': 1.3 is not between 0.6 and 1.2."
    assert shown(LinkNow, effects)[-1].state == "open"


@pytest.mark.parametrize(("profile", "goes"), [(GENERIC_BETA, False), (OPENAI, True)])
def test_a_word_that_the_older_dialect_does_not_have_is_sent_in_the_newer_only(profile, goes):
    """E13: closed lists hold in the contract's own spelling."""
    strange = replace(TALK, profile=profile, session=replace(TALK.session, tool_choice="perhaps"))
    bench = Bench(strange).dialled()
    bench.give(Opened(1.8e9), at=0.1)
    effects = bench.says(e.SessionCreated(session=SessionConfig()))
    assert frames(effects) == (["update"] if goes else [])
    assert bench.codes(effects) == ([] if goes else ["setting_outside"])
    if not goes:
        (told,) = shown(Told, effects)
        assert "'perhaps'. Supported values for 'session.tool_choice' are: 'auto', 'none'," in told.detail.raw


@pytest.mark.parametrize("profile", [GENERIC_BETA, OPENAI])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"temperature": 0.59}, "'session.temperature': 0.59 is not between 0.6 and 1.2"),
        ({"max_response_output_tokens": 4097}, "'session.max_response_output_tokens': 4097 is not between 1 and 4096"),
        ({"turn_detection": TurnDetection(threshold=1.1)}, "'session.turn_detection.threshold': 1.1 is not between"),
        ({"turn_detection": TurnDetection(prefix_padding_ms=-1)}, "prefix_padding_ms': -1 is below the minimum of 0"),
        ({"turn_detection": TurnDetection(silence_duration_ms=-1)}, "silence_duration_ms': -1 is below the minimum"),
    ],
)
def test_e5_to_e9_are_refused_in_either_dialect_with_field_value_and_limit(fields, said, profile):
    bench = Bench(replace(TALK, profile=profile, session=replace(TALK.session, **fields))).dialled()
    bench.give(Opened(1.8e9), at=0.1)
    effects = bench.says(e.SessionCreated(session=SessionConfig()))
    assert frames(effects) == []
    (told,) = shown(Told, effects)
    assert said in told.detail.raw


# ---- errors that name no event


@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize(
    ("refusal", "notice"),
    [
        (error("Rate limit reached. Try again in 20s", "rate_limit_exceeded"), "rate_limit"),
        (error("No such model", "model_not_found"), "model_not_found"),
    ],
)
def test_an_error_without_an_event_id_while_only_an_answer_is_out_is_about_that(refusal, notice, acknowledged):
    bench = Bench(CHAT).ready()
    item = sent(bench.types("one", at=1.0))[0].item
    if acknowledged:
        bench.says(e.ConversationItemAdded(item=item))
    effects = bench.says(refusal)
    assert bench.codes(effects) == [notice]
    assert not bench.session.talk.responses.busy
    assert bench.codes(bench.until(60.0)) == []


def test_after_an_error_that_may_be_its_refusal_an_answer_is_waited_for_a_few_seconds_only():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    assert bench.codes(bench.says(error("too long", "context_length_exceeded"))) == ["server_error"]
    assert bench.codes(bench.until(5.9)) == []
    assert bench.codes(bench.until(6.1)) == ["answer_refused"]
    assert not bench.session.talk.responses.busy
    assert bench.session.talk.ending.answer_failed


def test_an_answer_that_comes_after_such_an_error_has_all_the_time_that_answers_have():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(error("too long", "context_length_exceeded"), created(), at=2.0)
    bench.until(20.0)
    bench.says(added(), written("yes"), done("r1", "a1"))
    assert bench.turn("a1").status == "done"
    assert not bench.session.talk.ending.answer_failed


@pytest.mark.parametrize(
    "other",
    [
        error("Unknown parameter: 'session.x'.", "unknown_parameter"),
        error("Invalid 'item.content[0].text': string too long.", "string_above_max_length"),
        error("Audio content of 9250ms is already shorter than 57340ms"),
        error("Only model output audio messages can be truncated", "unsupported_content_type"),
        error("no active response", "response_cancel_not_active"),
        e.ServerError(error=ErrorInfo("odd", "x", "invalid_value", "item.content")),
        error("oops", about="evt_of_another"),
    ],
)
def test_an_error_about_something_else_leaves_the_answer_alone(other):
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(other)
    assert bench.session.talk.responses.busy
    bench.says(created(), added(), written("yes"), done("r1", "a1"))
    assert bench.turn("a1").status == "done"
    assert not bench.session.talk.ending.answer_failed


def test_an_error_while_a_recording_is_not_taken_yet_may_be_about_that():
    bench = Bench(replace(TALK, ptt=True, session=replace(TALK.session, turn_detection=None))).ready()
    bench.asks("talk", at=1.0)
    for _ in range(20):
        bench.records(at=bench.at + 0.02)
    bench.asks("talk")
    bench.until(bench.at + 1.0)
    assert "create" in frames(bench.effects)
    bench.says(error("oops"))
    bench.until(bench.at + 6.0)
    assert bench.session.talk.responses.busy


def test_an_error_after_an_answer_has_begun_leaves_it_alone():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(created(), error("oops"))
    assert bench.codes() == ["server_error"]
    assert bench.session.talk.responses.busy


@pytest.mark.parametrize("begun", [(), (created(), added(), written("half"))])
def test_an_error_that_ends_the_account_and_closes_nothing_ends_the_answer_soon(begun):
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(*begun, error("You exceeded your current quota", "insufficient_quota"))
    assert bench.codes(bench.until(5.9)) == []
    bench.until(6.1)
    assert bench.codes() == ["insufficient_quota", "answer_refused"]
    assert not bench.session.talk.responses.busy
    assert bench.session.talk.ending.answer_failed


def test_an_answer_of_the_servers_own_that_is_limited_before_it_begins_is_over():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    assert bench.codes(bench.says(error("oops"))) == ["server_error"]
    assert bench.session.talk.responses.busy
    assert bench.codes(bench.says(error("Rate limit reached", "rate_limit_exceeded"))) == ["rate_limit"]
    assert not bench.session.talk.responses.busy


def test_a_limit_that_is_no_answers_is_told_as_one_with_how_long_to_wait():
    bench = Bench().ready()
    limits = (RateLimit(name="tokens", limit=100, remaining=0, reset_seconds=17),)
    bench.says(e.RateLimitsUpdated(rate_limits=limits), at=1.0)
    bench.says(error("Rate limit reached", "rate_limit_exceeded"))
    told = bench.shown(Told)[-1]
    assert (told.code, told.hint) == ("limited", "Wait 17 seconds; the talk goes on.")


# ---- what was left out


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("session.voice", ["not_carried"]),
        ("session.tools[0]", ["not_carried", "settings_differ"]),
        ("session.voice.id", ["not_carried", "settings_differ"]),
        ("response.voice", ["not_carried", "settings_differ"]),
    ],
)
def test_a_setting_that_was_left_out_is_not_told_once_more_as_another_one(path, codes):
    bench = Bench(replace(TALK, session=SessionConfig(voice=CustomVoice("voice_1")))).dialled()
    bench.give(Opened(1.8e9), at=0.1)
    bench.says(e.SessionCreated(session=SessionConfig()))
    bench.give(NotCarried(path, "x", "it has no place for it"))
    bench.says(e.SessionUpdated(session=SessionConfig(voice="alloy")))
    assert bench.codes() == codes
