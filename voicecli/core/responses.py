"""One default response at a time: create and cancel go through here, and wait for `response.done`.

Which responses are *dead* (their sound is not to be laid any more) is kept by id, because late deltas come by id.
"""

from __future__ import annotations

from enum import Enum

from voicecli.core.machine import Machine, Rows

SILENCE_LIMIT_S = 30.0
"""A response without any event for so long is given up (G15)."""
DOUBT_S = 5.0
"""The same after an error that may have been its refusal."""
REFUSALS = 3
"""A create that was refused so often in a row, because another response is active, is not sent again."""
MOST_DEAD = 256
MOST_ITEMS = 4_096
"""Items of one response; past that the oldest is forgotten (G11)."""


class Stage(Enum):
    ASKED = "asked"
    """By us, or by the server itself for a turn that its VAD has committed; it has no id yet."""
    ACTIVE = "active"
    CANCELLING = "cancelling"
    DONE = "done"


class Cue(Enum):
    CREATED = "created"
    CANCEL = "cancel"
    DONE = "done"
    REFUSED = "refused"
    TIMED_OUT = "timed out"


MOVES: dict[Stage, dict[Cue, Stage]] = {
    Stage.ASKED: {
        Cue.CREATED: Stage.ACTIVE,
        Cue.CANCEL: Stage.CANCELLING,
        Cue.DONE: Stage.DONE,
        Cue.REFUSED: Stage.DONE,
        Cue.TIMED_OUT: Stage.DONE,
    },
    Stage.ACTIVE: {Cue.CANCEL: Stage.CANCELLING, Cue.DONE: Stage.DONE, Cue.TIMED_OUT: Stage.DONE},
    Stage.CANCELLING: {
        Cue.CREATED: Stage.CANCELLING,
        Cue.DONE: Stage.DONE,
        Cue.REFUSED: Stage.DONE,
        Cue.TIMED_OUT: Stage.DONE,
    },
    Stage.DONE: {},
}


class Current:
    """The response in the default slot."""

    def __init__(self, rows: Rows, at: float, ours: bool) -> None:
        self.machine = Machine(MOVES, Stage.ASKED, rows)
        self.id: str | None = None
        self.ours = ours
        """We sent a `response.create` for it."""
        self.since = self.heard_from = at
        self.patience_s = SILENCE_LIMIT_S
        self.wait_told = False
        """It has been told that nothing of it comes."""
        self.items: dict[str, None] = {}
        """The items it has announced, in order."""

    @property
    def stage(self) -> Stage:
        return self.machine.state


