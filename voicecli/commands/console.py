"""Standard input as lines from a thread, standard output as text that may be cut off; no line is understood here."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Literal

from voicecli.printable import one_line

LONGEST_LINE: Final = 1 << 20
"""Bytes of one line; a longer one is cut there."""
LARGEST_CONTEXT: Final = 1 << 20
"""Bytes of standard input that go with a one-shot question."""
SAY_AFTER_S: Final = 2.0
HANGUP: Final = 129
CLOSED_OUTPUT: Final = 141


class OutputClosed(Exception):
    """Nobody reads standard output any more."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
        """The exit code: 141, or 129 where it was a terminal that is gone."""


class TerminalGone(Exception):
    """The terminal that was read from is gone, without a signal: a remote shell that was cut off."""


def kind() -> Literal["terminal", "pipe", "none"]:
    """What standard input is."""
    try:
        if sys.stdin is None or sys.stdin.closed:
            return "none"
        return "terminal" if os.isatty(sys.stdin.fileno()) else "pipe"
    except (OSError, ValueError):
        return "none"


class Keyboard:
    """Reads lines in a thread of its own, because nothing else can wait for input on every system."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._lines: deque[bytes | None] = deque()
        self.gone = False
        """The terminal is gone."""

    def start(self) -> None:
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    def take(self) -> Iterator[bytes | None]:
        """What has come, without line ends; None once: it was the end of the input."""
        while self._lines:
            yield self._lines.popleft()

    def _read(self) -> None:
        try:
            for line in lines(0):
                self._lines.append(line)
                self._ring()
            self._lines.append(None)
        except TerminalGone:
            self.gone = True
        self._ring()


def lines(descriptor: int) -> Iterator[bytes]:
    """Lines without their ends. By `os.read`, because a thread inside `sys.stdin` cannot be left behind at the end.

    Raises TerminalGone.
    """
    rest = b""
    while True:
        try:
            data = os.read(descriptor, 65_536)
        except OSError as error:
            if error.errno == errno.EIO:
                raise TerminalGone from None
            data = b""
        *whole, rest = (rest + data).split(b"\n")
        if len(rest) > LONGEST_LINE or (not data and rest):
            whole.append(rest)
            rest = b""
        for line in whole:
            yield line.rstrip(b"\r")
        if not data:
            return


class Output:
    """Text to a file descriptor. A full disk is told in `trouble`; a closed pipe raises OutputClosed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.trouble = ""
        """Why nothing can be written any more; "" while it can."""

    def write(self, text: str) -> None:
        data = memoryview(text.encode("utf-8", "replace"))
        while data and not self.trouble:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody made the pipe non-blocking: its reader is slow
                time.sleep(0.01)
            except OSError as error:
                if error.errno in (errno.EPIPE, errno.EINVAL, errno.ESHUTDOWN, errno.EBADF, errno.EIO):
                    raise OutputClosed(HANGUP if error.errno == errno.EIO else CLOSED_OUTPUT) from None
                self.trouble = error.strerror or "it cannot be written to"


def context(say: Callable[[str], None]) -> str:
    """All of a piped standard input, as what a one-shot question is about.

    Says so where that takes long, and where not all of it fits.
    """
    if kind() != "pipe":
        return ""
    words = "notice: Reading standard input to its end, as what the question is about.\n"
    waits = threading.Timer(SAY_AFTER_S, say, [words])
    waits.daemon = True
    waits.start()
    data = b""
    try:
        while len(data) <= LARGEST_CONTEXT and (more := os.read(0, 65_536)):
            data += more
    except OSError:
        pass
    finally:
        waits.cancel()
    if len(data) > LARGEST_CONTEXT:
        say(f"notice: Standard input is larger than {LARGEST_CONTEXT >> 20} MiB; the rest of it was left out.\n")
    return data[:LARGEST_CONTEXT].decode("utf-8", "replace").strip()


def refuse(message: str, hint: str, code: int) -> int:
    """A failure before there is a face: one line what, one line what to do, on standard error. Gives `code`."""
    text = f"error: {one_line(message, 1000)}\n" + (f"  {one_line(hint, 1000)}\n" if hint else "")
    with contextlib.suppress(OSError):
        os.write(2, text.encode("utf-8", "replace"))
    return code
