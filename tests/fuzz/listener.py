"""A core with a speaker that takes what it is given, in a time of its own. No test lives here."""

from __future__ import annotations

from collections import deque

from voicecli.core.effects import AnyEffect, Move, Play
from voicecli.core.plan import Plan
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import Begin, Opened, Received, Stimulus, Tick
from voicecli.ports import RATE, Passed, Side, SoundOpened, Span
from voicecli.protocol import events as e
from voicecli.protocol.items import SessionConfig, TurnDetection
from voicecli.protocol.profiles import OPENAI

KEY = "sk-canary-0123456789abcdef"
STEP_S = 0.002
"""From one frame to the next."""
PLAN = Plan(
    profile=OPENAI,
    url="wss://far.example/v1/realtime",
    session=SessionConfig(modalities=("text", "audio"), turn_detection=TurnDetection(type="server_vad")),
    microphone="device",
    speaker=True,
    keyboard="terminal",
)


class Listener:
    """A talk that is ready. What is laid is heard at once, ten times as fast as it is spoken."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.session = VoiceSession(plan)
        self.at = 0.0
        self._run = 0
        self._heard = 0
        self._laid = 0
        self._own: deque[Stimulus] = deque()
        self.takes(Begin())
        self.takes(SoundOpened(Side.SPEAKER, "card", RATE, 0.02))
        self.takes(Opened(1.8e9))
        self.takes(Received(e.SessionCreated(session=SessionConfig()), 1))
        self.takes(Received(e.SessionUpdated(session=plan.session), 1))

    def takes(self, stimulus: Stimulus) -> list[AnyEffect]:
        """What follows from it, from what the speaker says then, and from the deadlines that have come."""
        self.at += STEP_S
        effects = self._handle(stimulus)
        if self._laid > self._heard:
            n = min(self._laid - self._heard, RATE // 2)
            effects += self._handle(Passed((Span(self._run, self._heard, n, self.at - n / RATE),)))
            self._heard += n
        for _ in range(100):
            if self.session.deadline is None or self.session.deadline > self.at:
                break
            effects += self._handle(Tick())
        else:
            raise AssertionError(f"the deadline {self.session.deadline} is never over")
        return effects

    def _handle(self, stimulus: Stimulus) -> list[AnyEffect]:
        effects = self.session.handle(stimulus, self.at)
        for effect in effects:
            if isinstance(effect, Move):
                self._run, self._heard = effect.playhead.run, effect.playhead.position
            elif isinstance(effect, Play):
                assert effect.position == self._laid
                self._laid += effect.form.samples(len(effect.data))
        return effects
