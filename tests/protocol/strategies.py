"""Events of all kinds as Hypothesis makes them, in the inside shapes. No test lives here."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET, Struct

from voicecli.protocol import events as e
from voicecli.protocol import items as i

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = st.text("abc_019", min_size=1, max_size=6)
WHOLE = st.integers(0, 2**28)
NUMBERS = WHOLE | st.floats(0, 2**28)
SAID = st.none() | TEXT
JSON = st.recursive(st.booleans() | st.integers(-9, 9) | TEXT, lambda inner: st.dictionaries(TEXT, inner, max_size=3))

FORMAT_NAMES = st.sampled_from([*i.FORMATS, "pcm16_16000hz", "audio/opus"])
CONTENT_TYPES = st.sampled_from(["input_text", "input_audio", "input_image", "text", "audio", "item_reference"])
ITEM_TYPES = st.sampled_from(["message", "function_call", "function_call_output", "mcp_call", "mcp_list_tools"])
MODALITIES = st.sampled_from([("text",), ("text", "audio")])
CHOICES = st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "f"}}])


def or_unset(wanted: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just(UNSET) | wanted


VOICES = TEXT | st.builds(i.CustomVoice, id=IDS)
PARTS = st.builds(
    i.ContentPart,
    type=CONTENT_TYPES,
    text=SAID,
    audio=SAID,
    transcript=SAID,
    id=SAID,
    image_url=SAID,
    detail=SAID,
)
ITEMS = st.builds(
    i.Item,
    id=IDS,
    object=st.just("realtime.item"),
    type=ITEM_TYPES,
    status=st.none() | st.sampled_from(["in_progress", "completed", "incomplete"]),
    role=st.none() | st.sampled_from(["user", "assistant", "system"]),
    content=st.lists(PARTS, max_size=2).map(tuple),
    call_id=SAID,
    name=SAID,
    arguments=SAID,
    output=SAID,
    phase=SAID,
    server_label=SAID,
    approval_request_id=SAID,
    approve=st.none() | st.booleans(),
    reason=SAID,
    tools=st.none() | st.lists(JSON, max_size=1),
    error=st.none() | JSON,
)
FUNCTIONS = st.builds(i.Tool, name=SAID, description=SAID, parameters=st.none() | JSON)
MCP_SERVERS = st.builds(
    i.Tool,
    type=st.just("mcp"),
    server_label=SAID,
    server_url=SAID,
    connector_id=SAID,
    server_description=SAID,
    allowed_tools=st.none() | JSON,
    require_approval=st.none() | JSON,
)
TOOLS = st.lists(FUNCTIONS | MCP_SERVERS, max_size=3).map(tuple)
TOKENS = st.just("inf") | st.integers(1, 4096)
DETECTIONS = st.builds(
    i.TurnDetection,
    type=st.sampled_from(["server_vad", "semantic_vad"]),
    threshold=st.none() | st.floats(0, 1),
    prefix_padding_ms=st.none() | WHOLE,
    silence_duration_ms=st.none() | WHOLE,
    create_response=st.none() | st.booleans(),
    interrupt_response=st.none() | st.booleans(),
    eagerness=st.none() | st.sampled_from(["low", "medium", "high", "auto"]),
    idle_timeout_ms=st.none() | WHOLE,
)
WORDS = st.none() | st.lists(TEXT, max_size=2).map(tuple)
TRANSCRIPTIONS = st.builds(
    i.Transcription, model=SAID, language=SAID, prompt=SAID, delay=SAID, keywords=WORDS, languages=WORDS
)
NOISE_REDUCTIONS = st.builds(
    i.NoiseReduction, type=st.sampled_from(["near_field", "far_field"]), strength=st.none() | JSON
)
SHARED: dict[str, st.SearchStrategy[Any]] = {
    "modalities": or_unset(MODALITIES),
    "instructions": or_unset(TEXT),
    "voice": or_unset(VOICES),
    "output_audio_format": or_unset(FORMAT_NAMES),
    "tools": or_unset(TOOLS),
    "tool_choice": or_unset(CHOICES),
    "temperature": or_unset(st.floats(0.6, 1.2)),
    "max_response_output_tokens": or_unset(TOKENS),
    "prompt": or_unset(st.none() | JSON),
    "reasoning": or_unset(st.none() | JSON),
    "parallel_tool_calls": or_unset(st.booleans()),
}
HEARING: dict[str, st.SearchStrategy[Any]] = {
    "input_audio_format": or_unset(FORMAT_NAMES),
    "input_audio_transcription": or_unset(st.none() | TRANSCRIPTIONS),
    "turn_detection": or_unset(st.none() | DETECTIONS),
    "input_audio_noise_reduction": or_unset(st.none() | NOISE_REDUCTIONS),
    "speed": or_unset(st.floats(0.25, 1.5)),
    "tracing": or_unset(st.none() | JSON),
    "include": or_unset(WORDS),
    "truncation": or_unset(st.none() | JSON),
}
SESSIONS = st.builds(i.SessionConfig, model=or_unset(TEXT), **HEARING, **SHARED)
FULL_SESSIONS = st.builds(
    i.SessionConfig,
    id=or_unset(IDS),
    object=st.just("realtime.session"),
    expires_at=or_unset(st.none() | WHOLE),
    model=or_unset(TEXT),
    **HEARING,
    **SHARED,
)
CONFIGS = st.builds(
    i.ResponseConfig,
    conversation=or_unset(st.sampled_from(["auto", "none"])),
    metadata=or_unset(st.none() | st.dictionaries(TEXT, TEXT, max_size=2)),
    input=or_unset(st.lists(ITEMS, max_size=2).map(tuple)),
    **SHARED,
)
STATUS_ERRORS = st.builds(i.StatusError, type=SAID, code=SAID, message=SAID)
RESPONSES = st.builds(
    i.Response,
    id=IDS,
    object=st.just("realtime.response"),
    status=SAID,
    status_details=st.none() | st.builds(i.StatusDetails, type=SAID, reason=SAID, error=st.none() | STATUS_ERRORS),
    output=st.lists(ITEMS, max_size=2).map(tuple),
    usage=st.none()
    | st.builds(
        i.Usage,
        total_tokens=NUMBERS,
        input_tokens=NUMBERS,
        input_token_details=st.none()
        | st.builds(
            i.InputTokens,
            cached_tokens=NUMBERS,
            image_tokens=NUMBERS,
            cached_tokens_details=st.none() | st.builds(i.CachedTokens, text_tokens=NUMBERS, audio_tokens=NUMBERS),
        ),
        output_token_details=st.none() | st.builds(i.OutputTokens, audio_tokens=NUMBERS),
    ),
    metadata=st.none() | st.dictionaries(TEXT, TEXT, max_size=2),
    conversation_id=or_unset(SAID),
    modalities=st.none() | MODALITIES,
    voice=st.none() | VOICES,
    output_audio_format=st.none() | FORMAT_NAMES,
    temperature=st.none() | st.floats(0.6, 1.2),
    max_output_tokens=st.none() | TOKENS,
)
ERRORS = st.builds(i.ErrorInfo, message=TEXT, type=TEXT, code=SAID, param=SAID, event_id=SAID)
LIMITS = st.lists(
    st.builds(i.RateLimit, name=SAID, limit=NUMBERS, remaining=NUMBERS, reset_seconds=NUMBERS), max_size=2
)

BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "event_id": IDS,
    "item": ITEMS,
    "part": PARTS,
    "response": RESPONSES,
    "session": FULL_SESSIONS,
    "error": ERRORS,
    "conversation": st.builds(i.ConversationInfo, id=SAID, object=st.just("realtime.conversation")),
    "rate_limits": LIMITS.map(tuple),
    "previous_item_id": st.none() | IDS,
    "usage": st.none() | st.just({"type": "duration", "seconds": 2}),
    "name": SAID,
    "logprobs": st.none() | st.lists(JSON, max_size=1),
    "languages": st.none() | st.lists(TEXT, max_size=1),
    "received_at": NUMBERS,
    "start": NUMBERS,
    "end": NUMBERS,
    "audio_start_ms": NUMBERS,
    "audio_end_ms": NUMBERS,
    "content_index": st.integers(0, 9),
    "output_index": st.integers(0, 9),
}
"""What a field of a server event holds; every other one is a text."""


def server_event(cls: Any) -> st.SearchStrategy[Any]:
    fields = {name: BY_NAME.get(name, TEXT) for name in cls.__struct_fields__}
    if cls is e.AudioDelta:
        fields["delta"] = st.binary(max_size=20)
    if cls is e.TranscriptionFailed:
        fields["error"] = st.builds(i.TranscriptionError, type=SAID, code=SAID, message=SAID, param=SAID)
    return st.builds(cls, **fields)


SERVER_CLASSES: tuple[type[Struct], ...] = e.ServerEvent.__args__
SERVER_EVENTS = st.sampled_from(SERVER_CLASSES).flatmap(server_event)

EVENT_IDS = or_unset(IDS)
CLIENT_EVENTS = st.one_of(
    st.builds(e.SessionUpdate, event_id=EVENT_IDS, session=SESSIONS),
    st.builds(e.InputAudioBufferAppend, event_id=EVENT_IDS, audio=st.binary(max_size=40)),
    st.builds(e.InputAudioBufferCommit, event_id=EVENT_IDS),
    st.builds(e.InputAudioBufferClear, event_id=EVENT_IDS),
    st.builds(e.ConversationItemCreate, event_id=EVENT_IDS, item=ITEMS, previous_item_id=or_unset(IDS)),
    st.builds(e.ConversationItemTruncate, event_id=EVENT_IDS, item_id=IDS, audio_end_ms=NUMBERS),
    st.builds(e.ConversationItemDelete, event_id=EVENT_IDS, item_id=IDS),
    st.builds(e.ResponseCreate, event_id=EVENT_IDS, response=or_unset(CONFIGS)),
    st.builds(e.ResponseCancel, event_id=EVENT_IDS, response_id=or_unset(IDS)),
    st.builds(e.ConversationItemRetrieve, event_id=EVENT_IDS, item_id=IDS),
    st.builds(e.OutputAudioBufferClear, event_id=EVENT_IDS),
)
