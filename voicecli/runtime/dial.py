"""Opens one websocket by a known route, with our limits and short buffers; it is handed the headers and keeps none."""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import CTRL_OPCODES, Frame
from websockets.protocol import Event, State

from voicecli.flood import Flood
from voicecli.runtime.outbox import STALE_S
from voicecli.runtime.route import Place, Route

SEND_BUFFER: Final = 32 * 1024
UNSENT: Final = 8 * 1024
WRITE_LIMIT: Final = 4 * 1024

LOG: Final = logging.getLogger("voicecli.link")
LOG.addHandler(logging.NullHandler())
LOG.setLevel(logging.INFO)  # at DEBUG websockets logs every request header, the key among them


class Limits(NamedTuple):
    """How long the link waits and how much it takes, in seconds and bytes."""

    lookup_s: float = 10.0
    slow_s: float = 3.0
    """Then `LinkSlow` tells what is waited for."""
    handshake_s: float = 10.0
    """From the first packet to the answer of the server, over all addresses of a name."""
    address_s: float = 3.0
    """For one address while there is another to try."""
    ping_s: float = 5.0
    pong_s: float = 10.0
    """Without a byte from the server for so long after a ping the link is lost."""
    silent_s: float = 5.0
    """Then `LinkSilent` tells that the server does not answer."""
    close_s: float = 1.0
    deaf_s: float = 2.0
    """A connection that is no longer open, but whose TCP stays, is cut after this time."""
    stale_s: float = STALE_S
    frame: int = 32 * 1024 * 1024
    flood: int = 20_000
    """More frames than that, of any kind, within `flood_s` are no talk: the link is cut (G12)."""
    flood_s: float = 5.0


LIMITS: Final = Limits()


SLICE: Final = 8 * 1024
"""What is read is handed on in pieces of this size, so that a flood of tiny frames keeps no timer waiting."""
CONTROL: Final = 20
"""A ping counts as so many frames: it is answered where it is read, and keeps the loop from everything else."""


class Connection(ClientConnection):
    """Cuts the TCP that stays when the connection is closed: websockets notices it at a failed ping, or never.

    It also cuts off a flood, pings and fragments included, which never get as far as `recv`.
    """

    def __init__(self, limits: Limits, *protocol: Any, **options: Any) -> None:
        super().__init__(*protocol, **options)
        self._deaf_s = limits.deaf_s
        self._flood = Flood(limits.flood, limits.flood_s)
        self._cutting = self._made = False
        self.flooded = False
        self.heard_at = 0.0
        """When the last byte came, by the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made = True
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._made:  # else TLS has failed, and websockets trips over what it has not set up yet
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        if len(data) <= SLICE:
            super().data_received(data)
        else:
            for start in range(0, len(data), SLICE):
                super().data_received(data[start : start + SLICE])
                if self.flooded:
                    return
        if self.state in (State.CLOSING, State.CLOSED) and not self._cutting:
            self._cutting = True
            self.loop.call_later(self._deaf_s, self.transport.abort)

    def takes_more(self) -> bool:
        """Whether the kernel has passed on what it was given, but for `UNSENT` bytes.

        asyncio asks it only once a send was refused, which is 32 KiB later, and below TLS 64 KiB more: that is
        seconds on a slow link.
        """
        raw = self.transport.get_extra_info("socket")
        try:
            return raw is None or bool(select.select((), (raw.fileno(),), (), 0)[1])
        except (OSError, ValueError):  # it is closed, which sending will tell; or there are more than 1,024 descriptors
            return True

    def process_event(self, event: Event) -> None:
        if self.flooded:
            return
        control = isinstance(event, Frame) and event.opcode in CTRL_OPCODES
        if self._flood.came(CONTROL if control else 1, self.heard_at):
            self.flooded = True
            self.transport.abort()
            return
        super().process_event(event)


class _Dial(connect):
    """`websockets.connect` that follows no redirect: our headers would go to another host."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def dial(
    url: str,
    headers: list[tuple[str, str]],
    where: Place,
    way: Route,
    *,
    tls: ssl.SSLContext | None = None,
    limits: Limits = LIMITS,
) -> Connection:
    """Tries one address after the other. Raises what the last one raised; TimeoutError when it takes too long."""
    async with asyncio.timeout(limits.handshake_s):
        *others, last = way.addresses
        for address in others:
            try:
                async with asyncio.timeout(limits.address_s):
                    return await _one(url, headers, where, way, address, tls, limits)
            except ssl.SSLError:  # an OSError, but another address would not help
                raise
            except OSError:
                continue
        return await _one(url, headers, where, way, last, tls, limits)


async def _one(
    url: str,
    headers: list[tuple[str, str]],
    where: Place,
    way: Route,
    address: str,
    tls: ssl.SSLContext | None,
    limits: Limits,
) -> Connection:
    options: dict[str, Any] = {"create_connection": partial(Connection, limits)}
    if way.proxy is None:
        options |= {"host": address, "port": where.port}
    elif way.proxy.scheme == "https":
        options["proxy_server_hostname"] = way.proxy.host
    if where.secure and tls is not None:
        options["ssl"] = tls
    connection = await _Dial(
        url,
        additional_headers=headers,
        proxy=way.proxy_url(address),
        compression=None,
        open_timeout=None,
        ping_interval=None,  # the link pings by itself
        close_timeout=limits.close_s,
        max_size=limits.frame,
        max_queue=(4, 1),
        write_limit=WRITE_LIMIT,
        logger=LOG,
        **options,
    )
    assert isinstance(connection, Connection)
    _shorten(connection)
    return connection


def _shorten(connection: ClientConnection) -> None:
    """Keeps the kernel from swallowing a minute of speech that would arrive as one stale burst."""
    raw = connection.transport.get_extra_info("socket")
    if raw is None:
        return
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if (unsent := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:
        with suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, unsent, UNSENT)
