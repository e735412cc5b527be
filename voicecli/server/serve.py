"""The sockets of the embedded server: one `ServerSession` behind each websocket. It decides nothing about the talk."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import Event
from websockets.typing import Subprotocol

from voicecli.audio.vad import FRAME, SileroVad, best_vad
from voicecli.flood import Flood
from voicecli.server import door, gate
from voicecli.server.exchange import CLOSE_S, Exchange, close
from voicecli.server.limits import Limits
from voicecli.server.orders import Outside
from voicecli.server.partner import PracticePartner
from voicecli.server.scenario import Scenario, ScenarioResponder
from voicecli.server.session import ServerSession
from voicecli.server.visit import EVENTS_S, Ending, Visit, Visitor
from voicecli.server.workshop import Mind, Speech, Workshop

END_S: Final = 1.5
"""What all closing together may take before the rest is cut off."""
TELL_EVERY_S: Final = 1.0
SLICE: Final = 8 * 1024
"""What is read is handed on in pieces of this size, so that a flood of tiny frames is noticed within it."""

LOG: Final = logging.getLogger("voicecli.server")


class Bounds(NamedTuple):
    """How many may come at once, and what each may cost beside its session (G22, G23)."""

    sessions: int = 16
    connections: int = 48
    """TCP connections, handshakes and refusals included."""
    ping_s: float | None = 20.0
    """How often a client is pinged, and how long it may take to answer; None: not at all."""
    deaf_s: float | None = 30.0
    """A client that reads nothing for so long is hung up on; None: it may take any time."""
    handshake_s: float = 5.0
    """For TLS, and again for the request."""
    frame_bytes: int = 22 * 2**20
    """15 MiB of sound is 20.97 MB of base64 (E8)."""
    unsent_bytes: int = 2**20
    """What waits for a client, beside what the kernel has, before its session waits too."""
    events_per_s: int = 2_000
    """Frames of any kind, for `EVENTS_S`."""
    errors: int = 200
    """Told to one client within ten seconds."""
    idle_s: float | None = 900.0
    """A client that says nothing for so long is hung up on; None: it may be silent."""


class House:
    """Counts who is in, lets in or refuses, and runs a session for each."""

    def __init__(
        self,
        entry: door.Door,
        bounds: Bounds,
        limits: Limits,
        tell: Callable[[str], None],
        note: Callable[[str], None] = lambda _: None,
        tls: ssl.SSLContext | None = None,
        speech: Speech | None = None,
        mind: Mind | None = None,
        scenario: Scenario | None = None,
    ) -> None:
        """`tell` takes a line about what went wrong, for the person who runs the server; `note` one about a session.

        Both hold foreign text, which is printable. Without `tls` nothing is encrypted. Each session plays `scenario`.
        """
        self._speech = speech
        self._mind = mind
        self._scenario = Scenario() if scenario is None else scenario
        self._note = note
        self._tls = tls
        self._door = entry
        self._bounds = bounds
        self._limits = limits
        self._tell = tell
        self._connected: set[ServerConnection] = set()
        self._talking: set[ServerConnection] = set()
        self._opened = 0
        self._full_told_at = float("-inf")

    @property
    def encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return self._tls is not None

    async def listen(self, host: str, port: int) -> Server:
        """Raises OSError where host and port are not to be had."""
        encrypted: dict[str, Any] = {} if self._tls is None else {"ssl_handshake_timeout": self._bounds.handshake_s}
        return await listen(
            self._talk,
            sock=gate.opened(host, port, self._bounds.connections, self._tell_full),
            ssl=self._tls,
            create_connection=self._connection_class(),
            process_request=self._admit,
            select_subprotocol=_chosen,
            compression=None,
            server_header=None,
            open_timeout=self._bounds.handshake_s,
            close_timeout=CLOSE_S,
            ping_interval=self._bounds.ping_s,
            ping_timeout=self._bounds.ping_s,
            max_size=self._bounds.frame_bytes,
            max_queue=1,
            # Sending goes on once an eighth was read: a client on a slow link reads, if not much.
            write_limit=(self._bounds.unsent_bytes, self._bounds.unsent_bytes * 7 // 8),
            logger=_silent_logger(),
            **encrypted,
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
                self._flood = Flood(round(house._bounds.events_per_s * EVENTS_S), EVENTS_S)
                house._connected.add(self)
                if len(house._connected) > house._bounds.connections:  # no gate on Windows
                    house._tell_full()
                    self.transport.abort()

            def data_received(self, data: bytes) -> None:
                for start in range(0, len(data), SLICE):
                    super().data_received(data[start : start + SLICE])

            def process_event(self, event: Event) -> None:
                """Pings and fragments count too, which never get as far as a session."""
                if self._flood.came(1, self.loop.time()):
                    self.protocol.fail(CloseCode.POLICY_VIOLATION, "too many events")
                else:
                    super().process_event(event)

            def connection_lost(self, exc: Exception | None) -> None:
                house._connected.discard(self)
                house._talking.discard(self)
                super().connection_lost(exc)

        return Counted

    def _tell_full(self) -> None:
        at = time.monotonic()
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
        clock = asyncio.get_running_loop().time
        visit, ending = self._visit(connection, clock()), None
        self._note(visit.begun())
        workshop = Workshop(f"{self._opened}", self._speech, self._mind)
        session = self._session(connection, workshop.outside)
        exchange = Exchange(connection, session, workshop, self._scenario, visit, self._bounds.deaf_s)
        try:
            ending = await exchange.run()
        except ConnectionClosed:
            pass
        except TimeoutError:
            ending = Ending(CloseCode.INTERNAL_ERROR, "the client does not read")
        except Exception as bug:
            self._tell(f"a session ended by a bug of ours: {type(bug).__name__}")
            # Its text may hold what was said.
            LOG.debug("the bug was at\n%s", "".join(traceback.format_tb(bug.__traceback__)))
            ending = Ending(CloseCode.INTERNAL_ERROR, "internal error")
        finally:
            await workshop.close()
            if ending is not None:
                await close(connection, ending.code, ending.reason)
            code, reason = ending or _closed(connection)
            self._note(visit.over(clock(), code, reason))

    def _visit(self, connection: ServerConnection, at: float) -> Visit:
        request = connection.request
        assert request is not None
        self._opened += 1
        host, port = (connection.remote_address or ("somewhere", 0))[:2]
        visitor = Visitor(
            self._opened,
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            door.spelling(request.headers.get_all).value,
            door.model(request.path),
        )
        return Visit(visitor, at, errors=self._bounds.errors, idle_s=self._bounds.idle_s)

    def _session(self, connection: ServerConnection, outside: Outside) -> ServerSession:
        request = connection.request
        assert request is not None
        return ServerSession(
            ScenarioResponder(self._scenario, PracticePartner(_local_time)),
            best_vad,
            self._limits,
            door.spelling(request.headers.get_all),
            prefix=f"{self._opened}_",
            model=door.model(request.path),
            opened_at=time.time(),
            outside=outside,
        )


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
        ready(url(host, int(server.sockets[0].getsockname()[1]), house.encrypted))
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


def _closed(connection: ServerConnection) -> tuple[int | None, str | None]:
    """How it has ended: by us, where the protocol did (too big, too many), else by the client."""
    sent = connection.protocol.close_sent
    if sent is not None and connection.protocol.close_rcvd is None:
        return sent.code, sent.reason
    return connection.close_code, connection.close_reason


def _local_time() -> datetime:
    return datetime.now().astimezone()


def url(host: str, port: int, encrypted: bool = False) -> str:
    """Where a client finds it."""
    literal = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"ws{'s' if encrypted else ''}://{literal}:{port}{door.PATH}"


def _chosen(_connection: ServerConnection, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
    name = door.chosen(subprotocols)
    return None if name is None else Subprotocol(name)


def _silent_logger() -> logging.Logger:
    """Headers hold keys and are logged by websockets at DEBUG (F9); broken handshakes are no news."""
    logger = logging.getLogger("voicecli.server.sockets")
    logger.setLevel(logging.CRITICAL)
    logger.propagate = False
    return logger
