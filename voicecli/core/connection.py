"""One socket's life as the core sees it: greeting, configuration, ready, lost. It dies with the socket."""

from __future__ import annotations

from enum import Enum

from voicecli.core.machine import Machine, Rows

GREETING_LIMIT_S = 10.0
CONFIGURING_LIMIT_S = 10.0
CLOSES_WITHIN_S = 5.0
"""After an error that ends a session its server closes; what comes later has another cause."""


class Link(Enum):
    DIALLING = "dialling"
    GREETING = "greeting"
    """Open, and no `session.created` yet."""
    CONFIGURING = "configuring"
    """Our `session.update` is not answered yet: no microphone sound may leave."""
    READY = "ready"
    CLOSING = "closing"
    LOST = "lost"


class Cue(Enum):
    OPENED = "opened"
    GREETED = "greeted"
    CONFIGURED = "configured"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    HANGUP = "hangup"
    ENDED = "ended"


MOVES: dict[Link, dict[Cue, Link]] = {
    Link.DIALLING: {Cue.OPENED: Link.GREETING, Cue.HANGUP: Link.CLOSING, Cue.ENDED: Link.LOST},
    Link.GREETING: {
        Cue.GREETED: Link.CONFIGURING,
        Cue.TIMED_OUT: Link.CLOSING,
        Cue.HANGUP: Link.CLOSING,
        Cue.ENDED: Link.LOST,
    },
    Link.CONFIGURING: {
        Cue.CONFIGURED: Link.READY,
        Cue.REFUSED: Link.READY,
        Cue.TIMED_OUT: Link.READY,
        Cue.HANGUP: Link.CLOSING,
        Cue.ENDED: Link.LOST,
    },
    Link.READY: {Cue.HANGUP: Link.CLOSING, Cue.ENDED: Link.LOST},
    Link.CLOSING: {Cue.ENDED: Link.LOST},
    Link.LOST: {},
}


class Connection:
    """The limits of G15 stand here: 10 s for `session.created`, 10 s for `session.updated`."""

    def __init__(self, rows: Rows) -> None:
        self._machine = Machine(MOVES, Link.DIALLING, rows)
        self.deadline: float | None = None
        self.failed: str | None = None
        """The code of a notice that already says why this connection will end."""
        self._failed_at = 0.0
        self.again = False
        """Another connection follows this one by itself."""

    @property
    def state(self) -> Link:
        return self._machine.state

    @property
    def ready(self) -> bool:
        return self.state is Link.READY

    @property
    def alive(self) -> bool:
        return self.state not in (Link.CLOSING, Link.LOST)

    @property
    def odd(self) -> int:
        return self._machine.odd

    def fails(self, code: str, at: float) -> None:
        """The notice `code` has said why this connection will end soon."""
        self.failed, self._failed_at = code, at

    def told(self, at: float) -> bool:
        """Whether it has been said why the connection ends at `at`. A server that stayed open after all ends anew."""
        return self.failed is not None and at <= self._failed_at + CLOSES_WITHIN_S

    def move(self, cue: Cue, at: float) -> bool:
        """Whether the cue had a row; the time limit of the new state begins at `at`."""
        if not self._machine.move(cue):
            return False
        limit = {Link.GREETING: GREETING_LIMIT_S, Link.CONFIGURING: CONFIGURING_LIMIT_S}.get(self.state)
        self.deadline = None if limit is None else at + limit
        return True
