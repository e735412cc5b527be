"""From the inside to the wire, as each spelling writes it; what one has no place for is told. It knows no event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from voicecli.protocol.dialects import GA_CONTENT, GA_FORMATS, GA_NAMES, PCM, Lossy, Spelling, modalities_inside
from voicecli.protocol.items import CustomVoice, Item, NoiseReduction, Response, ResponseConfig, SessionConfig

_SERVER_FIELDS: Final = ("id", "object", "expires_at")

# ---- from the inside to GA -------------------------------------------------------------------------------------------


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


def format_named(name: str, spelling: Spelling) -> object:
    """A format as this spelling writes it."""
    return name if spelling is Spelling.BETA else _ga_format(name) or name


def _ga_modalities(inside: tuple[str, ...], path: str, lost: list[Lossy]) -> list[str]:
    said = ["audio"] if "audio" in inside else list(inside)
    if modalities_inside(said) not in (inside, list(inside)):
        lost.append(Lossy(path, inside, "GA answers in sound or in text, never in both"))
    return said


def _ga_spoken(
    voice: str | CustomVoice | UnsetType | None, form: str | UnsetType | None, path: str, lost: list[Lossy]
) -> dict[str, Any]:
    """GA's `audio.output`."""
    output: dict[str, Any] = {}
    if isinstance(form, str):
        _put_format(output, form, f"{path}.output_audio_format", lost)
    if voice is not UNSET and voice is not None:
        output["voice"] = msgspec.to_builtins(voice)
    return output


def _ga_shared(config: SessionConfig | ResponseConfig, root: str, lost: list[Lossy]) -> dict[str, Any]:
    """What a session and the configuration of a response have in common; `audio` holds the output only."""
    wire: dict[str, Any] = {}
    if config.modalities is not UNSET:
        wire["output_modalities"] = _ga_modalities(config.modalities, f"{root}.modalities", lost)
    if output := _ga_spoken(config.voice, config.output_audio_format, root, lost):
        wire["audio"] = {"output": output}
    if config.tools is not UNSET:
        wire["tools"] = _tools(config.tools)
    if config.tool_choice is not UNSET:
        wire["tool_choice"] = _ga_choice(config.tool_choice)
    if config.temperature is not UNSET:
        lost.append(Lossy(f"{root}.temperature", config.temperature, "GA has no temperature"))
    if config.max_response_output_tokens is not UNSET:
        wire["max_output_tokens"] = config.max_response_output_tokens
    for name in ("instructions", "prompt", "reasoning", "parallel_tool_calls"):
        _put(wire, name, getattr(config, name))
    return wire


def _put(place: dict[str, Any], name: str, value: object) -> None:
    if value is not UNSET:
        place[name] = value


def _put_format(place: dict[str, Any], name: str, path: str, lost: list[Lossy]) -> None:
    form = _ga_format(name)
    if form is None:
        lost.append(Lossy(path, name, "GA has no such format"))
    else:
        place["format"] = form


def _tools(tools: Iterable[Any]) -> list[dict[str, Any]]:
    wire: list[dict[str, Any]] = msgspec.to_builtins(tuple(tools))
    return [{"type": "function", **tool} for tool in wire]


