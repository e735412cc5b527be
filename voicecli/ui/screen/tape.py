"""The tape as two lanes past a line that is now: left of it what was said, right of it what waits to be heard."""

from __future__ import annotations

from textual.strip import Strip

from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.lanes import Cell
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Lines, Piece, blank
from voicecli.ui.screen.theme import Inks

NOW = 0.64
"""Where now is, in parts of the width: at 80 columns 10 s back and 6 s ahead."""


def tape_lines(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs) -> list[Strip]:
    """The lane of the person above that of the assistant; nothing where there is no path for sound."""
    if not layout.tape or not facts.sounds:
        return []
    width = layout.edge - layout.text_column
    now = int(width * NOW)
    past = [facts.tape.cells[-n] for n in range(min(now, len(facts.tape.cells)), 0, -1)]
    to_come = facts.tape.to_come[: width - now - 1]
    quiet = Piece((glyphs.silence if inks.coloured else " ") * (now - len(past)), inks("line"))
    line = Piece(glyphs.now, inks("fg"))
    heard = any(cell.assistant for cell in past) or any(to_come)
    you = [quiet, *(_you(cell, inks, glyphs) for cell in past), line]
    assistant = [quiet, *(_assistant(cell, inks, glyphs) for cell in past), line]
    assistant += [_to_come(height, inks, glyphs) for height in to_come]
    lanes = [
        _lane(layout, Piece("you", inks("you" if any(cell.you for cell in past) else "muted")), you),
        _lane(layout, Piece("assistant", inks("ai" if heard else "muted")), assistant),
    ]
    return [*lanes, blank(layout.width)] if layout.air else lanes


def _lane(layout: Layout, label: Piece, cells: list[Piece]) -> Strip:
    return Line(layout.width).until(layout.text_column - 2, label).put(layout.text_column, *cells).strip()


def _you(cell: Cell, inks: Inks, glyphs: Glyphs) -> Piece:
    if cell.you:
        return Piece(glyphs.levels[cell.you - 1], inks("you"))
    return _silent(cell, inks, glyphs)


def _assistant(cell: Cell, inks: Inks, glyphs: Glyphs) -> Piece:
    if cell.mark == "cut":
        return Piece(glyphs.cut_lane, inks("warn", bold=True))
    if cell.assistant:
        return Piece(glyphs.levels[cell.assistant - 1], inks("ai"))
    return _silent(cell, inks, glyphs)


def _silent(cell: Cell, inks: Inks, glyphs: Glyphs) -> Piece:
    if cell.mark == "gap":
        return Piece(glyphs.gap, inks("faint"))
    return Piece(glyphs.silence if inks.coloured else " ", inks("line"))


def _to_come(height: int, inks: Inks, glyphs: Glyphs) -> Piece:
    if not height:
        return Piece(" ", inks("faint"))
    return Piece(glyphs.levels[height - 1] if inks.coloured else glyphs.to_come, inks("faint"))


def still_lines(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs) -> list[Strip]:
    """Without motion: how loud both sides were in the last second."""
    if not layout.tape or not facts.sounds:
        return []
    you, assistant = facts.tape.loudest
    line = Line(layout.width).put(
        layout.text_column,
        Piece("mic ", inks("muted")),
        _level(you, "you", inks, glyphs),
        Piece("   speaker ", inks("muted")),
        _level(assistant, "ai", inks, glyphs),
    )
    return [line.strip(), blank(layout.width)] if layout.air else [line.strip()]


def _level(height: int, ink: str, inks: Inks, glyphs: Glyphs) -> Piece:
    if not height:
        return Piece(glyphs.silence, inks("faint"))
    return Piece(glyphs.levels[height - 1], inks("you" if ink == "you" else "ai"))


class Tape(Lines):
    def __init__(self, inks: Inks, glyphs: Glyphs, *, motion: bool = True, id: str | None = None) -> None:
        super().__init__(inks, glyphs, id=id)
        self.motion = motion

    def show(self, facts: Facts, layout: Layout, at: float) -> None:
        moved = facts.tape.version if self.motion else int(at)
        draw = tape_lines if self.motion else still_lines
        self.show_lines((moved, facts.sounds, layout), lambda: draw(facts, layout, self.inks, self.glyphs))
