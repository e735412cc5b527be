"""What a terminal shows of what was written to it, in cells: so much of a terminal as a frame of ours needs."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final, NamedTuple

from rich.cells import cell_len

from tests.ui.screen.recording import SEQUENCE

ATTRIBUTES: Final = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 5: "blink", 7: "reverse", 9: "strike"}
UNPAINTED: Final = "▒"
"""Stands wherever nothing has been written since the terminal has this size."""

_PARTS: Final = re.compile(f"({SEQUENCE.pattern}|\r|\n)")


class Pen(NamedTuple):
    """With what is written. Colours are #rrggbb, or "" for the terminal's own."""

    colour: str = ""
    ground: str = ""
    attributes: frozenset[str] = frozenset()


class Run(NamedTuple):
    """A stretch of one line that was written with one pen."""

    column: int
    text: str
    pen: Pen


class Emulated:
    """A terminal of one size. Whatever it does not know is an error, because then it does not show what others do."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells = [[(UNPAINTED, Pen())] * width for _ in range(height)]
        self._x = self._y = 0
        self._pen = Pen()

    def write(self, data: str) -> None:
        for part in _PARTS.split(data):
            if part == "\r":
                self._x = 0
            elif part == "\n":
                self._y += 1
            elif part.startswith("\x1b[?"):
                pass  # modes: the mouse, the cursor, that a frame begins and ends
            elif part.startswith("\x1b["):
                self._obey(part[2:-1], part[-1])
            elif part:
                self._put(part)

    def _obey(self, numbers: str, what: str) -> None:
        match what:
            case "H":
                row, _, column = (numbers or "1;1").partition(";")
                self._y, self._x = int(row) - 1, int(column or 1) - 1
            case "m":
                self._pen = pen_after(self._pen, [int(number or 0) for number in re.split("[;:]", numbers)])
            case _:
                raise ValueError(f"a sequence that this terminal does not know: {numbers}{what}")

    def _put(self, text: str) -> None:
        assert "\x1b" not in text, repr(text)
        cells = [(character, self._pen) for character in text]
        if cell_len(text) != len(text):
            cells = [cell for cell in cells for cell in (cell, *[("", self._pen)] * (cell_len(cell[0]) - 1))]
        if 0 <= self._y < self.height:
            row, end = self._cells[self._y], self._x + len(cells)
            row[self._x : end] = cells
            del row[self.width :]
        self._x += len(cells)

    def lines(self) -> list[str]:
        return ["".join(character for character, _ in row).rstrip() for row in self._cells]

    def runs(self, row: int) -> list[Run]:
        runs, column = [], 0
        for pen, cells in groupby(self._cells[row], key=lambda cell: cell[1]):
            text = "".join(character for character, _ in cells)
            runs.append(Run(column, text, pen))
            column += cell_len(text)
        return runs


def pen_after(pen: Pen, numbers: list[int]) -> Pen:
    """`pen` after the numbers of one sequence "m"."""
    left = list(numbers)
    while left:
        match left:
            case [0, *left]:
                pen = Pen()
            case [38, 2, red, green, blue, *left]:
                pen = pen._replace(colour=f"#{red:02x}{green:02x}{blue:02x}")
            case [48, 2, red, green, blue, *left]:
                pen = pen._replace(ground=f"#{red:02x}{green:02x}{blue:02x}")
            case [39, *left]:
                pen = pen._replace(colour="")
            case [49, *left]:
                pen = pen._replace(ground="")
            case [number, *left] if number in ATTRIBUTES:
                pen = pen._replace(attributes=pen.attributes | {ATTRIBUTES[number]})
            case _:
                raise ValueError(f"a style that this terminal does not know: {left}")
    return pen
