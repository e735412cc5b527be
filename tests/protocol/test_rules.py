"""What a client event must satisfy: limits at their boundaries (E5 to E9), and what depends on the conversation."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from voicecli.ports import RATE
from voicecli.protocol import events as e
from voicecli.protocol.conversation import Conversation
from voicecli.protocol.items import (
    ContentPart,
    ErrorInfo,
    Item,
    NoiseReduction,
    ResponseConfig,
    SessionConfig,
    Tool,
    TurnDetection,
)
from voicecli.protocol.profiles import EMBEDDED_BETA, EMBEDDED_GA, GENERIC_BETA, GENERIC_GA, OPENAI, QWEN, VOICE_LIVE
from voicecli.protocol.rules import check


@pytest.fixture
def conversation() -> Conversation:
    """A user's text "u", a spoken answer "a" of one second, a written one "t", a call "c1"."""
    made = Conversation()
    user = Item(id="u", type="message", role="user", content=(ContentPart(type="input_text", text="hi"),))
    made.apply(e.ConversationItemCreated(item=user))
    made.apply(e.AudioDelta(item_id="a", delta=bytes(RATE * 2)))
    made.apply(e.TextDelta(item_id="t", delta="x"))
    made.apply(e.FunctionCallArgumentsDone(item_id="f", call_id="c1", arguments="{}"))
    return made


def wrong(event: e.ClientEvent, conversation: Conversation | None = None) -> ErrorInfo | None:
    """What is wrong with it in either dialect."""
    error = check(event, conversation or Conversation(), OPENAI)
    assert error == check(event, conversation or Conversation(), GENERIC_BETA)
    assert error is None or (error.type == "invalid_request_error" and error.message)
    return error


def unlisted(event: e.ClientEvent) -> ErrorInfo | None:
    """What is wrong with it where the lists of words are whole: the older dialect, and our own server in either.

    Where they are not nothing is: new words come to the newer one, and hosted servers of the older have their own.
    """
    error = check(event, Conversation(), GENERIC_BETA)
    for closed in (EMBEDDED_GA, EMBEDDED_BETA):
        assert check(event, Conversation(), closed) == error
    for opened in (OPENAI, GENERIC_GA, VOICE_LIVE, QWEN):
        assert check(event, Conversation(), opened) is None
    return error


def session(**fields: Any) -> e.SessionUpdate:
    return e.SessionUpdate(session=SessionConfig(**fields))


def response(**fields: Any) -> e.ResponseCreate:
    return e.ResponseCreate(response=ResponseConfig(**fields))


@pytest.mark.parametrize(
    ("value", "fits"), [(0.59, False), (0.6, True), (1, True), (1.2, True), (1.21, False), (float("nan"), False)]
)
def test_e5_temperature(value: float, fits: bool) -> None:
    for event, path in ((session(temperature=value), "session"), (response(temperature=value), "response")):
        error = wrong(event)
        assert (error is None) == fits
        assert error is None or error.param == f"{path}.temperature"


@pytest.mark.parametrize(
    ("value", "fits"), [(0, False), (1, True), (4096, True), (4097, False), ("inf", True), (5.5, False)]
)
def test_e6_output_tokens(value: Any, fits: bool) -> None:
    for event in (session(max_response_output_tokens=value), response(max_response_output_tokens=value)):
        assert (wrong(event) is None) == fits


@pytest.mark.parametrize(
    ("metadata", "fits"),
    [
        (None, True),
        ({str(n): "v" for n in range(16)}, True),
        ({str(n): "v" for n in range(17)}, False),
        ({"k" * 64: "v"}, True),
        ({"k" * 65: "v"}, False),
        ({"k": "v" * 512}, True),
        ({"k": "v" * 513}, False),
        ({"k": 5}, False),
        (["k"], False),
    ],
)
def test_e7_metadata(metadata: Any, fits: bool) -> None:
    assert (wrong(response(metadata=metadata)) is None) == fits


