"""Virtual time: it jumps from one thing to the next. Nothing sleeps, and the same calls give the same order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

MOST_AT_ONCE = 50_000
"""So many calls without any time going by are a livelock."""


class Stuck(AssertionError):
    """Time stands still, or what was waited for does not come."""


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._waiting: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._number = count()

    def at(self, when: float, call: Callable[..., Any], *args: Any) -> None:
        """Calls it at `when`, or now where that is past; of two for the same time the first that was asked for."""
        heapq.heappush(self._waiting, (max(when, self.now), next(self._number), call, args))

    def after(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        self.at(self.now + seconds, call, *args)

    def run(self, until: Callable[[], bool], limit: float) -> bool:
        """Lets time go by until `until()` or `limit`; whether `until()`."""
        here = 0
        while not until():
            if not self._waiting or self._waiting[0][0] > limit:
                self.now = max(self.now, limit)
                return until()
            when, _, call, args = heapq.heappop(self._waiting)
            here = here + 1 if when <= self.now else 0
            if here > MOST_AT_ONCE:
                raise Stuck(f"no time goes by at {self.now}")
            self.now = max(self.now, when)
            call(*args)
        return True
