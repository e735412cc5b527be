"""A terminal for the programs that are measured: it reads at once, knows when each byte came, and draws nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.children import environment

SEQUENCE = re.compile(rb"\x1b\[[0-9;:<=>?]*[ !$]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78(][B0]?")
PATIENCE_S = 20.0
KEPT = 1 << 16


class Terminal:
    """The other side of a pty that runs one program."""

    def __init__(self, command: list[str], home: Path, columns: int, lines: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        env = environment(home) | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        env = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self._news = threading.Condition()
        self._text = b""  # the last of what was seen, without sequences
        self._at = 0.0  # when the last of it came
        self.bytes = 0
        """So many were written."""
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=home, start_new_session=True
        )
        os.close(slave)
        self._over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def type(self, text: str) -> float:
        """Presses these keys; when that was."""
        at = time.perf_counter()
        os.write(self._master, text.encode())
        return at

    def forget(self) -> None:
        """Only what comes from now on is looked for."""
        with self._news:
            self._text = b""

    def seen(self, pattern: str, limit_s: float = PATIENCE_S) -> float:
        """When it stands there. Raises TimeoutError where it does not come."""
        wanted = re.compile(pattern.encode())
        limit = time.perf_counter() + limit_s
        with self._news:
            while not wanted.search(self._text):
                left = limit - time.perf_counter()
                if left <= 0 or self._over:
                    raise TimeoutError(f"{pattern!r} did not come; the last was {self._text[-300:]!r}")
                self._news.wait(left)
            return self._at

    def cpu_s(self) -> float:
        """Processor time that the program has used so far, all threads."""
        return time.clock_gettime(((-self.process.pid - 1) << 3) | 2)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._over = True
        self._thread.join()
        os.close(self._master)

    def _read(self) -> None:
        begun = b""
        while not self._over:
            try:
                if not select.select([self._master], [], [], 0.05)[0]:
                    continue
                data = os.read(self._master, 1 << 16)
            except OSError:
                break
            at = time.perf_counter()
            if b"\x1b[?2026$p" in data:
                with suppress(OSError):
                    os.write(self._master, b"\x1b[?2026;2$y")
            if b"\x1b[6n" in data:
                with suppress(OSError):
                    os.write(self._master, b"\x1b[1;2R")
            whole = begun + data
            last = whole.rfind(b"\x1b")
            cut = last if last >= 0 and not SEQUENCE.match(whole, last) else len(whole)  # it comes in two pieces
            begun, whole = whole[cut:], whole[:cut]
            with self._news:
                self._at = at
                self.bytes += len(data)
                self._text = (self._text + SEQUENCE.sub(b"", whole))[-KEPT:]
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


@contextmanager
def running(command: list[str], home: Path, columns: int = 120, lines: int = 40) -> Iterator[Terminal]:
    """The program in its terminal until the block ends."""
    terminal = Terminal(command, home, columns, lines)
    try:
        yield terminal
    finally:
        terminal.end()
