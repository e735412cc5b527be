"""The things that events carry: items, responses, usage, the session. Flat as in the contract, whatever the spelling.

Names are the contract's (`tests/contract/realtime-beta.d.ts`), without what only one spelling has: content types are
the contract's `input_text`, `input_audio`, `text`, and `audio` (its slip D2). Fields that a server may leave out have
None for absent; only the session has three states (absent, null, value), because `session.update` needs them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from voicecli.ports import PCM16, Format

_EXACT: Final = Meta(ge=-(2**53), le=2**53)

Number = Annotated[int, _EXACT] | Annotated[float, _EXACT]
"""Servers write 1 and 1.0 alike; the contract says `number`. Past 2**53 nothing on this wire means anything (G10)."""

Id = Annotated[str, Meta(max_length=512)]
"""Names of items, responses and events are kept, and sent back: they have a bound (G11)."""

Index = Annotated[int, Meta(ge=0, le=65_535)] | Annotated[float, Meta(ge=0, le=65_535)]
"""The place of a part or of an output; a key, never a position in a list of ours."""

_YEARS_S: Final = 10 * 365 * 86_400
Ms = Annotated[int, Meta(ge=0, le=_YEARS_S * 1000)] | Annotated[float, Meta(ge=0, le=_YEARS_S * 1000)]
Seconds = Annotated[int, Meta(ge=0, le=_YEARS_S)] | Annotated[float, Meta(ge=0, le=_YEARS_S)]
"""A length of time of at most ten years (G10)."""
Moment = Annotated[int, Meta(ge=0, le=2**37)] | Annotated[float, Meta(ge=0, le=2**37)]
"""Seconds since 1970; past the year 6325 no calendar of ours can say it."""

T = TypeVar("T")
Few = Annotated[tuple[T, ...], Meta(max_length=4_096)]
"""No list on this wire is longer (G10)."""

FORMATS: Final[dict[str, Format]] = {
    form.name: form for form in (PCM16, Format("g711_ulaw", 8_000, 1), Format("g711_alaw", 8_000, 1))
}
"""E2: the formats of the contract by the name it gives them."""

KNOWN_FORMATS: Final[dict[str, Format]] = FORMATS | {
    name: Format(name, rate, 2) for rate in (8_000, 16_000, 48_000) for name in (f"pcm16_{rate}hz",)
}
"""The same, and PCM16 at other rates as Azure's beta servers call it."""

Role = Literal["user", "assistant", "system"]


class ContentPart(Struct, frozen=True, omit_defaults=True):
    """T2 and T3: a piece of an item."""

    type: str | None = None
    text: str | None = None
    audio: str | None = None
    """base64 in the session's format."""
    transcript: str | None = None
    id: Id | None = None
    image_url: str | None = None
    """A data URI, and how closely it is looked at: newer than the contract."""
    detail: str | None = None


class Item(Struct, frozen=True, omit_defaults=True):
    """T1: what one side says, or a function call, or its output."""

    id: Id | None = None
    object: str | None = None
    type: str | None = None
    """message | function_call | function_call_output; item_reference (D8); newer: mcp_list_tools, mcp_call and the two
    of its approval."""
    status: str | None = None
    """in_progress | completed | incomplete."""
    role: str | None = None
    content: Few[ContentPart] = ()
    call_id: Id | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None
    phase: str | None = None
    """commentary | final_answer: newer than the contract, as is all that follows, which MCP items have."""
    server_label: str | None = None
    approval_request_id: Id | None = None
    approve: bool | None = None
    reason: str | None = None
    tools: Any = None
    error: Any = None


class CachedTokens(Struct, frozen=True, omit_defaults=True):
    """Newer than the contract (D11)."""

    text_tokens: Number | None = None
    audio_tokens: Number | None = None
    image_tokens: Number | None = None


class InputTokens(Struct, frozen=True, omit_defaults=True):
    """T6a."""

    cached_tokens: Number | None = None
    text_tokens: Number | None = None
    audio_tokens: Number | None = None
    image_tokens: Number | None = None
    cached_tokens_details: CachedTokens | None = None


class OutputTokens(Struct, frozen=True, omit_defaults=True):
    """T6a."""

    text_tokens: Number | None = None
    audio_tokens: Number | None = None


class Usage(Struct, frozen=True, omit_defaults=True):
    """T6. Input counts earlier turns again (B13)."""

    total_tokens: Number | None = None
    input_tokens: Number | None = None
    output_tokens: Number | None = None
    input_token_details: InputTokens | None = None
    output_token_details: OutputTokens | None = None


class StatusError(Struct, frozen=True, omit_defaults=True):
    """T5a; `message` is newer than the contract (D11)."""

    type: str | None = None
    code: str | None = None
    message: str | None = None


