"""Opens one websocket by a known route, with our limits and short buffers; it is handed the headers and keeps none."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.protocol import State

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
    close_s: float = 1.0
    deaf_s: float = 2.0
    """A connection that is no longer open, but whose TCP stays, is cut after this time."""
    stale_s: float = STALE_S
    frame: int = 32 * 1024 * 1024


LIMITS: Final = Limits()


class Connection(ClientConnection):
    """Cuts the TCP that stays when the connection is closed: websockets notices it at a failed ping, or never."""

    def __init__(self, deaf_s: float, *protocol: Any, **options: Any) -> None:
        super().__init__(*protocol, **options)
        self._deaf_s = deaf_s
        self._cutting = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.state in (State.CLOSING, State.CLOSED) and not self._cutting:
            self._cutting = True
            self.loop.call_later(self._deaf_s, self.transport.abort)


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
) -> ClientConnection:
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
) -> ClientConnection:
    options: dict[str, Any] = {"create_connection": partial(Connection, limits.deaf_s)}
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
        ping_interval=limits.ping_s,
        ping_timeout=limits.pong_s,
        close_timeout=limits.close_s,
        max_size=limits.frame,
        max_queue=(4, 1),
        write_limit=WRITE_LIMIT,
        logger=LOG,
        **options,
    )
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
