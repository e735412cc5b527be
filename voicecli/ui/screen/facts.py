"""What the screen draws from: the view, and what needs the time: since when, how long still, how loud.

Pure: `at` is handed in, seconds of one clock that only runs forward. It draws nothing and decides nothing.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, NamedTuple

from voicecli.core.changes import (
    AnyChange,
    Delayed,
    Interrupted,
    LevelsNow,
    LimitsNow,
    LinkNow,
    PhaseNow,
    QueuedNow,
    Started,
    Told,
    TurnGrew,
    TurnOpened,
)
from voicecli.printable import one_line
from voicecli.ui.screen.countdown import seconds_of, with_seconds
from voicecli.ui.screen.lanes import Tape
from voicecli.ui.screen.standing import Standing
from voicecli.ui.screen.states import State, Times, state
from voicecli.ui.sentences import where_words_go
from voicecli.ui.view import View

INTERRUPTED_S: Final = 3.0
"""How long the state line says that the answer was interrupted."""
NEAR: Final = 80
"""Percent of a limit from which on it is near."""
LARGEST: Final = 1e12
"""What is larger is no limit."""
MOST_LIMITS: Final = 6
MOST_DELAYS: Final = 200
MOST_QUIET: Final = 1000

_HOW_TO_KEY: Final = "To talk with a model, put OPENAI_API_KEY into the environment or config.env."


class Limit(NamedTuple):
    """One limit as it was told at `at`."""

    name: str
    """Safe to show."""
    limit: float
    remaining: float
    reset_s: float | None
    at: float

    def left_s(self, at: float) -> float | None:
        """Seconds until all of it is there again; None: unknown, or it is."""
        if self.reset_s is None:
            return None
        left = self.reset_s - (at - self.at)
        return left if left > 0 else None

    def used(self, at: float) -> int:
        """Percent, rounded down, so that it is never full before it is."""
        if self.reset_s is not None and self.left_s(at) is None:
            return 0
        return math.floor((self.limit - self.remaining) * 100 / self.limit)


class Quiet(NamedTuple):
    """An information that stands in the conversation, behind the turn `after`; None: before all of them."""

    after: str | None
    told: Told
    at: float


class Facts:
    def __init__(self, *, talk_key: str = "space") -> None:
        """`talk_key` is what that key is called."""
        self.talk_key = talk_key
        """What does the same as that key now; another one while it would be typed."""
        self.view = View()
        self.began_at: float | None = None
        self.phase_since = 0.0
        self.tape = Tape()
        self.queued_s = 0.0
        self.dialect = ""
        """The last that was spoken; foreign."""
        self.limits: tuple[Limit, ...] = ()
        self.delays: deque[tuple[str, Delayed]] = deque(maxlen=MOST_DELAYS)
        """Of the answers, the newest last."""
        self.quiet: deque[Quiet] = deque(maxlen=MOST_QUIET)
        self.turns = 0
        self.interruptions = 0
        self._standing = Standing()
        self._over_at: dict[str, float] = {}  # code of a notice that says how long still -> until when
        self._interrupted: tuple[float, Interrupted] | None = None
        self._last: str | None = None  # the turn that was opened last

    @property
    def notice(self) -> Told | None:
        """The warning or error on top, which is not closed and not over."""
        return self._standing.top

    @property
    def notices(self) -> int:
        """How many there are."""
        return len(self._standing)

    def close_notice(self) -> Told | None:
        """Closes the one on top."""
        return self._standing.close()

    def drop_notice(self, code: str) -> None:
        """Takes back a notice of the screen's own."""
        self._standing.drop(code)

    def tick(self, at: float) -> None:
        """Brings the notices that say how long still to this time; those whose time is over are taken away."""
        for code, over_at in list(self._over_at.items()):
            told = self._standing.told(code)
            if told is None or at >= over_at:
                self._standing.drop(code)
                del self._over_at[code]
            else:
                self._standing.put(with_seconds(told, math.ceil(over_at - at)))
        if self.limits and all(limit.used(at) < NEAR for limit in self.limits):
            self._standing.drop("limit_near")

    def apply(self, change: AnyChange, at: float) -> None:
        """Takes one change, which came at `at`."""
        known = self.view.phase
        new = not isinstance(item := getattr(change, "item", None), str) or item not in self.view
        self.view.apply(change)
        self._standing.look(change)
        match change:
            case Started():
                self.began_at = at
                self._start(change, at)
            case LinkNow(dialect=str(dialect)):
                self.dialect = dialect
            case PhaseNow(phase=phase):
                if known is None or known.phase != phase:
                    self.phase_since = at
            case TurnOpened(item=turn, role=role):
                self._last = turn
                self.turns += new and role in ("you", "assistant")
            case TurnGrew(item=turn) if new:
                self._last = turn
                self.turns += 1
            case Interrupted():
                self.interruptions += 1
                if change.cut or change.removed:
                    self._interrupted = (at, change)
                    self.queued_s = 0.0
                    self.tape.cut(at)
            case LevelsNow():
                self.queued_s = change.queued_s
                self.tape.hear(at, change.input_db, change.output_db)
            case QueuedNow():
                self.queued_s = change.seconds
                self.tape.queue(at, change.peaks)
            case LimitsNow():
                self._limit(change, at)
                self.tick(at)
            case Delayed(item=turn):
                self.delays.append((turn, change))
            case Told():
                self._told(change, at)

    # ---- what is asked of it

    def elapsed_s(self, at: float) -> float:
        """How long the talk has been going on; it stops when the talk ends."""
        if (ended := self.view.ended) is not None:
            return ended.seconds
        return 0.0 if self.began_at is None else max(0.0, at - self.began_at)

    def limit_left(self, name: str, at: float) -> float | None:
        """Seconds until all of that limit is there again; None where that is unknown, or is so."""
        return next((limit.left_s(at) for limit in self.limits if limit.name == name), None)

    def tightest(self, at: float) -> Limit | None:
        """The limit of which most is used."""
        return max(self.limits, key=lambda limit: limit.used(at), default=None)

    def interrupted(self, at: float) -> str:
        """What is said of an interruption for a while; "" otherwise."""
        if self._interrupted is None or not 0 <= at - self._interrupted[0] < INTERRUPTED_S:
            return ""
        cut = self._interrupted[1].cut
        return f"you interrupted at {cut[0].audio_end_ms / 1000:.1f} s" if cut else "you interrupted"

    @property
    def sounds(self) -> bool:
        """There is a path for sound, so there is something for the tape to show."""
        return any(side.state in ("opened", "closed") for side in self.view.sound.values())

    def state_words(self, at: float) -> State:
        """The one state, in words."""
        spent = [left for limit in self.limits if limit.used(at) == 100 and (left := limit.left_s(at)) is not None]
        times = Times(max(0.0, at - self.phase_since), self.queued_s, max(spent, default=None), self.interrupted(at))
        return state(self.view, times, talk_key=self.talk_key)

    # ---- what it keeps

    def _start(self, started: Started, at: float) -> None:
        if started.mind_model:
            title = f"Talking with the language model {started.mind_model} at {started.mind_host}."
            withheld = "Your key was not sent, because the link is not encrypted. " if started.key_withheld else ""
            key = f", with the key from {started.key_source}" if started.key_source else ""
            source = f"Asked for by {started.url_source}{key}. " if started.url_source else ""
            hint = f"{source}{withheld}{where_words_go(started)}"
            self.quiet.append(Quiet(None, Told(severity="info", code="llm", title=title, hint=hint), at))
        elif started.offline:
            why, how = ("It was asked for.", "") if started.url_source else ("No key is set.", f" {_HOW_TO_KEY}")
            hint = (
                "You are talking with voicecli's own practice partner, not a language model. "
                f"Nothing leaves this machine.{how}"
            )
            told = Told(severity="info", code="offline", title=f"Offline practice. {why}", hint=hint)
            self.quiet.append(Quiet(None, told, at))
        elif started.key_withheld:
            title = "Your key was not sent, because the link is not encrypted."
            self.quiet.append(Quiet(None, Told(severity="info", code="key_withheld", title=title), at))

    def _told(self, told: Told, at: float) -> None:
        if told.severity == "info":
            self.quiet.append(Quiet(self._last, told, at))
        else:
            self._standing.add(told)
            self._over_at.pop(told.code, None)
            if (left := seconds_of(told)) is not None:
                self._over_at[told.code] = at + left

    def _limit(self, change: LimitsNow, at: float) -> None:
        """Only what can be drawn: a limit without its numbers, or with impossible ones, says nothing."""
        limits = []
        for told in change.limits:
            limit, remaining, reset_s = told.limit, told.remaining, told.reset_seconds
            if limit is None or remaining is None or not 0 < limit <= LARGEST or math.isnan(remaining):
                continue
            known = reset_s is not None and math.isfinite(reset_s) and reset_s < 1e7
            name = one_line(told.name.raw, 20) or "limit"
            limits.append(Limit(name, limit, min(limit, max(0.0, remaining)), reset_s if known else None, at))
        self.limits = tuple(limits[:MOST_LIMITS])
