"""The things that events carry: items, responses, usage, the session. Flat as in the contract, whatever the spelling.

Names are the contract's (`tests/contract/realtime-beta.d.ts`), without what only one spelling has: content types are
the contract's `input_text`, `input_audio`, `text`, and `audio` (its slip D2). Fields that a server may leave out have
None for absent; only the session has three states (absent, null, value), because `session.update` needs them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from voicecli.ports import PCM16, Format

_EXACT: Final = Meta(ge=-(2**53), le=2**53)

Number = Annotated[int, _EXACT] | Annotated[float, _EXACT]
"""Servers write 1 and 1.0 alike; the contract says `number`. Past 2**53 nothing on this wire means anything (G10)."""

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
    id: str | None = None


class Item(Struct, frozen=True, omit_defaults=True):
    """T1: what one side says, or a function call, or its output."""

    id: str | None = None
    object: str | None = None
    type: str | None = None
    """message | function_call | function_call_output, and newer ones."""
    status: str | None = None
    """in_progress | completed | incomplete."""
    role: str | None = None
    content: tuple[ContentPart, ...] = ()
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None


class InputTokens(Struct, frozen=True, omit_defaults=True):
    """T6a."""

    cached_tokens: Number | None = None
    text_tokens: Number | None = None
    audio_tokens: Number | None = None


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


class Response(Struct, frozen=True, omit_defaults=True):
    """T4."""

    id: str | None = None
    object: str | None = None
    status: str | None = None
    """in_progress | completed | cancelled | failed | incomplete."""
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] = ()
    usage: Usage | None = None
    metadata: Any = None
    conversation_id: str | None = None


class Tool(Struct, frozen=True, omit_defaults=True):
    """T11: a function the model may call; `parameters` is a JSON Schema."""

    type: str = "function"
    name: str | None = None
    description: str | None = None
    parameters: Any = None


class TurnDetection(Struct, frozen=True, omit_defaults=True):
    """T9, server VAD. Milliseconds; the threshold is 0.0 to 1.0."""

    type: str | None = None
    threshold: Number | None = None
    prefix_padding_ms: Number | None = None
    silence_duration_ms: Number | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None
    """Newer than the contract; sent only where it is asked for."""


class Transcription(Struct, frozen=True, omit_defaults=True):
    """T10; `language` and `prompt` are newer."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None


class SessionConfig(Struct, frozen=True):
    """T8, and R4 as servers send it. UNSET is "not said", None is an explicit null, which turns a thing off."""

    id: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    expires_at: Number | UnsetType | None = UNSET
    model: str | UnsetType = UNSET
    modalities: tuple[str, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    tools: tuple[Tool, ...] | UnsetType = UNSET
    tool_choice: Any = UNSET
    temperature: Number | UnsetType = UNSET
    max_response_output_tokens: int | Literal["inf"] | UnsetType = UNSET


class ResponseConfig(Struct, frozen=True):
    """T7: what one `response.create` overrides."""

    modalities: tuple[str, ...] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    tools: tuple[Tool, ...] | UnsetType = UNSET
    tool_choice: Any = UNSET
    temperature: Number | UnsetType = UNSET
    max_response_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    conversation: str | UnsetType = UNSET
    metadata: Any = UNSET
    input: tuple[Item, ...] | UnsetType = UNSET


class ErrorInfo(Struct, frozen=True):
    """What an `error` event says (S1). `event_id` names the client's event that caused it."""

    message: str = ""
    type: str = ""
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class RateLimit(Struct, frozen=True, omit_defaults=True):
    """One limit (S28). Names are free strings; `reset_seconds` counts from when it was sent."""

    name: str | None = None
    limit: Number | None = None
    remaining: Number | None = None
    reset_seconds: Number | None = None


class ConversationInfo(Struct, frozen=True, omit_defaults=True):
    """S4's payload."""

    id: str | None = None
    object: str | None = None


class TranscriptionError(Struct, frozen=True, omit_defaults=True):
    """S11's payload."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
