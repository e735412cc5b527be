"""One turn, or one quiet line, as lines of a width: wrapped only as far as it changed, drawn only when looked at.

It knows what stands beside its text, and no widget.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from rich.style import Style
from textual.strip import Strip

from voicecli.core.changes import Told
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Piece, blank, width_of
from voicecli.ui.screen.stack import Placed
from voicecli.ui.screen.theme import Inks, Role
from voicecli.ui.screen.turn import Meaning, Safe, Said, Stretch
from voicecli.ui.screen.wrap import drawn, line_starts, line_text

_WORDS: Final[dict[str, Role]] = {"you": "you", "assistant": "ai", "error": "bad"}


class Look(NamedTuple):
    """With what it is drawn."""

    layout: Layout
    inks: Inks
    glyphs: Glyphs
    width: int
    """Of the whole line."""


class Entry(Placed):
    __slots__ = (
        *("_head", "_starts", "_strips", "_width"),
        *("air", "item", "marked", "safe", "said", "side", "told", "word"),
    )

    def __init__(self, item: str, word: str, told: Told | None = None) -> None:
        """`word` is its role. `told`: it is no turn but that. No `item`: it is a turn that is still to be opened."""
        super().__init__()
        self.item, self.word, self.told = item, word, told
        self.safe = Safe()
        self.said = Said()
        self.side = ""
        """What stands in the quiet column to the right."""
        self.air = False
        """There is a blank line above it."""
        self.marked = False
        """It is the one that keys act on."""
        self._width = 0
        self._head = 0  # lines before those of its text
        self._starts: list[int] = []
        self._strips: dict[int, Strip] = {}

    @property
    def is_turn(self) -> bool:
        return self.told is None

    @property
    def readable(self) -> bool:
        """A turn that can be gone to."""
        return self.told is None and bool(self.item) and bool(self.height)

    # ---- what it says

    def say(self, said: Said, side: str) -> list[int]:
        """What it says from now on. Gives the rows that were drawn and are not true any more."""
        before, self.said = self.said, said
        changed = [_difference(before, said)] if before != said else []
        if self._starts and not said.text.startswith(before.text):
            self._starts = line_starts(said.text, self._width)
            changed = [(0, len(said.text) + 1)]
        elif self._starts and len(said.text) > len(before.text):
            last = self._starts.pop()
            self._starts += line_starts(said.text, self._width, last)
            changed.append((last, len(said.text) + 1))
        if side != self.side:
            self.side = side
            changed.append((0, 1))
        return self._drop(changed)

    def _drop(self, changed: list[tuple[int, int]]) -> list[int]:
        rows = []
        for row in self._strips:
            number = max(0, row - self._head)
            begin = self._starts[number] if number < len(self._starts) else len(self.said.text)
            end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.said.text) + 1
            if any(first < end and begin < behind for first, behind in changed):
                rows.append(row)
        for row in rows:
            del self._strips[row]
        return rows

    # ---- lines

    def wrapped(self, layout: Layout) -> bool:
        return bool(self._starts) and self._width == layout.text_width

    def measure(self, layout: Layout) -> int:
        """Its height in this layout; 0 where there is nothing to see."""
        if not self.wrapped(layout):
            self._width = layout.text_width
            self._starts = line_starts(self.said.text, self._width)
            self._strips.clear()
        self._head = self.air + (not layout.gutter)
        return self._head + len(self._starts) if self.said.text else 0

    def guess(self, layout: Layout) -> int:
        """About that, without looking at the words."""
        text = self.said.text
        return self.air + (not layout.gutter) + len(text) // layout.text_width + 1 if text else 0

    def forget(self) -> None:
        """It is to be drawn anew."""
        self._strips.clear()

    def line_at(self, row: int) -> tuple[int, int]:
        """Where the line of its text that stands in `row` begins and ends; of rows before it, the beginning."""
        if row < self._head:
            return 0, 0
        return line_text(self.said.text, self._starts, min(row - self._head, len(self._starts) - 1))

    def rows(self) -> range:
        """Those of its text."""
        return range(self._head, self._head + len(self._starts))

    def strip(self, row: int, look: Look) -> Strip:
        known = self._strips.get(row)
        if known is None:
            known = self._strips[row] = self._draw(row, look)
        return known

    @property
    def drawn(self) -> int:
        """How many lines it keeps as they were drawn."""
        return len(self._strips)

    def _draw(self, row: int, look: Look) -> Strip:
        layout = look.layout
        if row < self.air:
            return blank(look.width)
        line = Line(look.width)
        if row == self.air:
            self._draw_beside(line, look)
        if row < self._head:
            return line.strip()
        begin, end = line_text(self.said.text, self._starts, row - self._head)
        room = layout.text_width + (1 if look.width > layout.text_column + layout.text_width else 0)
        needle = Piece(look.glyphs.needle, look.inks("ai", bold=True))
        at = self.said.needle
        if at == begin and layout.text_column:
            line.put(layout.text_column - 1, needle)
        pieces: list[Piece] = []
        for first, behind, meaning in self._parts(begin, end):
            if begin < first == at:
                pieces = _with_needle(pieces, needle)
            pieces.append(Piece(drawn(self.said.text[first:behind]), _ink(meaning, look.inks)))
        if begin < end == at and width_of(pieces) < room:
            pieces.append(needle)
        if needle in pieces and width_of(pieces) > room:
            pieces.remove(needle)
        line.put(layout.text_column, *pieces)
        if row == self.air and layout.gutter and self.side:
            edge = layout.text_column + layout.text_width + layout.side_width - 1
            line.until(edge, Piece(self.side, look.inks("muted")))
        return line.strip()

    def _draw_beside(self, line: Line, look: Look) -> None:
        layout, word = look.layout, self.word
        style = look.inks(_WORDS.get(word, "muted"), bold=self.told is None, reverse=self.marked)
        if layout.gutter:
            line.until(layout.text_column - 2, Piece(word, style))
            return
        line.put(layout.text_column, Piece(word, style))
        if self.side and layout.delay:
            line.until(layout.text_column + layout.text_width, Piece(self.side, look.inks("muted")))

    def _parts(self, begin: int, end: int) -> Iterator[Stretch]:
        """The stretches of a line, those of plain text between them."""
        for first, behind, meaning in self.said.stretches:
            if first >= end:
                break
            if behind > begin:
                if first > begin:
                    yield Stretch(begin, first, "text")
                yield Stretch(max(first, begin), min(behind, end), meaning)
                begin = behind
        if begin < end:
            yield Stretch(begin, end, "text")


def _with_needle(pieces: list[Piece], needle: Piece) -> list[Piece]:
    """In the place of the blank before what is not heard yet, so that no text ever moves; else between."""
    text, style = pieces[-1]
    return [*pieces[:-1], Piece(text.removesuffix(" "), style), needle]


def _difference(before: Said, said: Said) -> tuple[int, int]:
    """Where the meaning of their common text differs."""
    one, other = _not_heard(before), _not_heard(said)
    if one is not None and other is not None:
        return (0, 0) if (one, before.needle) == (other, said.needle) else (min(one, other) - 1, max(one, other) + 1)
    first = 0
    for a, b in zip(before.stretches, said.stretches, strict=False):
        if a != b:
            return min(a.begin, b.begin), len(said.text) + 1
        first = a.end
    return first, len(said.text) + 1


def _not_heard(said: Said) -> int | None:
    """Where that begins, in a text that is nothing else but heard or not heard yet."""
    if not said.stretches:
        return len(said.text)
    only = len(said.stretches) == 1 and said.stretches[0].meaning == "not_heard"
    return said.stretches[0].begin if only else None


def _ink(meaning: Meaning, inks: Inks) -> Style:
    match meaning:
        case "text":
            return inks("fg")
        case "not_heard" | "about":
            return inks("muted")
        case "struck":
            return inks("muted", strike=True)
        case "cut":
            return inks("warn", bold=True)
        case "interrupted":
            return inks("warn")
        case "failed":
            return inks("bad")
        case "mark":
            return inks("you")
        case "hearing":
            return inks("muted", italic=True)
        case "name":
            return inks("fg", bold=True)
