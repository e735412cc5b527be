"""What is shown at which size of the terminal, and where: what goes first when it gets narrow or low.

Pure numbers; it draws nothing. Columns count from 0, from the left edge of the screen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

LEAST_WIDTH: Final = 20
LEAST_HEIGHT: Final = 5
LONGEST_LINE: Final = 92
"""Text is never wider: longer lines are hard to come back from."""

_RAIL: Final = 36
_RAIL_FROM: Final = (116, 26)
_GUTTER: Final = 12
"""A margin, the longest role word, two blanks."""
_SIDE: Final = 9
"""The quiet column to the right of the text: two blanks, "0.44 s", a margin."""
_COLUMN: Final = 112
_CENTRED_FROM: Final = 160


class Layout(NamedTuple):
    width: int
    height: int
    rail: bool
    rail_width: int
    """With its line; 0 without."""
    gutter: bool
    """The role word stands left of the text; else on a line of its own above it."""
    centred_left: int
    """Where the column begins: 0 unless there is so much room that it is centred."""
    text_column: int
    """Where text, state, tape and the typed line begin."""
    text_width: int
    side_width: int
    """The quiet column right of the text, its margin included; 0 where there is none."""
    edge: int
    """Where the lowest lines end, which is before the margin."""
    sparkline: bool
    echo_words: bool
    model: bool
    tape: bool
    bar: bool
    """Limits as bars; else as numbers."""
    delay: bool
    keys: bool
    top: bool
    air: bool
    """Blank lines between turns and around the tape."""
    notice_lines: int
    """The most that a notice may take."""

    @classmethod
    def of(cls, width: int, height: int) -> Layout:
        return _of(max(width, 0), max(height, 0))

    @property
    def main_width(self) -> int:
        """Of the conversation: all that is left of the rail."""
        return self.width - self.rail_width

    @property
    def fits(self) -> bool:
        return self.width >= LEAST_WIDTH and self.height >= LEAST_HEIGHT

    @property
    def too_small(self) -> str:
        """What is said in the place of everything; it is cut where even that does not fit."""
        return f"needs {LEAST_WIDTH}x{LEAST_HEIGHT}"[: self.width]


@lru_cache(maxsize=64)
def _of(width: int, height: int) -> Layout:
    rail = width >= _RAIL_FROM[0] and height >= _RAIL_FROM[1]
    rail_width = _RAIL if rail else 0
    gutter = width >= 64
    margin = 1 if width >= 36 else 0
    column = width - rail_width
    left = 0
    if width >= _CENTRED_FROM:
        left = max(0, column - _COLUMN) // 2
        column = min(column, _COLUMN)
    before, side = (_GUTTER, _SIDE) if gutter else (margin, margin)
    return Layout(
        width=width,
        height=height,
        rail=rail,
        rail_width=rail_width,
        gutter=gutter,
        centred_left=left,
        text_column=left + before,
        text_width=max(1, min(LONGEST_LINE, column - before - side)),
        side_width=side if gutter else 0,
        edge=max(1, width - margin),
        sparkline=width >= 72,
        echo_words=width >= 72,
        model=width >= 64,
        tape=width >= 64 and height >= 16,
        bar=width >= 56,
        delay=width >= 56,
        keys=height >= 10,
        top=height >= 8,
        air=height >= 30,
        notice_lines=6 if height >= 30 else 4 if height >= 16 else 3 if height >= 12 else 2 if height >= 7 else 1,
    )
