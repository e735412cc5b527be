"""Where the orders of one session are carried out: by the ear, the voice and the language model of the house.

It decides nothing about the talk. What comes back is put where the session's loop finds it, and `wake` is set.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import aclosing
from typing import Any, Protocol, assert_never

from voicecli.server.engine_desk import Busy, EngineFailed, EngineState
from voicecli.server.orders import (
    Call,
    Drop,
    Enough,
    Grew,
    Order,
    Outside,
    Over,
    Prompt,
    Recognise,
    Recognised,
    Result,
    Said,
    Say,
    Think,
    Thought,
)
from voicecli.speech.weights import Part


class Speech(Protocol):
    """An ear and a voice for many sessions: `Engines`, or what a test has in their place."""

    def state(self, part: Part) -> EngineState:
        """What it is doing now."""

    async def recognise(self, session: str, pcm: bytes) -> str:
        """The words of PCM16 at `RATE`; empty where there are none. Raises Busy, EngineFailed."""

    async def say(self, session: str, sentence: str) -> bytes:
        """A sentence as PCM16 at `RATE`. Raises EngineFailed."""

    def forget(self, session: str) -> None:
        """The session is over."""


class Mind(Protocol):
    """A language model for many sessions."""

    def think(self, prompt: Prompt) -> AsyncGenerator[Grew | Call | Over, None]:
        """An answer bit by bit, `Over` at its end. Closing it ends the work at once."""


class Workshop:
    """What is being done for one session."""

    def __init__(self, session: str, speech: Speech | None = None, mind: Mind | None = None) -> None:
        self._session = session
        self._speech = speech
        self._mind = mind
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}
        """Of each order for words, and each response."""
        self.results: deque[Result] = deque()
        self.wake = asyncio.Event()

    @property
    def outside(self) -> Outside:
        """What a session that begins now can ask for."""
        return Outside(self._has(Part.EAR), self._has(Part.VOICE), self._mind is not None)

    def take(self, orders: Iterable[Order]) -> None:
        """Begins them; returns at once."""
        for order in orders:
            match order:
                case Recognise(name=name):
                    self._begin(name, self._recognise(order))
                case Say(response_id=response_id):
                    self._begin(response_id, self._say(order))
                case Think(response_id=response_id):
                    self._begin(_thinking(response_id), self._think(order))
                case Drop(name=name):
                    self._drop(name)
                    self._drop(_thinking(name))
                case Enough(response_id=response_id):
                    self._drop(_thinking(response_id))
                case _:
                    assert_never(order)

    async def close(self) -> None:
        """Ends all of it."""
        tasks = [task for group in self._tasks.values() for task in group]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._speech is not None:
            self._speech.forget(self._session)

    def _has(self, part: Part) -> bool:
        """Whether it is there, or will be once it is loaded."""
        return self._speech is not None and self._speech.state(part) in (EngineState.LOADING, EngineState.READY)

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        group = self._tasks.setdefault(name, set())
        task = asyncio.create_task(work)
        group.add(task)

        def done(_: asyncio.Task[None]) -> None:
            group.discard(task)
            if not group and self._tasks.get(name) is group:
                del self._tasks[name]

        task.add_done_callback(done)

    def _drop(self, name: str) -> None:
        for task in self._tasks.pop(name, ()):
            task.cancel()

    def _put(self, result: Result) -> None:
        self.results.append(result)
        self.wake.set()

    async def _recognise(self, order: Recognise) -> None:
        assert self._speech is not None
        words, why = None, ""
        try:
            words = await self._speech.recognise(self._session, order.pcm)
        except Busy:
            why = "busy"
        except EngineFailed:
            why = "failed" if self._has(Part.EAR) else ""
        self._put(Recognised(order.name, words, why))

    async def _say(self, order: Say) -> None:
        assert self._speech is not None
        try:
            pcm: bytes | None = await self._speech.say(self._session, order.sentence)
        except (Busy, EngineFailed):
            pcm = None
        self._put(Said(order.response_id, order.number, pcm))

    async def _think(self, order: Think) -> None:
        assert self._mind is not None
        async with aclosing(self._mind.think(order.prompt)) as thoughts:
            async for thought in thoughts:
                self._put(Thought(order.response_id, thought))


def _thinking(response_id: str) -> str:
    """Under which name the thinking for a response goes: it can end while its sentences are still being said."""
    return f"{response_id} thought"