def test_e8_an_append_has_at_most_15_mib() -> None:
    most = bytes(15 * 1024 * 1024)
    assert wrong(e.InputAudioBufferAppend(audio=most)) is None
    error = wrong(e.InputAudioBufferAppend(audio=most + b"\0"))
    assert error is not None
    assert (error.code, error.param) == ("string_above_max_length", "audio")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"threshold": -0.01}, "threshold"),
        ({"threshold": 0.0}, None),
        ({"threshold": 1}, None),
        ({"threshold": 1.01}, "threshold"),
        ({"prefix_padding_ms": 0, "silence_duration_ms": 0}, None),
        ({"prefix_padding_ms": -1}, "prefix_padding_ms"),
        ({"silence_duration_ms": -0.5}, "silence_duration_ms"),
    ],
)
def test_e9_turn_detection(fields: dict[str, Any], param: str | None) -> None:
    error = wrong(session(turn_detection=TurnDetection(type="server_vad", **fields)))
    assert (error and error.param) == (param and f"session.turn_detection.{param}")


def test_turning_things_off_is_allowed() -> None:
    off = session(turn_detection=None, input_audio_transcription=None, instructions="", tools=())
    assert wrong(off) is None


def test_open_lists_are_not_checked() -> None:
    assert wrong(session(model="gpt-9", voice="nobody", input_audio_format="opus")) is None


def test_e4_sound_alone_is_no_modality() -> None:
    for event in (session(modalities=("audio",)), response(modalities=())):
        error = unlisted(event)
        assert error is not None
        assert "Supported combinations are: ['text'] and ['audio', 'text']" in error.message
    assert wrong(session(modalities=("audio", "text"))) is None


@pytest.mark.parametrize(
    ("item_id", "ms", "index", "code", "message"),
    [
        ("a", 1000, 0, None, ""),
        ("a", 0, 0, None, ""),
        ("a", 1001, 0, "invalid_value", "Audio content of 1000ms is already shorter than 1001ms"),
        ("a", 1000.01, 0, "invalid_value", "already shorter than"),
        ("a", -1, 0, "decimal_below_min_value", "audio_end_ms"),
        ("a", 500, 1, "invalid_value", "content_index"),
        ("u", 0, 0, "unsupported_content_type", "Only model output audio messages can be truncated"),
        ("t", 5, 0, "unsupported_content_type", "Only model output audio messages can be truncated"),
        ("x", 5, 0, "item_truncate_invalid_item_id", "'x' does not exist"),
    ],
)
def test_a_truncate_must_fit_what_is_there(
    conversation: Conversation, item_id: str, ms: float, index: int, code: str | None, message: str
) -> None:
    event = e.ConversationItemTruncate(item_id=item_id, audio_end_ms=ms, content_index=index)
    error = wrong(event, conversation)
    assert (error and error.code) == code
    assert error is None or message in error.message


def test_an_item_that_was_cut_is_as_long_as_it_was_cut(conversation: Conversation) -> None:
    conversation.apply(e.ConversationItemTruncated(item_id="a", audio_end_ms=400))
    assert wrong(e.ConversationItemTruncate(item_id="a", audio_end_ms=400), conversation) is None
    assert wrong(e.ConversationItemTruncate(item_id="a", audio_end_ms=401), conversation) is not None


def test_only_what_is_there_can_be_deleted(conversation: Conversation) -> None:
    assert wrong(e.ConversationItemDelete(item_id="a"), conversation) is None
    error = wrong(e.ConversationItemDelete(event_id="mine", item_id="x"), conversation)
    assert error is not None
    assert (error.code, error.param, error.event_id) == ("item_delete_invalid_item_id", "item_id", "mine")


@pytest.mark.parametrize(("previous", "fits"), [("u", True), ("root", True), ("x", False), ("", False)])
def test_a_new_item_needs_a_predecessor_that_is_there(conversation: Conversation, previous: str, fits: bool) -> None:
    item = Item(type="message", role="user", content=(ContentPart(type="input_text", text="hi"),))
    error = wrong(e.ConversationItemCreate(item=item, previous_item_id=previous), conversation)
    assert (error is None) == fits
    assert error is None or error.param == "previous_item_id"
    assert wrong(e.ConversationItemCreate(item=item), conversation) is None


