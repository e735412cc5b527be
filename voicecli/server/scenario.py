"""A scenario as values: what a session answers, and what happens by itself after what. It knows no file, no socket."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from voicecli.protocol.events import ClientEvent
from voicecli.server.answers import Answer
from voicecli.server.exercises import Exercise, request
from voicecli.server.responder import Asked, Responder

SPEECH_STARTED: Final = "speech_started"
TURN: Final = "turn"
CONNECT: Final = "connect"
EVENTS: Final = frozenset(
    {CONNECT, SPEECH_STARTED, TURN, *(str(cls.__struct_config__.tag) for cls in ClientEvent.__args__)}
)
"""What a cue can wait for: these, or an event of the client's."""


class Frame(NamedTuple):
    """A frame that is sent as it stands: whether it is an event, or JSON at all, nobody asks."""

    text: str


class Close(NamedTuple):
    """The connection is closed."""

    code: int
    reason: str


class Drop(NamedTuple):
    """The connection breaks off without a close."""


class Cue(NamedTuple):
    """What happens some time after something else."""

    on: str
    """One of EVENTS."""
    after_s: float
    nth: int | None
    """Which of the events of this kind it waits for, from 1; None: each."""
    act: Frame | Close | Drop


class Planned(NamedTuple):
    """One answer: written out, or an exercise of the practice partner's."""

    when: str
    """What must be in the words that are answered, in any case; empty: its place in the order counts."""
    what: Answer | Exercise


class Scenario(Struct, frozen=True):
    """All of it."""

    answers: tuple[Planned, ...] = ()
    cues: tuple[Cue, ...] = ()
    then_partner: bool = False
    """What comes after the last answer: the practice partner, or that answer again."""


class ScenarioResponder:
    """Gives the answers of a scenario to one session: first one whose words are there, else the next in order."""

    def __init__(self, scenario: Scenario, otherwise: Responder) -> None:
        """`otherwise` answers where the scenario has nothing to say, and plays its exercises."""
        self._fitting = [planned for planned in scenario.answers if planned.when]
        self._ordered = [planned for planned in scenario.answers if not planned.when]
        self._then_partner = scenario.then_partner
        self._given = 0
        self._otherwise = otherwise

    def answer(self, asked: Asked) -> Answer:
        """The next, which takes its place in the order only where no other fits."""
        words = "\n".join((asked.said or "", asked.typed, *asked.outputs)).casefold()
        planned = next((each for each in self._fitting if each.when.casefold() in words), None) or self._next()
        if planned is None:
            return self._otherwise.answer(asked)
        if isinstance(planned.what, Exercise):
            return self._otherwise.answer(replace(asked, typed=request(planned.what), said=None, outputs=()))
        return planned.what

    def _next(self) -> Planned | None:
        if self._given < len(self._ordered):
            self._given += 1
        elif self._then_partner or not self._ordered:
            return None
        return self._ordered[self._given - 1]
