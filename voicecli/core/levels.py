"""Loudness of both sides, ten times a second, where it was asked for, and of what is still to be heard."""

from __future__ import annotations

from voicecli.core.changes import LevelsNow, QueuedNow
from voicecli.ports import PEAK_SAMPLES, RATE

EVERY_S = 0.1
SILENCE_DB = -100.0
CELL = RATE // 4
"""Samples of what `QueuedNow` gives one peak for."""
STEPS = round(EVERY_S * RATE) // PEAK_SAMPLES
"""That are heard from one time to the next."""
MOST_CELLS = 40
"""Nobody looks further ahead."""


class Levels:
    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._input_db = SILENCE_DB
        self._laid: dict[int, float] = {}  # step of the timeline -> its peak
        self._first = 0  # no step before it is kept
        self._queued = QueuedNow(0.0, ())
        self.deadline: float | None = None

    def began(self, at: float) -> None:
        if self._wanted:
            self.deadline = at + EVERY_S

    def recorded(self, db: float) -> None:
        self._input_db = max(self._input_db, db)

    def laid(self, position: int, peaks: tuple[float, ...]) -> None:
        if not self._wanted:
            return
        for n, db in enumerate(peaks, position // PEAK_SAMPLES):
            self._laid[n] = max(self._laid.get(n, SILENCE_DB), db)

    def cut(self) -> QueuedNow | None:
        """Nothing of what was laid is heard any more; None where that is known already."""
        self._laid.clear()
        if not self._queued.peaks:
            return None
        self._queued = QueuedNow(0.0, ())
        return self._queued

    def tick(self, at: float, ear: int, queued: int) -> tuple[LevelsNow | QueuedNow, ...]:
        """The levels that are due; `ear` is the position that is heard, so many samples are `queued` from there on."""
        if self.deadline is None or at < self.deadline:
            return ()
        due = self.deadline + EVERY_S
        self.deadline = due if due > at else at + EVERY_S
        here = ear // PEAK_SAMPLES
        output = self._peak(max(self._first, here - STEPS), here + 1) if queued else SILENCE_DB
        for step in range(self._first, here if self._laid else 0):
            self._laid.pop(step, None)
        self._first = here
        levels = LevelsNow(round(self._input_db, 1), round(output, 1), round(queued / RATE, 3))
        self._input_db = SILENCE_DB
        before, self._queued = self._queued, self._ahead(ear, queued)
        return (levels,) if self._queued == before else (levels, self._queued)

    def _ahead(self, ear: int, queued: int) -> QueuedNow:
        end = ear + queued
        cells = range(ear, min(end, ear + MOST_CELLS * CELL), CELL)
        peaks = (self._peak(cell // PEAK_SAMPLES, -(-min(end, cell + CELL) // PEAK_SAMPLES)) for cell in cells)
        return QueuedNow(round(queued / RATE, 3), tuple(round(peak, 1) for peak in peaks))

    def _peak(self, first: int, last: int) -> float:
        return max((self._laid.get(step, SILENCE_DB) for step in range(first, last)), default=SILENCE_DB)
