"""Events that GA calls otherwise, as classes of their own, so that one union of tagged types reads both spellings."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from voicecli.protocol import events as e
from voicecli.protocol.dialects import GA_NAMES


def type_of(cls: type) -> str:
    """The inside name of an event's type."""
    return str(cls.__struct_config__.tag)  # type: ignore[attr-defined]


_INSIDE: Final[dict[str, type]] = {type_of(cls): cls for cls in (*e.ServerEvent.__args__, *e.ClientEvent.__args__)}

GA_CLASSES: Final[dict[type, Any]] = {
    _INSIDE[beta]: msgspec.defstruct(f"GA{_INSIDE[beta].__name__}", (), bases=(_INSIDE[beta],), frozen=True, tag=ga)
    for beta, ga in GA_NAMES.items()
}
"""Events that GA calls otherwise: the same fields under another tag, so that one union reads both."""

ITEM_EVENTS: Final = (
    e.ConversationItemCreated,
    e.ConversationItemAdded,
    e.ConversationItemDone,
    e.OutputItemAdded,
    e.OutputItemDone,
    e.ConversationItemRetrieved,
    e.ConversationItemCreate,
)
"""Events that carry an item, whose content types are spelled."""
