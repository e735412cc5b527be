"""The last guard on what is drawn: it deletes from every line what `printable()` would not have let through (G17).

It deletes and never shows, because a symbol in the place of a character of no width would move the rest of the line.
"""

from __future__ import annotations

import re
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from voicecli.printable import UNSAFE, painted

_LINE: Final = re.compile(f"{UNSAFE.pattern}|\n")


class Guard(LineFilter):
    """For `App.get_line_filters()`, as its last."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments without what no drawn line may hold."""
        if all(segment.text.isascii() and segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(painted(_LINE.sub("", text)), style, control) for text, style, control in segments]
