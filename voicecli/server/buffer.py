"""The input buffer and the detection of turns in it, counted in samples of received sound. It knows no time, no wire.

Positions are samples at `RATE` since the start of all sound of the session (S7, S8), so that a client may send faster
than real time.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from voicecli.ports import RATE, SAMPLES_PER_MS
from voicecli.protocol.items import TurnDetection
from voicecli.server.rows import Rows

SILENCE_KEPT_SAMPLES: Final = 30 * RATE
"""How much sound without speech a buffer under server VAD keeps; older silence belongs to no turn."""


class InputBuffer:
    """What was received and not committed yet."""

    def __init__(self, capacity_samples: int) -> None:
        self._capacity = capacity_samples
        self._pcm = bytearray()
        self.start = 0
        """Position of the first sample that is kept."""

    @property
    def samples(self) -> int:
        """How much is in it."""
        return len(self._pcm) // 2

    @property
    def end(self) -> int:
        """Position after the last sample received."""
        return self.start + self.samples

    def append(self, pcm: bytes) -> bool:
        """Takes PCM16; where it does not fit the buffer is emptied, the sound lost, and the answer False."""
        self._pcm += pcm
        if self.samples <= self._capacity:
            return True
        self.clear()
        return False

    def take(self, start: int, end: int) -> bytes:
        """The sound between two positions, as far as it is kept; everything before `end` leaves the buffer."""
        pcm = self.peek(start, end)
        self.forget(end)
        return pcm

    def peek(self, start: int, end: int) -> bytes:
        """The sound between two positions, as far as it is kept."""
        low, high = (2 * max(0, min(place - self.start, self.samples)) for place in (start, end))
        return bytes(self._pcm[low:high])

    def forget(self, before: int) -> None:
        """Drops what lies before a position."""
        drop = max(0, min(before - self.start, self.samples))
        del self._pcm[: 2 * drop]
        self.start += drop

    def clear(self) -> None:
        """Drops all; positions go on."""
        self.forget(self.end)


class Floor(Enum):
    """Whether the user has it."""

    QUIET = auto()
    SPEECH = auto()


class Edge(NamedTuple):
    """The user began or stopped to speak."""

    began: bool
    position: int
    """Began: with the prefix padding before it. Stopped: with the silence that ended it."""
    spoken: int
    """Where the speech itself began or ended."""


MOVES: Final[dict[Floor, dict[bool, Floor]]] = {
    Floor.QUIET: {True: Floor.SPEECH},
    Floor.SPEECH: {False: Floor.QUIET},
}
"""From the floor and whether an edge is the beginning of speech to the floor after it."""

DEFAULT_THRESHOLD: Final = 0.5
DEFAULT_PREFIX_MS: Final = 300
DEFAULT_SILENCE_MS: Final = 500
EAGERNESS_SILENCE_MS: Final = {"low": 2000, "medium": 1000, "auto": 1000, "high": 500}
"""Semantic VAD: the less eager, the longer a turn may pause. Its words change that (`FINISHED`)."""
FINISHED: Final = {True: 0.5, False: 2.0}
"""How much of that pause ends a turn whose words sound finished, or do not."""
LULL_SAMPLES: Final = 250 * SAMPLES_PER_MS
"""A pause of this length may be the end of a turn."""
HYSTERESIS: Final = 0.15
"""Silence is what lies this much below the threshold, as the model's authors use it."""
ONSET_SAMPLES: Final = 40 * SAMPLES_PER_MS
"""Speech is what lasts longer than this: one frame of a click is none."""


class TurnDetector:
    """Server VAD by the contract's parameters (T9, E9), fed with the probability of speech, frame by frame."""

    def __init__(self, config: TurnDetection, rows: Rows | None = None) -> None:
        self._configure(config)
        self._rows = Rows() if rows is None else rows
        self.floor = Floor.QUIET
        self._floor_from = 0
        self._loud_from: int | None = None
        self._quiet_from: int | None = None
        self._heard = 0

    def configure(self, config: TurnDetection) -> None:
        """Takes other parameters; a turn that has begun goes on."""
        self._configure(config)

    def restart(self, position: int) -> None:
        """Forgets what was heard; no turn begins before `position`."""
        self.floor = Floor.QUIET
        self._floor_from = position
        self._loud_from = self._quiet_from = None

    @property
    def lull(self) -> int | None:
        """Where the pause began that may be the end of the turn; None: the turn goes on, or there is none."""
        quiet = self._quiet_from
        long = min(LULL_SAMPLES, self._silence // 2)
        return quiet if quiet is not None and self._heard - quiet >= long else None

    def judge(self, finished: bool) -> None:
        """What the words before the pause sound like, for a detection that goes by them."""
        if self._by_words:
            self._needed = round(self._silence * FINISHED[finished])

    def hear(self, probability: float, start: int, end: int) -> Iterator[Edge]:
        """Whether the frame between two positions makes a beginning or an end."""
        self._heard = end
        match self.floor:
            case Floor.QUIET:
                if probability < self._threshold:
                    self._loud_from = None
                    return
                if self._loud_from is None:
                    self._loud_from = start
                if end - self._loud_from > ONSET_SAMPLES:
                    began = max(self._floor_from, self._loud_from - self._prefix)
                    yield self._move(Edge(True, began, self._loud_from))
            case Floor.SPEECH:
                if probability >= self._threshold:
                    self._quiet_from, self._needed = None, self._silence
                elif self._quiet_from is None and probability < self._threshold - HYSTERESIS:
                    self._quiet_from = start
                if self._quiet_from is not None and end - self._quiet_from >= self._needed:
                    yield self._move(Edge(False, end, self._quiet_from))

    def _move(self, edge: Edge) -> Edge:
        self._rows[self.floor, edge.began] += 1
        self.floor = MOVES[self.floor][edge.began]
        self._loud_from = self._quiet_from = None
        self._needed = self._silence
        if not edge.began:
            self._floor_from = edge.position
        return edge

    def _configure(self, config: TurnDetection) -> None:
        def given(value: float | None, default: float) -> float:
            return default if value is None else value

        self._threshold = given(config.threshold, DEFAULT_THRESHOLD)
        self._prefix = round(given(config.prefix_padding_ms, DEFAULT_PREFIX_MS) * SAMPLES_PER_MS)
        silence = EAGERNESS_SILENCE_MS.get(config.eagerness or "", DEFAULT_SILENCE_MS)
        self._silence: int = round(given(config.silence_duration_ms, silence) * SAMPLES_PER_MS)
        self._needed = self._silence
        self._by_words: bool = config.type == "semantic_vad"
