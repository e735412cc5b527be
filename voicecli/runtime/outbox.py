"""What waits to be sent: control frames are never dropped, old microphone sound is; it knows no socket and no clock."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

STALE_S: Final = 2.0
"""Microphone sound that has waited longer is dropped: late speech is worse than none."""


class _Frame(NamedTuple):
    text: str
    samples: int
    """0: a control frame."""
    since: float


class Outbox:
    """Frames in the order in which they were put."""

    def __init__(self, stale_s: float = STALE_S) -> None:
        self._stale_s = stale_s
        self._frames: deque[_Frame] = deque()

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, text: str, samples: int, at: float) -> None:
        """`samples` is 0 for what must never be dropped."""
        self._frames.append(_Frame(text, samples, at))

    def pop(self) -> str:
        """The next frame. Raises IndexError when there is none."""
        return self._frames.popleft().text

    def drop(self, at: float) -> int:
        """Drops the sound that has become stale, oldest first; how many samples that were."""
        return self._drop_before(at - self._stale_s)

    def drop_sound(self) -> int:
        """Drops all sound; how many samples that were."""
        return self._drop_before(float("inf"))

    def _drop_before(self, limit: float) -> int:
        oldest = next((frame.since for frame in self._frames if frame.samples), None)
        if oldest is None or oldest >= limit:
            return 0
        dropped = sum(frame.samples for frame in self._frames if frame.since < limit)
        self._frames = deque(frame for frame in self._frames if not frame.samples or frame.since >= limit)
        return dropped