@pytest.mark.parametrize(("call_id", "fits"), [("c1", True), ("c2", False), (None, False)])
def test_an_output_needs_its_call(conversation: Conversation, call_id: str | None, fits: bool) -> None:
    item = Item(type="function_call_output", call_id=call_id, output="x")
    error = wrong(e.ConversationItemCreate(item=item), conversation)
    assert (error is None) == fits
    assert error is None or (error.code, error.param) == ("invalid_tool_call_id", "item.call_id")


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (Item(role="user"), "item.type"),
        (Item(type="message"), "item.role"),
        (Item(type="message", role="user", content=(ContentPart(text="x"),)), "item.content[0].type"),
        (Item(type="message", role="user", content=(ContentPart(type="input_audio"),)), "item.content[0].audio"),
        (Item(type="message", role="assistant", content=(ContentPart(type="audio"),)), "item.content[0].text"),
        (Item(type="message", role="system", content=(ContentPart(type="input_text", text=""),)), None),
        (Item(type="mcp_approval_response", id="x"), None),
    ],
)
def test_what_an_item_has_to_have(item: Item, param: str | None) -> None:
    error = wrong(e.ConversationItemCreate(item=item))
    assert (error and error.param) == param


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (Item(type="message", role="tool"), "item.role"),
        (Item(type="message", role="user", content=(ContentPart(type="text", text="x"),)), "item.content[0].type"),
        (Item(type="message", role="user", content=(ContentPart(type="input_video"),)), "item.content[0].type"),
        (Item(type="message", role="system", content=(ContentPart(type="input_text", text=""),)), None),
    ],
)
def test_e15_e16_content_belongs_to_its_role(item: Item, param: str | None) -> None:
    error = unlisted(e.ConversationItemCreate(item=item))
    assert (error and error.param) == param


def test_items_beside_the_conversation_are_checked_too() -> None:
    error = wrong(response(input=(Item(type="item_reference", id="a"), Item(type="message"))))
    assert error is not None
    assert error.param == "response.input[1].role"


def test_what_a_provider_has_not_is_refused(conversation: Conversation) -> None:
    lesser = structs.replace(OPENAI, can=OPENAI.can - {"truncate"})
    event = e.ConversationItemTruncate(item_id="a", audio_end_ms=5)
    assert check(event, conversation, OPENAI) is None
    error = check(event, conversation, lesser)
    assert error is not None
    assert "truncate" in error.message


def test_plain_events_need_nothing() -> None:
    for event in (e.InputAudioBufferCommit(), e.InputAudioBufferClear(), e.ResponseCancel(), e.ResponseCreate()):
        assert wrong(event) is None


def test_foreign_ids_are_quoted_short() -> None:
    error = wrong(e.ConversationItemDelete(item_id="x" * 10_000))
    assert error is not None
    assert len(error.message) < 200


# ---- newer than the contract -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "fits"), [(0.24, False), (0.25, True), (1, True), (1.5, True), (1.51, False)])
def test_speed(value: float, fits: bool) -> None:
    error = wrong(session(speed=value))
    assert (error is None) == fits
    assert error is None or error.param == "session.speed"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"type": "semantic_vad", "eagerness": "auto"}, None),
        ({"type": "azure_semantic_vad"}, None),
        ({"idle_timeout_ms": 0}, None),
        ({"idle_timeout_ms": -1}, "idle_timeout_ms"),
    ],
)
def test_turn_detection_beyond_the_contract(fields: dict[str, Any], param: str | None) -> None:
    """E10 is open: providers have types of their own."""
    error = wrong(session(turn_detection=TurnDetection(**fields)))
    assert (error and error.param) == (param and f"session.turn_detection.{param}")


