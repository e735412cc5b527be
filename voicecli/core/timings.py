"""How long each answer took, from the end of what was said to the first sample heard; it sees times, never a clock.

The end of speech is the server's word, brought to our clock by the samples that were sent; with push-to-talk it is the
release of the key, with a typed text its sending. Where nobody can say it, measuring begins at the commit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import NamedTuple

from voicecli.core.changes import Delayed
from voicecli.ports import RATE, SAMPLES_PER_MS

MOST_SENT = 1_500
"""Blocks of microphone sound whose times are kept: half a minute of them."""


class _Waits(NamedTuple):
    """An answer is waited for."""

    began_at: float
    before: str
    """The last response that was known by then: it answers something else."""
    turn: str = ""
    """The item of the person's, where the server has named it."""
    noticed_at: float | None = None
    from_commit: bool = False


class _Sounds(NamedTuple):
    """Its first sound has come, and is not heard yet."""

    waited: _Waits
    item: str
    position: int
    sent_at: float
    heard_at: float | None = None


class Timings:
    def __init__(self) -> None:
        self._waits: _Waits | None = None
        self._sounds: _Sounds | None = None
        self._released_at: float | None = None
        self._last = ""
        self._idle = ""
        self.reconnect()

    def reconnect(self) -> None:
        """The next server counts from the beginning, and answers nothing that was said before."""
        self._waits = self._released_at = None
        self._sent: deque[tuple[int, float]] = deque(maxlen=MOST_SENT)  # position, when its first sample was recorded
        self._position = self._lost = self._sure = 0
        self._last = self._idle = ""

    # ---- what is sent

    def sent(self, samples: int, recorded_at: float) -> None:
        """So much sound went to the server; its first sample was recorded at `recorded_at`."""
        self._sent.append((self._position, recorded_at))
        self._position += samples

    def lost(self, samples: int) -> None:
        """So much of it never reached the server, which does not count it. Which part of it that was nobody says."""
        self._lost += samples
        self._sure = self._position

    def _recorded_at(self, server_ms: float) -> float | None:
        """When the sample was recorded that the server counts as `server_ms`; None where that is not known."""
        position = int(server_ms * SAMPLES_PER_MS) + self._lost
        if not self._sent or not max(self._sure, self._sent[0][0]) <= position <= self._position:
            return None
        found = bisect_right(self._sent, position, key=lambda block: block[0]) - 1
        start, at = self._sent[found]
        return at + (position - start) / RATE

    # ---- ends of turns

    def speech_over(self, turn: str, start_ms: float, end_ms: float, window_ms: float | None, at: float) -> None:
        """The server's VAD says that the turn is over, after a silence of `window_ms`; None: nobody knows how much."""
        ended_ms = None if window_ms is None else end_ms - window_ms
        ended_at = self._recorded_at(ended_ms) if ended_ms is not None and ended_ms >= start_ms else None
        if ended_at is not None and ended_at <= at:
            self._waits = _Waits(ended_at, self._last, turn, at)
        elif self._waits is not None and self._waits.turn != turn:
            self._waits = None  # it was about another turn; this one is measured from its commit

    def taken(self, turn: str, at: float, *, by_key: bool) -> None:
        """The server has committed the turn."""
        if turn and turn == self._idle:
            self._waits = None  # nobody said anything
        elif by_key:
            self.noticed(at)
        elif self._waits is None or not (self._waits.turn and turn in (self._waits.turn, "")):
            self._waits = _Waits(at, self._last, turn, at, from_commit=True)

    def idle(self, turn: str) -> None:
        """The server is about to take silence as a turn, because nobody says anything."""
        self._idle = turn

    def released(self, at: float) -> None:
        """Push-to-talk: the key was let go at `at`."""
        self._released_at = at

    def said(self, at: float) -> None:
        """Push-to-talk: what was recorded is for the server to take now."""
        began_at = at if self._released_at is None else min(at, self._released_at)
        self._waits, self._released_at = _Waits(began_at, self._last), None

    def asked(self, at: float) -> None:
        """An answer is asked for: a text was sent, or the person says that they want one."""
        self._waits = _Waits(at, self._last)

    def noticed(self, at: float) -> None:
        """The server tells that it has the turn."""
        if self._waits is not None and self._waits.noticed_at is None:
            self._waits = self._waits._replace(noticed_at=at)

    # ---- answers

    def responding(self, response: str, at: float) -> None:
        """A response has begun."""
        if self._waits is not None and response != self._waits.before:
            self.noticed(at)
        self._last = response

    def sound(self, item: str, response: str, position: int, at: float) -> None:
        """Sound of `item` was laid at `position`; only the first of an answer counts."""
        waits, self._last = self._waits, response or self._last
        if waits is None or (response and response == waits.before):
            return
        self._waits = None
        self._sounds = _Sounds(waits, item, position, at)

    def done(self, response: str, *, cancelled: bool) -> None:
        """A response is over: where it gave no sound, nothing is waited for any more."""
        if self._waits is not None and not cancelled and not (response and response == self._waits.before):
            self._waits = None

    @property
    def awaited(self) -> int | None:
        """The position of the sample that is waited for."""
        return self._sounds.position if self._sounds is not None and self._sounds.heard_at is None else None

    def handed(self, heard_at: float | None) -> None:
        """The speaker has it, and says when it will be heard; None: it has not."""
        if self._sounds is not None and heard_at is not None:
            self._sounds = self._sounds._replace(heard_at=max(heard_at, self._sounds.sent_at))

    def cut(self, at: float) -> None:
        """The speaker stops: what was not heard by now never is."""
        if self._sounds is not None and (self._sounds.heard_at is None or self._sounds.heard_at > at):
            self._sounds = None

    @property
    def deadline(self) -> float | None:
        return self._sounds.heard_at if self._sounds is not None else None

    def heard(self, at: float) -> Delayed | None:
        """How long it took, once the first sample is heard; said once."""
        sounds = self._sounds
        if sounds is None or sounds.heard_at is None or at < sounds.heard_at:
            return None
        self._sounds = None
        waited = sounds.waited
        noticed_at = sounds.sent_at if waited.noticed_at is None else waited.noticed_at
        return Delayed(
            item=sounds.item,
            noticed=None if waited.from_commit else noticed_at - waited.began_at,
            first_sent=sounds.sent_at - noticed_at,
            first_heard=sounds.heard_at - sounds.sent_at,
            from_commit=waited.from_commit,
        )
