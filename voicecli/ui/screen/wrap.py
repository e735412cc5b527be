"""Where the lines of a text begin: greedy, so that a text that grows is wrapped again from its last line only.

It knows no turn and no style. Widths are Rich's (`cell_len`), so what is drawn takes what was counted.
"""

from __future__ import annotations

import re
from typing import Final

from rich._unicode_data import load
from rich.cells import get_character_cell_size

from voicecli.printable import painted

_JOINER, _EMOJI = "\u200d", "\ufe0f"

_PICTURE = "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf"
_PICTURE += "\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff]"
_PICTURE += "[\ufe0f\U0001f3fb-\U0001f3ff]{0,2}"
_JOINED: Final = re.compile(f"({_PICTURE}(?:{_JOINER}{_PICTURE}){{1,4}})|{_JOINER}")

_NARROW: Final = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0373\u0391-\u03a9\u03b1-\u03c9\u0400-\u0482"
    "\u2013-\u201e\u2022\u2026\u20ac]*"
)
"""Characters of one cell that take part in no cluster, for the quick way."""

_NEVER_FIRST: Final = frozenset("、。，．・：；？！）」』】〕〉》”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…%％")
"""No line begins with these if the line before has room to give (a part of JIS X 4051)."""


def joined(text: str) -> str:
    """`text` without the joiners that join no pictures: Rich counts no cell for what follows one, terminals do.

    What it gives for the beginning of a text is the beginning of what it gives for all of it.
    """
    return _JOINED.sub(lambda found: found[1] or "", text) if _JOINER in text else text


def drawn(text: str) -> str:
    """A piece of a line as it is drawn. Never wider than `text`."""
    return painted(text)


def line_starts(text: str, width: int, start: int = 0) -> list[int]:
    """The offsets from `start` on, which begins a line, at which lines of at most `width` cells begin.

    A line is broken behind blanks, beside a wide character, and else in the word; blanks at its end hang over.
    Nothing is between two lines, so joined they are the text. A character wider than `width` has a line of its own.
    """
    starts: list[int] = []
    while True:
        end = text.find("\n", start)
        stop = len(text) if end < 0 else end
        if text.isascii() or _NARROW.fullmatch(text, start, stop):
            _narrow(text, start, stop, width, starts)
        else:
            _clusters(text, start, stop, width, starts)
        if end < 0:
            return starts
        start = end + 1


def line_text(text: str, starts: list[int], number: int) -> tuple[int, int]:
    """Where the line begins and ends in `text`, without what hangs over."""
    begin = starts[number]
    end = starts[number + 1] if number + 1 < len(starts) else len(text)
    while end > begin and text[end - 1] in " \n":
        end -= 1
    return begin, end


def whole_cluster(text: str, at: int) -> int:
    """The first offset from `at` on where no cluster of characters is torn."""
    while 0 < at < len(text) and (
        text[at] in (_JOINER, _EMOJI) or text[at - 1] == _JOINER or not get_character_cell_size(text[at])
    ):
        at += 1
    return at


def _narrow(text: str, begin: int, stop: int, width: int, starts: list[int]) -> None:
    while True:
        starts.append(begin)
        over = begin + width
        while over < stop and text[over] == " ":
            over += 1
        if over >= stop:
            return
        if over > begin + width:
            begin = over
            continue
        blank = text.rfind(" ", begin, over)
        begin = blank + 1 if blank >= begin else over


def _clusters(text: str, begin: int, stop: int, width: int, starts: list[int]) -> None:
    """The same for any text. A cluster is what Rich counts together: marks, and what is joined."""
    widened = load("auto").narrow_to_wide
    size = get_character_cell_size
    starts.append(begin)
    line = cluster = chance = begin  # where the line began, this cluster, and the last place to break at
    used = 0
    last, wide_before = "", False
    at = begin
    while at < stop:
        char = text[at]
        if char == _JOINER:
            at += 2  # Rich counts nothing for what is joined
            continue
        if char == _EMOJI:
            cells = 1 if last and last in widened else 0
            last = ""
        elif cells := size(char):
            if at > line and (cells == 2 or wide_before) and char not in _NEVER_FIRST and char != " ":
                chance = at
            cluster, last, wide_before = at, char, cells == 2
        used += cells
        if char == " ":
            chance = at + 1
        elif used > width and cells and cluster > line:
            cut = chance if line < chance <= cluster else cluster
            starts.append(cut)
            line = cluster = chance = at = cut
            used, last, wide_before = 0, "", False
            continue
        at += 1
