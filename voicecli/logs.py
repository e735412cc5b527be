"""Where log records, warnings and uncaught exceptions go: one private file a run, redacted, in ASCII.

Nothing of the program writes to stderr by itself (G9). The log has no words of the talk in it, and where it cannot
be written the talk goes on without it (G36).
"""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final

from platformdirs import user_log_path

from voicecli.files import create_private, private_folder
from voicecli.printable import escaped
from voicecli.settings import Settings

KEPT: Final = 10
"""Logs of earlier runs and this one."""

_NAME: Final = re.compile(r"\d{8}-\d{6}-\d+\.log")


class Log(logging.Handler):
    """The log of this run. Never raises, never writes anywhere else."""

    def __init__(self, descriptor: int | None, path: Path | None, notice: str, redact: Callable[[str], str]) -> None:
        super().__init__()
        self.path = path
        """Where it is; None: nothing is logged."""
        self.notice = notice
        """What is wrong with it, for the user; "" for nothing. It may change while the program runs. Foreign text."""
        self._descriptor = descriptor
        self._redact = redact
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """One line in ASCII; those that follow it (tracebacks) are indented."""
        if self._descriptor is None:
            return
        try:
            first, *rest = self._redact(self.format(record)).split("\n")
            text = "\n    ".join([escaped(first), *map(escaped, rest)]) + "\n"
            os.write(self._descriptor, text.encode())
        except OSError as error:
            self.notice = f"The log cannot be written any more: {error.strerror}."
            self.close()
        except Exception:  # a record that cannot be formatted is no reason to end a talk, and may hold a key
            with suppress(OSError):
                os.write(self._descriptor, b"a record that could not be written down\n")

    def close(self) -> None:
        """Nothing is written after this."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
        super().close()


def log_folder() -> Path | None:
    """The user's folder for logs, there or not; None where the user has none."""
    with suppress(OSError, RuntimeError):
        path = user_log_path("voicecli", appauthor=False)
        if path.is_absolute():  # without a home it would be below the working directory
            return path
    return None


def open_log(settings: Settings, redact: Callable[[str], str], folder: Path | None) -> Log:
    """Opens the log of this run and makes it the only place where records, warnings and exceptions go."""
    notice, path, descriptor = "", settings.log_file, None
    try:
        if path is not None:
            descriptor = _append_to(path)
        elif folder is not None:
            path, descriptor = _new_in(folder)
        else:
            notice = "There is no log: this user has no folder for it."
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        notice, path = f"There is no log: {path or folder} cannot be written ({why}).", None
    log = Log(descriptor, path, notice, redact)
    _route(log, getattr(logging, settings.log_level.upper()))
    return log


def _route(log: Log, level: int) -> None:
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        if isinstance(handler, Log):
            handler.close()
    root.addHandler(log)
    # Other people's loggers stay at INFO: at DEBUG websockets writes every header, the key's among them.
    root.setLevel(max(logging.INFO, level))
    logging.getLogger("voicecli").setLevel(level)
    for name in ("websockets", "websockets.client", "websockets.server", "asyncio", "py.warnings"):
        logging.getLogger(name).setLevel(max(logging.INFO, level))
    logging.captureWarnings(True)
    logging.raiseExceptions = False
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An exception nobody caught: into the log, without locals; one line for the user."""
    logging.getLogger("voicecli").critical("uncaught", exc_info=(kind, error, trace))
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"error: voicecli met a bug of its own ({kind.__name__}).\n")


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        triple = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger("voicecli").critical("uncaught in a thread", exc_info=triple)


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    error = args.exc_value
    logging.getLogger("voicecli").error("ignored: %s", "".join(traceback.format_exception(error)) if error else "")


def _append_to(path: Path) -> int:
    # Not blocking: a pipe in its place would hold us. /dev/full and the like are the user's own choice.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("it is a pipe")
    return descriptor


def _new_in(folder: Path) -> tuple[Path, int]:
    private_folder(folder)
    logs = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    for old in logs[: max(0, len(logs) - KEPT + 1)]:
        with suppress(OSError):
            old.unlink()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in count(1):
        path = folder / f"{stamp}-{number}.log"
        with suppress(FileExistsError):
            return path, create_private(path)
    raise AssertionError("count() does not end")
