"""Which presses of a key are only its repetition while it is held, where nobody tells when it is let go."""

from __future__ import annotations

FIRST_GAP_S = 0.7
"""Keyboards wait 250 to 660 ms before they repeat."""
NEXT_GAP_S = 0.25
"""Then they repeat every 33 to 83 ms, which a slow line spreads."""


class Repeats:
    def __init__(self) -> None:
        self._last: float | None = None
        self._gap_s = FIRST_GAP_S

    def again(self, at: float) -> bool:
        """Whether the press at `at` is a repetition of the one before."""
        repeats = self._last is not None and at - self._last <= self._gap_s
        self._last = at
        self._gap_s = NEXT_GAP_S if repeats else FIRST_GAP_S
        return repeats
