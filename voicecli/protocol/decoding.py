"""Frames to events, blind to the spelling. It knows no socket and no session.

Nothing here raises on what comes from the wire: any bytes are an event, `Unknown` or `Malformed`. The usual frame is
decoded in one pass; what msgspec refuses gets a second, slower chance, where the slips of known servers are mended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, Union, cast

import msgspec
from msgspec import UNSET, Struct

from voicecli.protocol import events as e
from voicecli.protocol.dialects import Spelling, SpellingMarks
from voicecli.protocol.flatten import (
    OutcomeWire,
    ResponseWire,
    SessionWire,
    flatten_item,
    flatten_outcome,
    flatten_part,
    flatten_response,
    flatten_session,
    lacks_type,
)
from voicecli.protocol.items import Number
from voicecli.protocol.mending import heal, mend_client, mend_server
from voicecli.protocol.renamed import GA_CLASSES, ITEM_EVENTS, type_of

_REFUSED: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""`RecursionError` and `UnicodeError` are no `MsgspecError` (G10)."""

_MENDABLE: Final = 1 << 20
"""Frames past this many bytes get no second chance: mending costs several times their size."""

_COUNTED: Final = 256 * 1024
"""Frames past this are looked at before they are decoded."""
_OPENINGS: Final = 8_192
_BYTES_A_COMMA: Final = 16

_NAME_CHARS: Final = 200
"""What is kept of a type that is not ours."""


# ---- the types that are on the wire ----------------------------------------------------------------------------------


class _SessionCreated(e.ServerBase, frozen=True, kw_only=True, tag="session.created"):
    session: SessionWire = SessionWire()


class _SessionUpdated(e.ServerBase, frozen=True, kw_only=True, tag="session.updated"):
    session: SessionWire = SessionWire()


class _ResponseCreated(e.ServerBase, frozen=True, kw_only=True, tag="response.created"):
    response: OutcomeWire = OutcomeWire()


class _ResponseDone(e.ServerBase, frozen=True, kw_only=True, tag="response.done"):
    response: OutcomeWire = OutcomeWire()


class _SessionUpdate(e.ClientBase, frozen=True, kw_only=True, tag="session.update"):
    session: SessionWire


