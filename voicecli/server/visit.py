"""One client's visit as its frames show it: what it may send, when it has outstayed, and the two lines in the log.

Pure; time is an argument. Nothing of what is said is in it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from voicecli.flood import Flood
from voicecli.printable import one_line

GOING_AWAY: Final = 1001
POLICY: Final = 1008

EVENTS_S: Final = 5.0
"""A client may send so long what it may send in a second, all at once."""
ERRORS_S: Final = 10.0
SHOWN: Final = 80
"""Characters of a client's own words in a line."""

_ERROR: Final = '{"type":"error"'
_ANSWER: Final = '{"type":"response.done"'


class Ending(NamedTuple):
    """Why a visit ends: a close code and its reason."""

    code: int
    reason: str


class Visitor(NamedTuple):
    """Who came. All of it but the number is foreign text."""

    number: int
    peer: str
    spelling: str
    model: str | None


class Visit:
    """Counts what one client sends and is sent."""

    def __init__(self, visitor: Visitor, at: float, *, errors: int, idle_s: float | None) -> None:
        """`errors` is how many are answered within ERRORS_S; `idle_s` how long it may say nothing, None: for ever."""
        self._visitor = visitor
        self._began = at
        self._last = at
        self._idle_s = idle_s
        self._errors = Flood(errors, ERRORS_S)
        self._tiresome = False
        self._answers = 0

    @property
    def deadline(self) -> float | None:
        """When it has said nothing for too long."""
        return None if self._idle_s is None else self._last + self._idle_s

    def came(self, at: float) -> None:
        """The client has sent an event."""
        self._last = at

    def goes(self, frame: str, at: float) -> None:
        """The client is sent this frame."""
        if frame.startswith(_ERROR):
            self._tiresome = self._errors.came(1, at) or self._tiresome
        elif frame.startswith(_ANSWER):
            self._answers += 1

    def ending(self, at: float) -> Ending | None:
        """Why it must end now; None: it goes on."""
        if self._tiresome:
            return Ending(POLICY, "too many errors")
        if self.deadline is not None and at >= self.deadline:
            return Ending(GOING_AWAY, "idle")
        return None

    def begun(self) -> str:
        """The line at its beginning."""
        number, peer, spelling, model = self._visitor
        asked = f"model {one_line(model, SHOWN)}" if model else "no model named"
        return f"session {number} began: {one_line(peer, SHOWN)}, {spelling}, {asked}"

    def over(self, at: float, code: int | None, reason: str | None) -> str:
        """The line at its end; without a code the connection was lost."""
        told = "connection lost" if code is None else f"closed with {code}"
        told += f' "{one_line(reason, SHOWN)}"' if reason else ""
        answers = f"{self._answers} answer{'' if self._answers == 1 else 's'}"
        return f"session {self._visitor.number} ended after {at - self._began:.1f} s: {answers}, {told}"
