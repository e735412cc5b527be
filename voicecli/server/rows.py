"""How often each row of the server's tables of moves was taken: tests ask for those that never were."""

from __future__ import annotations

from collections import Counter
from enum import Enum


class Rows(Counter[tuple[Enum, object]]):
    """(state, cue) -> how often."""
