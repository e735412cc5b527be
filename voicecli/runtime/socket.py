"""The link over a websocket, and the only place that sees the key; it tells what happens and decides nothing.

Every `open` ends in exactly one `LinkEnded`, whatever the world or a bug of ours does.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn, Protocol

from websockets.exceptions import ConnectionClosed

from voicecli.core.stimuli import AudioDropped, LinkEnded, LinkSilent, LinkSlow, Opened, Received, Stimulus
from voicecli.ports import LinkFailure
from voicecli.protocol.codec import decode_server, spelling_of
from voicecli.protocol.events import SessionCreated
from voicecli.runtime.dial import LIMITS, LOG, Connection, Limits, dial
from voicecli.runtime.outbox import Outbox
from voicecli.runtime.refusals import WORDS, closed, refused
from voicecli.runtime.route import Lookup, Place, place, route

BREATH_S: Final = 0.003
"""How long received frames may keep the loop: a flood of tiny ones starves every timer otherwise."""
BREATH: Final = 64
"""So many frames are given at most before whoever takes them gets a word: no more than that are ever waiting."""
ROOM_S: Final = 0.01
"""How often a link that is slow is asked whether it takes more."""
STOOD_STILL_S: Final = 1.0
"""A timer that is later than this means that the process was stopped: what came meanwhile is still to be read."""


class Key(Protocol):
    """A secret that shows itself only when asked: `config.Secret`."""

    def reveal(self) -> str:
        """The key itself."""


class WebSocketLink:
    """`ports.Link`. All methods are called on the running loop, where `give` is called too.

    The key goes into the header `key_header` (its name, and what stands before the key) where the link is encrypted or
    loopback, and nowhere else. `tls` replaces the system's certificates.
    """

    def __init__(
        self,
        give: Callable[[Stimulus], None],
        key: Key | None = None,
        *,
        key_header: tuple[str, str] = ("Authorization", "Bearer "),
        tls: ssl.SSLContext | None = None,
        limits: Limits = LIMITS,
        lookup: Lookup = socket.getaddrinfo,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.give = give
        self.tls = tls
        self.limits = limits
        self.lookup = lookup
        self.wall = wall
        self._key = key
        self._key_header = key_header
        self._line: _Line | None = None

    def open(self, url: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Dials. Raises RuntimeError while the last link has not ended."""
        if self._line is not None:
            raise RuntimeError("the last link has not ended")
        self._line = _Line(self, url, headers)

    def send(self, text: str) -> None:
        if self._line is not None:
            self._line.put(text, 0)

    def send_audio(self, text: str, samples: int) -> None:
        if self._line is not None:
            self._line.put(text, samples)

    def read(self, on: bool) -> None:
        if self._line is not None:
            self._line.read(on)

    def close(self, code: int) -> None:
        if self._line is not None:
            self._line.close(code)

    def credentials(self, where: Place) -> list[tuple[str, str]]:
        """The header with the key, or none where it must not go."""
        if self._key is None or not (where.secure or where.loopback):
            return []
        name, before = self._key_header
        return [(name, before + self._key.reveal())]

    def clean(self, text: str) -> str:
        """Foreign text without the key, bounded."""
        if self._key is not None and (secret := self._key.reveal()):
            text = text.replace(secret, "[key]")
        return text[:WORDS]

    def ended(self, end: LinkEnded) -> None:
        self._line = None
        self.give(end)


