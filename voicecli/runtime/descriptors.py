"""Descriptor 2, to which C libraries print: turned to the log, while Python's stderr stays where it was."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO


def open_private(path: Path) -> int:
    """Opens a file that only its user may read, to append to it. Raises OSError."""
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)


class QuietStderr:
    """Turns descriptor 2 to the log, because C libraries print there, and keeps Python's stderr where it was.

    Textual's driver and our own lines go to `descriptor`, the duplicate, by `sys.stderr` and `sys.__stderr__`. To be
    made before Textual starts; `undo` turns everything back.
    """

    def __init__(self, log_path: Path | None) -> None:
        self._before = (sys.stderr, sys.__stderr__)
        self._duplicate: IO[str] | None = None
        self.descriptor = 2
        """Where stderr went before; 2 itself where there was none to keep."""
        try:
            kept = os.dup(2)
        except OSError:  # started with stderr closed
            return
        self.descriptor = kept
        self._duplicate = os.fdopen(kept, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
        self._flush()
        sys.stderr = sys.__stderr__ = self._duplicate  # type: ignore[misc]
        sink = _sink(log_path)
        os.dup2(sink, 2)
        os.close(sink)

    def undo(self) -> None:
        """Does nothing the second time."""
        if self._duplicate is None:
            return
        self._flush()
        os.dup2(self.descriptor, 2)
        sys.stderr, sys.__stderr__ = self._before  # type: ignore[misc]
        self.descriptor = 2
        duplicate, self._duplicate = self._duplicate, None
        with suppress(OSError):
            duplicate.close()

    def __enter__(self) -> QuietStderr:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def _flush(self) -> None:
        for stream in {sys.stderr, *self._before}:
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.flush()


def quiet_stderr(log_path: Path | None) -> QuietStderr:
    """Descriptor 2 goes to the log, or nowhere where there is none; see `QuietStderr`."""
    return QuietStderr(log_path)


def _sink(log_path: Path | None) -> int:
    if log_path is not None:
        with suppress(OSError):
            return open_private(log_path)
    return os.open(os.devnull, os.O_WRONLY)
