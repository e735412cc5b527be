"""WAV files in the place of microphone and speaker, at the pace of real time; they know no sound card."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Final

from voicecli.audio.capture import Raw
from voicecli.audio.playout import Playout
from voicecli.audio.wav import BadWav, parse
from voicecli.devices.growing import GrowingWav
from voicecli.devices.stream import File, Trouble
from voicecli.ports import RATE, InputSpent, Side, SoundEvent, SoundFailed, SoundFailure

BLOCK: Final = RATE // 50
BLOCK_S: Final = BLOCK / RATE

BIGGEST_BYTES: Final = 1 << 30
"""A larger WAV is not read into memory."""

LATE_S: Final = 0.1
"""Later than this, and the time of a file has stood still instead of being caught up with."""

_FULL: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC)


def load(path: str) -> bytes:
    """A WAV file as PCM16 mono at `RATE`. Raises BadWav, with words for the user, and OSError."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise BadWav("it is not a file")
    if status.st_size > BIGGEST_BYTES:
        raise BadWav(f"it is larger than {BIGGEST_BYTES >> 30} GiB")
    with open(path, "rb") as file:
        return parse(file.read(BIGGEST_BYTES + 1))


class FileMicrophone:
    """Says what is in a WAV, in real time; after its end, silence for as long as it is open.

    The first block comes when it is opened. While it is closed (muted) its time stands still, so that nothing of what
    is in it is lost. `InputSpent` comes once, behind the last block with sound.
    """

    latency_s = BLOCK_S

    def __init__(self, file: File, deliver: Callable[[Raw | SoundEvent], None]) -> None:
        self.device = file.path
        self._deliver = deliver
        self._at = 0
        self._slot = 0.0
        self._spent = False
        try:
            self._pcm = load(file.path) if file.pcm is None else file.pcm
        except BadWav as bad:
            raise Trouble(SoundFailure.BAD_FILE, str(bad), file.path) from bad
        except OSError as error:
            raise Trouble(SoundFailure.BAD_FILE, error.strerror or str(error), file.path) from error

    def start(self) -> None:
        """See `Stream.start`."""
        self._slot = perf_counter()

    def beat(self, now: float) -> float:
        """See `Stream.beat`."""
        if now - self._slot > LATE_S:
            self._slot = now
        while self._slot <= now:
            block = self._pcm[self._at : self._at + 2 * BLOCK]
            self._at += len(block)
            self._deliver(Raw(block.ljust(2 * BLOCK, b"\0"), self._slot - BLOCK_S, self._slot))
            if not self._spent and self._at >= len(self._pcm):
                self._spent = True
                self._deliver(InputSpent())
            self._slot += BLOCK_S
        return self._slot

    def close(self) -> None:
        """See `Stream.close`."""


class FileSpeaker:
    """Writes what an ear would have heard, in real time: speech where it was heard, silence else, nothing that was cut.

    A block is pulled when its time begins and written when it is over, so that a cut in its middle is a cut in its
    middle; it is heard exactly at its `dac_at`. While it is closed its time stands still. A full disk is told once,
    then it goes on without writing.
    """

    latency_s = 0.0

    def __init__(self, path: str, playout: Playout, tell: Callable[[SoundEvent], None]) -> None:
        self.device = path
        self._playout, self._tell = playout, tell
        self._block = bytearray(2 * BLOCK)
        self._began: float | None = None
        """When the block that is being heard began."""
        self._slot = 0.0
        self._run = 0
        self._wav: GrowingWav | None = None
        self._full_at_once: OSError | None = None
        try:
            self._wav = GrowingWav(path)
        except OSError as error:
            if error.errno not in _FULL:
                raise Trouble(SoundFailure.BAD_FILE, error.strerror or str(error), path) from error
            self._full_at_once = error

    def start(self) -> None:
        """See `Stream.start`."""
        self._slot = perf_counter()
        self._began = None
        if self._full_at_once is not None:
            self._full(self._full_at_once)
            self._full_at_once = None

    def beat(self, now: float) -> float:
        """See `Stream.beat`."""
        if now - self._slot > LATE_S:
            self._slot = now
        while self._slot <= now:
            self._write(BLOCK)
            self._playout.pull(self._block, self._slot)
            self._run, self._began = self._playout.run, self._slot
            self._slot += BLOCK_S
        return self._slot

    def silence(self, run: int, at: float) -> float:
        """See `Player.silence`."""
        if self._began is None:
            return at
        if self._run < run:
            heard = min(BLOCK, max(0, round((at - self._began) * RATE)))
            self._block[2 * heard :] = bytes(2 * (BLOCK - heard))
            self._run = run
        return max(at, self._began)

    def close(self) -> None:
        """See `Stream.close`. What would have been heard later is not in the file, which is whole now."""
        if self._began is not None:
            self._write(min(BLOCK, max(0, int((perf_counter() - self._began) * RATE))))
            self._began = None
        if self._wav is not None:
            with suppress(OSError):
                self._wav.whole()

    def _write(self, n: int) -> None:
        """The first n samples of the block that was being heard."""
        if self._began is None or self._wav is None:
            return
        try:
            self._wav.append(self._block[: 2 * n])
        except OSError as error:
            self._full(error)

    def _full(self, error: OSError) -> None:
        if self._wav is not None:
            with suppress(OSError):
                self._wav.close()
            self._wav = None
        self._tell(SoundFailed(Side.SPEAKER, SoundFailure.DISK, self.device, error.strerror or str(error)))
