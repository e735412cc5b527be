"""The ear and the voice of all sessions, whose affairs are not known here; they run in own processes (G25, G29).

Nothing here holds the loop.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from voicecli.server.engine_desk import MOVES, Busy, Desk, EngineFailed, EngineNews, EngineState, Patience
from voicecli.server.engine_jobs import Hearing, Saying
from voicecli.speech import weights
from voicecli.speech.weights import Lack, Part

__all__ = ["COMMANDS", "MOVES", "Busy", "EngineFailed", "EngineNews", "EngineState", "Engines", "Part", "Patience"]

COMMANDS: Final[Mapping[Part, Sequence[str]]] = {
    part: (sys.executable, "-P", "-m", "voicecli.speech.engine", part.value) for part in Part
}
MOST_CHARACTERS: Final = 2_000
"""What is said of one sentence; about two minutes."""
PATIENCE: Final = Patience()


class Engines:
    """One ear and one voice for all sessions, each session in its turn. To be used on one loop."""

    def __init__(
        self,
        tell: Callable[[EngineNews], None],
        environment: Mapping[str, str],
        *,
        commands: Mapping[Part, Sequence[str]] = COMMANDS,
        found: Callable[[Part], Lack | None] = weights.found,
        patience: Patience = PATIENCE,
    ) -> None:
        """`tell` must return at once. Of `environment` the engines get what an interpreter needs, and no key."""
        self._desks = {part: Desk(part, tell, commands[part], environment, found, patience) for part in Part}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns at once; both are loaded in the background. What becomes of it is told."""
        self._tasks = [
            asyncio.create_task(desk.run(), name=f"{part.value} engine") for part, desk in self._desks.items()
        ]

    async def stop(self) -> None:
        """Both processes have ended when this returns, within 1 s; who still waits gets EngineFailed."""
        for desk in self._desks.values():
            desk.close("voicecli is ending")
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    def state(self, part: Part) -> EngineState:
        """What it is doing now."""
        return self._desks[part].state

    async def recognise(self, session: str, pcm: bytes) -> str:
        """The words of one utterance, PCM16 at 24 kHz of any length; empty where nobody speaks in it.

        Waits while the ear is loading and while others are heard. Raises Busy, EngineFailed. One that is cancelled is
        not begun any more.
        """
        if not pcm:
            return ""
        hearing = Hearing(pcm)
        await self._desks[Part.EAR].give(session, hearing)
        return " ".join(filter(None, hearing.words))

    async def say(self, session: str, sentence: str) -> bytes:
        """A sentence as PCM16 at 24 kHz: a short silence where nothing in it can be said, and what is longer than
        `MOST_CHARACTERS` ends there. Waits as `recognise` does. Raises Busy, EngineFailed."""
        saying = Saying(sentence[:MOST_CHARACTERS])
        await self._desks[Part.VOICE].give(session, saying)
        return b"".join(saying.sounds)

    def forget(self, session: str) -> None:
        """Drops all it waits for; who still waits gets EngineFailed."""
        for desk in self._desks.values():
            desk.forget(session)
