"""Servers on loopback for the link's tests, each with one way of being or failing, and a link that writes down."""

import asyncio
import logging
import ssl
import time
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.server import serve

from voicecli.core.stimuli import LinkEnded
from voicecli.runtime.dial import Limits
from voicecli.runtime.socket import WebSocketLink

CANARY = "sk-canary-0123456789abcdef"
QUICK = Limits(lookup_s=5, slow_s=5, handshake_s=5, address_s=2, ping_s=5, pong_s=5, close_s=0.3, deaf_s=0.1)
PATIENCE_S = 10.0
QUIET = logging.getLogger("tests.far")
QUIET.setLevel(logging.CRITICAL)
CERTIFICATE = Path(__file__).with_name("untrusted.pem")


class Secret:
    def __init__(self, text=CANARY):
        self.text = text

    def reveal(self):
        return self.text

    def __repr__(self):
        return "***"


def here(*_, **__):
    """Every name is this machine."""
    return [(2, 1, 6, "", ("127.0.0.1", 0))]


def nowhere(*_, **__):
    raise AssertionError("nothing may be looked up")


class Near:
    """A link with what it told, in order."""

    def __init__(self, key=None, limits=QUICK, lookup=nowhere, work_s=0.0, **options):
        self.told = []
        self._work_s = work_s
        self._news = asyncio.Event()
        self.link = WebSocketLink(self.take, key, limits=limits, lookup=lookup, **options)

    def take(self, stimulus):
        done_at = time.perf_counter() + self._work_s
        self.told.append(stimulus)
        self._news.set()
        while time.perf_counter() < done_at:
            pass

    async def first(self, kind):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for stimulus in self.told:
                    if isinstance(stimulus, kind):
                        return stimulus
                self._news.clear()
                await self._news.wait()

    def all(self, kind):
        return [stimulus for stimulus in self.told if isinstance(stimulus, kind)]

    async def end(self):
        """The one `LinkEnded`."""
        end = await self.first(LinkEnded)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(self.all(LinkEnded)) == 1
        assert self.told[-1] is end
        return end


async def ends(url, **options):
    near = Near(**options)
    near.link.open(url, ())
    return await near.end()


@asynccontextmanager
async def raw(talk, **options):
    """A TCP server; gives its port and a list that grows with each connection."""
    seen = []

    async def connected(reader, writer):
        seen.append(writer)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    where = {} if "sock" in options else {"host": "127.0.0.1", "port": 0}
    server = await asyncio.start_server(connected, **where, **options)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()
        for writer in seen:
            writer.transport.abort()


@asynccontextmanager
async def websocket(handler, **options):
    """A websocket server; gives its port."""
    async with serve(
        handler, "127.0.0.1", 0, **{"close_timeout": 0.2, "max_size": None, "logger": QUIET} | options
    ) as server:
        yield server.sockets[0].getsockname()[1]


def http(status, headers="", body=""):
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        text = f"HTTP/1.1 {status} Said\r\n{headers}Content-Length: {len(body.encode())}\r\n\r\n{body}"
        writer.write(text.encode())
        await writer.drain()

    return talk


def server_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


async def wait_for_ever(*_):
    await asyncio.Event().wait()
