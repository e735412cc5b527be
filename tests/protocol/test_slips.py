"""D1 to D12: where the contract is wrong about the wire, and what other servers send; each is read all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_client, decode_server, encode
from voicecli.protocol.events import Malformed, Unknown
from voicecli.protocol.items import (
    ContentPart,
    ErrorInfo,
    Item,
    Response,
    SessionConfig,
    StatusDetails,
    StatusError,
    TranscriptionError,
    Usage,
)
from voicecli.protocol.profiles import GENERIC_BETA

ITEM_KINDS = (
    "conversation.item.created",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.retrieved",
    "response.output_item.added",
    "response.output_item.done",
)


def read(kind: str, **fields: Any) -> Any:
    event = decode_server(json.dumps({"type": kind, **fields}))
    assert not isinstance(event, Unknown | Malformed), event
    return event


def test_d1_response_cancelled_is_no_event() -> None:
    event = decode_server('{"type":"response.cancelled","event_id":"e"}')
    assert event == Unknown("response.cancelled", b'{"type":"response.cancelled","event_id":"e"}', "e")


def test_d2_content_may_be_audio() -> None:
    event = read("conversation.item.created", item={"id": "i", "content": [{"type": "audio", "transcript": "x"}]})
    assert event.item.content[0].type == "audio"


@pytest.mark.parametrize("kind", ["input_audio_buffer.committed", "conversation.item.created"])
def test_d3_the_first_item_has_no_predecessor(kind: str) -> None:
    assert read(kind, item_id="i", item={"id": "i"}, previous_item_id=None).previous_item_id is None
    assert read(kind, item_id="i", item={"id": "i"}).previous_item_id is UNSET


def test_d4_items_and_responses_may_be_in_progress() -> None:
    assert read("response.output_item.added", item={"status": "in_progress"}).item.status == "in_progress"
    assert read("response.created", response={"status": "in_progress"}).response.status == "in_progress"


def test_d5_an_update_needs_no_model() -> None:
    assert decode_client('{"type":"session.update","session":{}}') == e.SessionUpdate(session=SessionConfig())
    assert encode(e.SessionUpdate(session=SessionConfig(model="m")), GENERIC_BETA)[0] == (
        '{"type":"session.update","session":{"model":"m"}}'
    )


def test_d6_null_turns_detection_and_transcription_off_and_absent_does_not() -> None:
    off = read("session.updated", session={"turn_detection": None, "input_audio_transcription": None}).session
    assert (off.turn_detection, off.input_audio_transcription) == (None, None)
    assert read("session.updated", session={}).session.turn_detection is UNSET


def test_d7_the_field_is_silence_duration_ms() -> None:
    session = read("session.created", session={"turn_detection": {"silence_duration_ms": 5}}).session
    assert session.turn_detection.silence_duration_ms == 5


def test_d8_an_item_may_be_a_reference() -> None:
    frame = {"type": "response.create", "response": {"input": [{"type": "item_reference", "id": "i"}]}}
    event = decode_client(json.dumps(frame))
    assert isinstance(event, e.ResponseCreate)
    assert event.response is not UNSET
    assert event.response.input == (Item(type="item_reference", id="i"),)
    assert encode(event, GENERIC_BETA)[0] == json.dumps(frame, separators=(",", ":")).replace(
        '"type":"item_reference","id":"i"', '"id":"i","type":"item_reference"'
    )


def test_d9_root_is_a_predecessor() -> None:
    event = decode_client('{"type":"conversation.item.create","item":{"type":"message"},"previous_item_id":"root"}')
    assert isinstance(event, e.ConversationItemCreate)
    assert event.previous_item_id == "root"


def test_d10_a_session_says_what_it_is_and_when_it_ends() -> None:
    session = read("session.created", session={"object": "realtime.session", "expires_at": 1.5, "id": "s"}).session
    assert (session.object, session.expires_at, session.id) == ("realtime.session", 1.5, "s")
    assert read("session.created", session={"expires_at": None}).session.expires_at is None


def test_d11_usage_and_status_errors_have_more() -> None:
    response = read(
        "response.done",
        response={
            "status_details": {"error": {"message": "no", "code": "c"}},
            "usage": {"input_token_details": {"cached_tokens_details": {"text_tokens": 1}, "cached_tokens": 1}},
        },
    ).response
    assert response.status_details.error.message == "no"
    assert response.usage.input_token_details.cached_tokens == 1


@pytest.mark.parametrize(("said", "reason"), [(None, None), ("turn_detected", "turn_detected")])
def test_d12_status_details_may_be_null_or_a_word(said: str | None, reason: str | None) -> None:
    response = read("response.done", response={"id": "r", "status": "cancelled", "status_details": said}).response
    assert (response.id, response.status) == ("r", "cancelled")
    assert (response.status_details.reason if response.status_details else None) == reason


# ---- other servers ---------------------------------------------------------------------------------------------------


def test_ids_may_be_absent_and_numbers_may_be_floats() -> None:
    assert read("response.text.delta", content_index=0.0, delta="x") == e.TextDelta(delta="x")
    assert read("input_audio_buffer.speech_started", audio_start_ms=12.0).audio_start_ms == 12


def test_unpadded_base64_gets_a_second_chance() -> None:
    for kind in ("response.audio.delta", "response.output_audio.delta"):
        assert read(kind, delta="AAECAw", item_id="i") == e.AudioDelta(item_id="i", delta=b"\0\1\2\3")
    assert isinstance(decode_server('{"type":"response.audio.delta","delta":"AAECA"}'), Malformed)


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"a\ud83d", "a\ufffd"),
        (r"\udc00\ud83d b", "\ufffd\ufffd b"),
        (r"\\ud83d \ud83d\ude00 \ud83d\n", "\\ud83d \U0001f600 \ufffd\n"),
    ],
)
def test_a_lone_surrogate_becomes_a_replacement_character(escaped: str, text: str) -> None:
    raw = '{"type":"response.output_text.delta","delta":"' + escaped + '"}'
    assert decode_server(raw) == e.TextDelta(delta=text)


def test_nulls_where_the_contract_has_none_are_as_good_as_absent() -> None:
    event = read("response.audio.delta", delta=None, item_id=None, event_id=None, content_index=None)
    assert event == e.AudioDelta()
    item = {"id": "i", "content": None, "role": None}
    assert read("response.output_item.done", item=item, output_index=None).item == Item(id="i")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"error": "boom"}, ErrorInfo(message="boom")),
        ({"error": {"message": "m", "code": 429, "extra": 1}}, ErrorInfo(message="m", code="429")),
        ({"error": None, "message": "m"}, ErrorInfo(message="m", type="error")),
        ({"error": {"message": None, "type": "t", "param": None}}, ErrorInfo(type="t")),
        ({"error": {"message": "m", "event_id": "e" * 600}}, ErrorInfo(message="m", event_id="e" * 512)),
    ],
)
def test_an_error_is_read_in_whatever_shape_it_comes(said: dict[str, Any], error: ErrorInfo) -> None:
    assert read("error", **said).error == error


def test_one_strange_value_does_not_cost_the_greeting() -> None:
    session = {"id": "s", "temperature": "hot", "tools": [5], "audio": {"output": {"voice": 5}}, "voice": "v"}
    assert read("session.created", session=session).session == SessionConfig(id="s", voice="v")


AVA = {"name": "en-US-Ava", "type": "azure-standard"}


@pytest.mark.parametrize("holder", [{"voice": AVA}, {"audio": {"output": {"voice": AVA}}}], ids=["beta", "ga"])
def test_a_voice_that_is_an_object_goes_by_its_name(holder: dict[str, Any]) -> None:
    assert read("response.created", response={"id": "r", **holder}).response == Response(id="r", voice="en-US-Ava")
    assert read("session.updated", session=holder).session == SessionConfig(voice="en-US-Ava")


@pytest.mark.parametrize("kind", ["response.created", "response.done"])
@pytest.mark.parametrize(
    ("said", "response"),
    [
        ({"voice": ["x"], "temperature": "0.8", "modalities": "text", "output_modalities": "text"}, Response()),
        ({"max_output_tokens": "4096", "conversation_id": 3, "audio": {"output": 5}}, Response()),
        ({"usage": "12"}, Response()),
        (
            {"usage": {"total_tokens": "12", "input_tokens": 3, "input_token_details": 5}},
            Response(usage=Usage(None, 3)),
        ),
        (
            {"status_details": {"error": "boom"}},
            Response(status_details=StatusDetails(error=StatusError(message="boom"))),
        ),
        (
            {"status_details": {"type": 5, "error": {"code": 429}}},
            Response(status_details=StatusDetails(error=StatusError(code="429"))),
        ),
        (
            {"output": [5, {"id": "f", "arguments": {"a": None}}, {"id": "g", "status": 5, "name": "n"}]},
            Response(output=(Item(id="f", arguments='{"a": null}'), Item(id="g", name="n"))),
        ),
        ({"output": "nothing"}, Response()),
    ],
)
def test_one_strange_value_does_not_cost_a_response(kind: str, said: dict[str, Any], response: Response) -> None:
    got = read(kind, response={"id": "r", "status": "failed", **said}).response
    assert got == replace(response, id="r", status="failed")


@pytest.mark.parametrize("response", [None, "done", 5, [], {}, {"id": {}, "status": [], "output": {}}])
def test_whatever_a_response_done_carries_it_is_one(response: Any) -> None:
    assert read("response.done", response=response, event_id=5) == e.ResponseDone()


@pytest.mark.parametrize("kind", ITEM_KINDS)
@pytest.mark.parametrize(
    ("said", "item"),
    [
        ({"role": "user", "content": "hello"}, Item(role="user", content=(ContentPart("input_text", "hello"),))),
        ({"role": "assistant", "content": ["hello"]}, Item(role="assistant", content=(ContentPart("text", "hello"),))),
        (
            {"content": [{"type": "output_text", "text": "x", "transcript": 5, "image_url": {"url": "y"}}]},
            Item(content=(ContentPart("text", "x"),)),
        ),
        ({"content": [5]}, Item()),
        ({"arguments": {"city": "Troms\u00f8"}}, Item(arguments='{"city": "Troms\u00f8"}')),
        ({"output": [{"type": "text", "text": "x"}]}, Item(output='[{"type": "text", "text": "x"}]')),
        ({"status": 5, "phase": {}, "tools": 5}, Item(tools=5)),
    ],
)
def test_one_strange_value_does_not_cost_an_item(kind: str, said: dict[str, Any], item: Item) -> None:
    assert read(kind, item={"id": "i", **said}).item == replace(item, id="i")


@pytest.mark.parametrize(
    ("said", "error"),
    [("x", TranscriptionError(message="x")), ({"code": 1}, TranscriptionError(code="1")), (None, TranscriptionError())],
)
def test_a_transcription_that_failed_says_so_in_whatever_shape(said: Any, error: TranscriptionError) -> None:
    event = read("conversation.item.input_audio_transcription.failed", item_id="i", error=said)
    assert event == e.TranscriptionFailed(item_id="i", error=error)


def test_a_format_of_another_rate_keeps_its_rate() -> None:
    audio = {"input": {"format": {"type": "audio/pcm", "rate": 16000}}, "output": {"format": {"type": "audio/pcm"}}}
    session = read("session.updated", session={"type": "realtime", "audio": audio}).session
    assert (session.input_audio_format, session.output_audio_format) == ("pcm16_16000hz", "pcm16")


def test_what_is_of_the_wrong_kind_at_its_heart_stays_malformed() -> None:
    for fields in ({"delta": 5}, {"delta": "x", "item_id": {}}, {"content_index": 1e300}, {"output_index": True}):
        event = decode_server(json.dumps({"type": "response.text.delta", **fields}))
        assert isinstance(event, Malformed)
        assert event.type == "response.text.delta"
        assert event.param == list(fields)[-1]
