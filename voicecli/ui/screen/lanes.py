"""The tape: what both sides sounded like, in cells of a quarter of a second, and what is still to come.

Pure: it is given levels with their times. Past cells never change, and it stands still in silence.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Literal, NamedTuple

CELL_S: Final = 0.25
STEPS: Final = 8
FLOOR_DB: Final = -50.0
STILL_CELLS: Final = 8
"""So many silent cells are shown; the silence after them is left out."""
MOST_CELLS: Final = 1024


class Cell(NamedTuple):
    """Heights are steps from 0, silence, to 8, 0 dBFS."""

    you: int = 0
    assistant: int = 0
    mark: Literal["", "cut", "gap"] = ""
    """cut: the answer was interrupted here; gap: a longer silence was left out here."""


def step(db: float) -> int:
    """The height of a peak, 0 to STEPS. It grows with the square, because the peaks of speech lie close together."""
    if math.isnan(db) or db <= FLOOR_DB:
        return 0
    return 1 + min(STEPS - 1, int((1 - min(db, 0.0) / FLOOR_DB) ** 2 * STEPS))


class Tape:
    """`cells` are over, the newest last; `to_come` are the heights of what is queued, the next first."""

    def __init__(self) -> None:
        self.cells: deque[Cell] = deque(maxlen=MOST_CELLS)
        self.to_come: tuple[int, ...] = ()
        self.version = 0
        """Grows whenever what is drawn changes."""
        self._index: int | None = None
        self._you = self._assistant = 0
        self._cut = False
        self._queued: tuple[int, ...] = ()
        self._silent = STILL_CELLS
        self._left_out = False

    def hear(self, at: float, input_db: float, output_db: float) -> None:
        """Both levels at `at`."""
        self._turn(at)
        self._you = max(self._you, step(input_db))
        self._assistant = max(self._assistant, step(output_db))

    def queue(self, at: float, peaks: tuple[float, ...]) -> None:
        """What is laid and not heard yet, by cells. Shown from the next cell on; that it is gone: at once."""
        self._queued = tuple(step(db) for db in peaks)
        if not self._queued:
            self._show_queue()
        self._turn(at)

    def cut(self, at: float) -> None:
        """What was queued will never be heard."""
        self._turn(at)
        self._cut, self._queued = True, ()
        self._show_queue()

    @property
    def loudest(self) -> tuple[int, int]:
        """The heights of the last second, you and the assistant."""
        last = [self.cells[-n] for n in range(1, min(4, len(self.cells)) + 1)]
        return max((cell.you for cell in last), default=0), max((cell.assistant for cell in last), default=0)

    def _turn(self, at: float) -> None:
        index = int(at // CELL_S)
        if self._index is None or index < self._index:
            self._index = index
        if index == self._index:
            return
        self._push(Cell(self._you, self._assistant, "cut" if self._cut else ""))
        for _ in range(min(index - self._index - 1, STILL_CELLS + 1)):
            self._push(Cell())
        self._index, self._you, self._assistant, self._cut = index, 0, 0, False
        self._show_queue()

    def _push(self, cell: Cell) -> None:
        if cell == Cell():
            if self._silent >= STILL_CELLS:
                self._left_out = bool(self.cells)
                return
            self._silent += 1
        else:
            if self._left_out:
                self.cells.append(Cell(mark="gap"))
            self._silent, self._left_out = 0, False
        self.cells.append(cell)
        self.version += 1

    def _show_queue(self) -> None:
        if self.to_come != self._queued:
            self.to_come = self._queued
            self.version += 1
