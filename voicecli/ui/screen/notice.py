"""The notice above the state line: what happened, what to do, and keys that no typed word can be.

It pushes the conversation up and covers nothing. What it says is foreign text: names stand in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len, chop_cells
from textual.strip import Strip

from voicecli.core.changes import Told
from voicecli.printable import one_line
from voicecli.ui.plain import LOCAL
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Lines, Piece, shortened, width_of
from voicecli.ui.screen.standing import Over, over_by
from voicecli.ui.screen.theme import Inks

GAP: Final = "   "


class Remedy(NamedTuple):
    """A key that does something about a notice, where nothing is typed."""

    key: str
    word: str
    action: str
    """Of actions.py; "" closes the notice."""


CLOSE: Final = Remedy("esc", "close", "")
RETRY: Final = Remedy("enter", "try again", "retry")
_OWN: Final[dict[str, tuple[Remedy, ...]]] = {
    "recording_full": (Remedy("enter", "send it", "talk"), Remedy("esc", "throw it away", "interrupt")),
    "muted_after_sleep": (Remedy("enter", "microphone on", "unmute"), CLOSE),
    "no_permission": (CLOSE,),
}


def remedies(facts: Facts) -> tuple[Remedy, ...]:
    """What can be done about the notice on top, the first first; none where there is no notice."""
    told = facts.notice
    if told is None:
        return ()
    if own := _OWN.get(told.code):
        return own
    lost = facts.view.link is not None and facts.view.link.state == "lost"
    if lost and over_by(told.code) is Over.CONNECTED:
        return (RETRY, CLOSE)
    return (CLOSE,)


def notice_lines(
    facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, clean: Callable[[str], str] = str
) -> list[Strip]:
    """At most `layout.notice_lines`; the keys stand on a line of their own, or at the end of the last one."""
    told = facts.notice
    if told is None:
        return []
    room = layout.edge - layout.text_column
    if layout.gutter:
        room = min(room, max(layout.text_width, 66))
    bad = told.severity == "error"
    role = Piece("error" if bad else "notice", inks("bad" if bad else "warn", bold=True))
    lines = _words(told, inks, room, clean, () if layout.gutter else (role, Piece(" ")))
    keys = _keys(facts, inks)
    most = layout.notice_lines
    if len(lines) >= most:
        lines = _cut(lines, most, room, glyphs)
        if most > 1 and width_of(lines[-1]) + len(GAP) + width_of(keys) <= room:
            lines[-1] = [*lines[-1], Piece(" " * (room - width_of(lines[-1]) - width_of(keys))), *keys]
    elif width_of(keys) <= room:
        lines.append(keys)
    strips = []
    for n, pieces in enumerate(lines):
        line = Line(layout.width)
        if layout.gutter and n == 0:
            line.until(layout.text_column - 2, role)
        strips.append(line.put(layout.text_column, *pieces).strip())
    return strips


def _words(
    told: Told, inks: Inks, room: int, clean: Callable[[str], str], before: Sequence[Piece]
) -> list[list[Piece]]:
    """Title, hint and what somebody else said, each on lines of its own."""
    title = wrapped(clean(one_line(told.title, 400)), room, width_of(before))
    lines: list[list[Piece]] = [[Piece(text, inks("fg", bold=True))] for text in title]
    if before:
        lines[0] = [*before, *lines[0]]
    if told.hint:
        lines += [[Piece(text, inks("fg"))] for text in wrapped(clean(one_line(told.hint, 600)), room)]
    if detail := clean(one_line(told.detail.raw, 300)):
        who = "in detail" if told.code in LOCAL else "the server says"
        lines += [[Piece(text, inks("muted"))] for text in wrapped(f'{who}: "{detail}"', room)]
    return lines


def _keys(facts: Facts, inks: Inks) -> list[Piece]:
    pieces: list[Piece] = []
    for remedy in remedies(facts):
        pieces += [Piece(GAP)] if pieces else []
        pieces += [Piece(remedy.key, inks("ai", bold=True)), Piece(f" {remedy.word}", inks("muted"))]
    if facts.notices > 1:
        pieces.append(Piece(f"{GAP}{facts.notices - 1} more", inks("muted")))
    return pieces


def _cut(lines: list[list[Piece]], most: int, room: int, glyphs: Glyphs) -> list[list[Piece]]:
    if len(lines) <= most:
        return lines
    *first, (text, style) = lines[most - 1]
    mark = f" {glyphs.more}"
    return [
        *lines[: most - 1],
        [*first, Piece(shortened(text, room - width_of(first) - len(mark), glyphs) + mark, style)],
    ]


def wrapped(text: str, room: int, before: int = 0) -> list[str]:
    """`text` in lines of at most `room` cells, broken at blanks where there are some; the first begins at `before`."""
    lines, line, used = [], "", before
    for word in text.split(" "):
        blank = 1 if line else 0
        if used + blank + cell_len(word) <= room:
            line, used = f"{line}{' ' * blank}{word}", used + blank + cell_len(word)
            continue
        if line or used:
            lines.append(line)
        *full, line = chop_cells(word, max(2, room)) or [""]
        lines += full
        used = cell_len(line)
    return [*lines, line]


class NoticeBar(Lines):
    SURFACE = "raised"

    def __init__(self, inks: Inks, glyphs: Glyphs, clean: Callable[[str], str] = str, *, id: str | None = None) -> None:
        """`clean` takes out what must not be shown, as a key that the server repeats."""
        super().__init__(inks, glyphs, id=id)
        self._clean = clean

    def show(self, facts: Facts, layout: Layout, at: float) -> None:  # noqa: ARG002 - every widget is called so
        seen = (facts.notice, facts.notices, remedies(facts), layout)
        self.show_lines(seen, lambda: notice_lines(facts, layout, self.inks, self.glyphs, self._clean))
