"""A terminal for the program to run in: it keeps what is written, answers as terminals do, and knows its modes."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.commands.processes import PATIENCE_S, PROGRAM, Home

MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
KITTY = re.compile(rb"\x1b\[(?:>(\d+)|<(\d*))u")
SEQUENCE = re.compile(rb"\x1b\[[0-9;:<=>?]*[ !$]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78(][B0]?")
USUAL = {7: True, 25: True}
"""Modes that are on before anybody has said anything."""

CONTROLLED = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {PROGRAM}"


class Terminal:
    """The other side of a pty. What is seen is text, without the sequences between it."""

    def __init__(
        self, columns: int = 80, lines: int = 24, *, background: str = "", synchronized: bool = True, early: str = ""
    ) -> None:
        """`early` is typed before the program has asked anything."""
        self._master, self.slave = os.openpty()
        self._background = background
        self._synchronized = synchronized
        self._data = bytearray()
        self._news = threading.Condition()
        self._reading = threading.Event()
        self._reading.set()
        self._over = False
        self.resize(columns, lines)
        self.attributes = termios.tcgetattr(self.slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        if early:
            self.type(early)

    # ---- the person in front of it

    def type(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._master, data[:1024]) :]

    def resize(self, columns: int, lines: int) -> None:
        """The kernel tells the program by SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def cook(self) -> None:
        """As a shell does that finds its job stopped."""
        termios.tcsetattr(self.slave, termios.TCSANOW, self.attributes)

    @property
    def cooked(self) -> bool:
        """It is as it was at the beginning."""
        return termios.tcgetattr(self.slave) == self.attributes

    def stall(self) -> None:
        """It does not read any more."""
        self._reading.clear()

    def go_on(self) -> None:
        self._reading.set()

    def hang_up(self) -> None:
        self._over = True
        self._reading.set()
        self._thread.join()
        os.close(self._master)

    # ---- what is there

    @property
    def data(self) -> bytes:
        with self._news:
            return bytes(self._data)

    @property
    def text(self) -> str:
        return seen(self.data)

    @property
    def after(self) -> list[str]:
        """The lines that stand there after the screen was left."""
        return seen(self.data.rpartition(b"\x1b[?1049l")[2]).replace("\r\n", "\n").splitlines()

    @property
    def modes(self) -> dict[int, bool]:
        """Those that are not as they were at the beginning."""
        now: dict[int, bool] = {}
        for numbers, on in MODE.findall(self.data):
            for number in numbers.split(b";"):
                now[int(number)] = on == b"h"
        return {number: on for number, on in now.items() if on is not USUAL.get(number, False)}

    @property
    def keyboard(self) -> int:
        """Levels of the kitty protocol that are pushed and not popped."""
        depth = 0
        for pushed, popped in KITTY.findall(self.data):
            depth = depth + 1 if pushed else max(0, depth - int(popped or 1))
        return depth

    def until(self, pattern: str, limit_s: float = PATIENCE_S, *, since: int = 0) -> str:
        """Waits for it to be seen, in what was written from byte `since` on; the text up to now."""
        end = time.monotonic() + limit_s
        with self._news:
            while True:
                text = seen(bytes(self._data[since:]))
                if re.search(pattern, text):
                    return text
                left = end - time.monotonic()
                assert left > 0, f"{pattern!r} did not come in {text[-3000:]!r}"
                self._news.wait(left)

    # ---- inside

    def _read(self) -> None:
        while not self._over:
            self._reading.wait()
            try:
                if not select.select([self._master], [], [], 0.05)[0]:
                    continue
                data = os.read(self._master, 65_536)
            except OSError:
                return
            with self._news:
                before = len(self._data)
                self._data += data
                recent = bytes(self._data[max(0, before - 16) :])
                skip = min(before, 16)
                self._news.notify_all()
            self._answer(recent, skip)

    def _answer(self, data: bytes, skip: int) -> None:
        answers: list[tuple[bytes, str]] = []
        if self._background:  # in the order of the questions, as terminals do
            answers.append((b"\x1b]11;?\x1b\\", f"\x1b]11;{self._background}\x1b\\"))
        answers.append((b"\x1b[6n", "\x1b[1;2R"))
        if self._synchronized:
            answers.append((b"\x1b[?2026$p", "\x1b[?2026;2$y"))
        for asked, answer in answers:
            if (at := data.find(asked)) >= 0 and at + len(asked) > skip:
                with suppress(OSError):
                    os.write(self._master, answer.encode())


def seen(data: bytes) -> str:
    return SEQUENCE.sub(b"", data).decode("utf-8", "replace")


class Shown:
    """The program in its terminal."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: Terminal, home: Home) -> None:
        self.process, self.terminal, self.home = process, terminal, home

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def code(self, limit_s: float = PATIENCE_S) -> int:
        """Waits for the end, and for all that was written before it."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # every thread says where it is
            self.process.wait()
            raise AssertionError(f"no end within {limit_s} s\n{self.terminal.text[-2000:]}\n{self.home.log}") from None
        time.sleep(0.1)  # the terminal's own thread reads the last of it
        return code

    def clean(self) -> None:
        """The terminal is as it was before."""
        assert self.terminal.modes == {}
        assert self.terminal.keyboard == 0
        assert self.terminal.cooked


@contextmanager
def shown(
    home: Home, *args: str, terminal: Terminal | None = None, program: str = CONTROLLED, **env: Any
) -> Iterator[Shown]:
    """Runs it with all three streams at a terminal that controls it."""
    terminal = terminal or Terminal()
    environ = home.environ(**{"TERM": "xterm-256color", "COLUMNS": None, **env})
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program, *args],
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
        cwd=home.work,
        env=environ,
        start_new_session=True,
    )
    try:
        yield Shown(process, terminal, home)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        terminal.go_on()
