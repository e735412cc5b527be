"""What was sent and is not answered yet: event id -> what it was for. It dies with its connection."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

MOST = 256
"""Some servers never acknowledge a truncate: over this the oldest is forgotten."""


class Kind(Enum):
    UPDATE = "session.update"
    ITEM = "conversation.item.create"
    RESPONSE = "response.create"
    CANCEL = "response.cancel"
    TRUNCATE = "conversation.item.truncate"
    DELETE = "conversation.item.delete"
    COMMIT = "input_audio_buffer.commit"
    CLEAR = "input_audio_buffer.clear"
    RETRIEVE = "conversation.item.retrieve"


ANSWERED = frozenset({Kind.UPDATE, Kind.ITEM, Kind.RESPONSE, Kind.COMMIT, Kind.CLEAR})
"""What every server answers at once; some never acknowledge the others."""


class Purpose(NamedTuple):
    kind: Kind
    subject: str
    """The item's or response's id; "" where there is none."""


class Pending:
    def __init__(self) -> None:
        self._sent: dict[str, Purpose] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def add(self, event_id: str, kind: Kind, subject: str = "") -> None:
        while len(self._sent) >= MOST:
            del self._sent[next(iter(self._sent))]
        self._sent[event_id] = Purpose(kind, subject)

    def failed(self, event_id: str | None) -> Purpose | None:
        """What the server's error was about; None where it does not say, or we do not know."""
        return self._sent.pop(event_id, None) if event_id else None

    def answered(self, kind: Kind, subject: str = "") -> Purpose | None:
        """The oldest of this kind (and subject) is done with."""
        for event_id, purpose in self._sent.items():
            if purpose.kind is kind and purpose.subject == subject:
                return self._sent.pop(event_id)
        return None

    def kinds(self) -> tuple[Kind, ...]:
        """What is still out, oldest first."""
        return tuple(purpose.kind for purpose in self._sent.values())
