"""The server's limits: what is left of them, when they are nearly used up, and when there is nothing left.

Numbers are the server's; only until when they hold is reckoned here, from when they came.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from voicecli.core import notices
from voicecli.core.changes import LimitNow, LimitsNow, Told

FREE: Final = 0.2 + 1e-9
"""A limit is told as near when no more than this part of it is left."""
MOST: Final = 16
"""Limits that are watched (G11)."""


LARGEST: Final = 1e12
"""What is larger is no limit."""
LONGEST_WAIT_S: Final = 86_400.0
"""Nobody is told to wait for longer."""
LONGEST_S: Final = 7 * 86_400.0
"""A limit that is said to be full again only after that is one of which nobody knows."""


class _Known(NamedTuple):
    spent_until: float
    """Nothing is left of it until then; in the past: that is not so."""
    told_until: float
    """Within this window it was told that it is near."""


class Limits:
    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._last, self._at = LimitsNow(()), 0.0

    def news(self, now: LimitsNow, at: float) -> tuple[Told, ...]:
        """What to tell of the limits that came at `at`: that one is near, once in each of its windows."""
        self._last, self._at = now, at
        found = []
        for limit in now.limits:
            name = limit.name.raw
            if (left := _left(limit)) is None or (name not in self._known and len(self._known) >= MOST):
                continue
            full_in_s = limit.reset_seconds or 0.0
            if not 0 < full_in_s <= LONGEST_S:
                full_in_s = 0.0
            told_until = self._known[name].told_until if name in self._known else -math.inf
            if left <= FREE and at >= told_until:
                told_until = at + (full_in_s or math.inf)
                found.append(notices.limit_near(limit, full_in_s))
            elif left > FREE and told_until == math.inf:
                told_until = -math.inf  # nobody said when that window ends: it has
            self._known[name] = _Known(at + full_in_s if left <= 0 else -math.inf, told_until)
        return tuple(found)

    def deadline(self, last: float) -> float | None:
        """When a limit of which nothing is left is full again, after `last`."""
        untils = (known.spent_until for known in self._known.values())
        return min((until for until in untils if until > last), default=None)

    def wait_s(self, at: float) -> float | None:
        """Until the last of those that are used up is full, or of all where none is; None: nobody knows."""
        known = [limit for limit in self._last.limits if limit.reset_seconds is not None]
        spent = [limit for limit in known if limit.remaining is not None and limit.remaining <= 0]
        resets = [float(limit.reset_seconds or 0) + self._at - at for limit in spent or known]
        return max((wait for wait in resets if 0 < wait <= LONGEST_WAIT_S), default=None)

    def spent(self, at: float) -> bool:
        """Nothing is left of a limit, and it is not full again."""
        return any(at < known.spent_until for known in self._known.values())


def _left(limit: LimitNow) -> float | None:
    """How much of it is left, 0 to 1; None where that was not said."""
    whole, rest = limit.limit, limit.remaining
    if whole is None or rest is None or not 0 < whole <= LARGEST or math.isnan(rest):
        return None
    return min(1.0, max(0.0, rest / whole))
