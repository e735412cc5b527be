"""What a session answers to what a client asks, rule by rule (B1-B14) and error by error, in both spellings."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from server_talk import (
    FIVE_SECONDS,
    ONE_SECOND,
    TWO_ITEMS,
    Talk,
    every,
    kinds,
    only,
    silence,
    sound,
    sound_of,
    speech,
    written,
)

from voicecli.ports import RATE
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, one_item
from voicecli.server.limits import Limits

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
OFF: dict[str, Any] = {"turn_detection": None}
ITEM = {Spelling.BETA: "conversation.item.created", Spelling.GA: "conversation.item.added"}


def error(frames: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = only(frames, "error")["error"]
    return told


# ---- connection and configuration ------------------------------------------------------------------------------------


@BOTH
def test_b1_a_connection_begins_with_the_session_and_then_the_conversation(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    assert [frame["type"] for frame in talk.seen] == ["session.created", "conversation.created"]
    assert all(frame["event_id"] for frame in talk.seen)


def test_the_greeting_of_the_beta_spelling_is_complete_and_flat() -> None:
    session = Talk(spelling=Spelling.BETA).seen[0]["session"]
    assert session["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "create_response": True,
    }
    for name in ("id", "model", "modalities", "voice", "input_audio_format", "output_audio_format", "temperature"):
        assert session[name], name
    assert session["input_audio_transcription"] is None
    assert session["tools"] == []


def test_the_greeting_of_ga_is_complete_and_nested() -> None:
    session = Talk(spelling=Spelling.GA).seen[0]["session"]
    assert session["type"] == "realtime"
    assert session["output_modalities"] == ["audio"]
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}


@BOTH
def test_b2_an_update_changes_what_it_names_and_is_answered_with_everything(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    before = talk.seen[0]["session"]
    after = only(talk.update(instructions="Be brief."), "session.updated")["session"]
    assert after == {**before, "instructions": "Be brief."}


def test_a_turn_detection_that_is_named_in_part_gets_the_defaults_for_the_rest() -> None:
    talk = Talk(spelling=Spelling.BETA)
    updated = only(talk.update(turn_detection={"type": "server_vad", "threshold": 0.7}), "session.updated")
    assert updated["session"]["turn_detection"]["threshold"] == 0.7
    assert updated["session"]["turn_detection"]["silence_duration_ms"] == 500


def test_a_null_turns_detection_and_transcription_off() -> None:
    talk = Talk(spelling=Spelling.BETA, update={"input_audio_transcription": {"model": "whisper-1"}})
    updated = only(talk.update(turn_detection=None, input_audio_transcription=None), "session.updated")["session"]
    assert updated["turn_detection"] is None
    assert updated["input_audio_transcription"] is None


def test_the_first_update_of_the_other_shape_switches_the_spelling() -> None:
    talk = Talk(spelling=Spelling.GA)
    updated = only(talk.send("session.update", session={"turn_detection": None}), "session.updated")["session"]
    assert "turn_detection" in updated
    assert "audio" not in updated
    assert kinds(talk.type("hello")) == ["conversation.item.created"]


def test_a_later_update_of_the_other_shape_switches_nothing() -> None:
    talk = Talk(spelling=Spelling.BETA, update={"instructions": "x", "voice": "ash"})
    talk.send("session.update", session={"type": "realtime", "instructions": "y"})
    assert kinds(talk.type("hello")) == ["conversation.item.created"]


def test_one_wrong_name_does_not_lead_a_client_out_of_the_beta_that_its_header_told() -> None:
    talk = Talk(spelling=Spelling.BETA)
    told = error(talk.send("session.update", session={"max_output_tokens": 5}))
    assert (told["code"], told["param"]) == ("unknown_parameter", "session.max_output_tokens")
    assert "modalities" in only(talk.update(voice="ash"), "session.updated")["session"]


def test_an_update_with_the_type_that_ga_demands_leads_out_of_the_beta() -> None:
    talk = Talk(spelling=Spelling.BETA)
    session = {"type": "realtime", "output_modalities": ["text"]}
    assert only(talk.send("session.update", session=session), "session.updated")["session"]["type"] == "realtime"


def test_the_model_of_the_url_stays_whatever_an_update_names() -> None:
    talk = Talk(spelling=Spelling.BETA)
    updated = only(talk.update(model="gpt-4o-realtime-preview", voice="ash"), "session.updated")["session"]
    assert updated["model"] == talk.seen[0]["session"]["model"]
    assert updated["voice"] == "ash"


# ---- answers ---------------------------------------------------------------------------------------------------------

BETA_ANSWER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.created",
    "response.content_part.added",
    "response.audio_transcript.delta",
    "response.audio.delta",
    "response.audio_transcript.delta",
    "response.audio.delta",
    "response.audio_transcript.done",
    "response.audio.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
]

GA_ANSWER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio_transcript.done",
    "response.output_audio.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


@pytest.mark.parametrize(("spelling", "order"), [(Spelling.BETA, BETA_ANSWER), (Spelling.GA, GA_ANSWER)])
def test_b7_an_answer_comes_in_its_order(spelling: Spelling, order: list[str]) -> None:
    talk = Talk(spelling=spelling)
    assert kinds(talk.send("response.create") + talk.rest()) == order


@BOTH
def test_a_served_answer_has_all_the_sound_and_words_of_the_responder(spelling: Spelling) -> None:
    talk = Talk(TWO_ITEMS, spelling=spelling)
    frames = talk.send("response.create") + talk.rest()
    assert sound(frames) == sound_of(TWO_ITEMS)
    output = only(frames, "response.done")["response"]["output"]
    assert [len(item["content"]) for item in output] == [2, 1]
    assert [part.get("transcript", part.get("text")) for item in output for part in item["content"]] == [
        "first",
        "part",
        "a text",
    ]
    assert {frame["output_index"] for frame in every(frames, "response.content_part.done")} == {0, 1}
    assert [frame["content_index"] for frame in every(frames, "response.content_part.done")] == [0, 1, 0]


@BOTH
def test_at_rest_both_ends_have_the_same_conversation(spelling: Spelling) -> None:
    talk = Talk(TWO_ITEMS, spelling=spelling, update={"input_audio_transcription": {"model": "whisper-1"}})
    talk.type("hello")
    talk.send("response.create")
    talk.wait(0.2)
    talk.speak(silence(0.3), speech(1.0), silence(0.8))
    talk.rest()
    made = [item.id for item in talk.session.view() if item.role == "assistant" and item.samples]
    talk.send("conversation.item.truncate", item_id=made[0], content_index=0, audio_end_ms=100)
    talk.send("conversation.item.delete", item_id=made[-1])
    talk.rest()
    assert talk.session.view() == talk.conversation.view()
    assert len(talk.session.view()) >= 4


def test_deltas_of_sound_are_a_tenth_of_a_second_at_most() -> None:
    talk = Talk(FIVE_SECONDS)
    frames = talk.send("response.create") + talk.rest()
    sizes = [len(base64.b64decode(frame["delta"])) for frame in every(frames, "response.output_audio.delta")]
    assert max(sizes) == 2 * RATE // 10


def test_each_word_is_sent_just_before_its_sound() -> None:
    talk = Talk(FIVE_SECONDS)
    frames = talk.send("response.create") + talk.rest()
    heard = 0
    words = []
    for frame in frames:
        if frame["type"] == "response.output_audio_transcript.delta":
            words.append((frame["delta"].strip(), heard))
        elif frame["type"] == "response.output_audio.delta":
            heard += len(base64.b64decode(frame["delta"])) // 2
    assert words == [(f"word{n}", n * RATE // 4) for n in range(20)]


@BOTH
def test_a_text_answer_has_no_sound(spelling: Spelling) -> None:
    talk = Talk(one_item(written("some words only")), spelling=spelling, update={"modalities": ["text"]})
    frames = talk.send("response.create") + talk.rest()
    assert sound(frames) == b""
    done = only(frames, "response.text.done" if spelling is Spelling.BETA else "response.output_text.done")
    assert done["text"] == "some words only"
    assert talk.responder.asked[0].spoken is False


def test_the_responder_is_told_what_was_typed_and_how_long_it_heard() -> None:
    talk = Talk()
    talk.type("what is that?")
    talk.send("response.create")
    talk.rest()
    talk.speak(silence(0.4), speech(1.0), silence(0.6))
    talk.rest()
    first, second = talk.responder.asked
    assert (first.number, first.typed, first.heard_ms) == (0, "what is that?", 0)
    assert (second.number, second.typed) == (1, "")
    assert second.heard_ms == pytest.approx(1_000, abs=70)


def test_a_slow_responder_begins_after_its_delay() -> None:
    talk = Talk(Answer(ONE_SECOND.items, delay_s=1.5))
    assert kinds(talk.send("response.create")) == ["response.created"]
    assert talk.wait(1.4) == []
    assert "response.output_audio.delta" in kinds(talk.wait(0.1))


def test_a_failed_answer_says_why_in_its_status() -> None:
    talk = Talk(Answer(status="failed", error=StatusError(type="rate_limit_exceeded", code="rate_limit_exceeded")))
    response = only(talk.send("response.create"), "response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
    assert response["output"] == []


def test_an_incomplete_answer_says_why_and_its_last_item_is_incomplete() -> None:
    talk = Talk(Answer(TWO_ITEMS.items, status="incomplete", reason="content_filter"))
    talk.send("response.create")
    response = only(talk.rest(), "response.done")["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "content_filter"}
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]


@BOTH
def test_an_answer_ends_incomplete_when_it_has_spent_its_tokens(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling)
    name = "max_response_output_tokens" if spelling is Spelling.BETA else "max_output_tokens"
    frames = talk.send("response.create", response={name: 20}) + talk.rest()
    response = only(frames, "response.done")["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"]["reason"] == "max_output_tokens"
    assert 15 <= response["usage"]["output_tokens"] <= 20


@BOTH
def test_a_response_carries_the_metadata_it_was_asked_with(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    frames = talk.send("response.create", response={"metadata": {"for": "me"}}) + talk.rest()
    assert only(frames, "response.created")["response"]["metadata"] == {"for": "me"}
    assert only(frames, "response.done")["response"]["metadata"] == {"for": "me"}


# ---- one at a time, cancel -------------------------------------------------------------------------------------------


@BOTH
def test_a_second_response_is_refused_while_one_is_active(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.send("response.create")
    told = error(talk.send("response.create", event_id="mine"))
    assert told["code"] == "conversation_already_has_active_response"
    assert "already has an active response" in told["message"]
    assert told["event_id"] == "mine"
    assert len(every(talk.seen + talk.rest(), "response.created")) == 1


@BOTH
def test_b8_b9_a_cancelled_response_closes_all_that_is_open_and_is_done(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling)
    before = talk.send("response.create") + talk.wait(0.5)
    frames = talk.send("response.cancel")
    audio = "audio" if spelling is Spelling.BETA else "output_audio"
    item_done = [] if spelling is Spelling.BETA else ["conversation.item.done"]
    assert kinds(frames) == [
        f"response.{audio}_transcript.done",
        f"response.{audio}.done",
        "response.content_part.done",
        "response.output_item.done",
        *item_done,
        "response.done",
    ]
    response = only(frames, "response.done")["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert response["output"][0]["status"] == "incomplete"
    said = "".join(frame["delta"] for frame in every(before, f"response.{audio}_transcript.delta"))
    assert response["output"][0]["content"][0]["transcript"] == said
    assert response["usage"]["output_tokens"] > 0
    assert kinds(talk.rest()) == []


def test_a_response_cancelled_before_its_first_word_has_no_output() -> None:
    talk = Talk(Answer(ONE_SECOND.items, delay_s=1.0))
    talk.send("response.create")
    response = only(talk.send("response.cancel"), "response.done")["response"]
    assert (response["status"], response["output"]) == ("cancelled", [])


def test_a_cancel_by_id_meets_that_response_only() -> None:
    talk = Talk(FIVE_SECONDS)
    created = only(talk.send("response.create"), "response.created")["response"]["id"]
    assert error(talk.send("response.cancel", response_id="resp_other"))["code"] == "response_cancel_not_active"
    assert only(talk.send("response.cancel", response_id=created), "response.done")["response"]["id"] == created


def test_a_cancel_of_nothing_is_an_error_with_its_code() -> None:
    talk = Talk()
    told = error(talk.send("response.cancel", event_id="c1"))
    assert told["code"] == "response_cancel_not_active"
    assert told["message"] == "Cancellation failed: no active response found"
    assert told["event_id"] == "c1"


def test_after_a_response_is_done_the_next_one_is_taken() -> None:
    talk = Talk()
    talk.send("response.create")
    talk.rest()
    assert "response.created" in kinds(talk.send("response.create"))


def test_of_two_responses_the_earlier_one_sets_the_deadline() -> None:
    talk = Talk(FIVE_SECONDS, Answer(ONE_SECOND.items, delay_s=3.0))
    talk.send("response.create")
    talk.send("response.create", response={"conversation": "none"})
    assert talk.session.deadline is not None
    assert talk.session.deadline < talk.at + 0.1


@BOTH
def test_a_response_aside_runs_beside_the_default_one_and_leaves_nothing_in_the_conversation(
    spelling: Spelling,
) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling)
    talk.send("response.create")
    aside = only(talk.send("response.create", response={"conversation": "none"}), "response.created")["response"]["id"]
    frames = talk.rest()
    assert {frame["response"]["id"] for frame in every(frames, "response.done")} > {aside}
    assert len(talk.session.view()) == 1
    assert len(every(talk.seen, ITEM[spelling])) == 1


# ---- usage and limits ------------------------------------------------------------------------------------------------


@BOTH
def test_b13_the_usage_of_a_later_turn_counts_the_earlier_ones_again(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    used = []
    for text in ("first", "second"):
        talk.type(text)
        talk.send("response.create")
        used.append(only(talk.rest(), "response.done")["response"]["usage"])
    assert used[0]["output_token_details"] == {"audio_tokens": 20, "text_tokens": 2}
    assert used[1]["input_tokens"] > used[0]["total_tokens"]
    assert used[1]["input_token_details"]["cached_tokens"] == used[0]["input_tokens"]
    for usage in used:
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        details = usage["input_token_details"]
        assert usage["input_tokens"] == details["text_tokens"] + details["audio_tokens"]


@BOTH
def test_b12_rate_limits_come_at_the_start_of_a_response_and_change(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=Limits(requests_per_minute=60, tokens_per_minute=6_000))
    first = talk.send("response.create")
    assert [frame["type"] for frame in first[:2]] == ["response.created", "rate_limits.updated"]
    talk.rest()
    talk.send("response.create")
    talk.rest()
    told = [
        {limit["name"]: limit for limit in frame["rate_limits"]} for frame in every(talk.seen, "rate_limits.updated")
    ]
    assert len(told) == 4
    assert told[0]["requests"] == {"name": "requests", "limit": 60, "remaining": 59, "reset_seconds": 1.0}
    assert told[0]["tokens"] == {"name": "tokens", "limit": 6_000, "remaining": 5_000, "reset_seconds": 10.0}
    assert told[1]["tokens"]["remaining"] > 5_900
    assert told[1]["requests"]["reset_seconds"] < 1.0


def test_over_the_rate_limit_a_response_fails_and_the_session_lives() -> None:
    talk = Talk(limits=Limits(requests_per_minute=1))
    talk.send("response.create")
    talk.rest()
    response = only(talk.send("response.create"), "response.done")["response"]
    assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
    talk.wait(60.0)
    talk.send("response.create")
    assert only(talk.rest(), "response.done")["response"]["status"] == "completed"


# ---- items -----------------------------------------------------------------------------------------------------------


@BOTH
def test_items_stand_after_their_predecessors(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    first = only(talk.type("one"), ITEM[spelling])
    second = only(talk.type("two"), ITEM[spelling])
    between = only(talk.type("between", previous_item_id=first["item"]["id"]), ITEM[spelling])
    before = only(talk.type("before", previous_item_id="root"), ITEM[spelling])
    assert first["previous_item_id"] is None
    assert second["previous_item_id"] == first["item"]["id"]
    assert before["previous_item_id"] is None
    assert [item.id for item in talk.session.view()] == [
        frame["item"]["id"] for frame in (before, first, between, second)
    ]


def test_ga_items_are_added_and_at_once_done() -> None:
    frames = Talk(spelling=Spelling.GA).type("one")
    assert kinds(frames) == ["conversation.item.added", "conversation.item.done"]
    assert frames[0]["item"] == frames[1]["item"]
    assert frames[0]["item"]["status"] == "completed"


def test_an_item_keeps_the_id_that_a_client_gave_it_once() -> None:
    talk = Talk(spelling=Spelling.BETA)
    item = {"id": "mine", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}
    assert only(talk.send("conversation.item.create", item=item), "conversation.item.created")["item"]["id"] == "mine"
    assert error(talk.send("conversation.item.create", item=item, event_id="e"))["param"] == "item.id"
    assert len(talk.session.view()) == 1


def test_an_unknown_predecessor_is_an_error_and_adds_nothing() -> None:
    talk = Talk()
    assert "does not exist" in error(talk.type("x", previous_item_id="nobody"))["message"]
    assert talk.session.view() == ()


@BOTH
def test_b10_truncation_cuts_the_sound_and_takes_the_transcript_away(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.send("response.create")
    talk.rest()
    item = talk.session.view()[0]
    assert (item.samples, item.parts[0].transcript) == (RATE, "one two")
    frames = talk.send("conversation.item.truncate", item_id=item.id, content_index=0, audio_end_ms=250)
    assert only(frames, "conversation.item.truncated")["audio_end_ms"] == 250
    cut = talk.session.view()[0]
    assert (cut.samples, cut.parts[0].transcript) == (RATE // 4, "")
    told = error(talk.send("conversation.item.truncate", item_id=item.id, content_index=0, audio_end_ms=251))
    assert "Audio content of 250ms is already shorter than 251ms" in told["message"]


def test_what_was_truncated_is_not_counted_as_input_again() -> None:
    used = []
    for keep_ms in (None, 100):
        talk = Talk()
        talk.send("response.create")
        talk.rest()
        if keep_ms is not None:
            item_id = talk.session.view()[0].id
            talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=keep_ms)
        talk.send("response.create")
        used.append(only(talk.rest(), "response.done")["response"]["usage"]["input_token_details"]["audio_tokens"])
    assert used == [20, 2]


@BOTH
def test_a_deleted_item_is_gone(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    item_id = only(talk.type("x"), ITEM[spelling])["item"]["id"]
    assert (
        only(talk.send("conversation.item.delete", item_id=item_id), "conversation.item.deleted")["item_id"] == item_id
    )
    assert talk.session.view() == ()
    assert "does not exist" in error(talk.send("conversation.item.delete", item_id=item_id))["message"]


def test_an_item_deleted_while_it_is_made_stays_away_at_both_ends() -> None:
    talk = Talk(FIVE_SECONDS)
    talk.send("response.create")
    item_id = talk.session.view()[0].id
    talk.send("conversation.item.delete", item_id=item_id)
    talk.rest()
    assert talk.session.view() == talk.conversation.view() == ()


# ---- errors (the rest of the catalogue that a client can cause) ------------------------------------------------------


@BOTH
def test_b14_an_unknown_event_is_invalid_and_the_session_lives(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    told = error(talk.send("scooby.dooby.doo", event_id="e1"))
    assert (told["type"], told["code"], told["param"]) == ("invalid_request_error", "invalid_value", "type")
    assert told["message"].startswith("Invalid value: 'scooby.dooby.doo'")
    assert told["event_id"] == "e1"
    assert "response.created" in kinds(talk.send("response.create"))


@pytest.mark.parametrize(
    "frame",
    [
        b"not json",
        b"",
        b"[]",
        b"null",
        b'{"type":5}',
        b'{"no":"type"}',
        b'{"type":"input_audio_buffer.append"}',
        b'{"type":"input_audio_buffer.append","audio":5}',
        b'{"type":"input_audio_buffer.append","audio":"***"}',
        b'{"type":"conversation.item.truncate","item_id":"x"}',
        b'{"type":"session.update","session":[]}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_a_frame_of_the_wrong_shape_is_an_error(frame: bytes) -> None:
    talk = Talk()
    assert error(talk.raw(frame))["type"] == "invalid_request_error"
    assert "session.updated" in kinds(talk.update(instructions="still here"))


def test_voice_cannot_change_after_sound() -> None:
    talk = Talk(spelling=Spelling.BETA)
    only(talk.update(voice="ash"), "session.updated")
    talk.send("response.create")
    talk.rest()
    told = error(talk.update(voice="echo", instructions="new"))
    assert told["code"] == "cannot_update_voice"
    assert "assistant audio is present" in told["message"]
    updated = only(talk.update(voice="ash", instructions="other"), "session.updated")["session"]
    assert (updated["voice"], updated["instructions"]) == ("ash", "other")


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({"temperature": 1.3}, "decimal_above_max_value"),
        ({"max_response_output_tokens": 0}, "decimal_below_min_value"),
        ({"modalities": ["audio"]}, "invalid_value"),
        ({"turn_detection": {"type": "server_vad", "threshold": 1.1}}, "decimal_above_max_value"),
        ({"turn_detection": {"type": "some_vad"}}, "invalid_value"),
        ({"turn_detection": {"type": "semantic_vad", "eagerness": "very"}}, "invalid_value"),
        ({"speed": 1.6}, "decimal_above_max_value"),
        ({"input_audio_format": "opus"}, "invalid_value"),
        ({"output_audio_format": "mp3"}, "invalid_value"),
    ],
)
def test_an_update_with_one_bad_value_changes_nothing(session: dict[str, Any], code: str) -> None:
    talk = Talk(spelling=Spelling.BETA)
    told = error(talk.update(instructions="not taken", **session))
    assert told["code"] == code
    assert told["param"].startswith("session.")
    assert only(talk.update(voice="ash"), "session.updated")["session"]["instructions"] == ""


def test_a_ga_update_without_its_type_is_refused() -> None:
    told = error(Talk().send("session.update", session={"output_modalities": ["text"]}))
    assert (told["code"], told["param"]) == ("missing_required_parameter", "session.type")


def test_a_text_item_cannot_be_truncated() -> None:
    talk = Talk(one_item(written("words")))
    talk.send("response.create")
    talk.rest()
    item_id = talk.session.view()[0].id
    told = error(talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0))
    assert told["code"] == "unsupported_content_type"


def test_more_items_than_the_limit_are_refused() -> None:
    talk = Talk(limits=Limits(items=2))
    talk.type("one")
    talk.type("two")
    assert "error" in kinds(talk.type("three"))
    assert len(talk.session.view()) == 2


def test_the_same_frames_at_the_same_times_give_the_same_answers() -> None:
    def run() -> list[dict[str, Any]]:
        talk = Talk(TWO_ITEMS)
        talk.type("hello")
        talk.send("response.create")
        talk.wait(0.3)
        talk.speak(speech(1.0), silence(1.0))
        talk.rest()
        return talk.seen

    assert json.dumps(run()) == json.dumps(run())


# ---- what one response.create overrides ------------------------------------------------------------------------------


@BOTH
def test_an_override_holds_for_one_response_only(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, ONE_SECOND, spelling=spelling, update={"instructions": "always"})
    beta = spelling is Spelling.BETA
    modalities, most = (
        ("modalities", "max_response_output_tokens") if beta else ("output_modalities", "max_output_tokens")
    )
    own = {"instructions": "now", modalities: ["text"], most: 4, "tool_choice": "none"}
    talk.send("response.create", response={**own, **({"temperature": 1.0} if beta else {})})
    assert only(talk.rest(), "response.done")["response"]["status_details"]["reason"] == "max_output_tokens"
    talk.send("response.create")
    assert only(talk.rest(), "response.done")["response"]["status"] == "completed"
    first, second = talk.responder.asked
    assert (first.instructions, first.spoken) == ("now", False)
    assert (second.instructions, second.spoken) == ("always", True)


@BOTH
def test_a_response_aside_with_input_of_its_own_hears_that_only(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    known = only(talk.type("in the talk"), ITEM[spelling])["item"]["id"]
    content = [{"type": "input_text", "text": "classify this"}]
    given = [{"type": "item_reference", "id": known}, {"type": "message", "role": "user", "content": content}]
    aside = {"conversation": "none", "metadata": {"topic": "x"}, "input": given}
    response = only(talk.send("response.create", response=aside) + talk.rest(), "response.done")["response"]
    assert response["metadata"] == {"topic": "x"}
    assert response.get("conversation_id") is None
    assert talk.responder.asked[0].typed == "classify this"
    assert [item.id for item in talk.session.view()] == [known]
    talk.send("response.create")
    assert talk.responder.asked[1].typed == "in the talk"


@BOTH
def test_two_responses_aside_are_told_apart_by_their_metadata(spelling: Spelling) -> None:
    talk = Talk(ONE_SECOND, FIVE_SECONDS, spelling=spelling)
    for name in ("a", "b"):
        talk.send("response.create", response={"conversation": "none", "metadata": {"name": name}})
    done = every(talk.rest(), "response.done")
    assert [frame["response"]["metadata"]["name"] for frame in done] == ["a", "b"]
    assert not every(talk.seen, ITEM[spelling])


def test_a_response_aside_may_have_another_voice_than_the_one_that_was_heard() -> None:
    talk = Talk(spelling=Spelling.BETA)
    talk.send("response.create")
    talk.rest()
    aside = {"conversation": "none", "voice": "ash"}
    assert only(talk.send("response.create", response=aside), "response.created")["response"]["voice"] == "ash"
