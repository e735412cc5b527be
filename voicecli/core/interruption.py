"""An answer was stopped: what was sent for it, and how long it took until the speaker was silent."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from voicecli.core.changes import Cut, Interrupted
from voicecli.core.machine import Machine, Rows

SILENCE_LIMIT_S = 0.5
"""A device that does not say for so long that it is silent is not waited for."""
SHORT_S = 1.0
"""An answer that is cut within its first second..."""
IN_A_ROW = 2
"""...so often in a row was perhaps cut by its own echo."""

By = Literal["voice", "key", "text", "command"]


class State(Enum):
    NONE = "none"
    CUT = "cut"
    """Decided and sent; the device has not said yet that it is silent."""


class Cue(Enum):
    CUT = "cut"
    SILENT = "silent"
    TIMED_OUT = "timed out"


MOVES: dict[State, dict[Cue, State]] = {
    State.NONE: {Cue.CUT: State.CUT},
    State.CUT: {Cue.CUT: State.CUT, Cue.SILENT: State.NONE, Cue.TIMED_OUT: State.NONE},
}


class Interruption:
    def __init__(self, rows: Rows) -> None:
        self._machine = Machine(MOVES, State.NONE, rows)
        self._waiting: Interrupted | None = None
        self._run = 0
        self._at = 0.0
        self.count = 0
        self._short = 0
        self._advised = False

    @property
    def deadline(self) -> float | None:
        return self._at + SILENCE_LIMIT_S if self._waiting else None

    def cut(
        self, by: By, item: str | None, cut: tuple[Cut, ...], removed: tuple[str, ...], run: int | None, at: float
    ) -> list[Interrupted]:
        """What can be shown now: an older one that still waited, and this one where no speaker has to stop (no run)."""
        self.count += 1
        shown = self._drop()
        now = Interrupted(item=item, by=by, cut=cut, removed=removed, silent_ms=None)
        if run is None:
            return [*shown, now]
        self._machine.move(Cue.CUT)
        self._waiting, self._run, self._at = now, run, at
        return shown

    def silent(self, run: int, at: float) -> list[Interrupted]:
        """The device says since when it is silent."""
        if self._waiting is None or run < self._run:
            return []
        self._machine.move(Cue.SILENT)
        waiting, self._waiting = self._waiting, None
        ms = round(max(0.0, at - self._at) * 1000, 1)
        return [Interrupted(item=waiting.item, by=waiting.by, cut=waiting.cut, removed=waiting.removed, silent_ms=ms)]

    def tick(self, at: float) -> list[Interrupted]:
        if self._waiting is None or at < self._at + SILENCE_LIMIT_S:
            return []
        self._machine.move(Cue.TIMED_OUT)
        return self._drop()

    def flush(self) -> list[Interrupted]:
        """The talk ends: nothing is waited for any more."""
        return self._drop()

    def _drop(self) -> list[Interrupted]:
        waiting, self._waiting = self._waiting, None
        return [waiting] if waiting else []

    # ---- does the microphone hear the assistant?

    def heard(self, seconds: float) -> None:
        """An answer was heard for so long, whether it was cut or not."""
        if seconds >= SHORT_S:
            self._short = 0

    def suspicious(self, by: By, seconds: float) -> bool:
        """Whether it is time for the one notice about echo: answers in a row cut by voice within their first second."""
        if by != "voice" or seconds >= SHORT_S:
            self._short = 0
            return False
        self._short += 1
        if self._short < IN_A_ROW or self._advised:
            return False
        self._advised = True
        return True
