"""Lines put together from pieces at their columns, and the widget that shows such lines; they know no talk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import ClassVar, Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from voicecli.printable import one_line
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.theme import Inks

NONE: Final = Style()


class Piece(NamedTuple):
    """Text of ours, or safe to show already; in one ink."""

    text: str
    style: Style = NONE


def width_of(pieces: Iterable[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in pieces)


def shortened(text: str, room: int, glyphs: Glyphs) -> str:
    """`text` in at most `room` cells; what was cut is marked."""
    if cell_len(text) <= room:
        return text
    mark = glyphs.more[: max(0, room)]
    return set_cell_size(text, max(0, room - len(mark))).rstrip() + mark


def foreign(text: str, room: int, glyphs: Glyphs) -> str:
    """Text that is not ours in at most `room` cells of one line."""
    return shortened(one_line(text, 400), room, glyphs)


class Line:
    """One line. Pieces are put from left to right; what does not fit is cut, and nothing is drawn over."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._segments: list[Segment] = []
        self._end = 0

    def put(self, column: int, *pieces: Piece) -> Line:
        """From `column` on, or from where the line ends already."""
        if column > self._end:
            self._segments.append(Segment(" " * (column - self._end), NONE))
            self._end = column
        for style, alike in groupby(pieces, key=lambda piece: piece.style):
            if text := "".join(piece.text for piece in alike):
                self._segments.append(Segment(text, style))
                self._end += cell_len(text)
        return self

    def until(self, edge: int, *pieces: Piece) -> Line:
        """Up to `edge`."""
        return self.put(edge - width_of(pieces), *pieces)

    def strip(self) -> Strip:
        return Strip(self._segments, self._end).adjust_cell_length(self.width, NONE)


def blank(width: int) -> Strip:
    return Line(width).strip()


class Lines(Widget):
    """As high as the lines it shows; it repaints those that differ, and nothing while all is the same."""

    ALLOW_SELECT = False
    SURFACE: ClassVar[Literal["bg", "panel", "raised"]] = "panel"
    DEFAULT_CSS = "Lines { height: 0; display: none; }"

    def __init__(self, inks: Inks, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks, self.glyphs = inks, glyphs
        self._strips: list[Strip] = []
        self._seen: object = None

    def restyle(self, inks: Inks, glyphs: Glyphs) -> None:
        """With the next `show`."""
        self.inks, self.glyphs, self._seen = inks, glyphs, None

    def show_lines(self, seen: object, draw: Callable[[], list[Strip]]) -> None:
        """`seen` is all that the lines come from: while it is equal they are not drawn again."""
        if seen == self._seen:
            return
        self._seen = seen
        before, self._strips = self._strips, draw()
        if len(before) != len(self._strips):
            self.resize()
            return
        for y, (old, new) in enumerate(zip(before, self._strips, strict=True)):
            if old != new:
                self.refresh(Region(0, y, max(1, self.size.width), 1))

    def resize(self) -> None:
        """There are more lines now, or fewer."""
        self.styles.height = len(self._strips)
        self.styles.display = "block" if self._strips else "none"
        self.refresh(layout=True)

    @property
    def lines(self) -> list[str]:
        """What it shows, as text."""
        return [strip.text for strip in self._strips]

    def base(self) -> Style:
        """What all of it is drawn on."""
        background = getattr(self.inks.surface, self.SURFACE)
        return self.inks("fg") + Style(bgcolor=background) if background else self.inks("fg")

    def render_line(self, y: int) -> Strip:
        base, width = self.base(), self.size.width
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.adjust_cell_length(width, NONE).apply_style(base)
