"""What the microphone gives that is no speech: noise for a while, or nothing at all. It knows only how loud it is."""

from __future__ import annotations

from typing import Literal

LOUD_DB = -40.0
NOISE_S = 8.0
"""So much that is loud, without speech found in it, is told."""
NOTHING_DB = -85.0
"""No microphone of a room is as quiet as that: it is off, or another one is meant."""
NOTHING_S = 30.0


class Unheard:
    """Counts while speech would be taken; each of both is told once in a talk."""

    def __init__(self) -> None:
        self._loud_s = 0.0
        self._silent_s = 0.0
        self._sounded = False

    def speech(self) -> None:
        """Speech was found: what was loud before it was nobody's mistake."""
        self._loud_s = 0.0
        self._sounded = True

    def recorded(self, level_db: float, seconds: float) -> Literal["", "only_noise", "only_silence"]:
        """What is to be told now, by its code."""
        if level_db > NOTHING_DB:
            self._sounded = True
        elif not self._sounded:
            before, self._silent_s = self._silent_s, self._silent_s + seconds
            if before < NOTHING_S <= self._silent_s:
                return "only_silence"
        if level_db >= LOUD_DB:
            before, self._loud_s = self._loud_s, self._loud_s + seconds
            if before < NOISE_S <= self._loud_s:
                return "only_noise"
        return ""
