"""Runs voicecli as people run it: a process with a home and a folder of its own, its streams in pipes or a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

PATIENCE_S = 30.0
"""Nothing here takes longer, even on a machine that is ten times as slow as it should be."""

PROGRAM = "import sys; from voicecli.cli import main; sys.exit(main())"
AT_TERMINAL = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {PROGRAM}"
"""The terminal that is its standard input becomes the one that controls it: ^C and hanging up give their signals."""


class Done(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def complaints(self) -> list[str]:
        """Lines of stderr but the one that says what it connects to."""
        return [
            line for line in self.err.splitlines() if not line.startswith(("notice: Connecting", "notice: Offline"))
        ]


class Stream:
    """What comes out of one descriptor, kept, with somebody to wait for it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._data = bytearray()
        self._news = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._file:
            while not self._over:
                try:
                    data = self._file.read1(65_536)  # type: ignore[attr-defined]
                except (OSError, ValueError):  # the terminal is gone
                    data = b""
                with self._news:
                    self._data += data
                    self._over = not data
                    self._news.notify_all()

    @property
    def text(self) -> str:
        with self._news:
            return self._data.decode("utf-8", "replace").replace("\r\n", "\n")

    def all(self) -> str:
        """Everything, once it is over."""
        self._thread.join(PATIENCE_S)
        return self.text

    def until(self, pattern: str, limit_s: float = PATIENCE_S, *, times: int = 1) -> str:
        """Waits for so many matches; the last of them."""
        end = time.monotonic() + limit_s
        with self._news:
            while True:
                text = self._data.decode("utf-8", "replace").replace("\r\n", "\n")
                found = list(re.finditer(pattern, text, re.MULTILINE))
                if len(found) >= times:
                    return found[times - 1][0]
                assert not self._over, f"{pattern!r} never came in {text!r}"
                assert self._news.wait(end - time.monotonic()), f"{pattern!r} did not come in {text!r}"


class Running:
    """A process that runs; `terminal` is the other side of its standard input where that is a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], home: Home, terminal: int | None = None) -> None:
        self.process = process
        self.home = home
        self.terminal = terminal
        self.out = Stream(process.stdout) if process.stdout else None
        self.err = Stream(process.stderr) if process.stderr else None

    @property
    def pid(self) -> int:
        return self.process.pid

    def lines(self) -> Stream:
        assert self.out is not None
        return self.out

    def type(self, line: str) -> None:
        """A line, as typed or piped in."""
        data = line.encode() + b"\n"
        if self.terminal is not None:
            os.write(self.terminal, data)  # a screen that is not read echoes at most 4 KiB
        else:
            assert self.process.stdin is not None
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def close_stdin(self) -> None:
        if self.terminal is not None:
            os.write(self.terminal, b"\x04")
        elif self.process.stdin is not None:
            self.process.stdin.close()

    def hang_up(self) -> None:
        """The terminal goes away."""
        assert self.terminal is not None
        os.close(self.terminal)
        self.terminal = None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def done(self, limit_s: float = PATIENCE_S) -> Done:
        """Waits for the end. Nothing here may ever show a traceback."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # every thread says where it is, into the log or to stderr
            self.process.wait()
            said = [stream.all() for stream in (self.out, self.err) if stream]
            raise AssertionError("\n".join([f"no end within {limit_s} s", *said, self.home.log])) from None
        done = Done(code, self.out.all() if self.out else "", self.err.all() if self.err else "")
        assert "Traceback" not in done.out + done.err
        return done

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.terminal is not None:
            self.hang_up()
        with suppress(OSError):
            if self.process.stdin:
                self.process.stdin.close()


class Home:
    """A user's home, and a working directory that is not below it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "home"
        self.work = path / "work"
        self.work.mkdir()

    def environ(self, **more: str | None) -> dict[str, str]:
        known = {"PATH": os.defpath, "HOME": str(self.path), "LANG": "C.UTF-8", "COLUMNS": "100"}
        known["PYTHONFAULTHANDLER"] = "1"
        # Loading the speech engines costs each program a second of two cores; who wants them takes this away.
        known["VOICECLI_TONES"] = "1"
        return {name: value for name, value in {**known, **more}.items() if value is not None}

    @property
    def log(self) -> str:
        """All logs in the home."""
        return "".join(path.read_text() for path in sorted(self.path.rglob("*.log")))

    @contextmanager
    def running(
        self,
        *args: str,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        env: dict[str, str | None] | None = None,
        program: str = PROGRAM,
        terminal: bool | Literal["all"] = False,
        stderr: Any = subprocess.PIPE,
    ) -> Iterator[Running]:
        """Starts it; what is left of it at the end is killed.

        With `terminal` its standard input is one, with "all" the other two streams are it too.
        """
        master = None
        if terminal:
            master, stdin = pty.openpty()
            if terminal == "all":
                stdout = stderr = stdin
            program = AT_TERMINAL if program is PROGRAM else program
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", program, *args],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.work,
            env=self.environ(**(env or {})),
            start_new_session=bool(terminal),
        )
        if terminal:
            os.close(stdin)
        running = Running(process, self, master)
        try:
            yield running
        finally:
            running.kill()

    def run(
        self, *args: str, stdin: bytes | None = None, env: dict[str, str | None] | None = None, **more: Any
    ) -> Done:
        """Runs it to its end; without `stdin` there is nothing to read."""
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self.running(*args, stdin=source, env=env, **more) as running:
            if stdin is not None:
                with suppress(BrokenPipeError):
                    assert running.process.stdin is not None
                    running.process.stdin.write(stdin)
                    running.process.stdin.close()
            return running.done()


def children(pid: int) -> list[int]:
    """The children of a process, where the system tells."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()] if path.exists() else []


def gone(pid: int) -> bool:
    """Whether the process has ended; one that only waits to be collected has, which it cannot be before its threads."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return True
    return fields[0] == "Z" and int(fields[17]) <= 1


def wait_for(true: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
    """What another process does cannot ring us: looks often, for so long."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