def _ga_session(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    wire: dict[str, Any] = {"type": "realtime", **_ga_shared(config, "session", lost)}
    heard: dict[str, Any] = {}
    if config.input_audio_format is not UNSET:
        _put_format(heard, config.input_audio_format, "session.input_audio_format", lost)
    for name, value in (
        ("transcription", config.input_audio_transcription),
        ("turn_detection", config.turn_detection),
        ("noise_reduction", config.input_audio_noise_reduction),
    ):
        if value is not UNSET:
            heard[name] = msgspec.to_builtins(value)
    spoken = wire.get("audio", {}).get("output", {})
    _put(spoken, "speed", config.speed)
    sides = {"input": heard, "output": spoken}
    if audio := {name: side for name, side in sides.items() if side}:
        wire["audio"] = audio
    for name in ("tracing", "include", "truncation"):
        _put(wire, name, getattr(config, name))
    return wire


def _ga_session_update(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    _refuse_server_fields(config, lost)
    return _ga_session(config, lost)  # without `model`: GA takes it from the URL and never changes it


def _ga_full_session(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    own = {"id": config.id, "expires_at": config.expires_at, "model": config.model}
    said = {name: value for name, value in own.items() if value is not UNSET}
    return {"object": _said_or(config.object, "realtime.session"), **said, **_ga_session(config, lost)}


def _ga_response_config(config: ResponseConfig, lost: list[Lossy]) -> dict[str, Any]:
    wire = _ga_shared(config, "response", lost)
    _put(wire, "conversation", config.conversation)
    _put(wire, "metadata", config.metadata)
    if config.input is not UNSET:
        wire["input"] = list(map(_ga_item, config.input))
    return wire


def _ga_item(item: Item) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(item)
    for part in wire.get("content", ()):
        if ga := GA_CONTENT.get(part.get("type", "")):
            part["type"] = ga
    return wire


def _ga_client_item(item: Item, _path: str, _lost: list[Lossy]) -> dict[str, Any]:
    return _ga_item(item)


def _ga_response(response: Response, lost: list[Lossy]) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(response)
    for name in ("modalities", "voice", "output_audio_format", "temperature"):
        wire.pop(name, None)
    if response.modalities is not None:
        wire["output_modalities"] = _ga_modalities(response.modalities, "response.modalities", lost)
    if output := _ga_spoken(response.voice, response.output_audio_format, "response", lost):
        wire["audio"] = {"output": output}
    if response.temperature is not None:
        lost.append(Lossy("response.temperature", response.temperature, "GA has no temperature"))
    return wire


# ---- from the inside to beta -----------------------------------------------------------------------------------------

_NEWER: Final = "the beta dialect has no place for it"
_GA_FIELDS: Final = ("include", "prompt", "truncation", "reasoning", "parallel_tool_calls")
_GA_DETECTION: Final = ("idle_timeout_ms",)
_GA_TRANSCRIPTION: Final = ("delay", "keywords", "languages")
_GA_ITEM: Final = ("phase", "server_label", "approval_request_id", "approve", "reason", "tools", "error")
_BETA_ITEMS: Final = frozenset({None, "message", "function_call", "function_call_output", "item_reference"})
_GA_PARTS: Final = frozenset({"input_image"})
"""What came with GA, and that no server of the beta ever had. What the late beta gained is sent where it is asked for
(`semantic_vad`, `interrupt_response`, noise reduction, `speed`, `tracing`)."""


def _drop(wire: Any, names: Iterable[str], path: str, lost: list[Lossy]) -> None:
    if isinstance(wire, dict):
        for name in names:
            if name in wire:
                lost.append(Lossy(f"{path}.{name}", wire.pop(name), _NEWER))


def _beta_shared(config: SessionConfig | ResponseConfig, root: str, lost: list[Lossy]) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(config)
    _drop(wire, _GA_FIELDS, root, lost)
    if isinstance(config.voice, CustomVoice):
        _drop(wire, ("voice",), root, lost)
    if config.tools is not UNSET:
        tools = []
        for n, tool in enumerate(_tools(config.tools)):
            if tool["type"] == "mcp":
                lost.append(Lossy(f"{root}.tools[{n}]", tool, _NEWER))
            else:
                tools.append(tool)
        wire["tools"] = tools
    return wire


def _beta_session(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    wire = _beta_shared(config, "session", lost)
    _drop(wire.get("turn_detection"), _GA_DETECTION, "session.turn_detection", lost)
    _drop(wire.get("input_audio_transcription"), _GA_TRANSCRIPTION, "session.input_audio_transcription", lost)
    if isinstance(config.input_audio_noise_reduction, NoiseReduction):
        place = "input_audio_noise_reduction"
        _drop(wire[place], ("strength",), f"session.{place}", lost)
    return wire


def _beta_session_update(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    _refuse_server_fields(config, lost)
    wire = _beta_session(config, lost)
    for name in _SERVER_FIELDS:
        wire.pop(name, None)
    return wire


def _beta_full_session(config: SessionConfig, lost: list[Lossy]) -> dict[str, Any]:
    return {"object": "realtime.session", **_beta_session(config, lost)}


def _beta_response_config(config: ResponseConfig, lost: list[Lossy]) -> dict[str, Any]:
    wire = _beta_shared(config, "response", lost)
    if config.input is not UNSET:
        items = [_beta_item(item, f"response.input[{n}]", lost) for n, item in enumerate(config.input)]
        wire["input"] = [item for item in items if item is not None]
    return wire


def _beta_item(item: Item, path: str, lost: list[Lossy]) -> dict[str, Any] | None:
    """None: there is nothing of it that could be sent."""
    only_newer = bool(item.content) and all(part.type in _GA_PARTS for part in item.content)
    if item.type not in _BETA_ITEMS or only_newer:
        lost.append(Lossy(path, item.type, _NEWER))
        return None
    wire: dict[str, Any] = msgspec.to_builtins(item)
    _drop(wire, _GA_ITEM, path, lost)
    parts = []
    for n, part in enumerate(wire.get("content", ())):
        if part.get("type") in _GA_PARTS:
            lost.append(Lossy(f"{path}.content[{n}]", part["type"], _NEWER))
            continue
        _drop(part, ("image_url", "detail"), f"{path}.content[{n}]", lost)
        parts.append(part)
    if item.content:
        wire["content"] = parts
    return wire


def _beta_response(response: Response, lost: list[Lossy]) -> dict[str, Any]:
    wire: dict[str, Any] = msgspec.to_builtins(response)
    if isinstance(response.voice, CustomVoice):
        _drop(wire, ("voice",), "response", lost)
    return wire


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
    lacks: dict[str, tuple[str, ...]]
    """Event type inside -> fields that it has not in this spelling."""
    session_update: Callable[[SessionConfig, list[Lossy]], dict[str, Any]]
    response_config: Callable[[ResponseConfig, list[Lossy]], dict[str, Any]]
    item: Callable[[Item, str, list[Lossy]], dict[str, Any] | None]
    """A client's; the path is where the item is; None: nothing of it could be sent."""
    server_item: Callable[[Item], dict[str, Any]]
    """A server's, which has none that its clients could not have sent, or asked for."""
    response: Callable[[Response, list[Lossy]], dict[str, Any]]
    """Without its items."""
    full_session: Callable[[SessionConfig, list[Lossy]], dict[str, Any]]


_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"

SHAPES: Final[dict[Spelling, Shape]] = {
    Spelling.BETA: Shape(
        names={},
        absent=frozenset(
            {
                "conversation.item.added",
                "conversation.item.done",
                f"{_TRANSCRIPTION}.delta",
                f"{_TRANSCRIPTION}.segment",
                "input_audio_buffer.timeout_triggered",
                "input_audio_buffer.dtmf_event_received",
                "mcp_list_tools.in_progress",
                "mcp_list_tools.completed",
                "mcp_list_tools.failed",
                "response.mcp_call_arguments.delta",
                "response.mcp_call_arguments.done",
                "response.mcp_call.in_progress",
                "response.mcp_call.completed",
                "response.mcp_call.failed",
            }
        ),
        lacks={f"{_TRANSCRIPTION}.completed": ("usage", "logprobs", "languages")},
        session_update=_beta_session_update,
        response_config=_beta_response_config,
        item=_beta_item,
        server_item=msgspec.to_builtins,
        response=_beta_response,
        full_session=_beta_full_session,
    ),
    Spelling.GA: Shape(
        names=GA_NAMES,
        absent=frozenset({"conversation.item.created"}),
        lacks={},
        session_update=_ga_session_update,
        response_config=_ga_response_config,
        item=_ga_client_item,
        server_item=_ga_item,
        response=_ga_response,
        full_session=_ga_full_session,
    ),
}
