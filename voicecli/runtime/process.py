"""The process and its neighbours: the embedded server as a child, signals, and an end that cannot hang.

It knows no talk. What happens is told by callbacks with an exit code; what it means is decided elsewhere.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Final

from voicecli.core.stimuli import PartnerNews
from voicecli.runtime.child import LONGEST, Wanted, read_news, wanted_line
from voicecli.runtime.descriptors import open_private
from voicecli.runtime.route import BadUrl, place
from voicecli.secret import Secret

SERVE: Final = (sys.executable, "-P", "-m", "voicecli", "serve", "--child")
START_S: Final = 10.0
STOP_S: Final = 2.0
"""`EmbeddedServer.stop` takes no longer."""
KNOCK_S: Final = 1.0
"""A child that does not answer within this time is slow, not dead."""
RESTORE_S: Final = 0.3
MOST_NEWS: Final = 256
"""So much of its news waits to be fetched; past that the oldest goes."""
TAIL: Final = 600
"""Characters of the child's own words that are kept for an error."""

EXITS: Final[Mapping[str, int]] = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
"""128 and the number of the signal, on every system."""

_SECRET_WORDS: Final = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL")
_PRIVATE: Final = ("VOICECLI_", "OPENAI_")


class ServerFailed(Exception):
    """The embedded server did not start. The text says what happened."""

    def __init__(self, what: str, tail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.tail = tail
        """The last of what it wrote to stderr: foreign text, may be empty."""


class EmbeddedServer:
    """The embedded server as a child that listens for one talk and ends when we do (G19).

    It is handed a token of its own by standard input, then what it is to be, and no key by environment or arguments.
    `token` is that secret. `news` is a mailbox: a thread of its own fills it and calls `ring`.
    """

    def __init__(
        self,
        log_path: Path | None = None,
        *,
        wanted: Wanted = Wanted(),  # noqa: B008  frozen
        command: Sequence[str] = SERVE,
        start_s: float = START_S,
        stop_s: float = STOP_S,
        knock_s: float = KNOCK_S,
    ) -> None:
        self.token: Final = Secret(secrets.token_hex(16))
        self.news: Final[deque[PartnerNews]] = deque(maxlen=MOST_NEWS)
        self.ring: Callable[[], None] = lambda: None
        self._wanted = wanted
        self._log_path = log_path
        self._command = command
        self._start_s = start_s
        self._stop_s = stop_s
        self._knock_s = knock_s
        self._child: subprocess.Popen[bytes] | None = None
        self._url = ""

    @property
    def pid(self) -> int | None:
        """None before the start and after the stop."""
        return self._child.pid if self._child else None

    def start(self) -> str:
        """The URL at which it listens. Raises ServerFailed; then nothing of it is left."""
        with self._errors() as errors:
            before = errors.tell()
            try:
                self._url = self._start(errors)
                return self._url
            except ServerFailed as failed:
                self.stop()
                failed.tail = _tail(errors, before)
                raise
            except BaseException:
                self.stop()
                raise

    def revive(self) -> str:
        """The URL at which it listens; where it has died it is started anew, elsewhere. Raises as `start` does.

        A process that dies lets go of its sockets, one after the other, before it can be waited for. So it is asked
        something; one that is only slow is alive.
        """
        if self._child is not None and self._child.poll() is None and _lives(self._url, self._knock_s):
            return self._url
        self.stop()
        return self.start()

    def abandon(self) -> None:
        """Kills it and returns at once, so that a `start` that waits for it gives up. For a signal's callback."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """Closes its standard input, and insists where that does not help. Does nothing the second time."""
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(OSError):
            if child.stdin:
                child.stdin.close()
        for insist in (child.terminate, child.kill, lambda: None):
            try:
                child.wait(self._stop_s / 3)
                break
            except subprocess.TimeoutExpired:
                insist()

    def _start(self, errors: IO[bytes]) -> str:
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            options["start_new_session"] = True  # Ctrl-C in the terminal is for us; the child ends with its stdin
        try:
            child = subprocess.Popen(  # noqa: S603  our own command, no shell
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=without_secrets(os.environ),
                **options,
            )
        except OSError as error:
            raise ServerFailed(f"the embedded server could not be started: {error.strerror}") from None
        self._child = child
        with suppress(OSError):  # it has died already; its end tells
            assert child.stdin is not None
            child.stdin.write(self.token.reveal().encode() + b"\n" + wanted_line(self._wanted))
            child.stdin.flush()
        return self._address(child)

    def _address(self, child: subprocess.Popen[bytes]) -> str:
        answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

        def read() -> None:
            assert child.stdout is not None
            with child.stdout as lines, suppress(OSError, ValueError):
                answers.put(lines.readline(LONGEST))
                while line := lines.readline(LONGEST):
                    if (news := read_news(line)) is not None:
                        self.news.append(news)
                        self.ring()
            answers.put(b"")

        threading.Thread(target=read, name="embedded server", daemon=True).start()
        try:
            line = answers.get(timeout=self._start_s)
        except queue.Empty:
            raise ServerFailed(f"the embedded server did not start within {self._start_s:g} s") from None
        if not line:
            raise ServerFailed(f"the embedded server ended while it started{_code(child)}")
        try:
            url = json.loads(line)["url"]
            if not place(url).loopback:
                raise BadUrl
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ServerFailed("the embedded server did not say where it listens") from None
        return str(url)

    def _errors(self) -> IO[bytes]:
        """Where its stderr goes: the log, or a file that nobody sees."""
        if self._log_path is not None:
            with suppress(OSError):
                return os.fdopen(open_private(self._log_path), "a+b")
        return tempfile.TemporaryFile()


def _lives(url: str, limit_s: float) -> bool:
    """Whether somebody answers there, or may still do so; for loopback only."""
    there = place(url)
    try:
        with socket.create_connection((there.host, there.port), limit_s) as knock:
            knock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return bool(knock.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for a child that needs no key: nothing of ours, and nothing whose name speaks of a secret."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(_PRIVATE) and not any(word in name.upper() for word in _SECRET_WORDS)
    }


def _code(child: subprocess.Popen[bytes]) -> str:
    try:
        return f" (exit code {child.wait(1.0)})"
    except subprocess.TimeoutExpired:
        return ""


def _tail(errors: IO[bytes], before: int) -> str:
    with suppress(OSError):
        errors.seek(0, os.SEEK_END)
        errors.seek(max(before, errors.tell() - 4 * TAIL))
        return errors.read().decode("utf-8", "replace").strip()[-TAIL:]
    return ""


class Signals:
    """While it is entered, SIGINT, SIGTERM and SIGHUP call `on` with 130, 143 or 129, on the main thread.

    `on` runs between two instructions of whatever main does, so it only puts something into a mailbox and rings. On
    leaving, the handlers of before are back. To be entered on the main thread.
    """

    def __init__(self, on: Callable[[int], None]) -> None:
        self._on = on
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for name, code in EXITS.items():
            if (number := getattr(signal, name, None)) is not None:
                self._before[number] = signal.signal(number, self._handler(code))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before.clear()

    def _handler(self, code: int) -> Callable[[int, FrameType | None], None]:
        def handle(_number: int, _frame: FrameType | None) -> None:
            self._on(code)

        return handle


def hard_end(code: int, restore: Callable[[], None] | None = None) -> None:
    """Ends the process now, without waiting for any thread, child or buffer. What a second Ctrl-C does.

    `restore` puts the terminal back before; it gets `RESTORE_S`, because a terminal may have stopped reading.
    """
    try:
        if restore is not None:
            restoring = threading.Thread(target=restore, name="restore", daemon=True)
            restoring.start()
            restoring.join(RESTORE_S)
    finally:
        os._exit(code)


def end_within(seconds: float, code: int, restore: Callable[[], None] | None = None) -> threading.Timer:
    """From now on the process ends within this time, whatever hangs. `cancel()` of what it gives takes that back."""
    timer = threading.Timer(seconds, hard_end, (code, restore))
    timer.daemon = True
    timer.start()
    return timer
