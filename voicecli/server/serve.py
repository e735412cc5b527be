"""The sockets of the embedded server: one `ServerSession` behind each websocket. It decides nothing about the talk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple, assert_never

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from voicecli.audio.vad import FRAME, SileroVad, best_vad
from voicecli.server import door
from voicecli.server.cues import Cues
from voicecli.server.limits import Limits
from voicecli.server.orders import Outside, Result
from voicecli.server.partner import PracticePartner
from voicecli.server.scenario import Close, Drop, Frame, Scenario, ScenarioResponder
from voicecli.server.session import ServerSession
from voicecli.server.workshop import Mind, Speech, Workshop

MAX_FRAME_BYTES: Final = 22 * 2**20
"""15 MiB of sound is 20.97 MB of base64 (E8)."""
UNSENT_BYTES: Final = 2**20
HANDSHAKE_S: Final = 5.0
CLOSE_S: Final = 1.0
END_S: Final = 2.0
"""What all closing together may take before the rest is cut off."""
TELL_EVERY_S: Final = 1.0


class Bounds(NamedTuple):
    """How many may come at once."""

    sessions: int = 16
    connections: int = 48
    """TCP connections, handshakes and refusals included."""
    ping_s: float | None = 20.0
    """How often a client is pinged, and how long it may take to answer; None: not at all."""
    deaf_s: float | None = 30.0
    """A client that reads nothing for so long is hung up on; None: it may take any time."""


class House:
    """Counts who is in, lets in or refuses, and runs a session for each."""

    def __init__(
        self,
        entry: door.Door,
        bounds: Bounds,
        limits: Limits,
        tell: Callable[[str], None],
        speech: Speech | None = None,
        mind: Mind | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        """`tell` takes a line about what went wrong, for who runs the server; each session plays `scenario`."""
        self._door = entry
        self._bounds = bounds
        self._limits = limits
        self._tell = tell
        self._speech = speech
        self._mind = mind
        self._scenario = Scenario() if scenario is None else scenario
        self._connected: set[ServerConnection] = set()
        self._talking: set[ServerConnection] = set()
        self._opened = 0
        self._full_told_at = float("-inf")

    async def listen(self, host: str, port: int) -> Server:
        """Raises OSError where host and port are not to be had."""
        return await listen(
            self._talk,
            host,
            port,
            create_connection=self._connection_class(),
            process_request=self._admit,
            select_subprotocol=_chosen,
            origins=[None],
            compression=None,
            server_header=None,
            open_timeout=HANDSHAKE_S,
            close_timeout=CLOSE_S,
            ping_interval=self._bounds.ping_s,
            ping_timeout=self._bounds.ping_s,
            max_size=MAX_FRAME_BYTES,
            max_queue=1,
            write_limit=UNSENT_BYTES,
            logger=_silent_logger(),
        )

    def hang_up(self) -> None:
        """Cuts off whoever is still connected."""
        for connection in list(self._connected):
            connection.transport.abort()

    async def warm(self) -> None:
        """Loads what the first sound will need, so that it does not come late; says so where it is the lesser thing."""
        name = await asyncio.to_thread(_warm)
        if name != SileroVad.name:
            self._tell("there is no speech detector for this platform: loudness alone tells where your turns end")

    def _connection_class(self) -> type[ServerConnection]:
        house = self

        class Counted(ServerConnection):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                house._connected.add(self)
                if len(house._connected) > house._bounds.connections:
                    house._tell_full(self.loop.time())
                    self.transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                house._connected.discard(self)
                house._talking.discard(self)
                super().connection_lost(exc)

        return Counted

    def _tell_full(self, at: float) -> None:
        if at - self._full_told_at >= TELL_EVERY_S:
            self._full_told_at = at
            self._tell(f"more than {self._bounds.connections} connections; the newest are hung up on")

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        refusal = self._door.refuse(request.path, request.headers.get_all)
        if refusal is not None:
            return connection.respond(refusal.status, refusal.line + "\n")
        if len(self._talking) >= self._bounds.sessions:
            response = connection.respond(503, "All sessions are taken.\n")
            response.headers["Retry-After"] = "5"
            return response
        self._talking.add(connection)
        return None

    async def _talk(self, connection: ServerConnection) -> None:
        self._opened += 1
        workshop = Workshop(f"{self._opened}", self._speech, self._mind)
        try:
            await self._converse(connection, self._session(connection, workshop.outside), workshop)
        except ConnectionClosed:
            pass
        except TimeoutError:
            await _close(connection, "the client does not read")
        except Exception as bug:
            self._tell(f"a session ended by a bug of ours: {type(bug).__name__}")
            await _close(connection, "internal error")
        finally:
            await workshop.close()

    def _session(self, connection: ServerConnection, outside: Outside) -> ServerSession:
        request = connection.request
        assert request is not None
        return ServerSession(
            ScenarioResponder(self._scenario, PracticePartner(datetime.now)),
            best_vad,
            self._limits,
            door.spelling(request.headers.get_all),
            prefix=f"{self._opened}_",
            model=door.model(request.path),
            opened_at=time.time(),
            outside=outside,
        )

    async def _converse(self, connection: ServerConnection, session: ServerSession, workshop: Workshop) -> None:
        clock = asyncio.get_running_loop().time
        frames = session.greeting(clock())
        inbox = Inbox(connection, workshop)
        cues = Cues(self._scenario)
        cues.connected(clock())
        try:
            while True:
                workshop.take(session.take_orders())
                for frame in frames:
                    async with asyncio.timeout(self._bounds.deaf_s):
                        await connection.send(frame)
                    cues.sent(frame, clock())
                if session.broken:
                    connection.transport.abort()
                    return
                if session.over is not None:
                    await _close(connection, session.over, CloseCode.GOING_AWAY)
                    return
                for act in cues.due(clock()):
                    async with asyncio.timeout(self._bounds.deaf_s):
                        await _play(connection, act)
                # Whatever is received in one go, the other sessions get their turn in between.
                await asyncio.sleep(0)
                deadline = min((each for each in (session.deadline, cues.deadline) if each is not None), default=None)
                if deadline is not None and deadline <= clock():
                    frames = session.tick(clock())
                    continue
                match await inbox.next(None if deadline is None else deadline - clock()):
                    case None:
                        frames = session.tick(clock())
                    case str() | bytes() as raw:
                        cues.received(raw, clock())
                        frames = session.receive(raw, clock())
                    case result:
                        frames = session.give(result, clock())
        finally:
            inbox.close()


class Inbox:
    """What comes to a session, from its client and from its workshop."""

    def __init__(self, connection: ServerConnection, workshop: Workshop) -> None:
        self._connection = connection
        self._workshop = workshop
        self._receiving: asyncio.Task[str | bytes] | None = None

    async def next(self, wait_s: float | None) -> str | bytes | Result | None:
        """The next of it, what was made outside first; None where nothing came in time. Raises ConnectionClosed."""
        results, wake = self._workshop.results, self._workshop.wake
        if not results:
            if self._receiving is None:
                self._receiving = asyncio.create_task(self._connection.recv())
            wake.clear()
            woken = asyncio.create_task(wake.wait())
            try:
                await asyncio.wait((self._receiving, woken), timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
        if results:
            return results.popleft()
        if self._receiving is not None and self._receiving.done():
            received, self._receiving = self._receiving, None
            return received.result()
        return None

    def close(self) -> None:
        """Waits for nothing any more."""
        if self._receiving is not None:
            self._receiving.cancel()
            self._receiving.add_done_callback(_looked_at)


def _looked_at(task: asyncio.Task[Any]) -> None:
    """So that nobody complains that its exception was not."""
    if not task.cancelled():
        task.exception()


async def _play(connection: ServerConnection, act: Frame | Close | Drop) -> None:
    """Does what a scenario says; what comes after an end meets a connection that is closed."""
    match act:
        case Frame(text):
            await connection.send(text)
        case Close(code, reason):
            await _close(connection, reason, code)
        case Drop():
            connection.transport.abort()
        case _:
            assert_never(act)


async def _close(connection: ServerConnection, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
    """Closing has no limit of its own where the peer reads nothing; what is left of it is then cut off."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await connection.close(code, reason)


