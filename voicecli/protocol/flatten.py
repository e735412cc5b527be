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
    Item,
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


class VoiceWire(Struct, frozen=True):
    """GA's voice of one's own."""

    id: str | None = None


class InputWire(Struct, frozen=True):
    """GA's `audio.input`."""

    format: FormatWire | str | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class OutputWire(Struct, frozen=True):
    """GA's `audio.output`."""

    format: FormatWire | str | UnsetType | None = UNSET
    voice: VoiceWire | str | UnsetType | None = UNSET


class AudioWire(Struct, frozen=True):
    """GA's `audio`."""

    input: InputWire | UnsetType | None = UNSET
    output: OutputWire | UnsetType | None = UNSET


class _Shared(Struct, frozen=True):
    """What a session and a response's configuration have in common. A null is "not said", except where it turns off."""

    modalities: tuple[str, ...] | UnsetType | None = UNSET
    instructions: str | UnsetType | None = UNSET
    voice: VoiceWire | str | UnsetType | None = UNSET
    output_audio_format: str | UnsetType | None = UNSET
    tools: tuple[Tool, ...] | UnsetType | None = UNSET
    tool_choice: Any = UNSET
    temperature: Number | UnsetType | None = UNSET
    max_response_output_tokens: Number | Literal["inf"] | UnsetType | None = UNSET
    output_modalities: tuple[str, ...] | UnsetType | None = UNSET
    max_output_tokens: Number | Literal["inf"] | UnsetType | None = UNSET
    audio: AudioWire | UnsetType | None = UNSET


class SessionWire(_Shared, frozen=True):
    """A session as either spelling writes it."""

    type: str | UnsetType | None = UNSET
    id: str | UnsetType | None = UNSET
    object: str | UnsetType | None = UNSET
    expires_at: Number | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    input_audio_format: str | UnsetType | None = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class ResponseWire(_Shared, frozen=True):
    """The payload of `response.create` as either spelling writes it."""

    conversation: str | UnsetType | None = UNSET
    metadata: Any = UNSET
    input: tuple[Item, ...] | UnsetType | None = UNSET


# ---- from the wire to the inside -------------------------------------------------------------------------------------


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


def flatten_output(response: Response) -> Response:
    """The same for all items of a response."""
    if response.output:
        return replace(response, output=tuple(map(flatten_item, response.output)))
    return response


def _flatten_shared(wire: _Shared) -> dict[str, Any]:
    spoken = _output(wire)
    return {
        "modalities": _first(modalities_inside(_said(wire.output_modalities)), wire.modalities),
        "instructions": _said(wire.instructions),
        "voice": _first(_voice(spoken.voice), _voice(wire.voice)),
        "output_audio_format": _first(_format(spoken.format), wire.output_audio_format),
        "tools": _said(wire.tools),
        "tool_choice": _inside_choice(_said(wire.tool_choice)),
        "temperature": _said(wire.temperature),
        "max_response_output_tokens": _whole(_first(wire.max_output_tokens, wire.max_response_output_tokens)),
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


def _output(wire: _Shared) -> OutputWire:
    audio = wire.audio
    return audio.output if isinstance(audio, AudioWire) and isinstance(audio.output, OutputWire) else OutputWire()


def _voice(voice: VoiceWire | str | UnsetType | None) -> Any:
    return _said(voice.id) if isinstance(voice, VoiceWire) else _said(voice)


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
