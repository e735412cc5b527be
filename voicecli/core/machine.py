"""A state and its table of moves. A cue that the table does not have changes nothing and is counted: servers differ."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)
C = TypeVar("C", bound=Enum)


class Rows(Counter[tuple[Enum, Enum]]):
    """How often each row of a table was taken; tests ask for the rows that never were."""


class Machine(Generic[S, C]):
    def __init__(self, moves: dict[S, dict[C, S]], state: S, rows: Rows) -> None:
        self._moves, self._rows = moves, rows
        self.state = state
        self.odd = 0
        """Cues that came in a state that has no row for them."""

    def move(self, cue: C) -> bool:
        """Takes the row for `cue`; False, and nothing changes, where there is none."""
        to = self._moves.get(self.state, {}).get(cue)
        if to is None:
            self.odd += 1
            return False
        self._rows[self.state, cue] += 1
        self.state = to
        return True
