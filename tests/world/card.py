"""A simulated card behind `ports.Sound`: periods, depth, slow aborts, lost devices; Playout and Capture are real."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from random import Random

from voicecli.audio.capture import Capture, Heard, Raw
from voicecli.audio.playout import Playout
from voicecli.ports import (
    RATE,
    InputSpent,
    Passed,
    Playhead,
    Side,
    Silent,
    SoundClosed,
    SoundEvent,
    SoundFailed,
    SoundFailure,
    SoundOpened,
    Span,
)

from .clock import Clock
from .ear import Ear, Sounding, hold
from .voice import Voice


@dataclass
class CardRecipe:
    period: int = 240
    depth: int = 4
    """In periods."""
    binds_late: bool = False
    """Silence does not fill the depth, speech does."""
    abort_s: tuple[float, float] = (0.0, 0.009)
    restart_s: tuple[float, float] = (0.001, 0.005)
    between_s: tuple[float, ...] = (0.0, 0.0, 0.0004, 0.002)
    """A callback may still come so long after the decision, before the order."""
    open_s: dict[Side, float] = field(default_factory=dict)
    missing: dict[Side, SoundFailure] = field(default_factory=dict)
    """Cannot be opened, for this reason."""
    lost_s: dict[Side, float] = field(default_factory=dict)
    """Is unplugged so long after the start."""
    loss: SoundFailure = SoundFailure.LOST
    told_s: float = 0.05
    """From the loss until it is noticed."""
    microphone_period: int = 960
    file_s: float | None = None
    """The microphone is a file of this length."""


class State(Enum):
    CLOSED = "closed"
    RUNNING = "running"
    DEAD = "dead"
    """Lost, and nobody has noticed yet."""


class Card:
    def __init__(
        self, clock: Clock, recipe: CardRecipe, rng: Random, ear: Ear, voice: Voice, ring: Callable[[], None]
    ) -> None:
        self.playout = Playout()
        self.silent_at: dict[int, float] = {}
        """For each run, when what is older could not be heard any more."""
        self.lost_at: float | None = None
        """When the speaker died."""
        self._clock, self._recipe, self._rng, self._ear, self._voice, self._ring = clock, recipe, rng, ear, voice, ring
        self._period_s = recipe.period / RATE
        self._mail: dict[Side, deque[Raw | SoundEvent]] = {side: deque() for side in Side}
        self._states = dict.fromkeys(Side, State.CLOSED)
        self._openings = dict.fromkeys(Side, 0)
        self._orders: deque[Callable[[], float]] = deque()
        self._working = False
        # the speaker
        self._next_dac = self._until = 0.0
        self._run = 0
        self._leaving, self._idle = False, True
        self._callback_at: float | None = None
        # the microphone
        self._capture = Capture()
        self._asleep_until = float("-inf")
        self._file_at = 0.0
        self._spent = False
        for side, seconds in recipe.lost_s.items():
            clock.after(seconds, self._lose, side)

    # ---- ports.Sound

    def open(self, side: Side) -> None:
        self._order(lambda: self._open(side))

    def close(self, side: Side) -> None:
        self._order(lambda: self._close(side))

    def lay(self, pcm: bytes) -> None:
        self._ear.lay(pcm)
        self.playout.lay(pcm)
        if self._idle:
            self._call_back(self._clock.now + self._rng.choice((0.0, 0.0005, 0.002)))

    def move(self, playhead: Playhead) -> None:
        self._callbacks(self._clock.now + self._rng.choice(self._recipe.between_s))
        self.playout.move(playhead)
        at = self._clock.now
        self._order(lambda: self._silence(playhead.run, at))

    def take(self) -> list[SoundEvent]:
        events: list[SoundEvent] = []
        spans: list[Span] = []
        while self.playout.spans:
            spans.append(self.playout.spans.popleft())
        if spans:
            events.append(Passed(tuple(spans)))
        for side in (Side.MICROPHONE, Side.SPEAKER):
            mail = self._mail[side]
            while mail:
                self._take(mail.popleft(), events)
        return events

    def _take(self, mail: Raw | SoundEvent, events: list[SoundEvent]) -> None:
        match mail:
            case Raw():
                events.extend(self._capture.take(mail, self._clock.now))
                assert self._capture.heard is not Heard.ZEROS or self._recipe.file_s is not None
            case SoundOpened(Side.MICROPHONE):
                self._capture = Capture(live=self._recipe.file_s is None)
                events.append(mail)
            case _:
                events.append(mail)

    # ---- the device thread: one order after the other

    def _order(self, order: Callable[[], float]) -> None:
        self._orders.append(order)
        if not self._working:
            self._working = True
            self._clock.after(self._rng.choice((0.0, 0.0001, 0.001)), self._next)

    def _next(self) -> None:
        if self._orders:
            self._clock.after(self._orders.popleft()(), self._next)
        else:
            self._working = False

    def _tell(self, side: Side, mail: Raw | SoundEvent) -> None:
        self._mail[side].append(mail)
        self._ring()

    def _open(self, side: Side) -> float:
        if self._states[side] is not State.CLOSED:
            return 0.0
        seconds = self._recipe.open_s.get(side, 0.0)
        self._clock.after(seconds, self._opened, side)
        return seconds

    def _opened(self, side: Side) -> None:
        if (failure := self._recipe.missing.get(side)) is not None:
            self._tell(side, SoundFailed(side, failure, "", "not there"))
            return
        self._states[side] = State.RUNNING
        self._openings[side] += 1
        self._tell(side, SoundOpened(side, f"simulated {side.value}", RATE, self._recipe.depth * self._period_s))
        if side is Side.SPEAKER:
            self._run = self.playout.playhead.run
            self._start(0.0)
        else:
            self._clock.after(0.0, self._record, self._openings[side], self._clock.now)

    def _close(self, side: Side) -> float:
        if side is Side.SPEAKER:
            self._ear.cut(self._clock.now)
        self._states[side] = State.CLOSED
        self._tell(side, SoundClosed(side))
        return 0.001

    def _lose(self, side: Side) -> None:
        if self._states[side] is not State.RUNNING:
            return
        self._states[side] = State.DEAD
        if side is Side.SPEAKER:
            self.lost_at = self._clock.now
            self._ear.cut(self._clock.now)
        self._clock.after(self._recipe.told_s, self._lost, side)

    def _lost(self, side: Side) -> None:
        if self._states[side] is State.DEAD:
            self._states[side] = State.CLOSED
            self._tell(side, SoundFailed(side, self._recipe.loss, f"simulated {side.value}", ""))

    # ---- the speaker

    def _start(self, seconds: float) -> None:
        depth = min(self._recipe.depth, 2) if self._recipe.binds_late else self._recipe.depth
        self._next_dac = self._clock.now + seconds + depth * self._period_s
        self._idle, self._until = True, 0.0
        self._call_back(self._clock.now + seconds)

    def _silence(self, run: int, at: float) -> float:
        now = self._clock.now
        match self._states[Side.SPEAKER]:
            case State.CLOSED:
                self.silent_at[run] = now
                self._tell(Side.SPEAKER, Silent(run, at))
                return 0.0
            case State.DEAD:
                self.silent_at[run] = now
                return 0.0  # an abort that never returns
            case State.RUNNING:
                pass
        if self._until <= now:
            self._run = run
            self.silent_at[run] = now
            self._tell(Side.SPEAKER, Silent(run, max(at, min(now, self._until))))
            self._call_back(now)
            return 0.0
        self._leaving = True
        late = self._rng.uniform(*self._recipe.abort_s)
        self._clock.after(late, self._aborted, run)
        return late

    def _aborted(self, run: int) -> None:
        self._leaving = False
        self.silent_at[run] = self._clock.now
        if self._states[Side.SPEAKER] is State.RUNNING:
            self._ear.cut(self._clock.now)
            self._run = run
            self._tell(Side.SPEAKER, Silent(run, self._clock.now))
            self._start(self._rng.uniform(*self._recipe.restart_s))

    def _call_back(self, at: float) -> None:
        if self._callback_at is None or at < self._callback_at:
            self._callback_at = at
            self._clock.at(at, self._due, at)

    def _due(self, at: float) -> None:
        if at != self._callback_at:
            return
        self._callback_at = None
        if self._states[Side.SPEAKER] is not State.RUNNING or self._leaving:
            return
        if not self.playout.ready(self._run):
            self._idle = True
            return
        if self._idle:
            self._catch_up()
        self._callbacks(self._clock.now)
        late = self._rng.random() * (self._recipe.depth - 1) * self._period_s / 2
        self._call_back(max(self._clock.now, self._asked_at + late))

    def _catch_up(self) -> None:
        """The blocks of silence that were asked for while there was nothing to say."""
        depth = min(self._recipe.depth, 2) if self._recipe.binds_late else self._recipe.depth
        behind = self._clock.now - (self._next_dac - depth * self._period_s)
        if behind >= 0:
            self._next_dac += (int(behind / self._period_s) + 1) * self._period_s
        self._idle = False

    @property
    def _asked_at(self) -> float:
        """When the device asks for its next block."""
        return self._next_dac - self._recipe.depth * self._period_s

    def _callbacks(self, until: float) -> None:
        """Those that come by `until`, while there is something to say."""
        if self._states[Side.SPEAKER] is not State.RUNNING or self._leaving or self._idle:
            return
        while self._asked_at <= until + 1e-9 and self.playout.ready(self._run):
            self._callback()

    def _callback(self) -> None:
        block = bytearray(b"\xff" * (2 * self._recipe.period))
        spans = self.playout.spans
        before, done = len(spans), 0
        real = self.playout.pull(block, self._next_dac, self._run)
        for span in islice(spans, before, None):
            pcm = block[2 * done : 2 * (done + span.n)]
            self._ear.give(Sounding(span.dac_at, span.position, span.n), pcm)
            done += span.n
        hold("every block is filled", done == real and not any(block[2 * done :]), done, real)
        self._next_dac += self._period_s
        if real:
            self._until = self._next_dac

    # ---- the microphone

    def sleep(self, seconds: float) -> None:
        """The process stands still: what is recorded meanwhile comes late, as far as the device keeps it."""
        self._asleep_until = self._clock.now + seconds

    def _record(self, opening: int, adc_at: float) -> None:
        """The block that begins at `adc_at`; called at or after that time."""
        period_s = self._recipe.microphone_period / RATE
        due = max(adc_at + period_s, self._asleep_until)
        if self._clock.now < due:
            self._clock.at(due, self._record, opening, adc_at)
            return
        if self._states[Side.MICROPHONE] is not State.RUNNING or self._openings[Side.MICROPHONE] != opening:
            return
        self._tell(Side.MICROPHONE, Raw(self._recorded(adc_at), adc_at, self._clock.now))
        if self._recipe.file_s is not None and self._file_at >= self._recipe.file_s and not self._spent:
            self._spent = True
            self._tell(Side.MICROPHONE, InputSpent())
        self._clock.after(0.0, self._record, opening, max(adc_at + period_s, self._clock.now - 10 * period_s))

    def _recorded(self, adc_at: float) -> bytes:
        n = self._recipe.microphone_period
        if self._recipe.file_s is None:
            return self._voice.sound(adc_at, n)
        at, self._file_at = self._file_at, self._file_at + n / RATE
        return bytes(2 * n) if self._spent else self._voice.sound(at, n)