class _Line:
    """One socket, from the first packet to its end. Nothing of it outlives it."""

    def __init__(self, link: WebSocketLink, url: str, headers: tuple[tuple[str, str], ...]) -> None:
        self._link = link
        self._limits = link.limits
        self._url = url
        self._headers = headers
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._limits.stale_s)
        self._to_send = asyncio.Event()
        self._reads = asyncio.Event()
        self._reads.set()
        self._rests = 0
        self._deaf = False
        self._where: Place | None = None
        self._proxy = ""
        self._connection: Connection | None = None
        self._hung_up: int | None = None
        self._task = self._loop.create_task(self._live(), name="link")
        self._task.add_done_callback(self._over)

    def put(self, text: str, samples: int) -> None:
        """`samples` is 0 for a control frame."""
        if self._hung_up is None:
            self._outbox.put(text, samples, self._loop.time())
            self._drop()
            self._to_send.set()

    def read(self, on: bool) -> None:
        """Off: nothing is read, so that the server has to wait."""
        if on:
            self._reads.set()
        elif self._hung_up is None:
            self._rests += 1
            self._reads.clear()

    def close(self, code: int) -> None:
        """What waits, other than sound, is sent before."""
        if self._hung_up is not None:
            return
        self._hung_up = code
        if self._connection is None:
            self._task.cancel()
            return
        self._outbox.drop_sound()
        self._to_send.set()
        self._reads.set()
        self._loop.call_later(self._limits.close_s * 1.2, self._connection.transport.abort)

    def _over(self, task: asyncio.Task[LinkEnded]) -> None:
        host = self._where.shown if self._where else ""
        if task.cancelled():
            end = LinkEnded(LinkFailure.CLOSED, self._hung_up, "", host, ours=True)
        elif (bug := task.exception()) is not None:
            where = "".join(traceback.format_tb(bug.__traceback__))  # its text may hold a header, and so the key
            LOG.error("the link ended by a bug: %s\n%s", type(bug).__name__, where)
            end = LinkEnded(LinkFailure.DROPPED, None, type(bug).__name__, host, ours=True)
        else:
            end = task.result()
        self._link.ended(end)

    async def _live(self) -> LinkEnded:
        try:
            connection = await self._dial()
        except Exception as bug:
            return refused(bug, self._url, self._where, self._proxy, self._link.clean)
        self._connection = connection
        self._link.give(Opened(self._link.wall()))
        beside = [
            self._loop.create_task(self._send(connection), name="link sender"),
            self._loop.create_task(self._watch(connection), name="link pings"),
        ]
        try:
            await self._receive(connection)
        except ConnectionClosed as end:
            host = self._where.shown if self._where else ""
            if connection.flooded:
                return LinkEnded(LinkFailure.FLOOD, None, "", host, ours=True)
            if self._deaf:
                return LinkEnded(LinkFailure.DROPPED, None, "the server does not answer any more", host, ours=True)
            return closed(end, self._hung_up, host, self._link.clean)
        finally:
            for task in beside:
                task.cancel()
            connection.transport.abort()

    async def _dial(self) -> Connection:
        self._where = where = place(self._url)
        with self._hint(f"the name of {where.shown}"):
            try:
                async with asyncio.timeout(self._limits.lookup_s):
                    way = await route(self._url, where, self._link.lookup)
            except TimeoutError:
                raise socket.gaierror(socket.EAI_AGAIN, "the name server does not answer") from None
        self._proxy = way.proxy.host if way.proxy else ""
        headers = [*self._headers, *self._link.credentials(where)]
        with self._hint(f"an answer from {self._proxy or where.shown}"):
            return await dial(self._url, headers, where, way, tls=self._link.tls, limits=self._limits)

    async def _receive(self, connection: Connection) -> NoReturn:
        breathe_at, given = self._loop.time() + BREATH_S, 0
        while True:
            if not self._reads.is_set():
                await self._reads.wait()
            raw = await connection.recv(decode=False)
            event = decode_server(raw)
            spelling = spelling_of(raw) if isinstance(event, SessionCreated) else None
            self._link.give(Received(event, len(raw), spelling))
            given += 1
            if given >= BREATH or self._loop.time() >= breathe_at:
                await asyncio.sleep(0)
                breathe_at, given = self._loop.time() + BREATH_S, 0

    async def _watch(self, connection: Connection) -> None:
        """Pings. The link is lost when nothing at all comes for `pong_s` after one; a slow answer is no silence.

        While nothing is read on purpose the pings rest: their answers would wait with the rest.
        """
        limits = self._limits
        while True:
            await asyncio.sleep(limits.ping_s)
            await self._reads.wait()
            asked_at, rests, told = self._loop.time(), self._rests, False
            ping = self._loop.create_task(_ping(connection), name="link ping")
            try:
                while not ping.done() and rests == self._rests:
                    quiet_s = self._loop.time() - max(asked_at, connection.heard_at)
                    if quiet_s >= limits.pong_s:
                        self._deaf = True
                        connection.transport.abort()
                        return
                    if quiet_s >= limits.silent_s and not told:
                        told = True
                        self._link.give(LinkSilent(round(quiet_s, 1)))
                    wait_s = (limits.pong_s if told or limits.silent_s > limits.pong_s else limits.silent_s) - quiet_s
                    due = self._loop.time() + wait_s
                    await asyncio.wait({ping}, timeout=wait_s)
                    if self._loop.time() > due + STOOD_STILL_S:
                        asked_at = self._loop.time()
            finally:
                ping.cancel()

    async def _send(self, connection: Connection) -> None:
        with suppress(ConnectionClosed):  # `_receive` tells
            while True:
                await self._to_send.wait()
                self._to_send.clear()
                while len(self._outbox):
                    if not connection.takes_more():
                        await asyncio.sleep(ROOM_S)
                        self._drop()
                        continue
                    await connection.send(self._outbox.pop())
                    self._drop()
                if self._hung_up is not None:
                    await connection.close(self._hung_up)
                    return

    def _drop(self) -> None:
        if dropped := self._outbox.drop(self._loop.time()):
            self._link.give(AudioDropped(dropped))

    @contextmanager
    def _hint(self, what: str) -> Iterator[None]:
        """Tells what is waited for once it takes long."""
        timer = self._loop.call_later(self._limits.slow_s, self._link.give, LinkSlow(what))
        try:
            yield
        finally:
            timer.cancel()


async def _ping(connection: Connection) -> None:
    """Ends when it is answered, or the connection is over."""
    with suppress(ConnectionClosed):
        await (await connection.ping())
