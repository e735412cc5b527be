"""The terminal before and after a screen: what it is like, asked for in a moment; and its modes, put back by force.

It knows no screen. What is not on a POSIX system is answered by what is usual.
"""

from __future__ import annotations

import importlib
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple


def _module(name: str) -> Any:
    """A module that only POSIX systems have; None elsewhere."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


termios: Final = _module("termios")
tty: Final = _module("tty")
_POSIX: Final[Any] = os
"""What of it is not on every system raises AttributeError there."""

ASK_S: Final = 0.1
"""A terminal that has not answered by then is taken as usual."""
RESTORE_S: Final = 0.25
MOST_TYPED: Final = 65_536

ASK: Final = b"\x1b]11;?\x1b\\\r\xe2\x97\x8f\x1b[6n\r\x1b[K"
"""The background's colour; then a glyph that may be two cells wide, and where the cursor is after it."""

UNDO: Final = (
    "\x18"  # ends a sequence that was cut off in its middle
    "\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l"
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m\r\n"
)
"""Switches off whatever a screen may have switched on."""

_COLOUR: Final = re.compile(rb"\x1b\]11;rgb:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})(?:\x07|\x1b\\)")
_PLACE: Final = re.compile(rb"\x1b\[\d+;(\d+)R")


class Known(NamedTuple):
    """What a terminal said of itself."""

    light: bool | None = None
    """Whether its background is a light one; None: it did not say."""
    narrow: bool = True
    """A glyph takes one cell, as far as is known; not so where it is as wide as an ideogram, or shown byte by byte."""
    typed: bytes = b""
    """What the person had typed meanwhile."""
    answered: bool = True
    """Nothing more is to come."""


def ask(stdin: int, out: int, limit_s: float = ASK_S) -> Known:
    """Asks the terminal, `limit_s` at most."""
    if termios is None or os.environ.get("TERM", "") in ("", "dumb", "linux"):
        return Known()
    data = b""
    with _raw(stdin) as raw:
        if not raw:
            return Known()
        try:
            os.write(out, ASK)
            end = time.perf_counter() + limit_s
            while not _PLACE.search(data) and len(data) < MOST_TYPED:
                left = end - time.perf_counter()
                if left <= 0 or not select.select([stdin], [], [], left)[0]:
                    break
                more = os.read(stdin, 4096)
                if not more:
                    break
                data += more
        except OSError:
            return Known()
    known = read(data)
    return known._replace(typed=known.typed.replace(b"\n", b"\r"))  # enter, as a terminal that is not raw has it


def read(data: bytes) -> Known:
    """What an answer says. The rest of it was typed."""
    colour, place = _COLOUR.search(data), _PLACE.search(data)
    light = None
    if colour is not None:
        red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in colour.groups())
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    narrow = place is None or int(place[1]) == 2
    return Known(light, narrow, _PLACE.sub(b"", _COLOUR.sub(b"", data)), place is not None)


def light_by_name(colours: str) -> bool | None:
    """What COLORFGBG ("15;0") says of the background."""
    last = colours.rpartition(";")[2]
    if not (last.isascii() and last.isdigit()):
        return None
    return int(last) == 7 or 9 <= int(last) <= 15


def foreground(stdin: int) -> bool:
    """Whether the terminal is ours now and not a shell's; so it is where there is nobody to ask."""
    try:
        return bool(_POSIX.tcgetpgrp(stdin) == _POSIX.getpgrp())
    except (OSError, AttributeError):  # no terminal, not the one that controls us, or a system without groups
        return True


@contextmanager
def unstopped() -> Iterator[None]:
    """Meanwhile this thread may write to the terminal and set its modes from the background, and nobody stops us."""
    if sys.platform != "win32":
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Modes:
    """How the terminal was before; `restore` puts it back whatever has happened since."""

    def __init__(self, stdin: int, out: int) -> None:
        self._stdin, self._out = stdin, out
        self._before: list[Any] | None = None
        if termios is not None:
            with suppress(termios.error, OSError):
                self._before = termios.tcgetattr(stdin)

    def restore(self) -> None:
        """By force, in `RESTORE_S` at most: what still waits to be shown is thrown away.

        A terminal may have stopped reading, and somebody else's write may hang in it: each flush lets that go on.
        From the background too: to be stopped at the end would be never to end.
        """
        with unstopped():
            self._restore()

    def _restore(self) -> None:
        if termios is not None and self._before is not None:
            with suppress(termios.error, OSError):
                termios.tcsetattr(self._stdin, termios.TCSANOW, self._before)
        try:
            own = os.open(_POSIX.ttyname(self._out), os.O_WRONLY | _POSIX.O_NOCTTY | _POSIX.O_NONBLOCK)
        except (OSError, AttributeError):  # no terminal, or none that has a name
            with suppress(OSError):
                os.write(self._out, UNDO.encode())
            return
        data, end = UNDO.encode(), time.perf_counter() + RESTORE_S
        while data and time.perf_counter() < end:
            try:
                data = data[os.write(own, data) :]
            except BlockingIOError:
                _make_room(own)
                time.sleep(0.002)
            except OSError:
                break
        os.close(own)


def _make_room(out: int) -> None:
    """Throws away what waits for the terminal, and wakes whoever waits to write to it, which a flush alone does not."""
    with suppress(termios.error, OSError):
        termios.tcflush(out, termios.TCOFLUSH)
        termios.tcflow(out, termios.TCOOFF)
        termios.tcflow(out, termios.TCOON)


@contextmanager
def _raw(stdin: int) -> Iterator[bool]:
    """No echo and no waiting for a line; False where that cannot be had."""
    try:
        before = termios.tcgetattr(stdin)
        tty.setcbreak(stdin, termios.TCSANOW)
    except (termios.error, OSError):
        yield False
        return
    try:
        yield True
    finally:
        with suppress(termios.error, OSError):
            termios.tcsetattr(stdin, termios.TCSANOW, before)
