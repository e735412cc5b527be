"""Loudness of both sides, ten times a second, where it was asked for."""

from __future__ import annotations

from voicecli.core.changes import LevelsNow
from voicecli.ports import PEAK_SAMPLES, RATE

EVERY_S = 0.1
SILENCE_DB = -100.0


class Levels:
    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._input_db = SILENCE_DB
        self._laid: dict[int, float] = {}  # step of the timeline -> its peak
        self.deadline: float | None = None

    def began(self, at: float) -> None:
        if self._wanted:
            self.deadline = at + EVERY_S

    def recorded(self, db: float) -> None:
        self._input_db = max(self._input_db, db)

    def laid(self, position: int, peaks: tuple[float, ...]) -> None:
        if not self._wanted:
            return
        for n, db in enumerate(peaks):
            step = position // PEAK_SAMPLES + n
            self._laid[step] = max(self._laid.get(step, SILENCE_DB), db)

    def tick(self, at: float, ear: int, queued: int) -> LevelsNow | None:
        if self.deadline is None or at < self.deadline:
            return None
        due = self.deadline + EVERY_S
        self.deadline = due if due > at else at + EVERY_S
        for step in list(self._laid):
            if step >= ear // PEAK_SAMPLES:
                break
            del self._laid[step]
        output = self._laid.get(ear // PEAK_SAMPLES, SILENCE_DB) if queued else SILENCE_DB
        now = LevelsNow(round(self._input_db, 1), round(output, 1), round(queued / RATE, 3))
        self._input_db = SILENCE_DB
        return now
