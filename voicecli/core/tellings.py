"""How often the same notice is told where a server can bring it about as often as it likes; it knows no notice."""

from __future__ import annotations

AT_ONCE = 20
"""Of one code that are told one after the other."""
EVERY_S = 3.0
"""Then one each so often."""


class Tellings:
    """What is spared is counted. There are only so many codes, so this does not grow."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}
        self.spared = 0

    def may(self, code: str, at: float) -> bool:
        """Whether one more of this code is told at `at`, which counts as told then."""
        left, since = self._left.get(code, (float(AT_ONCE), at))
        left = min(float(AT_ONCE), left + max(0.0, at - since) / EVERY_S)
        told = left >= 1
        self._left[code] = (left - told, at)
        self.spared += not told
        return told
