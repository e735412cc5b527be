"""The notice above the state line: what happened, what to do, and keys that no typed word can be.

It pushes the conversation up and covers nothing. What it says is foreign text: names stand in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from textual.strip import Strip

from voicecli.core.changes import Told
from voicecli.printable import one_line
from voicecli.ui.actions import ANSWERING
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import LONGEST_LINE, Layout
from voicecli.ui.screen.lines import Line, Lines, Piece, width_of
from voicecli.ui.screen.standing import Over, over_by
from voicecli.ui.screen.theme import Inks

GAP: Final = "   "
MOST_CUT: Final = 12
"""Fewer cells of a sentence say nothing."""
_Words = list[list[Piece]]
"""Lines of pieces."""


class Remedy(NamedTuple):
    """A key that does something about a notice, where nothing is typed."""

    key: str
    word: str
    action: str
    """Of actions.py; "" closes the notice."""


CLOSE: Final = Remedy("esc", "close", "")
_FIRST: Final[dict[str, Remedy]] = {
    **dict.fromkeys(ANSWERING, Remedy("esc", "stop, then close", "")),
    "recording": Remedy("esc", "throw away, then close", ""),
}
"""Where that key has something else to do before it closes the notice."""
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
    phase = facts.view.doing
    close = _FIRST.get(phase, CLOSE)
    lost = facts.view.link is not None and facts.view.link.state == "lost"
    if lost and over_by(told.code) is Over.CONNECTED:
        return (RETRY, close)
    return (close,)


def notice_lines(
    facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, clean: Callable[[str], str] = str
) -> list[Strip]:
    """At most `layout.notice_lines`: title, keys, hint, what somebody else said, as far as there is room."""
    told = facts.notice
    if told is None:
        return []
    room = min(layout.edge - layout.text_column, LONGEST_LINE)
    bad = told.severity == "error"
    role = Piece("error" if bad else "notice", inks("bad" if bad else "warn", bold=True))
    title, hint, detail = _words(told, inks, room, clean, () if layout.gutter else (role, Piece(" ")))
    keys, most = _keys(facts, inks, room), layout.notice_lines
    lines = [*title, *hint, *detail]
    if len(lines) + bool(keys) <= most:
        lines += [keys] if keys else []
    elif most == 1 or not keys:
        lines = _cut(lines, most, room, glyphs)
    else:
        lines = _beside([*title, *hint, *_cut(detail, 1, room, glyphs)], keys, most, room, glyphs)
    strips = []
    for n, pieces in enumerate(lines):
        line = Line(layout.width)
        if layout.gutter and n == 0:
            line.until(layout.text_column - 2, role)
        strips.append(line.put(layout.text_column, *pieces).strip())
    return strips


def _words(
    told: Told, inks: Inks, room: int, clean: Callable[[str], str], before: Sequence[Piece]
) -> tuple[_Words, _Words, _Words]:
    """Title, hint and what somebody else said, each in lines of its own."""
    title = [
        [Piece(text, inks("fg", bold=True))]
        for text in wrapped(clean(one_line(told.title, 400)), room, width_of(before))
    ]
    title[0] = [*before, *title[0]]
    said = clean(one_line(told.hint, 600))
    hint = [[Piece(text, inks("fg"))] for text in wrapped(said, room)] if said else []
    words = clean(one_line(told.detail.raw, 300))
    who = "in detail" if told.ours else "the server says"
    detail = [[Piece(text, inks("muted"))] for text in wrapped(f'{who}: "{words}"', room)] if words else []
    return title, hint, detail


def _keys(facts: Facts, inks: Inks, room: int) -> list[Piece]:
    """What can be done, as far as there is room."""
    pieces: list[Piece] = []
    for remedy in remedies(facts):
        more = [Piece(GAP)] if pieces else []
        more += [Piece(remedy.key, inks("ai", bold=True)), Piece(f" {remedy.word}", inks("muted"))]
        pieces += more if width_of(pieces) + width_of(more) <= room else []
    others = Piece(f"{GAP}{facts.notices - 1} more", inks("muted"))
    return [*pieces, others] if facts.notices > 1 and width_of([*pieces, others]) <= room else pieces


def _beside(lines: _Words, keys: list[Piece], most: int, room: int, glyphs: Glyphs) -> _Words:
    """The keys stand at the end of the last line, which is cut for them where it must be."""
    left = room - width_of(keys) - len(GAP)
    fewer = len(lines) < most
    lines = lines if fewer else _cut(lines, most, room, glyphs)
    last = lines[-1]
    if width_of(last) > left:
        if fewer or left < MOST_CUT:
            return [*_cut(lines, most - 1, room, glyphs), keys]
        last = _cut([last, last], 1, left, glyphs)[0]
    return [*lines[:-1], [*last, Piece(" " * (room - width_of(last) - width_of(keys))), *keys]]


def _cut(lines: _Words, most: int, room: int, glyphs: Glyphs) -> _Words:
    """The first `most` lines; the last of them says that something was left out."""
    if len(lines) <= most:
        return lines
    *first, (text, style) = lines[most - 1]
    mark = f" {glyphs.more}"
    left = max(0, room - width_of(first) - len(mark))
    text = set_cell_size(text, left).rstrip() if cell_len(text) > left else text
    return [*lines[: most - 1], [*first, Piece(text + mark, style)]]


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
