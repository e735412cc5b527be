"""Whether frames are taken from the link: sound that waits to be heard is bounded by not reading, never by dropping.

It dies with its connection. While nothing is read, nothing is expected of the server either.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from voicecli.core.machine import Machine, Rows
from voicecli.ports import RATE, Format

MOST: Final = 30 * 60 * RATE
"""So much sound may wait to be heard (G13)."""
ENOUGH: Final = 25 * 60 * RATE
"""Reading goes on when no more than this is left."""
MOST_PIECES: Final = 4_096
"""The same for sound that comes in very small and many pieces."""
ENOUGH_PIECES: Final = 2_048
MOST_AT_ONCE: Final = 5 * 60 * RATE
"""More than this in one delta of a format that grows as it is read is no talk (G10): G.711 becomes sixfold."""


def too_much(form: Format, size: int) -> bool:
    """Whether so many bytes of sound would hold everything up, and take many times the memory they came in."""
    samples = form.samples(size)
    return samples > MOST_AT_ONCE and 2 * samples > size


class State(Enum):
    READS = "reads"
    RESTS = "rests"


class Cue(Enum):
    FULL = "full"
    ROOM = "room"


MOVES: dict[State, dict[Cue, State]] = {
    State.READS: {Cue.FULL: State.RESTS},
    State.RESTS: {Cue.ROOM: State.READS},
}


class Intake:
    def __init__(self, rows: Rows) -> None:
        self._machine = Machine(MOVES, State.READS, rows)

    @property
    def rests(self) -> bool:
        return self._machine.state is State.RESTS

    def look(self, queued: int, pieces: int) -> bool | None:
        """What is to change, given the samples and pieces that wait: read on (True), rest (False), or nothing."""
        if self.rests:
            if queued <= ENOUGH and pieces <= ENOUGH_PIECES:
                self._machine.move(Cue.ROOM)
                return True
        elif queued >= MOST or pieces >= MOST_PIECES:
            self._machine.move(Cue.FULL)
            return False
        return None
