"""A talk on the screen: the terminal asked before and put back after, and lines in its place where it cannot be had."""

from __future__ import annotations

import importlib
import locale
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from voicecli.commands.console import CLOSED_OUTPUT, Output, OutputClosed
from voicecli.commands.conversing import Conversing, Parts
from voicecli.commands.faces import PlainFace
from voicecli.commands.lines import Lines
from voicecli.commands.opening import Show
from voicecli.commands.veil import Veil
from voicecli.core.changes import Told
from voicecli.runtime.process import end_within
from voicecli.runtime.terminal import Known, Modes, ask, foreground, light_by_name
from voicecli.runtime.thread import settle_interpreter
from voicecli.settings import Settings
from voicecli.ui.plain import end_line, notice_line, transcript
from voicecli.ui.screen.keys import read_keys
from voicecli.ui.sentences import last_words
from voicecli.ui.view import View

MODULE: Final = "voicecli.ui.screen.app"
MOST_LOOKED_AT: Final = 2000
"""Entries of one folder."""
SMALLEST: Final = (20, 5)
SHOW_END_S: Final = 5.0
"""A terminal that stopped reading does not hold up the end for longer."""
HEARD_S: Final = 0.1
"""A signal that came while we were stopped has been heard of by then."""
BUG: Final = 70

_BUG: Final = Told(
    severity="error",
    code="internal_error",
    title="voicecli made a mistake of its own on the screen and had to end this talk.",
    hint="Please report it with the log file.",
)
_LOG = logging.getLogger("voicecli.screen")


def on_screen(parts: Parts) -> Show:
    """A talk shown on the screen. What that needs is loaded meanwhile."""
    loading = _Loading()
    return lambda talk, err: Screen(talk, parts, err, loading)


class _Loading:
    """Textual takes a quarter of a second to load, in which the link can be dialled."""

    def __init__(self) -> None:
        self._module: ModuleType | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._load, name="loading", daemon=True)
        self._thread.start()

    def _load(self) -> None:
        try:
            self._module = importlib.import_module(MODULE)
        except Exception as failure:
            self._failure = failure

    def wait(self) -> ModuleType:
        """The module. Raises what its import raised."""
        self._thread.join()
        if self._module is None:
            raise self._failure or ImportError(MODULE)
        return self._module


class Screen:
    """One talk on the screen."""

    def __init__(self, talk: Conversing, parts: Parts, err: int, loading: _Loading) -> None:
        self._talk, self._parts, self._err, self._loading = talk, parts, err, loading
        self._app: Any = None
        self._lines: Lines | None = None
        self._interrupted = False
        """A SIGINT that the screen has not come to yet."""

    def run(self) -> int:
        """Until `Ended`; gives the exit code."""
        talk = self._talk
        talk.waits = False
        talk.veil = Veil(self._parts.config.redactor)
        talk.begin()
        width, height = _size()
        if width < SMALLEST[0] or height < SMALLEST[1]:
            least = f"{SMALLEST[0]} columns and {SMALLEST[1]} lines"
            return self._by_lines("The terminal is too small for the screen.", f"It needs {least}.")
        try:
            module = self._loading.wait()
        except Exception as failure:
            _LOG.exception("the screen could not be loaded")
            return self._by_lines("The screen could not be loaded.", f"{type(failure).__name__}; the log has more.")
        modes = Modes(0, self._err)
        talk.restore = lambda: self._restore(modes)
        known = ask(0, self._err)
        keymap, told = read_keys(self._parts.config.keys)
        for each in told:
            talk.show(each)
        app = self._app = module.TalkApp(
            talk,
            time.perf_counter,
            _look(module, self._parts.config.settings, known),
            keymap=keymap,
            files=_files,
            clean=self._parts.config.redactor,
            settle=settle_interpreter,
            halt=lambda at_once: _halt(at_once, lambda: bool(talk.leaving)),
            ending=lambda: bool(talk.leaving),
            driver_class=_driver(),
        )
        app.typed_before = known.typed
        with _signals_kept():
            code = app.run()
        if app.bug is not None:
            return self._failed(app, modes)
        if app.view.ended is None:
            talk.leave(code or BUG)
        return self._over(app.view, talk.leaving or code or 0)

    def _failed(self, app: Any, modes: Modes) -> int:
        """The screen had a bug: what there is of the talk is still printed."""
        self._restore(modes)
        if not app.stood and not self._talk.leaving:
            return self._by_lines("The screen could not be started.", "The log has more.", app.bug)
        if not self._talk.leaving:
            self._talk.show(_BUG)
            self._talk.leave(BUG)
        return self._over(app.view, BUG)

    def _restore(self, modes: Modes) -> None:
        """By force, from any thread. A second time would take from the shell what is its own: how keys are told."""
        if self._app is not None:
            self._app.silenced = True
            if self._app.given_back:
                return
        modes.restore()

    def _over(self, view: View, code: int) -> int:
        """After the screen: the talk as lines on standard output, and what went wrong on standard error."""
        talk = self._talk
        end = end_within(SHOW_END_S, code, talk.restore)
        limit = time.perf_counter() + 2
        while talk.ended is None and time.perf_counter() < limit:
            talk.wait(0.1)
            for change in talk.take():
                view.apply(change)
        clean = self._parts.config.redactor.known
        out, err = Output(1), Output(self._err)
        try:
            lines = transcript(view)
            if view.ended is not None:
                lines.append(end_line(view.ended, view))
            out.write(clean("".join(f"{line}\n" for line in lines)))
            if out.trouble:
                code = code or CLOSED_OUTPUT
        except OutputClosed as closed:
            code = code or closed.code
        with suppress(OutputClosed):
            for told in last_words(view, code):
                err.write(clean(notice_line(told, self._parts.config.redactor)) + "\n")
        end.cancel()
        return talk.left(code)

    def _by_lines(self, title: str, hint: str, bug: BaseException | None = None) -> int:
        if bug is not None:
            _LOG.error("the screen could not be started: %s", type(bug).__name__)
        self._talk.waits = True
        self._talk.tell("no_screen", title, f"{hint} Lines take its place; --plain does not try.")
        parts = self._parts
        face = PlainFace(True, parts.config.redactor, ptt=parts.config.settings.ptt)
        self._lines = Lines(self._talk, face, parts.sides.keyboard, parts.config.redactor, self._err)
        return self._lines.run()

    def signalled(self, code: int) -> None:
        """SIGINT is the same as the key; the others end the talk. Called between two lines of main."""
        talk = self._talk
        if self._lines is not None:
            self._lines.signalled(code)
        elif code == 130 and self._app is not None and not self._interrupted and not talk.leaving:
            self._interrupted = True
            self._app.from_outside(self._interrupt)
        else:
            talk.leave(code)

    def _interrupt(self) -> None:
        self._interrupted = False
        self._app.action_break()


