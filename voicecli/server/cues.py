"""The cues of a scenario: which frame is due when, after what the client has sent. It knows no socket; time is told."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Final

import msgspec

from voicecli.server.scenario import CONNECT, SPEECH_STARTED, TURN, Close, Drop, Frame, Scenario

MOST_WAITING: Final = 10_000
"""Frames to come; a client may cue more by its own."""
_SAID: Final = {"input_audio_buffer.speech_started": SPEECH_STARTED, "input_audio_buffer.committed": TURN}
"""Events of the server's that are cues."""


class _Typed(msgspec.Struct):
    type: str


_TYPED: Final = msgspec.json.Decoder(_Typed)


class Cues:
    """What is due of one session's scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._cues = scenario.cues
        self._wanted = {cue.on for cue in self._cues}
        self._count: Counter[str] = Counter()
        self._waiting: list[tuple[float, int, Frame | Close | Drop]] = []
        self._number = 0

    @property
    def deadline(self) -> float | None:
        """When the next is due."""
        return self._waiting[0][0] if self._waiting else None

    def connected(self, at: float) -> None:
        """The session has begun."""
        self.on(CONNECT, at)

    def received(self, raw: str | bytes, at: float) -> None:
        """A frame of the client's."""
        kind = _type(raw) if self._wanted else ""
        if kind not in (CONNECT, SPEECH_STARTED, TURN):  # those are not a client's to say
            self.on(kind, at)

    def sent(self, frame: str, at: float) -> None:
        """A frame of the session's own."""
        if self._wanted & {SPEECH_STARTED, TURN}:
            self.on(_SAID.get(_type(frame), ""), at)

    def on(self, event: str, at: float) -> None:
        """Something has happened, by its name in EVENTS."""
        if event not in self._wanted:
            return
        self._count[event] += 1
        for cue in self._cues:
            if cue.on == event and cue.nth in (None, self._count[event]) and len(self._waiting) < MOST_WAITING:
                self._number += 1
                heapq.heappush(self._waiting, (at + cue.after_s, self._number, cue.act))

    def due(self, at: float) -> list[Frame | Close | Drop]:
        """What is to be done by now, in order; those of one moment as they stand in the file."""
        out = []
        while self._waiting and self._waiting[0][0] <= at:
            out.append(heapq.heappop(self._waiting)[2])
        return out


def _type(raw: str | bytes) -> str:
    try:
        return _TYPED.decode(raw).type
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ""
