"""The two spellings of one protocol, as renames and pure functions; nothing else asks which one is spoken.

Inside the house everything has the contract's (beta) names and its flat session. Reading is blind: the names of the
two spellings are disjoint, so one set of wire types holds both and `flatten_*` brings what came to the inside shape.
Writing goes through `SHAPES[spelling]`. Not known here: events, bytes, sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

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


class Spelling(Enum):
    """How a server spells the protocol: the user's word for it is dialect."""

    BETA = "beta"
    GA = "ga"


class Lossy(NamedTuple):
    """A value that a spelling has no place for, or that it would bring back as another one."""

    path: str
    """Inside name, like `session.temperature`."""
    value: object
    why: str


GA_NAMES: Final[dict[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}
"""The contract's event type -> what GA calls it. All others have one name in both."""

_GA_CONTENT: Final = {"text": "output_text", "audio": "output_audio"}
_INSIDE_CONTENT: Final = {ga: beta for beta, ga in _GA_CONTENT.items()}

_PCM: Final = "audio/pcm"
_GA_FORMATS: Final[dict[str, dict[str, object]]] = {
    "pcm16": {"type": _PCM, "rate": FORMATS["pcm16"].rate},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_INSIDE_FORMATS: Final = {str(ga["type"]): beta for beta, ga in _GA_FORMATS.items()}

_SPOKEN: Final = ("text", "audio")
"""What both spellings mean by an answer in sound: GA says ["audio"], and the words come as its transcript."""


# ---- what may be on the wire, in either spelling ---------------------------------------------------------------------


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
    inside = _INSIDE_CONTENT.get(part.type or "")
    return part if inside is None else replace(part, type=inside)


def flatten_item(item: Item) -> Item:
    """The same for all parts of an item."""
    if any(part.type in _INSIDE_CONTENT for part in item.content):
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
        "modalities": _first(_modalities(_said(wire.output_modalities)), wire.modalities),
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


def _modalities(ga: Any) -> Any:
    return _SPOKEN if ga is not UNSET and "audio" in ga else ga


def _whole(tokens: Any) -> Any:
    return int(tokens) if isinstance(tokens, float) and tokens.is_integer() else tokens


def _format(wire: FormatWire | str | UnsetType | None) -> Any:
    if not isinstance(wire, FormatWire):
        return _said(wire)
    if wire.type == _PCM and wire.rate not in (None, FORMATS["pcm16"].rate):
        return f"pcm16_{wire.rate:.0f}hz"  # as Azure's beta servers call them
    return _INSIDE_FORMATS.get(wire.type or "", _said(wire.type))


def _inside_choice(choice: Any) -> Any:
    match choice:
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
    return choice


# ---- from the inside to GA -------------------------------------------------------------------------------------------


def _ga_choice(choice: Any) -> Any:
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "function", "name": name}
    return choice


def _ga_format(name: str) -> dict[str, object] | None:
    if known := _GA_FORMATS.get(name):
        return known
    rate = name.removeprefix("pcm16_").removesuffix("hz")
    if name == f"pcm16_{rate}hz" and rate.isascii() and rate.isdigit() and len(rate) < 9:
        return {"type": _PCM, "rate": int(rate)}
    return {"type": name} if "/" in name else None


def _ga_shared(config: SessionConfig | ResponseConfig, root: str, lost: list[Lossy]) -> dict[str, Any]:
    """What `_Shared` has of GA; `audio` holds the output only."""
    wire: dict[str, Any] = {}
    if config.modalities is not UNSET:
        wire["output_modalities"] = ["audio"] if "audio" in config.modalities else list(config.modalities)
        if _modalities(wire["output_modalities"]) not in (config.modalities, list(config.modalities)):
            lost.append(Lossy(f"{root}.modalities", config.modalities, "GA answers in sound or in text, never in both"))
    if config.instructions is not UNSET:
        wire["instructions"] = config.instructions
    output: dict[str, Any] = {}
    if config.output_audio_format is not UNSET:
        _put_format(output, config.output_audio_format, f"{root}.output_audio_format", lost)
    if config.voice is not UNSET:
        output["voice"] = config.voice
    if output:
        wire["audio"] = {"output": output}
    if config.tools is not UNSET:
        wire["tools"] = msgspec.to_builtins(config.tools)
        for tool in wire["tools"]:
            tool.setdefault("type", "function")
    if config.tool_choice is not UNSET:
        wire["tool_choice"] = _ga_choice(config.tool_choice)
    if config.temperature is not UNSET:
        lost.append(Lossy(f"{root}.temperature", config.temperature, "GA has no temperature"))
    if config.max_response_output_tokens is not UNSET:
        wire["max_output_tokens"] = config.max_response_output_tokens
    return wire


def _put_format(place: dict[str, Any], name: str, path: str, lost: list[Lossy]) -> None:
    form = _ga_format(name)
    if form is None:
        lost.append(Lossy(path, name, "GA has no such format"))
    else:
        place["format"] = form


def _ga_session(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    wire: dict[str, Any] = {"type": "realtime", **_ga_shared(config, "session", lost)}
    heard: dict[str, Any] = {}
    if config.input_audio_format is not UNSET:
        _put_format(heard, config.input_audio_format, "session.input_audio_format", lost)
    if config.input_audio_transcription is not UNSET:
        heard["transcription"] = msgspec.to_builtins(config.input_audio_transcription)
    if config.turn_detection is not UNSET:
        heard["turn_detection"] = msgspec.to_builtins(config.turn_detection)
    if heard:
        wire["audio"] = {"input": heard, **wire.get("audio", {})}
    return wire


def _ga_session_update(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    _refuse_server_fields(config, lost)
    return _ga_session(config, lost)  # without `model`: GA takes it from the URL and never changes it


def _ga_full_session(config: SessionConfig) -> dict[str, Any]:
    own = {"id": config.id, "expires_at": config.expires_at, "model": config.model}
    said = {name: value for name, value in own.items() if value is not UNSET}
    return {"object": _said_or(config.object, "realtime.session"), **said, **_ga_session(config, [])}


def _ga_response_config(config: ResponseConfig, lost: list[Lossy]) -> dict[str, Any]:
    wire = _ga_shared(config, "response", lost)
    if config.conversation is not UNSET:
        wire["conversation"] = config.conversation
    if config.metadata is not UNSET:
        wire["metadata"] = config.metadata
    if config.input is not UNSET:
        wire["input"] = list(map(_ga_item, config.input))
    return wire


def _ga_item(item: Item) -> dict[str, Any]:
    wire = _beta_item(item)
    for part in wire.get("content", ()):
        if ga := _GA_CONTENT.get(part.get("type", "")):
            part["type"] = ga
    return wire


# ---- from the inside to beta -----------------------------------------------------------------------------------------


def _beta_session_update(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    _refuse_server_fields(config, lost)
    wire = _beta_session(config)
    for name in _SERVER_FIELDS:
        wire.pop(name, None)
    return wire


def _beta_session(config: SessionConfig) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(config)
    for tool in wire.get("tools", ()):
        tool.setdefault("type", "function")
    return wire


def _beta_full_session(config: SessionConfig) -> dict[str, Any]:
    return {"object": "realtime.session", **_beta_session(config)}


def _beta_response_config(config: ResponseConfig, _lost: list[Lossy]) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(config)
    for tool in wire.get("tools", ()):
        tool.setdefault("type", "function")
    return wire


def _beta_item(item: Item) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.to_builtins(item))


_SERVER_FIELDS: Final = ("id", "object", "expires_at")


def _refuse_server_fields(config: SessionConfig, lost: list[Lossy]) -> None:
    for name in _SERVER_FIELDS:
        value = getattr(config, name)
        if value is not UNSET:
            lost.append(Lossy(f"session.{name}", value, "only a server says it"))


def _said_or(value: str | UnsetType, default: str) -> str:
    return default if value is UNSET else value


class Shape(NamedTuple):
    """How one spelling writes what is inside. The functions append to the list what they could not carry."""

    names: dict[str, str]
    """Event type inside -> on the wire, where it differs."""
    absent: frozenset[str]
    """Server events that this spelling has no frame for."""
    transcription_usage: bool
    """Whether what a transcription cost is told with it."""
    session_update: Callable[[SessionConfig, list[Lossy]], dict[str, Any]]
    response_config: Callable[[ResponseConfig, list[Lossy]], dict[str, Any]]
    item: Callable[[Item], dict[str, Any]]
    full_session: Callable[[SessionConfig], dict[str, Any]]


SHAPES: Final[dict[Spelling, Shape]] = {
    Spelling.BETA: Shape(
        names={},
        absent=frozenset(
            {
                "conversation.item.added",
                "conversation.item.done",
                "conversation.item.input_audio_transcription.delta",
            }
        ),
        transcription_usage=False,
        session_update=_beta_session_update,
        response_config=_beta_response_config,
        item=_beta_item,
        full_session=_beta_full_session,
    ),
    Spelling.GA: Shape(
        names=GA_NAMES,
        absent=frozenset({"conversation.item.created"}),
        transcription_usage=True,
        session_update=_ga_session_update,
        response_config=_ga_response_config,
        item=_ga_item,
        full_session=_ga_full_session,
    ),
}


# ---- which one is spoken ---------------------------------------------------------------------------------------------


class SpellingMarks(Struct, frozen=True):
    """The fields of a session that only one spelling has."""

    type: msgspec.Raw | UnsetType = UNSET
    audio: msgspec.Raw | UnsetType = UNSET
    output_modalities: msgspec.Raw | UnsetType = UNSET
    max_output_tokens: msgspec.Raw | UnsetType = UNSET
    modalities: msgspec.Raw | UnsetType = UNSET
    input_audio_format: msgspec.Raw | UnsetType = UNSET
    output_audio_format: msgspec.Raw | UnsetType = UNSET
    input_audio_transcription: msgspec.Raw | UnsetType = UNSET
    turn_detection: msgspec.Raw | UnsetType = UNSET
    temperature: msgspec.Raw | UnsetType = UNSET
    max_response_output_tokens: msgspec.Raw | UnsetType = UNSET
    voice: msgspec.Raw | UnsetType = UNSET

    def spelling(self) -> Spelling | None:
        """GA's marks decide where both are there (xAI mixes them); None: the session says nothing about it."""
        ga = (self.type, self.audio, self.output_modalities, self.max_output_tokens)
        if any(mark is not UNSET for mark in ga):
            return Spelling.GA
        beta = (
            self.modalities,
            self.input_audio_format,
            self.output_audio_format,
            self.input_audio_transcription,
            self.turn_detection,
            self.temperature,
            self.max_response_output_tokens,
            self.voice,
        )
        return Spelling.BETA if any(mark is not UNSET for mark in beta) else None