@pytest.mark.parametrize(("eagerness", "fits"), [("auto", True), ("low", True), ("eager", False)])
def test_eagerness(eagerness: str, fits: bool) -> None:
    error = unlisted(session(turn_detection=TurnDetection("semantic_vad", eagerness=eagerness)))
    assert (error is None) == fits
    assert error is None or error.param == "session.turn_detection.eagerness"


@pytest.mark.parametrize(("kind", "fits"), [("near_field", True), ("far_field", True), (None, True), ("loud", False)])
def test_noise_reduction(kind: str | None, fits: bool) -> None:
    assert (unlisted(session(input_audio_noise_reduction=NoiseReduction(kind))) is None) == fits
    assert unlisted(session(input_audio_noise_reduction=None)) is None


@pytest.mark.parametrize(
    ("choice", "fits"),
    [("auto", True), ("none", True), ("required", True), ({"type": "function"}, True), ("look", False)],
)
def test_e13_tool_choice(choice: Any, fits: bool) -> None:
    for event in (session(tool_choice=choice), response(tool_choice=choice)):
        assert (unlisted(event) is None) == fits


@pytest.mark.parametrize(("kind", "fits"), [("function", True), ("mcp", True), ("code_interpreter", False)])
def test_e14_tools(kind: str, fits: bool) -> None:
    error = unlisted(session(tools=(Tool(name="f"), Tool(type=kind, name="g"))))
    assert (error is None) == fits
    assert error is None or error.param == "session.tools[1].type"


@pytest.mark.parametrize("name", [None, ""])
def test_a_function_has_a_name_and_an_mcp_server_needs_none(name: str | None) -> None:
    tools = (Tool(type="mcp", server_label="docs"), Tool(name=name))
    for event, root in ((session(tools=tools), "session"), (response(tools=tools), "response")):
        error = wrong(event)
        assert (error.code, error.param) == ("missing_required_parameter", f"{root}.tools[1].name")
    assert unlisted(session(tools=tools[:1])) is None


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (Item(type="nonsense"), "item.type"),
        (Item(type="item_reference", id="i"), "item.type"),
        (Item(type="message", role="user", status="weird"), "item.status"),
        (Item(type="message", role="user", status="completed"), None),
        (Item(type="message", role="user", status="in_progress"), None),
        (Item(type="mcp_approval_response", approval_request_id="i", approve=True), None),
    ],
)
def test_e15_types_and_statuses_of_items(item: Item, param: str | None) -> None:
    error = unlisted(e.ConversationItemCreate(item=item))
    assert (error.param if error else None) == param
    assert error is None or error.code == "invalid_value"


@pytest.mark.parametrize(("audio", "fits"), [("AAAA", True), ("AAA=", True), ("", True), ("!", False), ("AAA", False)])
def test_sound_in_an_item_is_base64(audio: str, fits: bool) -> None:
    part = ContentPart(type="input_audio", audio=audio)
    event = e.ConversationItemCreate(item=Item(type="message", role="user", content=(part,)))
    error = check(event, Conversation(), EMBEDDED_GA)
    assert (error.param if error else None) == (None if fits else "item.content[0].audio")


def test_an_image_has_its_data() -> None:
    item = Item(type="message", role="user", content=(ContentPart(type="input_image"),))
    error = wrong(e.ConversationItemCreate(item=item))
    assert error is not None
    assert error.param == "item.content[0].image_url"
    shown = Item(type="message", role="user", content=(ContentPart(type="input_image", image_url="data:"),))
    assert wrong(e.ConversationItemCreate(item=shown)) is None


def test_only_what_is_there_can_be_retrieved(conversation: Conversation) -> None:
    assert wrong(e.ConversationItemRetrieve(item_id="a"), conversation) is None
    error = wrong(e.ConversationItemRetrieve(item_id="x"), conversation)
    assert error is not None
    assert (error.code, error.param) == ("item_retrieve_invalid_item_id", "item_id")


def test_there_is_no_output_buffer_on_a_websocket() -> None:
    error = check(e.OutputAudioBufferClear(), Conversation(), OPENAI)
    assert error is not None
    assert (error.code, error.param) == ("invalid_value", "type")
