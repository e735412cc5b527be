"""A driver that keeps what the program writes to its terminal, and an app to write with it."""

from __future__ import annotations

import re
from typing import Any

from textual import events
from textual.driver import Driver
from textual.geometry import Size

SEQUENCE = re.compile("\x1b\\[[0-9;:]*[mHfABCDGJK]|\x1b\\[\\?[0-9]+[hl]")
"""All that a frame of ours is made of beside text: styles, places, and that a frame begins and ends."""


class Recording(Driver):
    """Like a terminal that understands nothing and answers nothing."""

    written: list[str]

    def __init__(self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None):
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.written = app.written = []

    def write(self, data: str) -> None:
        self.written.append(data)

    def start_application_mode(self) -> None:
        size = Size(*(self._size or (80, 24)))
        self.send_message(events.Resize(size, size))

    def disable_input(self) -> None:
        pass

    def stop_application_mode(self) -> None:
        pass


def text_of(written: str) -> str:
    """What was written, without the sequences that are ours."""
    return SEQUENCE.sub("", written)
