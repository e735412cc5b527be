"""The help: which key does what as they are bound, and what can be typed; over the conversation and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from voicecli.settings import KEY_PREFIX
from voicecli.ui.actions import ACTIONS, asked_about
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.keys import FIXED, Keymap, label
from voicecli.ui.screen.layout import LONGEST_LINE, Layout
from voicecli.ui.screen.lines import Line, Piece, shortened
from voicecli.ui.screen.notice import wrapped
from voicecli.ui.screen.theme import Inks
from voicecli.ui.view import View

TWO_COLUMNS: Final = 76
NOTES: Final = (
    "Tab leads into the conversation: j and k go turn by turn, g and G to its ends; y copies the turn, Y the talk; "
    "esc comes back.",
    "The mouse held on the state line is the talk key: with push-to-talk, let go to send.",
    "Grey words are still to be heard. Struck words never were.",
    f"Other keys: {KEY_PREFIX}<ACTION>, in the environment or in config.env.",
)


def key_rows(keymap: Keymap, view: View) -> list[tuple[str, str]]:
    """Every key that is bound, as it is called, and what it does: those of the actions, then those of the line."""
    rows = []
    for action in ACTIONS:
        if not (keys := keymap.labels(action)) or keymap.beside(action):
            continue
        beside = [each for each in ACTIONS if keymap.beside(each) is action]
        if action.id == "talk" and not action.when(view):
            rows.append((keys, "stop the answer"))
        elif beside and action.id != "talk":
            rows.append((keys, ", ".join((action.name, *(each.name.partition(": ")[2] for each in beside)))))
        else:
            rows.append((keys, action.name.partition(": ")[2]))
    return [*rows, *((", ".join(label(key) for key in fixed.keys), fixed.help) for fixed in FIXED)]


def command_rows(keymap: Keymap, word: str = "") -> list[tuple[str, str, str]]:
    """Every command, what it does, its keys; with `word` those that begin so, or all where none does."""
    return [(action.usage, action.help, keymap.labels(action)) for action in asked_about(word, screen=True)]


def help_strips(
    keymap: Keymap,
    view: View,
    word: str,
    width: int,
    inks: Inks,
    glyphs: Glyphs,
    *,
    left: int = 1,
    keys_only: bool = False,
) -> list[Strip]:
    """All of it in lines `width` wide, from the column `left` on."""
    room = max(1, min(width - left - 1, LONGEST_LINE if left > 1 else width))
    close = Line(width).put(left, Piece("keys", inks("fg", bold=True)))
    if room >= 24:
        close.until(left + room, Piece("esc closes", inks("muted")))
    keys = [close.strip(), *_key_lines(key_rows(keymap, view), width, left, room, inks, glyphs)]
    commands = [Line(width).put(left, Piece("commands", inks("fg", bold=True))).strip()]
    commands += _command_lines(command_rows(keymap, word), width, left, room, inks, glyphs)
    blank = [Line(width).strip()]
    said = [line for note in NOTES for line in wrapped(note, room)]
    notes = [Line(width).put(left, Piece(line, inks("muted"))).strip() for line in said]
    if keys_only:
        return [*keys, *blank, *notes]
    if word:
        return [*commands, *blank, *keys, *blank, *notes]
    return [*keys, *blank, *commands, *blank, *notes]


def _key_lines(
    rows: Sequence[tuple[str, str]], width: int, left: int, room: int, inks: Inks, glyphs: Glyphs
) -> Iterator[Strip]:
    columns = 2 if room >= TWO_COLUMNS else 1
    cells = room // columns
    half = -(-len(rows) // columns)
    widths = [max(cell_len(key) for key, _ in rows[n * half : (n + 1) * half]) + 2 for n in range(columns)]
    for n in range(half):
        line = Line(width)
        for column, (key, does) in enumerate(rows[n::half]):
            at, names = left + column * cells, min(widths[column], cells // 2)
            line.put(at, Piece(shortened(key, names - 1, glyphs), inks("ai", bold=True)))
            line.put(at + names, Piece(shortened(does, cells - names - 1, glyphs), inks("fg")))
        yield line.strip()


def _command_lines(
    rows: Sequence[tuple[str, str, str]], width: int, left: int, room: int, inks: Inks, glyphs: Glyphs
) -> Iterator[Strip]:
    names = min(max(cell_len(command) for command, _, _ in rows) + 2, room)
    for command, does, keys in rows:
        line = Line(width).put(left, Piece(shortened(command, room, glyphs), inks("ai", bold=True)))
        rest = room - names - (cell_len(keys) + 2 if keys else 0)
        first, *others = wrapped(does, rest) if rest >= 12 else [""]
        line.put(left + names, Piece(first, inks("fg")))
        if keys and rest >= 0:
            line.until(left + room, Piece(keys, inks("muted")))
        yield line.strip()
        for other in others:
            yield Line(width).put(left + names, Piece(other, inks("fg"))).strip()


class HelpPanel(Widget):
    """It takes the place of the conversation while it is open; the line keeps the keyboard."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "HelpPanel { height: 1fr; width: 1fr; display: none; }"

    def __init__(self, inks: Inks, glyphs: Glyphs, keymap: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks, self.glyphs, self.keymap = inks, glyphs, keymap
        self._view, self._word, self.keys_only = View(), "", False
        self._first = 0
        self._drawn: tuple[int, list[Strip]] = (0, [])

    @property
    def open(self) -> bool:
        return bool(self.display)

    def show_for(self, view: View, word: str = "", *, keys_only: bool = False) -> None:
        """Opens it; `word` is what is asked about."""
        self._view, self._word, self.keys_only = view, word, keys_only
        self._first, self._drawn = 0, (0, [])
        self.display = True
        self.refresh()

    def close(self) -> bool:
        """Whether it was open."""
        was, self.display = self.open, False
        return was

    def restyle(self, inks: Inks, glyphs: Glyphs) -> None:
        self.inks, self.glyphs, self._drawn = inks, glyphs, (0, [])
        self.refresh()

    def page(self, by: int) -> None:
        """Scrolls by so many pages."""
        last = max(0, len(self._strips()) - self.size.height)
        self._first = max(0, min(last, self._first + by * max(1, self.size.height - 1)))
        self.refresh()

    @property
    def lines(self) -> list[str]:
        """All that it says, as text."""
        return [strip.text for strip in self._strips()]

    def _strips(self) -> list[Strip]:
        width, layout = max(1, self.size.width), Layout.of(*self.app.size)
        if self._drawn[0] != width:
            left = layout.text_column if layout.centred_left else 1
            strips = help_strips(
                *(self.keymap, self._view, self._word, width, self.inks, self.glyphs),
                left=left,
                keys_only=self.keys_only,
            )
            self._drawn = (width, strips)
        return self._drawn[1]

    def render_line(self, y: int) -> Strip:
        strips, height, width = self._strips(), self.size.height, self.size.width
        more = len(strips) - self._first - height
        if more > 0 and y == height - 1 and height > 2:
            strip = Line(width).put(1, Piece(f"pgdn: {more + 1} more", self.inks("muted"))).strip()
        else:
            strip = strips[y + self._first] if 0 <= y + self._first < len(strips) else Strip([])
        raised = self.inks.surface.raised
        base = self.inks("fg") + Style(bgcolor=raised) if raised else self.inks("fg")
        return strip.adjust_cell_length(width, Style()).apply_style(base)
