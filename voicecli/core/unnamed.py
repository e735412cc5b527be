"""Names for the items of answers that come without one: servers may leave them out. It knows no row and no effect."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from voicecli.core.responses import MOST_ITEMS
from voicecli.core.talk import Talk
from voicecli.core.tools import CALLS
from voicecli.protocol import events as e

Output = TypeVar("Output", bound=e.OutputBase)


def named(talk: Talk, event: Output) -> Output:
    """The event with a name of ours for an item that has none: servers may leave it out.

    The conversation does not know that name, so it never goes back to the server.
    """
    match event:
        case e.OutputItemAdded(item=item) | e.OutputItemDone(item=item) if not item.id:
            sort = "call" if item.type in CALLS else "message"
            return replace(event, item=replace(item, id=_unnamed(talk, sort, event)))
        case e.FunctionCallArgumentsDelta(item_id="") | e.FunctionCallArgumentsDone(item_id=""):
            return replace(event, item_id=_unnamed(talk, "call", event))
        case e.PartBase(item_id=""):
            return replace(event, item_id=_unnamed(talk, "message", event))
    return event


def _unnamed(talk: Talk, sort: str, event: e.OutputBase) -> str:
    key = f"{sort} {event.output_index}"
    name = talk.unnamed.get(key, "")
    again = isinstance(event, e.FunctionCallArgumentsDone) and not talk.transcript.is_open(name)  # it is another call
    if not name or (again and talk.transcript.known(name)):
        name = talk.unnamed[key] = talk.new_id("item")
        if len(talk.unnamed) > MOST_ITEMS:
            del talk.unnamed[next(iter(talk.unnamed))]
    return name