def _look(module: ModuleType, settings: Settings, known: Known) -> Any:
    light = known.light if known.light is not None else light_by_name(os.environ.get("COLORFGBG", ""))
    if settings.theme != "auto":
        light = settings.theme == "light"
    plain = settings.ascii or not (known.narrow and _utf8()) or os.environ.get("TERM") == "linux"
    still = settings.motion == "off" or os.environ.get("TEXTUAL_ANIMATIONS", "").lower() == "none"
    return module.Look(light=bool(light), ascii=plain, motion=not still, coloured=not os.environ.get("NO_COLOR"))


def _utf8() -> bool:
    """The person's locale, which Python's UTF-8 mode hides, and what we write have those characters."""
    encodings = [sys.stdout.encoding or ""]
    if os.name == "posix":
        encodings.append(locale.getencoding())
    return all(encoding.lower().replace("-", "") == "utf8" for encoding in encodings)


def _files(beginning: str) -> list[str]:
    """The paths that begin so, at most so many; folders end in a slash."""
    folder, _, name = beginning.rpartition("/")
    where = f"{folder}/" if "/" in beginning else ""
    found: list[str] = []
    with suppress(OSError, ValueError, RuntimeError), os.scandir(Path(where or ".").expanduser()) as entries:
        for entry in islice(entries, MOST_LOOKED_AT):
            if entry.name.startswith(name) and (name or not entry.name.startswith(".")):
                found.append(f"{where}{entry.name}{'/' if entry.is_dir() else ''}")
    return sorted(found)


def _halt(at_once: bool, ending: Callable[[], bool]) -> None:
    """Stops this process until it goes on with the terminal in its hands, or a signal has ended the talk meanwhile.

    Told to go on in the background (`bg`, or a signal that ends it with SIGCONT behind), it stops again only after a
    moment: the system gives a signal to any of our threads, and main may go on before it has heard of that.
    """
    while True:
        if at_once:
            os.kill(os.getpid(), getattr(signal, "SIGSTOP"))  # noqa: B009 - not on Windows, where nobody calls this
        at_once = True
        end = time.perf_counter() + HEARD_S
        while not ending():
            if foreground(0):
                return
            if time.perf_counter() >= end:
                break
            time.sleep(0.005)
        else:
            return


def _size() -> tuple[int, int]:
    try:
        width, height = os.get_terminal_size(0)
    except OSError:
        width, height = 0, 0
    return (width, height) if width and height else shutil.get_terminal_size()


def _driver() -> Any:
    """None: Textual's own, where ours does not run."""
    if os.name == "nt":
        return None
    return importlib.import_module("voicecli.ui.screen.driver").TalkDriver


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Textual takes signals for itself and does not give them back."""
    names = ("SIGTSTP", "SIGCONT", "SIGWINCH", "SIGTTOU", "SIGTTIN")
    before = [(number, signal.getsignal(number)) for name in names if (number := getattr(signal, name, None))]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
