"""The choices above the line to type in, one a line, and which of them is meant; it takes nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip

from voicecli.ui.screen.completion import Choice
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Lines, Piece, foreign, shortened
from voicecli.ui.screen.theme import Inks


def most_shown(layout: Layout) -> int:
    """How many choices there is room for."""
    return 8 if layout.height >= 24 else 5 if layout.height >= 16 else 3 if layout.height >= 10 else 1


def menu_lines(choices: Sequence[Choice], at: int, layout: Layout, inks: Inks, glyphs: Glyphs) -> list[Strip]:
    """Those around the one that is meant."""
    most = most_shown(layout)
    first = _first(len(choices), at, most)
    shown = choices[first : first + most]
    below = len(choices) - first - len(shown)
    column, edge = layout.text_column, layout.edge
    room = max(1, edge - column)
    names = min(max((cell_len(choice.shown) for choice in shown), default=0) + 2, room)
    lines = []
    for n, choice in enumerate(shown, first):
        line = Line(layout.width)
        if n == at and column >= 2:
            line.put(column - 2, Piece(f"{glyphs.prompt} ", inks("ai", bold=True)))
        chosen = inks("ai", bold=True, reverse=column < 2) if n == at else inks("ai")
        line.put(column, Piece(foreign(choice.shown, room, glyphs), chosen))
        last = below and n == first + len(shown) - 1
        keys = f"  {choice.key}" if choice.key else f"  {below} more" if last and most > 1 else ""
        help_room = room - names - cell_len(keys)
        if choice.help and help_room >= 12:
            line.put(column + names, Piece(shortened(choice.help, help_room, glyphs), inks("muted")))
        if keys and help_room >= 0:
            line.until(edge, Piece(keys, inks("fg" if choice.key else "muted")))
        lines.append(line.strip())
    return lines


def _first(number: int, at: int, most: int) -> int:
    return max(0, min(at - most // 2, number - most))


class Clicked(Message):
    """The choice that is meant now was clicked on."""


class Menu(Lines):
    SURFACE = "raised"

    def __init__(self, inks: Inks, glyphs: Glyphs) -> None:
        super().__init__(inks, glyphs)
        self.choices: tuple[Choice, ...] = ()
        self.at = 0
        self.moved = False
        """The person has gone to one of them."""

    @property
    def open(self) -> bool:
        return bool(self.choices)

    @property
    def meant(self) -> Choice | None:
        return self.choices[self.at] if self.choices else None

    def offer(self, choices: tuple[Choice, ...]) -> None:
        if choices != self.choices:
            self.choices, self.at, self.moved = choices, 0, False

    def move(self, by: int) -> None:
        """Round at the ends."""
        self.at, self.moved = (self.at + by) % len(self.choices), True

    def on_click(self, event: events.Click) -> None:
        first = _first(len(self.choices), self.at, len(self.lines))
        if first + event.y < len(self.choices):
            event.stop()
            self.at, self.moved = first + event.y, True
            self.post_message(Clicked())

    def show(self, layout: Layout) -> None:
        seen = (self.choices, self.at, layout)
        self.show_lines(seen, lambda: menu_lines(self.choices, self.at, layout, self.inks, self.glyphs))
