"""Whether the end of the conversation is followed, and if not, what stays on top whatever comes; it knows no widget.

What stands on top is kept by its label, so it is found again when turns above it come, go or grow.
"""

from __future__ import annotations

from enum import Enum

from voicecli.ui.screen.entry import Entry
from voicecli.ui.screen.stack import Stack


class Hold(Enum):
    FOLLOWS = "follows"
    BACK = "back"
    """The person has scrolled back."""
    MARKING = "marking"
    """The person marks text, and would lose it if it moved."""
    MARKED = "marked"
    """It is marked, and stays where it is as long as it is that."""


class Place:
    def __init__(self) -> None:
        self.hold = Hold.FOLLOWS
        self._label, self._row = 0, 0
        self._came = 0

    @property
    def new_below(self) -> int | None:
        """Turns that came since; None: nothing is to be said of it. While text is marked nothing may appear."""
        return None if self.hold in (Hold.FOLLOWS, Hold.MARKING) else self._came

    def came(self, turns: int) -> None:
        self._came += turns

    def follow(self) -> None:
        self.hold = Hold.FOLLOWS

    def keep(self, stack: Stack[Entry], line: int, hold: Hold) -> None:
        """What stands at `line` stays on top."""
        if (found := stack.at(line)) is not None:
            if self.hold is Hold.FOLLOWS:
                self._came = 0
            self.hold, self._label, self._row = hold, found[0].label, found[1]

    def let_go(self) -> None:
        """The mouse is."""
        if self.hold is Hold.MARKING:
            self.hold = Hold.MARKED

    def on_top(self, stack: Stack[Entry]) -> tuple[Entry, int] | None:
        """What is to stand there, and which row of it; None: the end is followed."""
        if self.hold is Hold.FOLLOWS or (entry := stack.labelled(self._label)) is None:
            return None
        return entry, self._row if entry.label == self._label else 0
