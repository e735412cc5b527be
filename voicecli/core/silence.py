"""How long the server has left something unanswered (G14). It dies with its connection, and knows no frames."""

from __future__ import annotations

SILENCE_S = 5.0
"""Then the person is told."""


class Silence:
    """Any sign of life ends it; each silence is told once."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._told = False

    def asked(self, at: float) -> None:
        """Something was sent that wants an answer."""
        if self._asked_at is None:
            self._asked_at = at

    def over(self) -> None:
        """The server said something, or nothing is expected of it any more."""
        self._asked_at, self._told = None, False

    def link(self, seconds: float, at: float) -> float | None:
        """The link got no answer for so long, even to its pings. The seconds that are to be told; None: it was."""
        if self._told:
            return None
        self._told = True
        return max(seconds, at - self._asked_at) if self._asked_at is not None else seconds

    @property
    def deadline(self) -> float | None:
        return self._asked_at + SILENCE_S if self._asked_at is not None and not self._told else None

    def tick(self, at: float) -> float | None:
        """The seconds that are to be told now."""
        if self.deadline is None or at < self.deadline or self._asked_at is None:
            return None
        self._told = True
        return at - self._asked_at
