"""From the wire to the inside: the payloads as either spelling writes them, and what they are by the contract's names.

Reading is blind: the names of the two spellings are disjoint, so one set of types holds both. It knows no event.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from voicecli.protocol.dialects import INSIDE_CONTENT, INSIDE_FORMATS, PCM, modalities_inside
from voicecli.protocol.items import (
    FORMATS,
    ContentPart,
    CustomVoice,
    Few,
    Item,
    Moment,
    NoiseReduction,
    Number,
    Response,
    ResponseConfig,
    SessionConfig,
    Tool,
    Transcription,
    TurnDetection,
)


class FormatWire(Struct, frozen=True):
    """GA's format."""

    type: str | None = None
    rate: Number | None = None


class InputWire(Struct, frozen=True):
    """GA's `audio.input`."""

    format: FormatWire | str | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET


class OutputWire(Struct, frozen=True):
    """GA's `audio.output`."""

    format: FormatWire | str | UnsetType | None = UNSET
    voice: CustomVoice | str | UnsetType | None = UNSET
    speed: Number | UnsetType | None = UNSET


class AudioWire(Struct, frozen=True):
    """GA's `audio`."""

    input: InputWire | UnsetType | None = UNSET
    output: OutputWire | UnsetType | None = UNSET


class _Shared(Struct, frozen=True):
    """What a session and a response's configuration have in common. A null is "not said", except where it turns off."""

    modalities: Few[str] | UnsetType | None = UNSET
    instructions: str | UnsetType | None = UNSET
    voice: CustomVoice | str | UnsetType | None = UNSET
    output_audio_format: str | UnsetType | None = UNSET
    tools: Few[Tool] | UnsetType | None = UNSET
    tool_choice: Any = UNSET
    temperature: Number | UnsetType | None = UNSET
    max_response_output_tokens: Number | Literal["inf"] | UnsetType | None = UNSET
    output_modalities: Few[str] | UnsetType | None = UNSET
    max_output_tokens: Number | Literal["inf"] | UnsetType | None = UNSET
    audio: AudioWire | UnsetType | None = UNSET
    prompt: Any = UNSET
    reasoning: Any = UNSET
    parallel_tool_calls: bool | UnsetType | None = UNSET


class SessionWire(_Shared, frozen=True):
    """A session as either spelling writes it."""

    type: str | UnsetType | None = UNSET
    id: str | UnsetType | None = UNSET
    object: str | UnsetType | None = UNSET
    expires_at: Moment | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    input_audio_format: str | UnsetType | None = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET
    input_audio_noise_reduction: NoiseReduction | UnsetType | None = UNSET
    speed: Number | UnsetType | None = UNSET
    tracing: Any = UNSET
    include: Few[str] | UnsetType | None = UNSET
    truncation: Any = UNSET


class ResponseWire(_Shared, frozen=True):
    """The payload of `response.create` as either spelling writes it."""

    conversation: str | UnsetType | None = UNSET
    metadata: Any = UNSET
    input: Few[Item] | UnsetType | None = UNSET


class OutcomeWire(Response, frozen=True):
    """A response as either spelling writes it."""

    output_modalities: Few[str] | None = None
    audio: AudioWire | None = None


def flatten_session(wire: SessionWire) -> SessionConfig:
    """The inside session; where both spellings of a value are given, GA's wins."""
    heard = _input(wire)
    return SessionConfig(
        id=_said(wire.id),
        object=_said(wire.object),
        expires_at=wire.expires_at,
        model=_said(wire.model),
        input_audio_format=_first(_format(heard.format), wire.input_audio_format),
        input_audio_transcription=_either(heard.transcription, wire.input_audio_transcription),
        turn_detection=_either(heard.turn_detection, wire.turn_detection),
        input_audio_noise_reduction=_either(heard.noise_reduction, wire.input_audio_noise_reduction),
        speed=_first(_output(wire.audio).speed, wire.speed),
        tracing=wire.tracing,
        include=wire.include,
        truncation=wire.truncation,
        **_flatten_shared(wire),
    )


