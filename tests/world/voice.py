"""What the person says, as sound: loud while speaking, a murmur of the room else; or a count, so that it has a time."""

from __future__ import annotations

from functools import cache

from voicecli.audio.vad import FRAME
from voicecli.ports import RATE

LOUD = (3000).to_bytes(2, "little", signed=True)
ROOM = (7).to_bytes(2, "little", signed=True)


COUNT = b"".join(n.to_bytes(2, "little") for n in range(65536)) * 2
"""Sample n has the value n."""


@cache
def _plain(sample: bytes, n: int) -> bytes:
    return sample * n


class Voice:
    def __init__(self, counted: bool = False) -> None:
        """`counted`: every sample says when it was recorded."""
        self._counted = counted
        self.until = float("-inf")
        """When the person has said all so far."""
        self._turns: list[tuple[float, float]] = []

    @property
    def ends(self) -> tuple[float, ...]:
        """When the person stopped speaking."""
        return tuple(end for _, end in self._turns)

    def speak(self, at: float, seconds: float) -> None:
        at = max(at, self.until)
        self._turns.append((at, at + seconds))
        self.until = at + seconds

    def sound(self, at: float, n: int) -> bytes:
        """`n` samples from `at` on."""
        if self._counted:
            first = round(at * RATE) % 65536
            return COUNT[2 * first : 2 * (first + n)]
        out = _plain(ROOM, n)
        for start, end in self._turns:
            low, high = (max(0, min(n, round((edge - at) * RATE))) for edge in (start, end))
            if low < high:
                out = out[: 2 * low] + _plain(LOUD, high - low) + out[2 * high :]
        return out


def spoken_at(sample: bytes, now: float) -> float:
    """When a counted sample was recorded, not long before `now`."""
    here = round(now * RATE)
    return (here - (here - int.from_bytes(sample, "little")) % 65536) / RATE


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
            found.append(0.9 if max(memoryview(frame).cast("h")[::8]) > 1500 else 0.0)
        return found

    def reset(self) -> None:
        self._waiting = b""
