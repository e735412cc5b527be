"""Between Textual and the terminal: what Textual's own driver leaves open; it knows nothing of the talk.

A paste is harmless, a terminal that is gone is told and breaks nothing, and every mode that was switched on is
switched off again. Where there is no such driver (Windows), Textual's own is used as it is.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from voicecli.ui.screen.incoming import Incoming

if TYPE_CHECKING:
    from textual.app import App

assert sys.platform != "win32", "there Textual's own is used"

WAIT_S: Final = 0.005
LOOK_S: Final = 0.1
QUIET: Final = 10
"""Looks after which nothing has come for a while."""


class Host(Protocol):
    """What the app is for its driver. All of it is called from any thread, or between two lines of main."""

    typed_before: bytes
    """What was typed before the driver read."""
    stood: bool
    """The screen has been seen."""
    given_back: bool
    """Every mode of the terminal has been switched off again, and that is written."""
    silenced: bool
    """The terminal belongs to somebody else again: nothing that still waits is written."""

    def terminal_gone(self) -> None:
        """Nothing can be read or written any more."""

    def paste_cut(self, dropped: int) -> None:
        """So many characters of a paste were too many."""

    def stop_asked(self) -> None:
        """SIGTSTP: somebody wants the program to stop."""

    def continued(self) -> None:
        """SIGCONT, after a stop that nobody asked us about."""


class TalkDriver(LinuxDriver):
    """Its app is a `Host`."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._host: Host = app  # type: ignore[assignment]
        assert sys.__stderr__ is not None
        self._file = _Out(sys.__stderr__, self._host)  # type: ignore[assignment]
        self._host.given_back = True  # nothing is on yet
        self._resting = False
        """The terminal is the shell's: everything has been put back, and nothing is written."""

    def _sigtstp_application(self, *_: object) -> None:
        self._host.stop_asked()

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart:
            self._host.continued()

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own word; COLUMNS and LINES, which may be set, do not follow when it is resized."""
        try:
            size = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return (size.columns, size.lines) if size.columns and size.lines else super()._get_terminal_size()

    @property
    def foreground(self) -> bool:
        """Whether the terminal is ours now and not a shell's; so it is where it does not control us."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:
            return True

    def restart(self) -> None:
        """Puts every mode on again; where they are on, off before."""
        if self._key_thread is not None:
            self.suspend_application_mode()
        self.resume_application_mode()

    def start_application_mode(self) -> None:
        rested, self._resting = self._resting, False
        self._host.given_back = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._resting = rested and self._key_thread is None  # in the background it does not start
        self._host.given_back = self._resting

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._resting = True

    def write(self, data: str) -> None:
        if not self._resting:
            super().write(data)

    def disable_input(self) -> None:
        if not self._resting:
            with _unstopped():
                super().disable_input()

    def stop_application_mode(self) -> None:
        if self._resting:
            return
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
            self._mouse_pixels = False
        with _unstopped():
            super().stop_application_mode()
        self._key_thread = None

    def close(self) -> None:
        super().close()
        self._host.given_back = True

    def run_input_thread(self) -> None:
        """Reads until it is told to end, or nothing can be read any more."""
        parser, incoming = XTermParser(self._debug), Incoming()
        decode = getincrementaldecoder("utf-8")("replace").decode

        def take(data: bytes, *, alone: bool = False) -> None:
            text = incoming.feed(decode(data), alone=alone)
            for message in parser.feed(text) if text else ():
                self.process_message(self._pasted(incoming) if isinstance(message, events.Paste) else message)

        while not (self._host.stood or self.exit_event.wait(WAIT_S)):
            pass  # a key that comes before there is a line to type in would be lost
        before, self._host.typed_before = self._host.typed_before, b""
        if before:
            take(before)
        quiet = 0
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(LOOK_S):
                    try:
                        data = os.read(self.fileno, 65_536)
                    except OSError:
                        data = b""
                    if not data:
                        self._host.terminal_gone()
                        break
                    take(data, alone=quiet >= QUIET)
                    quiet = 0
                else:
                    quiet += 1
                for message in parser.tick():
                    self.process_message(message)
        try:
            for _ in parser.feed(""):
                pass
        except (EOFError, ParseError):
            pass

    def _pasted(self, incoming: Incoming) -> Message:
        """The parser has seen the two marks of a paste; what is between them waits here."""
        text, dropped = incoming.pasted.popleft() if incoming.pasted else ("", 0)
        if dropped:
            self._host.paste_cut(dropped)
        return events.Paste(text)


@contextmanager
def _unstopped() -> Iterator[None]:
    """To set modes or to flush from the background would stop us for good where a signal has ended the talk."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Out:
    """The terminal to write to. Once it is gone nothing is written, and nothing is raised where nobody could catch."""

    def __init__(self, file: IO[str], host: Host) -> None:
        self._file = file
        self._host = host
        self._lost = False

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def _try(self, do: Callable[[], object]) -> None:
        if self._lost or self._host.silenced:
            return
        try:
            do()
        except (OSError, ValueError):
            self._lost = True
            self._host.terminal_gone()