class _Truncate(e.ClientBase, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    item_id: str
    content_index: Number  # required on the wire, 0 for whoever builds the event
    audio_end_ms: Number


class _Create(e.ClientBase, frozen=True, kw_only=True, tag="response.create"):
    response: ResponseWire | msgspec.UnsetType = UNSET


def _made_plain(cls: type) -> Callable[[Any], Any]:
    names = cls.__struct_fields__  # type: ignore[attr-defined]
    return lambda event: cls(**{name: getattr(event, name) for name in names})


def _audio_delta(event: e.AudioDelta) -> e.AudioDelta:
    return e.AudioDelta(
        event_id=event.event_id,
        response_id=event.response_id,
        output_index=event.output_index,
        item_id=event.item_id,
        content_index=event.content_index,
        delta=event.delta,
    )


def _created_session(event: _SessionCreated) -> e.SessionCreated:
    return e.SessionCreated(event_id=event.event_id, session=flatten_session(event.session))


def _updated_session(event: _SessionUpdated) -> e.SessionUpdated:
    return e.SessionUpdated(event_id=event.event_id, session=flatten_session(event.session))


def _created_response(event: _ResponseCreated) -> e.ResponseCreated:
    return e.ResponseCreated(event_id=event.event_id, response=flatten_outcome(event.response))


def _done_response(event: _ResponseDone) -> e.ResponseDone:
    return e.ResponseDone(event_id=event.event_id, response=flatten_outcome(event.response))


def _session_update(event: _SessionUpdate) -> e.SessionUpdate:
    return e.SessionUpdate(event_id=event.event_id, session=flatten_session(event.session))


def _truncate(event: _Truncate) -> e.ConversationItemTruncate:
    return e.ConversationItemTruncate(
        event_id=event.event_id,
        item_id=event.item_id,
        content_index=event.content_index,
        audio_end_ms=event.audio_end_ms,
    )


def _create(event: _Create) -> e.ResponseCreate:
    given = event.response
    return e.ResponseCreate(
        event_id=event.event_id,
        response=flatten_response(given) if isinstance(given, ResponseWire) else UNSET,
    )


def _with(name: str, flatten: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def after(event: Any) -> Any:
        old = getattr(event, name)
        new = flatten(old)
        return event if new is old else msgspec.structs.replace(event, **{name: new})

    return after


_AFTER: Final[dict[type, Callable[[Any], Any]]] = {
    **{ga: _made_plain(cls) for cls, ga in GA_CLASSES.items()},
    GA_CLASSES[e.AudioDelta]: _audio_delta,
    **dict.fromkeys(ITEM_EVENTS, _with("item", flatten_item)),
    **dict.fromkeys((e.ContentPartAdded, e.ContentPartDone), _with("part", flatten_part)),
    _SessionCreated: _created_session,
    _SessionUpdated: _updated_session,
    _ResponseCreated: _created_response,
    _ResponseDone: _done_response,
    _SessionUpdate: _session_update,
    _Truncate: _truncate,
    _Create: _create,
}
"""What is still to do once a frame of this class has been decoded: to the inside names and shapes."""


class _Reader:
    """The union of one direction, and the types that are in it."""

    def __init__(self, union: object, wire: tuple[type, ...]) -> None:
        replaced = {type_of(cls) for cls in wire}
        classes = (*wire, *(cls for cls in union.__args__ if type_of(cls) not in replaced))  # type: ignore[attr-defined]
        self.union: Any = Union[classes]  # noqa: UP007 (of a tuple)
        self.types = frozenset(map(type_of, classes))
        self.decode: Callable[[bytes | str], Any] = msgspec.json.Decoder(self.union).decode


_SERVER: Final = _Reader(
    e.ServerEvent, (_SessionCreated, _SessionUpdated, _ResponseCreated, _ResponseDone, *GA_CLASSES.values())
)
_CLIENT: Final = _Reader(e.ClientEvent, (_SessionUpdate, _Truncate, _Create))
_decode_server: Final = _SERVER.decode
_decode_client: Final = _CLIENT.decode
_after: Final = _AFTER.get


# ---- reading ---------------------------------------------------------------------------------------------------------


def decode_server(raw: bytes | str) -> e.Decoded:
    """What a server sent. Lenient: unknown fields, absent ids, nulls, unpadded base64 and lone surrogates pass."""
    if len(raw) > _COUNTED and _costly(raw):
        return _too_costly(raw)
    try:
        event = _decode_server(raw)
    except _REFUSED as why:
        return cast(e.Decoded, _second_chance(raw, why, _SERVER, mend_server))
    after = _after(type(event))
    return cast(e.Decoded, event if after is None else after(event))


def decode_client(raw: bytes | str) -> e.DecodedClient:
    """What a client sent. Strict about required fields; a null in an optional one is as good as absent."""
    if len(raw) > _COUNTED and _costly(raw):
        return _too_costly(raw)
    try:
        event = _decode_client(raw)
    except _REFUSED as why:
        event = _second_chance(raw, why, _CLIENT, mend_client)
    else:
        after = _after(type(event))
        event = event if after is None else after(event)
    if isinstance(event, e.SessionUpdate):
        return _checked_update(event, raw)
    return cast(e.DecodedClient, event)


def _costly(raw: bytes | str) -> bool:
    """So many values that decoding would hold the interpreter for long and take many times its size (G10).

    Counting is cheap, also in 16 MiB. Sound is one long value.
    """
    if isinstance(raw, str):
        openings, commas = raw.count("{") + raw.count("["), raw.count(",")
    else:
        openings, commas = raw.count(b"{") + raw.count(b"["), raw.count(b",")
    return openings > _OPENINGS or commas * _BYTES_A_COMMA > len(raw)


def _too_costly(raw: bytes | str) -> e.Malformed:
    return e.Malformed("", _bytes(raw), "There are too many values in one message.", "invalid_value")


def spelling_of(raw: bytes | str) -> Spelling | None:
    """Which spelling the session in this frame has; None where it has none, or does not tell. Never raises."""
    if len(raw) > _COUNTED and _costly(raw):
        return None
    try:
        return _decode_marks(raw).session.spelling()
    except _REFUSED:
        return None


class _Marked(Struct, frozen=True):
    session: SpellingMarks = SpellingMarks()


class _Head(Struct, frozen=True):
    type: str | None = None
    event_id: msgspec.Raw = msgspec.Raw(b"null")


_decode_marks: Final = msgspec.json.Decoder(_Marked).decode
_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_name: Final = msgspec.json.Decoder(str | None).decode


class _TypeOnly(Struct, frozen=True):
    session: SessionWire


_decode_update: Final = msgspec.json.Decoder(_TypeOnly).decode


def _checked_update(event: e.SessionUpdate, raw: bytes | str) -> e.DecodedClient:
    try:
        lacking = lacks_type(_decode_update(raw).session)
    except _REFUSED:
        lacking = False
    if not lacking:
        return event
    return e.Malformed(
        "session.update",
        _bytes(raw),
        "Missing required parameter: 'session.type'.",
        "missing_required_parameter",
        "session.type",
        None if event.event_id is UNSET else event.event_id,
    )


def _bytes(raw: bytes | str) -> bytes:
    return raw.encode("utf-8", "replace") if isinstance(raw, str) else bytes(raw)


def _second_chance(raw: bytes | str, why: Exception, reader: _Reader, mend: Callable[[dict[str, Any]], None]) -> object:
    """Tells an unknown type from a bad shape, and mends what can be mended."""
    data = _bytes(raw)
    text = heal(data) if len(data) <= _MENDABLE else data
    try:
        head = _decode_head(text)
    except _REFUSED:
        return _not_ours(data, why)
    kind, event_id = head.type, _named(head.event_id)
    if kind is None:
        return e.Malformed("", data, "There is no type.", "missing_required_parameter", "type", event_id)
    if kind not in reader.types:
        return e.Unknown(kind[:_NAME_CHARS], data, event_id)
    if len(data) <= _MENDABLE:
        try:
            frame = json.loads(text)
            mend(frame)
            return _convert(frame, reader.union)
        except (*_REFUSED, ValueError) as still:
            why = still
    return e.Malformed(kind, data, *_told(why), event_id)


def _convert(frame: dict[str, Any], union: Any) -> object:
    event = msgspec.convert(frame, union)
    after = _after(type(event))
    return event if after is None else after(event)


def _named(event_id: msgspec.Raw) -> str | None:
    try:
        name = _decode_name(event_id)
    except _REFUSED:
        return None
    return None if name is None else name[:_NAME_CHARS]


def _not_ours(data: bytes, why: Exception) -> e.Unknown | e.Malformed:
    """Sound in a binary frame is no bad JSON, it is another protocol (xAI)."""
    if not data.lstrip().startswith(b"{"):
        try:
            data.decode()
        except UnicodeDecodeError:
            return e.Unknown("binary", data)
    what, code, param = _told(why)
    return e.Malformed("", data, what, code if param else "invalid_json", param)


_MISSING: Final = re.compile(r"missing required field `(\w+)`")
_PLACE: Final = re.compile(r" - at `\$?\.?(.*)`$")


def _told(why: Exception) -> tuple[str, str, str | None]:
    """msgspec's words, the code an `error` has for it, and the field."""
    words = str(why)[:_NAME_CHARS]
    if not isinstance(why, msgspec.ValidationError):
        return words or type(why).__name__, "invalid_json", None
    found = _PLACE.search(words)
    place = found[1] if found else ""
    if missing := _MISSING.search(words):
        path = f"{place}.{missing[1]}" if place else missing[1]
        return f"Missing required parameter: '{path}'.", "missing_required_parameter", path
    code = "invalid_type" if words.startswith("Expected") else "invalid_value"
    return words, code, place or None
