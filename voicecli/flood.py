"""How many things came lately: a peer that sends far more than any talk needs is cut off. It knows no clock."""

from __future__ import annotations

from collections import deque

SLOTS = 10
"""The time looked at is kept in so many steps."""


class Flood:
    """`most` things (frames, errors) in `seconds` are borne."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._slot_s = seconds / SLOTS
        self._counts: deque[tuple[int, int]] = deque()  # step, how many
        self._sum = 0

    def came(self, frames: int, at: float) -> bool:
        """So many came at `at`. Whether that is a flood."""
        slot = int(at / self._slot_s)
        while self._counts and self._counts[0][0] <= slot - SLOTS:
            self._sum -= self._counts.popleft()[1]
        if self._counts and self._counts[-1][0] == slot:
            frames_before = self._counts.pop()[1]
        else:
            frames_before = 0
        self._counts.append((slot, frames_before + frames))
        self._sum += frames
        return self._sum > self._most
