"""What the person says, as sound: loud while speaking, a murmur of the room else."""

from __future__ import annotations

from functools import cache

from voicecli.audio.vad import FRAME
from voicecli.ports import RATE

LOUD = (3000).to_bytes(2, "little", signed=True)
ROOM = (7).to_bytes(2, "little", signed=True)


@cache
def _plain(sample: bytes, n: int) -> bytes:
    return sample * n


class Voice:
    def __init__(self) -> None:
        self.until = float("-inf")
        """When the person has said all so far."""
        self._turns: list[tuple[float, float]] = []

    def speak(self, at: float, seconds: float) -> None:
        at = max(at, self.until)
        self._turns.append((at, at + seconds))
        self.until = at + seconds

    def sound(self, at: float, n: int) -> bytes:
        """`n` samples from `at` on."""
        out = _plain(ROOM, n)
        for start, end in self._turns:
            low, high = (max(0, min(n, round((edge - at) * RATE))) for edge in (start, end))
            if low < high:
                out = out[: 2 * low] + _plain(LOUD, high - low) + out[2 * high :]
        return out


class LoudnessVad:
    """Speech is whatever has a loud sample in it."""

    name = "loudness"

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, pcm: bytes) -> list[float]:
        self._waiting += pcm
        found = []
        while len(self._waiting) >= 2 * FRAME:
            frame, self._waiting = self._waiting[: 2 * FRAME], self._waiting[2 * FRAME :]
            found.append(0.9 if LOUD in frame else 0.0)
        return found

    def reset(self) -> None:
        self._waiting = b""
