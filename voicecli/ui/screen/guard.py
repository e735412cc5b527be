"""The last guard on what is drawn: it deletes from every line what `printable()` would not have let through (G17).

It deletes and never shows, because a symbol in the place of a character of no width would move the rest of the line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from voicecli.printable import UNSAFE, painted

_LINE: Final = re.compile(f"{UNSAFE.pattern}|\n")


class NoColour(LineFilter):
    """Takes every colour away and leaves bold, underline, strike and reverse, which the terminal shows as it likes."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments in the terminal's own two colours."""
        return [Segment(text, style and _uncoloured(style), control) for text, style, control in segments]


@lru_cache(maxsize=1024)
def _uncoloured(style: Style) -> Style:
    return Style(
        bold=style.bold, italic=style.italic, underline=style.underline, strike=style.strike, reverse=style.reverse
    )


class Guard(LineFilter):
    """For `App.get_line_filters()`, as its last."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments without what no drawn line may hold."""
        if all(segment.text.isascii() and segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(painted(_LINE.sub("", text)), style, control) for text, style, control in segments]
