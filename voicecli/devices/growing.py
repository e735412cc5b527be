"""A WAV file that grows and is valid at every moment, also on a full disk and after a `kill -9`; it knows no time."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import Final

from voicecli.audio.wav import HEADER_SIZE, MOST_SAMPLES, header

OPEN_NOTE: Final = "voicecli: in progress, or ended without being closed"
WHOLE_NOTE: Final = "voicecli: complete"
CUT_NOTE: Final = "voicecli: incomplete, it could not be written to its end"


class GrowingWav:
    """PCM16 mono at `RATE`, written as it comes. First the sound, then the header that counts it.

    The comment in it says whether it is whole. A regular file of that name is replaced; ours is readable by us only
    (G18). Raises OSError.
    """

    def __init__(self, path: str) -> None:
        self.samples = 0
        """How many there are, by the header."""
        self._failed = False
        self._file = os.fdopen(_create(path), "r+b", buffering=0)
        try:
            self._stamp(OPEN_NOTE)
        except OSError:
            self._file.close()
            raise

    def append(self, pcm: bytes | bytearray) -> None:
        """Whole samples more. Raises OSError; from then on nothing more is written, and the comment says so."""
        if self._failed:
            return
        try:
            if self.samples + len(pcm) // 2 > MOST_SAMPLES:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            self._write(HEADER_SIZE + 2 * self.samples, pcm)
            self.samples += len(pcm) // 2
            self._stamp(OPEN_NOTE)
        except OSError:
            self._failed = True
            with suppress(OSError):
                self._stamp(CUT_NOTE)
            raise

    def whole(self) -> None:
        """Says in the file that it is complete so far; more may follow. Raises OSError."""
        if not self._failed:
            self._stamp(WHOLE_NOTE)

    def close(self) -> None:
        """Raises OSError."""
        self._file.close()

    def _stamp(self, note: str) -> None:
        self._write(0, header(self.samples, note))

    def _write(self, at: int, data: bytes | bytearray) -> None:
        self._file.seek(at)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]


def _create(path: str) -> int:
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if not stat.S_ISREG(os.stat(path).st_mode):
            # Something like /dev/null. A pipe without a reader must not hold us up.
            return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    os.unlink(path)
    return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