def flatten_response(wire: ResponseWire) -> ResponseConfig:
    """The inside configuration of one response."""
    given = _said(wire.input)
    return ResponseConfig(
        conversation=_said(wire.conversation),
        metadata=wire.metadata,
        input=UNSET if given is UNSET else tuple(map(flatten_item, given)),
        **_flatten_shared(wire),
    )


def lacks_type(wire: SessionWire) -> bool:
    """GA refuses a whole update that does not say of which type the session is (4.7)."""
    nested = (wire.audio, wire.output_modalities, wire.max_output_tokens)
    return _said(wire.type) is UNSET and any(_said(value) is not UNSET for value in nested)


def flatten_part(part: ContentPart) -> ContentPart:
    """GA's content types by the contract's names."""
    inside = INSIDE_CONTENT.get(part.type or "")
    return part if inside is None else replace(part, type=inside)


def flatten_item(item: Item) -> Item:
    """The same for all parts of an item."""
    if any(part.type in INSIDE_CONTENT for part in item.content):
        return replace(item, content=tuple(map(flatten_part, item.content)))
    return item


def flatten_outcome(wire: OutcomeWire) -> Response:
    """The inside response, with its items."""
    spoken = _output(wire.audio)
    return Response(
        id=wire.id,
        object=wire.object,
        status=wire.status,
        status_details=wire.status_details,
        output=tuple(map(flatten_item, wire.output)),
        usage=wire.usage,
        metadata=wire.metadata,
        conversation_id=wire.conversation_id,
        modalities=_or_none(_first(modalities_inside(_said(wire.output_modalities)), wire.modalities)),
        voice=_or_none(_first(spoken.voice, wire.voice)),
        output_audio_format=_or_none(_first(_format(spoken.format), wire.output_audio_format)),
        temperature=wire.temperature,
        max_output_tokens=_whole(wire.max_output_tokens),
    )


def _flatten_shared(wire: _Shared) -> dict[str, Any]:
    spoken = _output(wire.audio)
    return {
        "modalities": _first(modalities_inside(_said(wire.output_modalities)), wire.modalities),
        "instructions": _said(wire.instructions),
        "voice": _first(spoken.voice, wire.voice),
        "output_audio_format": _first(_format(spoken.format), wire.output_audio_format),
        "tools": _said(wire.tools),
        "tool_choice": _inside_choice(_said(wire.tool_choice)),
        "temperature": _said(wire.temperature),
        "max_response_output_tokens": _whole(_first(wire.max_output_tokens, wire.max_response_output_tokens)),
        "prompt": wire.prompt,
        "reasoning": wire.reasoning,
        "parallel_tool_calls": _said(wire.parallel_tool_calls),
    }


def _said(value: Any) -> Any:
    return UNSET if value is None else value


def _first(ga: Any, beta: Any) -> Any:
    return _said(beta) if _said(ga) is UNSET else ga


def _either(ga: Any, beta: Any) -> Any:
    """For the two values whose null means "off"."""
    return beta if ga is UNSET else ga


def _input(wire: SessionWire) -> InputWire:
    audio = wire.audio
    return audio.input if isinstance(audio, AudioWire) and isinstance(audio.input, InputWire) else InputWire()


def _output(audio: AudioWire | UnsetType | None) -> OutputWire:
    return audio.output if isinstance(audio, AudioWire) and isinstance(audio.output, OutputWire) else OutputWire()


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value


def _whole(tokens: Any) -> Any:
    return int(tokens) if isinstance(tokens, float) and tokens.is_integer() else tokens


def _format(wire: FormatWire | str | UnsetType | None) -> Any:
    if not isinstance(wire, FormatWire):
        return _said(wire)
    if wire.type == PCM and wire.rate not in (None, FORMATS["pcm16"].rate):
        return f"pcm16_{wire.rate:.0f}hz"  # as Azure's beta servers call them
    return INSIDE_FORMATS.get(wire.type or "", _said(wire.type))


def _inside_choice(choice: Any) -> Any:
    match choice:
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
    return choice