class Responses:
    """Effects are left to the caller: methods return what is to be sent."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.current: Current | None = None
        self.wanted = False
        """Another answer is to be asked for as soon as the slot is free."""
        self._expected = False
        """The server will answer a turn by itself after the response in the slot, which is dead."""
        self._unwelcome = False
        """That answer was stopped before it could begin."""
        self._refusals = 0
        self._refused_at = 0.0
        self._dead: dict[str, None] = {}
        self._done = ""
        """The id of the last one that was done."""
        self.late = 0
        """Deltas of dead responses that were counted and not laid."""
        self.odd = 0

    @property
    def deadline(self) -> float | None:
        if self.current is not None:
            return self.current.heard_from + self.current.patience_s
        return self._refused_at + SILENCE_LIMIT_S if self.wanted else None

    @property
    def busy(self) -> bool:
        """Something is asked for, generated or still to be asked for."""
        return self.current is not None or self.wanted

    @property
    def to_come(self) -> bool:
        """An answer is on its way that could be stopped: one that was, and is not done yet, is none any more."""
        lives = self.current is not None and self.current.stage is not Stage.CANCELLING
        return lives or self.wanted or (self._expected and not self._unwelcome)

    def decline(self) -> bool:
        """No other answer is to follow the one in the slot. Whether one was to."""
        follows = self.wanted or (self._expected and not self._unwelcome)
        self.wanted, self._unwelcome = False, self._expected
        return follows

    def _next(self, at: float) -> Current:
        """The one that the server gives by itself."""
        current = Current(self._rows, at, ours=False)
        if self._expected and self._unwelcome:
            current.machine.move(Cue.CANCEL)
        self._expected = self._unwelcome = False
        return current

    def ask(self, at: float) -> bool:
        """An answer is wanted. True: send `response.create` now; False: it goes when the slot is free."""
        if self.current is not None and (self.current.ours or self.current.stage is not Stage.ASKED):
            self.wanted = True
            return False
        self.wanted = False
        self.current = self.current or Current(self._rows, at, ours=True)
        self.current.ours, self.current.heard_from = True, at
        return True

    def expect(self, at: float) -> None:
        """The server has taken a turn and will answer it by itself, perhaps after the end of one that was stopped."""
        if self.current is None:
            self.current = Current(self._rows, at, ours=False)
        else:
            self._expected, self._unwelcome = self.current.id is not None and self.dead(self.current.id), False

    def created(self, response_id: str, at: float) -> str | None:
        """`response.created`. Gives the id that is to be cancelled now, because we had cancelled before it had one."""
        self._refusals = 0
        current = self.current
        if current is not None and response_id and current.id == response_id:  # told twice
            self.odd += 1
            return None
        self._dead.pop(response_id, None)  # where ids are absent they are all the same
        if current is None or current.id is not None:  # a response of the server's own: it is the default one now
            if current is not None:
                self.odd += 1
            current = self.current = self._next(at)
        self._expected = self._unwelcome = False
        current.id, current.heard_from, current.patience_s = response_id, at, SILENCE_LIMIT_S
        current.machine.move(Cue.CREATED)
        if current.stage is Stage.CANCELLING:
            self.kill(response_id)
            return response_id
        return None

    def unsaid(self, response_id: str) -> bool:
        """Whether an item of it means that it has begun, because `response.created` never came: servers differ."""
        waits = self.current is None or self.current.id is None
        return waits and bool(response_id) and response_id != self._done and not self.dead(response_id)

    def saw(self, response_id: str, at: float) -> None:
        """Any event of a response; one that names none is of the one in the slot."""
        if self.current is not None and response_id in ("", self.current.id):
            self.current.heard_from = at

    def waited(self, at: float) -> None:
        """Nothing was read for a while, by our own choice: its silence counts from now on."""
        self._refused_at = max(self._refused_at, at)
        if self.current is not None:
            self.current.heard_from = at

    def announced(self, response_id: str, item: str) -> None:
        if self.current is not None and response_id in ("", self.current.id):
            self.current.items[item] = None
            if len(self.current.items) > MOST_ITEMS:
                del self.current.items[next(iter(self.current.items))]

    def cancel(self) -> str | None:
        """Ends what is generated. Gives the id to cancel, or None: there is nothing, or it has no id yet."""
        current = self.current
        if current is None or not current.machine.move(Cue.CANCEL):
            return None
        return current.id

    def kill(self, response_id: str) -> None:
        """No more sound of it is to be laid."""
        while len(self._dead) >= MOST_DEAD:
            del self._dead[next(iter(self._dead))]
        self._dead[response_id] = None

    def dead(self, response_id: str) -> bool:
        return response_id in self._dead

    def done(self, response_id: str, at: float) -> Current | None:
        """`response.done`. Gives the response if it was the one in the slot, which is free now.

        Servers differ: the id may be absent, and `response.created` may never have come.
        """
        current = self.current
        unnamed = current is not None and not current.id and not self.dead(response_id)
        if current is None or (response_id and current.id != response_id and not unnamed):
            self.odd += 1
            return None
        current.machine.move(Cue.DONE)
        self.current, self._done = None, current.id or response_id
        if self._expected:
            self.current = self._next(at)
        return current

    def not_active(self, response_id: str, at: float) -> Current | None:
        """The server knows nothing of the response that we wanted to cancel: no `response.done` of it will come."""
        current = self.current
        if current is None or current.id != response_id or current.stage is not Stage.CANCELLING:
            return None
        return self.done(response_id, at)

    def gave_up(self) -> None:
        """The link is gone: nothing will be done any more."""
        self.current, self.wanted, self._expected, self._unwelcome = None, False, False, False

    def refused(self, active: bool, at: float) -> bool:
        """Our `response.create` was refused; `active`: because another one is. False: it is given up.

        No `response.done` follows a refused create. Where another is active, ours waits for the end of that.
        """
        self._refusals += 1
        self._refused_at = at
        if self.current is not None and self.current.id is None:
            self.current.machine.move(Cue.REFUSED)
            self.current = None
        elif self.current is not None:
            self.current.ours = False
        self.wanted = active and self._refusals < REFUSALS
        return self.wanted

    def doubt(self, at: float) -> None:
        """An error came that may be the end of what was asked for: it is not waited for long."""
        if self.current is not None:
            self.current.heard_from, self.current.patience_s = at, DOUBT_S

    def timed_out(self, at: float) -> bool:
        """Whether the response in the slot has been silent for too long; it is given up then."""
        deadline = self.deadline
        if deadline is None or at < deadline:
            return False
        if self.current is None:
            self.wanted = False
            return True
        self.current.machine.move(Cue.TIMED_OUT)
        if self.current.id is not None:
            self.kill(self.current.id)
        self.current = None  # what is wanted behind it may go now
        return True
