"""The events of each direction as they are on the wire, in one union for both spellings, and how they become ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Union

import msgspec
from msgspec import UNSET

from voicecli.protocol import events as e
from voicecli.protocol.flatten import (
    OutcomeWire,
    ResponseWire,
    SessionWire,
    flatten_item,
    flatten_outcome,
    flatten_part,
    flatten_response,
    flatten_session,
)
from voicecli.protocol.items import Number
from voicecli.protocol.renamed import GA_CLASSES, ITEM_EVENTS, type_of


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


AFTER: Final[dict[type, Callable[[Any], Any]]] = {
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


class Reader:
    """The union of one direction, and the types that are in it."""

    def __init__(self, union: object, wire: tuple[type, ...]) -> None:
        replaced = {type_of(cls) for cls in wire}
        classes = (*wire, *(cls for cls in union.__args__ if type_of(cls) not in replaced))  # type: ignore[attr-defined]
        self.union: Any = Union[classes]  # noqa: UP007 (of a tuple)
        self.types = frozenset(map(type_of, classes))
        self.decode: Callable[[bytes | str], Any] = msgspec.json.Decoder(self.union).decode


SERVER: Final = Reader(
    e.ServerEvent, (_SessionCreated, _SessionUpdated, _ResponseCreated, _ResponseDone, *GA_CLASSES.values())
)
CLIENT: Final = Reader(e.ClientEvent, (_SessionUpdate, _Truncate, _Create))
OPAQUE: Final = frozenset(
    {
        *ITEM_EVENTS,
        e.SessionCreated,
        e.SessionUpdated,
        e.ResponseCreated,
        e.ResponseDone,
        e.TranscriptionCompleted,
        e.TranscriptionDelta,
        e.SessionUpdate,
        e.ResponseCreate,
    }
)
"""Events with a field of any shape."""
