"""Text marked with the mouse: which of it, and how it looks. What stands beside the text is never part of it.

Textual's selection counts in characters from the text column on and in lines. The number of a line here is the label
of its entry plus its row, so what is marked stays what was marked while the conversation grows.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from voicecli.ui.screen.entry import Entry, Look
from voicecli.ui.screen.stack import Stack
from voicecli.ui.screen.wrap import drawn, whole_cluster


def mark(strip: Strip, selection: Selection, line: int, look: Look, length: int) -> Strip:
    """`strip`, whose text has `length` characters, with what is marked of it."""
    span = selection.get_span(line)
    if span is None:
        return strip
    column, text = look.layout.text_column, strip.text
    begin = max(0, span[0])
    end = length if span[1] < 0 else min(length, span[1])
    if begin >= end:
        return strip
    left = cell_len(text[: whole_cluster(text, column + begin)])
    right = cell_len(text[: whole_cluster(text, column + end)])
    colour = look.inks.colour("line")
    marked = strip.crop(left, right).apply_style(Style(bgcolor=colour) if colour else Style(reverse=True))
    return Strip.join([strip.crop(0, left), marked, strip.crop(right)])


def selected(stack: Stack[Entry], selection: Selection) -> str:
    """The text that is marked: a line for each line of the text, however it is broken on the screen."""
    start, end = selection
    found: list[str] = []
    entry = stack.first if start is None else _entry(stack, start)
    while entry is not None and (end is None or entry.label <= end.y):
        if entry.height:
            begin = _offset(entry, start) if start is not None and entry.label <= start.y else 0
            behind = len(entry.said.text)
            if end is not None and end.y < entry.label + entry.height:
                behind = _offset(entry, end)
            found.append(drawn(entry.said.text[begin:behind]))
        entry = stack.below(entry)
    return "\n".join(found)


def _entry(stack: Stack[Entry], at: Offset) -> Entry | None:
    """The one in whose lines it is, else the next."""
    entry = stack.labelled(at.y)
    if entry is not None and entry.label > at.y:
        above = stack.above(entry)
        if above is not None and at.y < above.label + above.height:
            return above
    if entry is None and stack.last is not None and at.y < stack.last.label + stack.last.height:
        return stack.last
    return entry


def _offset(entry: Entry, at: Offset) -> int:
    begin, end = entry.line_at(min(at.y - entry.label, entry.height - 1))
    return whole_cluster(entry.said.text, min(end, begin + max(0, at.x)))
