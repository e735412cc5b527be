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

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from voicecli.core.stimuli import AudioDropped, LinkEnded, LinkSlow, Opened, Received, Stimulus
from voicecli.ports import LinkFailure
from voicecli.protocol.codec import decode_server
from voicecli.runtime.dial import LIMITS, LOG, Limits, dial
from voicecli.runtime.outbox import Outbox
from voicecli.runtime.refusals import WORDS, closed, refused
from voicecli.runtime.route import Lookup, Place, place, route

BREATH_S: Final = 0.003
"""How long received frames may keep the loop: a flood of tiny ones starves every timer otherwise."""


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
        self._where: Place | None = None
        self._proxy = ""
        self._connection: ClientConnection | None = None
        self._hung_up: int | None = None
        self._task = self._loop.create_task(self._live(), name="link")
        self._task.add_done_callback(self._over)

    def put(self, text: str, samples: int) -> None:
        """`samples` is 0 for a control frame."""
        if self._hung_up is None:
            self._outbox.put(text, samples, self._loop.time())
            self._drop()
            self._to_send.set()

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
        self._loop.call_later(self._limits.close_s * 1.2, self._connection.transport.abort)

    def _over(self, task: asyncio.Task[LinkEnded]) -> None:
        host = self._where.shown if self._where else ""
        if task.cancelled():
            end = LinkEnded(LinkFailure.CLOSED, self._hung_up, "", host)
        elif (bug := task.exception()) is not None:
            where = "".join(traceback.format_tb(bug.__traceback__))  # its text may hold a header, and so the key
            LOG.error("the link ended by a bug: %s\n%s", type(bug).__name__, where)
            end = LinkEnded(LinkFailure.DROPPED, None, type(bug).__name__, host)
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
        sender = self._loop.create_task(self._send(connection), name="link sender")
        try:
            await self._receive(connection)
        except ConnectionClosed as end:
            return closed(end, self._hung_up, self._where.shown if self._where else "", self._link.clean)
        finally:
            sender.cancel()
            connection.transport.abort()

    async def _dial(self) -> ClientConnection:
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

    async def _receive(self, connection: ClientConnection) -> NoReturn:
        breathe_at = self._loop.time() + BREATH_S
        while True:
            raw = await connection.recv(decode=False)
            self._link.give(Received(decode_server(raw), len(raw)))
            if self._loop.time() >= breathe_at:
                await asyncio.sleep(0)
                breathe_at = self._loop.time() + BREATH_S

    async def _send(self, connection: ClientConnection) -> None:
        with suppress(ConnectionClosed):  # `_receive` tells
            while True:
                await self._to_send.wait()
                self._to_send.clear()
                while len(self._outbox):
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
