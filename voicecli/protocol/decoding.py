"""Frames to events, blind to the spelling. It knows no socket and no session.

Nothing here raises on what comes from the wire: any bytes are an event, `Unknown` or `Malformed`. The usual frame is
decoded in one pass; what msgspec refuses gets a second, slower chance, where the slips of known servers are mended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, Struct

from voicecli.protocol import events as e
from voicecli.protocol.bounds import costly, deep
from voicecli.protocol.dialects import Spelling, SpellingMarks
from voicecli.protocol.flatten import SessionWire, lacks_type
from voicecli.protocol.mending import heal, mend_client, mend_server
from voicecli.protocol.readers import AFTER, CLIENT, OPAQUE, SERVER, Reader

_REFUSED: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""`RecursionError` and `UnicodeError` are no `MsgspecError` (G10)."""

_MENDABLE: Final = 1 << 20
"""Frames past this many bytes get no second chance: mending costs several times their size."""

_NAME_CHARS: Final = 200
"""What is kept of a type that is not ours."""


_decode_server: Final = SERVER.decode
_decode_client: Final = CLIENT.decode
_after: Final = AFTER.get


def decode_server(raw: bytes | str) -> e.Decoded:
    """What a server sent. Lenient: unknown fields, absent ids, nulls, unpadded base64 and lone surrogates pass."""
    if costly(raw):
        return _too_much(raw)
    try:
        event = _decode_server(raw)
    except _REFUSED as why:
        event = _second_chance(raw, why, SERVER, mend_server)
    else:
        after = _after(type(event))
        event = event if after is None else after(event)
    return _too_much(raw) if type(event) in OPAQUE and deep(raw) else cast(e.Decoded, event)


def decode_client(raw: bytes | str) -> e.DecodedClient:
    """What a client sent. Strict about required fields; a null in an optional one is as good as absent."""
    if costly(raw):
        return _too_much(raw)
    try:
        event = _decode_client(raw)
    except _REFUSED as why:
        event = _second_chance(raw, why, CLIENT, mend_client)
    else:
        after = _after(type(event))
        event = event if after is None else after(event)
    if type(event) in OPAQUE and deep(raw):
        return _too_much(raw)
    if isinstance(event, e.SessionUpdate):
        return _checked_update(event, raw)
    return cast(e.DecodedClient, event)


def _too_much(raw: bytes | str) -> e.Malformed:
    return e.Malformed("", _bytes(raw), "There is too much in one message, or too deep.", "invalid_value")


def spelling_of(raw: bytes | str) -> Spelling | None:
    """Which spelling the session in this frame has; None where it has none, or does not tell. Never raises."""
    if costly(raw):
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


def _second_chance(raw: bytes | str, why: Exception, reader: Reader, mend: Callable[[dict[str, Any]], None]) -> object:
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
