"""What push-to-talk takes of the microphone: which samples belong to a press, and what came shortly before it.

It cuts sound by the times at the converter and counts; it knows neither the gate nor the link.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from voicecli.ports import RATE, SAMPLES_PER_MS, MicBlock

PREROLL_S = 0.3
"""So much from before a press belongs to it, and nothing older: who presses has often begun to speak."""
KEPT_S = 1.0
"""Kept while nobody presses: the pre-roll, and what is recorded until the press has got here."""
TAIL_S = 0.15
"""So long after a release the block that contains it is waited for."""
LONGEST_S = 120.0
"""A recording is not longer: whoever forgot the key would else be heard for ever."""
SLACK_S = 0.0005
"""A block that ends where the recording does is enough, whatever its time is rounded to."""
LEAST_S = 0.1
"""Servers refuse to take less (protocol of the commit); the pre-roll is not counted."""


class Taken(NamedTuple):
    """What belongs to the press of what was recorded."""

    pcm: bytes
    over: bool
    """The recording is over with it: it is all there up to the release, or to the longest."""


class Recorder:
    def __init__(self) -> None:
        self._before: deque[MicBlock] = deque()
        self._until: float | None = None
        self._reached = 0.0
        self.pressed_at = 0.0
        self.samples = 0
        """Taken since the press, without the pre-roll."""
        self.unsaid: deque[int] = deque()
        """How long the recordings were, in milliseconds, that the server has not said yet to have taken."""

    # ---- while nobody presses

    def keep(self, block: MicBlock) -> None:
        """Holds on to it for a press that may come; what is older than `KEPT_S` goes."""
        self._before.append(block)
        oldest = _end(block) - KEPT_S
        while self._before and _end(self._before[0]) <= oldest:
            self._before.popleft()

    def forget(self) -> None:
        """Nothing of what was recorded so far is ever taken."""
        self._before.clear()

    # ---- while somebody does

    @property
    def deadline(self) -> float | None:
        """When the end is not waited for any more, should the microphone give nothing."""
        return None if self._until is None or math.isinf(self._until) else self._until + TAIL_S

    @property
    def complete(self) -> bool:
        """All up to the end of the recording is there."""
        return self._until is not None and self._reached >= self._until - SLACK_S

    @property
    def long_enough(self) -> bool:
        return self.samples >= LEAST_S * RATE

    def press(self, at: float, *, limit_s: float = LONGEST_S) -> Taken:
        """Begins a recording: what was recorded since `PREROLL_S` before `at`, which may lie a little in the past."""
        self.pressed_at, self._until, self.samples = at, at + limit_s, 0
        self._reached = -math.inf
        before, self._before = self._before, deque()
        taken = [self.take(block) for block in before]
        return Taken(b"".join(pcm for pcm, _ in taken), any(over for _, over in taken))

    def take(self, block: MicBlock) -> Taken:
        """What of `block` belongs to the recording; what comes behind its end is kept for the next one."""
        assert self._until is not None
        n = len(block.pcm) // 2
        first = _place(block, self.pressed_at - PREROLL_S, n, up=True)
        last = max(first, _place(block, self._until, n))
        pressed = min(last, _place(block, self.pressed_at, n, up=True))
        self.samples += last - max(first, pressed)
        if last < n and first < n:
            self.keep(MicBlock(block.pcm[2 * last :], block.adc_at + last / RATE, block.level_db))
        self._reached = _end(block)
        return Taken(block.pcm[2 * first : 2 * last], self.complete)

    def release(self, at: float) -> None:
        """Nothing from after `at` belongs to the recording."""
        if self._until is not None:
            self._until = min(self._until, at)

    def resume(self, *, limit_s: float = LONGEST_S) -> None:
        """The release was none: the key was pressed again before all up to it was there."""
        self._until = self.pressed_at + limit_s

    def lost(self, samples: int) -> None:
        """So much of it did not reach the server."""
        self.samples = max(0, self.samples - samples)

    def stop(self) -> None:
        """Nothing more belongs to the recording."""
        self._until = None

    def done(self) -> None:
        """It is for the server to take now."""
        self.unsaid.append(self.samples // SAMPLES_PER_MS)

    def said(self) -> int | None:
        """The oldest of those was taken, or refused; how long it was, where there was one."""
        return self.unsaid.popleft() if self.unsaid else None


def _end(block: MicBlock) -> float:
    return block.adc_at + len(block.pcm) // 2 / RATE


def _place(block: MicBlock, at: float, n: int, *, up: bool = False) -> int:
    """Where in the block `at` is, in whole milliseconds, so that a cut is whole at every rate of the wire."""
    if math.isinf(at):
        return n
    ms = (at - block.adc_at) * 1000
    # A time that is meant to be a whole millisecond is seldom exactly one as a float.
    whole = math.ceil(ms - 1e-6) if up else math.floor(ms + 1e-6)
    return min(n, max(0, whole * SAMPLES_PER_MS))