async def run(
    house: House,
    host: str,
    port: int,
    ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Listens, calls `ready` with the URL, and serves until `stop` is set; then says 1001 to all, within 3 s.

    Raises OSError where host and port are not to be had.
    """
    server = await house.listen(host, port)
    try:
        warming = asyncio.create_task(house.warm())
        ready(url(host, int(server.sockets[0].getsockname()[1])))
        await stop.wait()
    finally:
        server.close()
        try:
            async with asyncio.timeout(END_S):
                await server.wait_closed()
        except TimeoutError:
            house.hang_up()
        await warming


def _warm() -> str:
    """Which detector of speech there is, after its first frame."""
    vad = best_vad()
    vad.feed(bytes(2 * FRAME))
    return vad.name


def _local_time() -> datetime:
    return datetime.now().astimezone()


def url(host: str, port: int) -> str:
    """Where a client finds it."""
    literal = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"ws://{literal}:{port}{door.PATH}"


def _chosen(_connection: ServerConnection, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
    name = door.chosen(subprotocols)
    return None if name is None else Subprotocol(name)


def _silent_logger() -> logging.Logger:
    """Headers hold keys and are logged by websockets at DEBUG (F9); broken handshakes are no news."""
    logger = logging.getLogger("voicecli.server.sockets")
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    return logger