class StatusDetails(Struct, frozen=True, omit_defaults=True):
    """T5."""

    type: str | None = None
    reason: str | None = None
    error: StatusError | None = None


class CustomVoice(Struct, frozen=True):
    """A voice of one's own: newer than the contract, where a voice is a name."""

    id: Id


class Response(Struct, frozen=True, omit_defaults=True):
    """T4."""

    id: Id | None = None
    object: str | None = None
    status: str | None = None
    """in_progress | completed | cancelled | failed | incomplete."""
    status_details: StatusDetails | None = None
    output: Few[Item] = ()
    usage: Usage | None = None
    metadata: Any = None
    conversation_id: Id | UnsetType | None = UNSET
    """None: it is out of band, and enters no conversation. This and what follows is newer than the contract."""
    modalities: Few[str] | None = None
    voice: str | CustomVoice | None = None
    output_audio_format: str | None = None
    temperature: Number | None = None
    max_output_tokens: Number | Literal["inf"] | None = None


class Tool(Struct, frozen=True, omit_defaults=True):
    """T11: a function the model may call; `parameters` is a JSON Schema. Newer: an MCP server (`type` is mcp).

    What would carry a key for that server is left out on purpose: no secret stands in an event.
    """

    type: str = "function"
    name: str | None = None
    description: str | None = None
    parameters: Any = None
    server_label: str | None = None
    server_url: str | None = None
    connector_id: Id | None = None
    server_description: str | None = None
    allowed_tools: Any = None
    require_approval: Any = None


class TurnDetection(Struct, frozen=True, omit_defaults=True):
    """T9, server VAD. Milliseconds; the threshold is 0.0 to 1.0. What is newer is sent only where it is asked for."""

    type: str | None = None
    threshold: Number | None = None
    prefix_padding_ms: Number | None = None
    silence_duration_ms: Number | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None
    """Newer than the contract, as is all that follows."""
    eagerness: str | None = None
    """low | medium | high | auto, of semantic VAD."""
    idle_timeout_ms: Number | None = None
    """After so much silence the model takes the word."""


class Transcription(Struct, frozen=True, omit_defaults=True):
    """T10; all but the model is newer than the contract."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    delay: str | None = None
    keywords: Few[str] | None = None
    languages: Few[str] | None = None


class NoiseReduction(Struct, frozen=True, omit_defaults=True):
    """near_field: a headset; far_field: a microphone in the room. Newer than the contract."""

    type: str | None = None
    strength: Any = None


class SessionConfig(Struct, frozen=True):
    """T8, and R4 as servers send it. UNSET is "not said", None is an explicit null, which turns a thing off."""

    id: Id | UnsetType = UNSET
    object: str | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    model: str | UnsetType = UNSET
    modalities: Few[str] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | CustomVoice | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    tools: Few[Tool] | UnsetType = UNSET
    tool_choice: Any = UNSET
    temperature: Number | UnsetType = UNSET
    max_response_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    input_audio_noise_reduction: NoiseReduction | UnsetType | None = UNSET
    """Newer than the contract, as is all that follows."""
    speed: Number | UnsetType = UNSET
    """0.25 to 1.5."""
    tracing: Any = UNSET
    include: Few[str] | UnsetType | None = UNSET
    prompt: Any = UNSET
    truncation: Any = UNSET
    reasoning: Any = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET


class ResponseConfig(Struct, frozen=True):
    """T7: what one `response.create` overrides."""

    modalities: Few[str] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | CustomVoice | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    tools: Few[Tool] | UnsetType = UNSET
    tool_choice: Any = UNSET
    temperature: Number | UnsetType = UNSET
    max_response_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    conversation: str | UnsetType = UNSET
    metadata: Any = UNSET
    input: Few[Item] | UnsetType = UNSET
    prompt: Any = UNSET
    """Newer than the contract, as is all that follows."""
    reasoning: Any = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET


class ErrorInfo(Struct, frozen=True):
    """What an `error` event says (S1). `event_id` names the client's event that caused it."""

    message: str = ""
    type: str = ""
    code: str | None = None
    param: str | None = None
    event_id: Id | None = None


class RateLimit(Struct, frozen=True, omit_defaults=True):
    """One limit (S28). Names are free strings; `reset_seconds` counts from when it was sent."""

    name: str | None = None
    limit: Number | None = None
    remaining: Number | None = None
    reset_seconds: Seconds | None = None


class ConversationInfo(Struct, frozen=True, omit_defaults=True):
    """S4's payload."""

    id: Id | None = None
    object: str | None = None


class TranscriptionError(Struct, frozen=True, omit_defaults=True):
    """S11's payload."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
