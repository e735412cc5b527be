"""From what a microphone's callback left to `MicBlock`s: levels, stale blocks thrown away (G27); it opens no device."""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from voicecli.audio.pcm import dbfs, peak
from voicecli.ports import RATE, MicBlock, Stale

STALE_S: Final = 0.5
"""A block that was older than this when it was handed to us was recorded while we stood still."""
GAP_S: Final = 1.0
"""Longer without any block, and the next one is from before."""
WAITED_S: Final = 2.0
"""A block that has waited longer than this to be taken is not spoken now."""
ZEROS_S: Final = 2.0
"""A microphone that begins with this much of nothing but zeros sends no sound at all."""


class Raw(NamedTuple):
    """What the callback leaves in the mailbox: PCM16 at `RATE`."""

    pcm: bytes
    adc_at: float
    """When its first sample was at the converter, as the device says."""
    came_at: float
    """When the callback came."""


class Heard(Enum):
    """Whether there is anything behind this microphone at all."""

    NOTHING_YET = "nothing yet"
    ZEROS = "zeros"
    SOUND = "sound"


class Capture:
    """One opening of a microphone. `live` is False for a file, which is never stale and may well be silent."""

    def __init__(self, live: bool = True) -> None:
        self.heard = Heard.NOTHING_YET
        """ZEROS once `ZEROS_S` have gone by in which no sample was other than 0."""
        self._live = live
        self._came_at: float | None = None
        self._zeros = self._thrown = 0
        self._gap_s = 0.0
        self._backlog = False

    def take(self, raw: Raw, now: float) -> tuple[Stale | MicBlock, ...]:
        """The block with its level, and before it, once, what had to be thrown away; nothing for a stale block."""
        if self._live and self._old(raw, now):
            self._thrown += 1
            return ()
        top = peak(raw.pcm)
        if self._live:
            self._listen(top, len(raw.pcm) // 2)
        block = MicBlock(raw.pcm, raw.adc_at, dbfs(top))
        if not self._thrown:
            return (block,)
        stale = Stale(self._thrown, self._gap_s)
        self._thrown, self._gap_s = 0, 0.0
        return stale, block

    def _old(self, raw: Raw, now: float) -> bool:
        since = raw.came_at - self._came_at if self._came_at is not None else 0.0
        self._came_at = raw.came_at
        # Behind a gap the blocks come in a burst; where the device's own times are missing, only their pace tells it.
        self._backlog = since > GAP_S or (self._backlog and since < len(raw.pcm) / 2 / RATE / 2)
        age = raw.came_at - raw.adc_at
        if not (self._backlog or age > STALE_S or now - raw.came_at > WAITED_S):
            return False
        self._gap_s = max(self._gap_s, since, age, now - raw.came_at)
        return True

    def _listen(self, top: int, n: int) -> None:
        match self.heard:
            case Heard.NOTHING_YET if top:
                self.heard = Heard.SOUND
            case Heard.NOTHING_YET:
                self._zeros += n
                if self._zeros >= ZEROS_S * RATE:
                    self.heard = Heard.ZEROS
            case Heard.ZEROS if top:
                self.heard = Heard.SOUND
            case _:
                pass
