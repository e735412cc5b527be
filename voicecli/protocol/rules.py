"""What a client event must satisfy now: the server answers a violation with an error, the client does not send it.

Pure, and the same for both ends. Limits hold everywhere; lists of words only where they are still the whole list
(`Profile.closed`). Names of models, voices and transcription models are not checked: those lists are open.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final, assert_never

from msgspec import UNSET

from voicecli.ports import SAMPLES_PER_MS
from voicecli.protocol import events as e
from voicecli.protocol.conversation import Conversation
from voicecli.protocol.items import ErrorInfo, Item, NoiseReduction, ResponseConfig, SessionConfig, TurnDetection
from voicecli.protocol.order import ROOT
from voicecli.protocol.profiles import Profile

MAX_APPEND_BYTES: Final = 15 * 1024 * 1024
"""E8."""
TEMPERATURE: Final = (0.6, 1.2)
"""E5."""
MAX_OUTPUT_TOKENS: Final = 4096
"""E6."""
MAX_METADATA: Final = (16, 64, 512)
"""E7: pairs, characters of a key, characters of a value."""
SPEED: Final = (0.25, 1.5)
"""Newer than the contract, as are the next two."""
EAGERNESS: Final = ("low", "medium", "high", "auto")
NOISE_REDUCTION: Final = ("near_field", "far_field")
TOOL_CHOICES: Final = ("auto", "none", "required")
"""E13; a function by name is an object."""
TOOL_TYPES: Final = ("function", "mcp")
"""E14, and what is newer."""

ITEM_TYPES: Final = (
    *("message", "function_call", "function_call_output"),
    *("mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"),
)
"""E15, and what is newer; a reference (D8) stands only in the input of a response."""
STATUSES: Final = ("completed", "incomplete", "in_progress")
"""E15, with D4."""

_NEEDS: Final[dict[type, str]] = {
    e.InputAudioBufferAppend: "audio",
    e.ConversationItemTruncate: "truncate",
    e.ConversationItemDelete: "delete",
    e.ResponseCancel: "cancel",
    e.OutputAudioBufferClear: "output_audio_buffer",
}
"""Events that some providers have not (`Profile.can`)."""

_CONTENT: Final = {
    "system": frozenset({"input_text"}),
    "user": frozenset({"input_text", "input_audio", "input_image"}),
    "assistant": frozenset({"text", "audio"}),
}
"""E16; images are newer than the contract."""

Problem = tuple[str | None, str, str | None]
"""Code, message, param."""


def check(event: e.ClientEvent, conversation: Conversation, profile: Profile) -> ErrorInfo | None:
    """The first thing that is wrong with it, as an `error` event would say it; None: it may be sent, or obeyed."""
    for code, message, param in _problems(event, conversation, profile):
        return ErrorInfo(
            type="invalid_request_error",
            code=code,
            message=message,
            param=param,
            event_id=None if event.event_id is UNSET else event.event_id,
        )
    return None


def _problems(event: e.ClientEvent, conversation: Conversation, profile: Profile) -> Iterator[Problem]:
    need = _NEEDS.get(type(event))
    if need is not None and need not in profile.can:
        yield "invalid_value", f"{profile.name} has no {need}.", "type"
    match event:
        case e.SessionUpdate():
            yield from _session(event.session)
            if profile.closed:
                yield from _lists(event.session, "session")
                yield from _session_lists(event.session)
        case e.InputAudioBufferAppend():
            if len(event.audio) > MAX_APPEND_BYTES:
                yield _too_long("audio", MAX_APPEND_BYTES, len(event.audio))
        case e.ConversationItemCreate():
            yield from _create(event, conversation, profile.closed)
        case e.ConversationItemTruncate():
            yield from _truncate(event, conversation)
        case e.ConversationItemDelete():
            if event.item_id not in conversation:
                yield "item_delete_invalid_item_id", _no_item("deleting", event.item_id), "item_id"
        case e.ResponseCreate():
            if event.response is not UNSET:
                yield from _response(event.response, profile.closed)
                if profile.closed:
                    yield from _lists(event.response, "response")
        case e.ConversationItemRetrieve():
            if event.item_id not in conversation:
                yield "item_retrieve_invalid_item_id", _no_item("retrieving", event.item_id), "item_id"
        case e.InputAudioBufferCommit() | e.InputAudioBufferClear() | e.ResponseCancel() | e.OutputAudioBufferClear():
            pass
        case _:
            assert_never(event)


def _session(config: SessionConfig) -> Iterator[Problem]:
    yield from _shared(config, "session")
    if isinstance(detection := config.turn_detection, TurnDetection):
        yield from _turn_detection(detection)
    low, high = SPEED
    if config.speed is not UNSET and not low <= config.speed <= high:
        yield _out_of_range("session.speed", config.speed, low, high)


def _session_lists(config: SessionConfig) -> Iterator[Problem]:
    """The types of turn detection are an open list (E10): providers have their own."""
    if isinstance(reduction := config.input_audio_noise_reduction, NoiseReduction):
        yield from _one_of("session.input_audio_noise_reduction.type", reduction.type, NOISE_REDUCTION)
    if isinstance(detection := config.turn_detection, TurnDetection):
        yield from _one_of("session.turn_detection.eagerness", detection.eagerness, EAGERNESS)


def _turn_detection(detection: TurnDetection) -> Iterator[Problem]:
    """E9."""
    threshold = detection.threshold
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        yield _out_of_range("session.turn_detection.threshold", threshold, 0.0, 1.0)
    for name in ("prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms"):
        value = getattr(detection, name)
        if value is not None and not value >= 0:
            yield _below("session.turn_detection." + name, value, 0)


def _response(config: ResponseConfig, closed: bool) -> Iterator[Problem]:
    yield from _shared(config, "response")
    if config.metadata is not UNSET:
        yield from _metadata(config.metadata)
    if config.input is not UNSET:
        for n, item in enumerate(config.input):
            yield from _item(item, f"response.input[{n}]", closed)


def _shared(config: SessionConfig | ResponseConfig, root: str) -> Iterator[Problem]:
    low, high = TEMPERATURE
    if config.temperature is not UNSET and not low <= config.temperature <= high:
        yield _out_of_range(f"{root}.temperature", config.temperature, low, high)
    tokens: Any = config.max_response_output_tokens
    if tokens is not UNSET and tokens != "inf":
        path = f"{root}.max_response_output_tokens"
        if not isinstance(tokens, int):
            yield "invalid_type", f"Invalid type for '{path}': expected an integer or 'inf'.", path
        elif not 1 <= tokens <= MAX_OUTPUT_TOKENS:
            yield _out_of_range(path, tokens, 1, MAX_OUTPUT_TOKENS)
    for n, tool in enumerate(config.tools or ()):
        if tool.type == "function" and not tool.name:
            yield _missing(f"{root}.tools[{n}].name")


def _lists(config: SessionConfig | ResponseConfig, root: str) -> Iterator[Problem]:
    if config.modalities is not UNSET and set(config.modalities) not in ({"text"}, {"text", "audio"}):
        said = list(config.modalities)
        words = f"Invalid modalities: {said}. Supported combinations are: ['text'] and ['audio', 'text']."
        yield "invalid_value", words, f"{root}.modalities"
    if isinstance(config.tool_choice, str):
        yield from _one_of(f"{root}.tool_choice", config.tool_choice, TOOL_CHOICES)
    for n, tool in enumerate(config.tools or ()):
        yield from _one_of(f"{root}.tools[{n}].type", tool.type, TOOL_TYPES)


def _one_of(path: str, value: str | None, known: tuple[str, ...]) -> Iterator[Problem]:
    if value is not None and value not in known:
        listed = ", ".join(f"'{each}'" for each in known)
        yield "invalid_value", f"Invalid value: '{_short(value)}'. Supported values for '{path}' are: {listed}.", path


def _metadata(metadata: Any) -> Iterator[Problem]:
    """E7; null is allowed."""
    path = "response.metadata"
    pairs, key_chars, value_chars = MAX_METADATA
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        yield "invalid_type", f"Invalid type for '{path}': expected an object.", path
        return
    if len(metadata) > pairs:
        words = f"Invalid '{path}': too many properties. Expected at most {pairs}, but got {len(metadata)}."
        yield "object_above_max_properties", words, path
    for key, value in metadata.items():
        if not isinstance(value, str):
            yield "invalid_type", f"Invalid type for '{path}': expected strings as values.", path
        elif len(key) > key_chars:
            yield _too_long(path, key_chars, len(key))
        elif len(value) > value_chars:
            yield _too_long(path, value_chars, len(value))


def _create(event: e.ConversationItemCreate, conversation: Conversation, closed: bool) -> Iterator[Problem]:
    item, previous = event.item, event.previous_item_id
    yield from _item(item, "item", closed)
    if item.type == "function_call_output" and not (item.call_id and conversation.has_call(item.call_id)):
        words = f"Tool call ID '{_short(item.call_id or '')}' not found in conversation."
        yield "invalid_tool_call_id", words, "item.call_id"
    if previous is not UNSET and previous != ROOT and previous not in conversation:
        yield "item_create_invalid_previous_item_id", _no_item("creating", previous), "previous_item_id"


def _item(item: Item, path: str, closed: bool) -> Iterator[Problem]:
    """E15 and E16, as far as those lists are `closed`."""
    if item.type is None:
        yield _missing(f"{path}.type")
    if closed and not (item.type == "item_reference" and path.startswith("response.")):
        yield from _one_of(f"{path}.type", item.type, ITEM_TYPES)
    if closed:
        yield from _one_of(f"{path}.status", item.status, STATUSES)
    if item.type != "message":
        return
    if item.role is None:
        yield _missing(f"{path}.role")
        return
    allowed = _CONTENT.get(item.role)
    if allowed is None and closed:
        yield "invalid_value", f"Invalid value: '{_short(item.role)}'.", f"{path}.role"
        return
    for n, part in enumerate(item.content):
        place = f"{path}.content[{n}]"
        if part.type is None:
            yield _missing(f"{place}.type")
        elif closed and allowed is not None and part.type not in allowed:
            yield "invalid_value", f"Invalid value: '{_short(part.type)}'.", f"{place}.type"
        elif part.type in ("input_text", "text", "audio") and part.text is None:
            yield _missing(f"{place}.text")  # assistant sound cannot be given back, only its words (4.9)
        elif part.type == "input_audio" and part.audio is None:
            yield _missing(f"{place}.audio")
        elif part.type == "input_audio" and not _base64(part.audio or ""):
            yield "invalid_value", f"Invalid '{place}.audio': expected base64.", f"{place}.audio"
        elif part.type == "input_image" and part.image_url is None:
            yield _missing(f"{place}.image_url")


def _truncate(event: e.ConversationItemTruncate, conversation: Conversation) -> Iterator[Problem]:
    if event.item_id not in conversation:
        yield "item_truncate_invalid_item_id", _no_item("truncating", event.item_id), "item_id"
        return
    samples = conversation.samples(event.item_id)
    if not samples:
        yield "unsupported_content_type", "Only model output audio messages can be truncated", "item_id"
    if event.content_index != 0:
        yield "invalid_value", "Invalid value for 'content_index': expected 0.", "content_index"
    if not event.audio_end_ms >= 0:
        yield _below("audio_end_ms", event.audio_end_ms, 0)
    if event.audio_end_ms * SAMPLES_PER_MS > samples:
        have = samples // SAMPLES_PER_MS
        words = f"Audio content of {have}ms is already shorter than {event.audio_end_ms}ms"
        yield "invalid_value", words, "audio_end_ms"


def _base64(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _short(text: str) -> str:
    return text[:64]


def _no_item(doing: str, item_id: str) -> str:
    return f"Error {doing} item: the item with id '{_short(item_id)}' does not exist."


def _missing(path: str) -> Problem:
    return "missing_required_parameter", f"Missing required parameter: '{path}'.", path


def _too_long(path: str, most: int, got: int) -> Problem:
    words = f"Invalid '{path}': string too long. Expected at most {most}, but got {got} instead."
    return "string_above_max_length", words, path


def _below(path: str, value: float, least: float) -> Problem:
    return "decimal_below_min_value", f"Invalid '{path}': {value} is below the minimum of {least}.", path


def _out_of_range(path: str, value: float, low: float, high: float) -> Problem:
    code = "decimal_above_max_value" if value > high else "decimal_below_min_value"
    return code, f"Invalid '{path}': {value} is not between {low} and {high}.", path
