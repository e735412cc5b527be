"""From the inside to the wire, as each spelling writes it; what one has no place for is told. It knows no event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import UNSET, UnsetType

from voicecli.protocol.dialects import GA_CONTENT, GA_FORMATS, GA_NAMES, PCM, Lossy, Spelling, modalities_inside
from voicecli.protocol.items import Item, ResponseConfig, SessionConfig


def _ga_choice(choice: Any) -> Any:
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "function", "name": name}
    return choice


def _ga_format(name: str) -> dict[str, object] | None:
    if known := GA_FORMATS.get(name):
        return known
    rate = name.removeprefix("pcm16_").removesuffix("hz")
    if name == f"pcm16_{rate}hz" and rate.isascii() and rate.isdigit() and len(rate) < 9:
        return {"type": PCM, "rate": int(rate)}
    return {"type": name} if "/" in name else None


def _ga_shared(config: SessionConfig | ResponseConfig, root: str, lost: list[Lossy]) -> dict[str, Any]:
    """What `_Shared` has of GA; `audio` holds the output only."""
    wire: dict[str, Any] = {}
    if config.modalities is not UNSET:
        wire["output_modalities"] = ["audio"] if "audio" in config.modalities else list(config.modalities)
        if modalities_inside(wire["output_modalities"]) not in (config.modalities, list(config.modalities)):
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
        if ga := GA_CONTENT.get(part.get("type", "")):
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
