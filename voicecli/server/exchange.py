"""What goes on over one connection: frames, what is made outside, what a scenario says. It decides nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final, assert_never

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

from voicecli.server.cues import Cues
from voicecli.server.orders import Result
from voicecli.server.scenario import Close, Drop, Frame, Scenario
from voicecli.server.session import ServerSession
from voicecli.server.visit import Ending, Visit
from voicecli.server.workshop import Workshop

CLOSE_S: Final = 1.0


class Exchange:
    """A session and its client until one of them ends it."""

    def __init__(
        self,
        connection: ServerConnection,
        session: ServerSession,
        workshop: Workshop,
        scenario: Scenario,
        visit: Visit,
        deaf_s: float | None,
    ) -> None:
        """`deaf_s` is how long a client may read nothing."""
        self._connection = connection
        self._session = session
        self._workshop = workshop
        self._cues = Cues(scenario)
        self._visit = visit
        self._deaf_s = deaf_s
        self._clock = asyncio.get_running_loop().time

    async def run(self) -> Ending | None:
        """Why we end it, None where it has broken off.

        Raises ConnectionClosed, and TimeoutError where the client does not read.
        """
        inbox = _Inbox(self._connection, self._workshop)
        self._cues.connected(self._clock())
        frames = self._session.greeting(self._clock())
        try:
            while True:
                self._workshop.take(self._session.take_orders())
                for frame in frames:
                    await self._send(frame)
                if self._session.broken:
                    self._connection.transport.abort()
                    return None
                if self._session.over is not None:
                    return Ending(CloseCode.GOING_AWAY, self._session.over)
                if (ending := self._visit.ending(self._clock())) is not None:
                    return ending
                for act in self._cues.due(self._clock()):
                    await self._play(act)
                # Whatever is received in one go, the other sessions get their turn in between; what has come is seen.
                inbox.listen()
                await asyncio.sleep(0)
                frames = await self._next(inbox)
        finally:
            inbox.close()

    async def _next(self, inbox: _Inbox) -> list[str]:
        """What is to be sent after what comes next, or after some time."""
        session = self._session
        deadline = _first(session.deadline, self._cues.deadline)
        if deadline is not None and deadline <= self._clock():
            return session.tick(self._clock())
        deadline = _first(deadline, self._visit.deadline)
        match await inbox.next(None if deadline is None else deadline - self._clock()):
            case None:
                return session.tick(self._clock())
            case bytes() as raw:
                self._visit.came(self._clock())
                self._cues.received(raw, self._clock())
                return session.receive(raw, self._clock())
            case result:
                return session.give(result, self._clock())

    async def _send(self, frame: str) -> None:
        self._visit.goes(frame, self._clock())
        async with asyncio.timeout(self._deaf_s):
            await self._connection.send(frame)
        self._cues.sent(frame, self._clock())

    async def _play(self, act: Frame | Close | Drop) -> None:
        """Does what a scenario says; what comes after an end meets a connection that is closed."""
        match act:
            case Frame(text):
                async with asyncio.timeout(self._deaf_s):
                    await self._connection.send(text)
            case Close(code, reason):
                await close(self._connection, code, reason)
            case Drop():
                self._connection.transport.abort()
            case _:
                assert_never(act)


class _Inbox:
    """What comes to a session, from its client and from its workshop."""

    def __init__(self, connection: ServerConnection, workshop: Workshop) -> None:
        self._connection = connection
        self._workshop = workshop
        self._receiving: asyncio.Task[bytes] | None = None

    def listen(self) -> asyncio.Task[bytes]:
        """Begins to wait for the client's next frame, if it is not waited for."""
        if self._receiving is None:
            self._receiving = asyncio.create_task(self._connection.recv(decode=False))
        return self._receiving

    async def next(self, wait_s: float | None) -> bytes | Result | None:
        """The next of it, the client's first, who may want to stop what is made; None where nothing came in time.

        Raises ConnectionClosed.

        A frame is given as it came, since a text of it would take as much again.
        """
        results, wake = self._workshop.results, self._workshop.wake
        receiving = self.listen()
        if not results and not receiving.done():
            wake.clear()
            woken = asyncio.create_task(wake.wait())
            try:
                await asyncio.wait((receiving, woken), timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
        if receiving.done():
            self._receiving = None
            return receiving.result()
        return results.popleft() if results else None

    def close(self) -> None:
        """Waits for nothing any more."""
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving.add_done_callback(_looked_at)


def _looked_at(task: asyncio.Task[Any]) -> None:
    """So that nobody complains that its exception was not."""
    if not task.cancelled():
        task.exception()


def _first(*times: float | None) -> float | None:
    return min((at for at in times if at is not None), default=None)


async def close(connection: ServerConnection, code: int, reason: str) -> None:
    """Closing has no limit of its own where the peer reads nothing; what is left of it is then cut off."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await connection.close(code, reason)
