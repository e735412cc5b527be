"""Where a URL leads: what is loopback, which proxy stands between, and which addresses the name has.

Names are looked up in a daemon thread, because a lookup cannot be cancelled and the program must be able to end
meanwhile. It knows no key and opens no connection.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from websockets.exceptions import InvalidProxy
from websockets.proxy import Proxy, get_proxy, parse_proxy
from websockets.uri import parse_uri

from voicecli.loopback import NAME, loopback

ADDRESSES: Final = 4
"""More addresses of one name are not tried."""

Lookup = Callable[..., list[tuple[Any, ...]]]
"""`socket.getaddrinfo`."""

T = TypeVar("T")


class BadUrl(ValueError):
    """The URL cannot be dialled; the text says why and holds nothing of it."""


class BadProxy(ValueError):
    """The proxy of the environment cannot be used; the text says why and holds nothing of it."""


class Place(NamedTuple):
    """What a URL says."""

    host: str
    port: int
    secure: bool
    shown: str
    """The host, with the port where the URL names one."""

    @property
    def loopback(self) -> bool:
        return loopback(self.host) is not None


class Route(NamedTuple):
    """How to get there: at one of `addresses`, which are the proxy's where there is one."""

    addresses: tuple[str, ...]
    proxy: Proxy | None

    def proxy_url(self, address: str) -> str | None:
        """The proxy's URL with an address in the place of its name, so that nobody looks it up again."""
        if self.proxy is None:
            return None
        who = ""
        if self.proxy.username is not None:
            who = f"{quote(self.proxy.username, safe='')}:{quote(self.proxy.password or '', safe='')}@"
        at = f"[{address}]" if ":" in address else address
        return f"{self.proxy.scheme}://{who}{at}:{self.proxy.port}"


def place(url: str) -> Place:
    """Raises `BadUrl`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl("the URL is not well formed") from error
    if parts.scheme not in ("ws", "wss"):
        raise BadUrl("the URL must begin with ws:// or wss://")
    if not parts.hostname:
        raise BadUrl("the URL names no host")
    if parts.username is not None or parts.password is not None:
        raise BadUrl("the URL must not hold a user name or password")
    secure = parts.scheme == "wss"
    shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None:
        shown = f"{shown}:{port}"
    return Place(parts.hostname, port or (443 if secure else 80), secure, shown)


async def route(url: str, where: Place, lookup: Lookup) -> Route:
    """Finds the way. Raises `socket.gaierror`, `UnicodeError` and `BadProxy`.

    Loopback is dialled as the literal address and never by a proxy (G6, G7).
    """
    if where.host.lower() == NAME:
        return Route(("127.0.0.1", "::1"), None)
    if where.loopback:
        return Route((where.host,), None)
    return await in_daemon(lambda: _find(url, where, lookup))


async def in_daemon(work: Callable[[], T]) -> T:
    """The result of `work`, done in a daemon thread that is left to itself when the wait is cancelled."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # None only where T is

    def run() -> None:
        try:
            outcome: tuple[T | None, Exception | None] = (work(), None)
        except Exception as error:
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="lookup", daemon=True).start()
    return await answer


def _find(url: str, where: Place, lookup: Lookup) -> Route:
    proxy = _proxy(url)
    host, port = (where.host, where.port) if proxy is None else (proxy.host, proxy.port)
    found = lookup(host, port, type=socket.SOCK_STREAM)
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    return Route(addresses[:ADDRESSES], proxy)


def _proxy(url: str) -> Proxy | None:
    try:
        named = get_proxy(parse_uri(url))
        return None if named is None else parse_proxy(named)
    except (InvalidProxy, ValueError):
        raise BadProxy("the proxy named in the environment is not a valid one") from None
