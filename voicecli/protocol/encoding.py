"""Events to frames, as a spelling has them, with each value that it could not carry. It knows no socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from voicecli.protocol import events as e
from voicecli.protocol.dialects import Lossy, Spelling
from voicecli.protocol.items import Item
from voicecli.protocol.profiles import Profile
from voicecli.protocol.renamed import GA_CLASSES, ITEM_EVENTS, type_of
from voicecli.protocol.unflatten import SHAPES, Shape


def encode(event: e.ClientEvent, profile: Profile) -> tuple[str | None, tuple[Lossy, ...]]:
    """The frame, in the profile's spelling, and each value it could not carry; None where there is no such frame."""
    shape = SHAPES[profile.spelling]
    lost: list[Lossy] = []
    match event:
        case e.SessionUpdate():
            return _json(_framed(event, session=shape.session_update(event.session, lost))), tuple(lost)
        case e.ResponseCreate(response=given) if not isinstance(given, msgspec.UnsetType):
            return _json(_framed(event, response=shape.response_config(given, lost))), tuple(lost)
        case e.ConversationItemCreate():
            item = shape.item(event.item, "item", lost)
            return None if item is None else _json(_framed(event, item=item)), tuple(lost)
    return _json(event), ()


def encode_server(event: e.ServerEvent, spelling: Spelling, lost: list[Lossy] | None = None) -> str | None:
    """The frame a server sends; None where the spelling has no such event. Every field of the contract is in it.

    What the spelling could not carry is appended to `lost`.
    """
    shape, lost = SHAPES[spelling], [] if lost is None else lost
    kind = type_of(type(event))
    if kind in shape.absent:
        return None
    if getattr(event, "previous_item_id", None) is UNSET:
        event = replace(event, previous_item_id=None)
    if (payload := _PAYLOADS.get(type(event))) is not None:
        return _json(payload(event, shape, lost))
    if (newer := _NEWER.get(type(event))) is not None:
        return _json(_without(event, newer, shape.lacks.get(kind, ()), lost))
    if kind in shape.names:
        cls = GA_CLASSES[type(event)]
        return _json(cls(**{name: getattr(event, name) for name in event.__struct_fields__}))
    return _json(event)


def _without(event: Struct, newer: tuple[str, ...], lacks: tuple[str, ...], lost: list[Lossy]) -> dict[str, Any]:
    """The event without the newer fields that say nothing, or that the spelling has not."""
    wire: dict[str, Any] = msgspec.to_builtins(event)
    for name in newer:
        if wire[name] is None:
            del wire[name]
        elif name in lacks:
            lost.append(Lossy(name, wire.pop(name), "the dialect has no place for it"))
    return wire


def _framed(event: Struct, **payload: Any) -> dict[str, Any]:
    """The event as a dict, with one field written by the spelling."""
    (name,) = payload
    frame: dict[str, Any] = {"type": type_of(type(event))}
    for field in event.__struct_fields__:
        if field != name and (value := getattr(event, field)) is not UNSET:
            frame[field] = value
    return {**frame, **payload}


def _json(frame: object) -> str:
    try:
        return msgspec.json.encode(frame).decode()
    except UnicodeEncodeError:  # a lone surrogate, from a terminal or from a file name
        return msgspec.json.encode(_scrubbed(msgspec.to_builtins(frame))).decode()


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_scrubbed(name): _scrubbed(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(inner) for inner in value]
    return value


def _whole_item(item: Item, shape: Shape) -> dict[str, Any]:
    wire = shape.server_item(item)
    wire.setdefault("object", "realtime.item")
    if item.type == "message":
        for part in wire.setdefault("content", []):
            if part.get("type") == "input_audio":
                part.setdefault("transcript", None)  # there are clients that end where it is absent
    return wire


def _item_frame(event: Any, shape: Shape, _lost: list[Lossy]) -> dict[str, Any]:
    return _framed(event, item=_whole_item(event.item, shape))


def _session_frame(event: Any, shape: Shape, lost: list[Lossy]) -> dict[str, Any]:
    return _framed(event, session=shape.full_session(event.session, lost))


def _response_frame(event: Any, shape: Shape, lost: list[Lossy]) -> dict[str, Any]:
    wire = shape.response(event.response, lost)
    wire.setdefault("object", "realtime.response")
    wire["output"] = [_whole_item(item, shape) for item in event.response.output]
    return _framed(event, response=wire)


def _conversation_frame(event: Any, _shape: Shape, _lost: list[Lossy]) -> dict[str, Any]:
    wire = msgspec.to_builtins(event.conversation)
    wire.setdefault("object", "realtime.conversation")
    return _framed(event, conversation=wire)


_PAYLOADS: Final[dict[type, Callable[[Any, Shape, list[Lossy]], dict[str, Any]]]] = {
    **dict.fromkeys(ITEM_EVENTS, _item_frame),
    **dict.fromkeys((e.SessionCreated, e.SessionUpdated), _session_frame),
    **dict.fromkeys((e.ResponseCreated, e.ResponseDone), _response_frame),
    e.ConversationCreated: _conversation_frame,
}
"""Events that a spelling writes in its own way, or that have more on the wire than inside."""

_NEWER: Final[dict[type, tuple[str, ...]]] = {
    e.TranscriptionCompleted: ("usage", "logprobs", "languages"),
    e.TranscriptionDelta: ("logprobs",),
    e.FunctionCallArgumentsDone: ("name",),
}
"""Fields that are newer than the contract, and absent where they say nothing."""
