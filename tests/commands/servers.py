"""Servers on loopback, each in a thread of its own: good ones with short answers, and each way of being a bad one."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import socket
import ssl
import threading
from array import array
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from voicecli.audio.vad import best_vad
from voicecli.ports import RATE
from voicecli.server import door
from voicecli.server.answers import Answer, AnswerPart, Piece, one_item
from voicecli.server.limits import Limits
from voicecli.server.responder import Asked
from voicecli.server.session import ServerSession

CERTIFICATE = Path(__file__).parent.parent / "runtime" / "untrusted.pem"
NAMED = Path(__file__).with_name("named.pem")
"""Made for these tests, for the names of the providers; nobody trusts it who is not told to."""
QUIET = logging.getLogger("tests.commands.servers")
QUIET.setLevel(logging.CRITICAL)
QUIET.propagate = False

Frame = dict[str, Any]


def tone(seconds: float, hertz: float = 440.0) -> bytes:
    """PCM16 at 24 kHz, loud enough to be found."""
    n = int(seconds * RATE)
    return array("h", (round(8000 * math.sin(math.tau * hertz * i / RATE)) for i in range(n))).tobytes()


class Speaker:
    """Answers with as many words as it is told to, `word_s` each; typed texts come back as the first words."""

    def __init__(self, words: int = 3, word_s: float = 0.1, delay_s: float = 0.0) -> None:
        self.words, self.word_s, self.delay_s = words, word_s, delay_s

    def answer(self, asked: Asked) -> Answer:
        said = asked.typed or (f"heard {asked.heard_ms} ms" if asked.heard_ms else "nothing")
        texts = [f"Answer {asked.number + 1} to {said}:", *(f" word{n}" for n in range(1, self.words + 1))]
        sound = tone(self.word_s) if asked.spoken else b""
        pieces = tuple(Piece(text, sound) for text in texts)
        return Answer(one_item(AnswerPart(pieces, spoken=asked.spoken)).items, delay_s=self.delay_s)


class Peer:
    """One connection with a session behind it, which a script lets speak, or speaks for."""

    def __init__(self, connection: ServerConnection, responder: Any, prefix: str, frames: list[Frame]) -> None:
        self.connection = connection
        self.frames = frames
        request = connection.request
        assert request is not None
        self.request = request
        spelling = door.spelling(request.headers.get_all)
        self.session = ServerSession(
            responder, best_vad, Limits(), spelling, prefix=prefix, model=door.model(request.path)
        )
        self._clock = asyncio.get_running_loop().time

    async def send(self, *frames: Frame | str | bytes) -> None:
        for frame in frames:
            await self.connection.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def receive(self) -> str:
        raw = await self.connection.recv()
        assert isinstance(raw, str)
        self.frames.append(json.loads(raw))
        return raw

    async def greet(self) -> None:
        await self.send(*self.session.greeting(self._clock()))

    async def configure(self) -> None:
        """Up to `session.updated`."""
        await self.greet()
        await self.send(*self.session.receive(await self.receive(), self._clock()))

    async def talk(self, until: str = "") -> None:
        """Goes on as a good server does, up to the first client frame of the type `until`."""
        receiving: asyncio.Task[str] | None = None
        try:
            while True:
                deadline = self.session.deadline
                if receiving is None:
                    receiving = asyncio.ensure_future(self.receive())
                wait = None if deadline is None else max(0.0, deadline - self._clock())
                await asyncio.wait({receiving}, timeout=wait)
                if receiving.done():
                    raw, receiving = receiving.result(), None
                    if until and json.loads(raw)["type"] == until:
                        return
                    await self.send(*self.session.receive(raw, self._clock()))
                else:
                    await self.send(*self.session.tick(self._clock()))
        finally:
            if receiving is not None:
                receiving.cancel()

    async def stay(self) -> None:
        """Reads, and never answers again."""
        while True:
            await self.receive()

    async def close(self, code: int, reason: str = "") -> None:
        await self.connection.close(code, reason)


Script = Callable[[Peer], Awaitable[None]]


async def good(peer: Peer) -> None:
    await peer.configure()
    await peer.talk()


class Server:
    """What a script's server was sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = url.split("/")[2]
        self.connections: list[list[Frame]] = []
        """The client frames of each connection, in order."""
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        """What was asked for, with its query."""

    @property
    def frames(self) -> list[Frame]:
        return [frame for frames in self.connections for frame in frames]

    def sent(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == kind]


@contextmanager
def _in_thread(start: Callable[[], Awaitable[Any]]) -> Iterator[Any]:
    """Runs a server (whatever has `sockets` and `close`) on a loop of its own."""
    loop = asyncio.new_event_loop()
    ready: list[Any] = []
    listens = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        ready.append(loop.run_until_complete(start()))
        listens.set()
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=2))
        loop.run_until_complete(asyncio.sleep(0))  # transports tell their ends
        loop.close()

    thread = threading.Thread(target=run, name="server of a test", daemon=True)
    thread.start()
    assert listens.wait(10)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(ready[0].close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@contextmanager
def server(
    *scripts: Script,
    responder: Any = None,
    tls: bool = False,
    certificate: Path = CERTIFICATE,
    path: str = "/v1/realtime",
    **options: Any,
) -> Iterator[Server]:
    """A websocket server; each connection runs the next script, the last one again and again."""
    todo = list(scripts or (good,))
    told: list[Server] = []

    async def connected(connection: ServerConnection) -> None:
        me = told[0]
        frames: list[Frame] = []
        me.connections.append(frames)
        assert connection.request is not None
        me.headers.append(dict(connection.request.headers.raw_items()))
        me.paths.append(connection.request.path)
        script = todo[min(len(me.connections), len(todo)) - 1]
        peer = Peer(connection, responder or Speaker(), f"{len(me.connections)}_", frames)
        with suppress(ConnectionClosed):
            await script(peer)

    async def start() -> Any:
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        return await serve(
            connected, "127.0.0.1", 0, ssl=context, logger=QUIET, close_timeout=0.3, max_size=None, **options
        )

    with _in_thread(start) as listening:
        port = listening.sockets[0].getsockname()[1]
        told.append(Server(f"{'wss' if tls else 'ws'}://127.0.0.1:{port}{path}"))
        yield told[0]


@contextmanager
def raw(answer: bytes | None, *, read: bool = True) -> Iterator[Server]:
    """A TCP server that reads a request and answers with these bytes; None: it never answers."""
    told: list[Server] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told[0].connections.append([])
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            if read:
                told[0].headers.append({"raw": (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")})
            if answer is None:
                await asyncio.Event().wait()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def start() -> Any:
        return await asyncio.start_server(connected, "127.0.0.1", 0)

    with _in_thread(start) as listening:
        port = listening.sockets[0].getsockname()[1]
        told.append(Server(f"ws://127.0.0.1:{port}/v1/realtime"))
        yield told[0]


def http(status: str, body: str = "", *headers: str) -> Any:
    """An HTTP answer in the place of a websocket."""
    head = "".join(f"{header}\r\n" for header in headers)
    return raw(f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())


@contextmanager
def nothing() -> Iterator[Server]:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Server(f"ws://127.0.0.1:{taken.getsockname()[1]}/v1/realtime")


@contextmanager
def elsewhere(url: str) -> Iterator[Server]:
    """Not a server of ours at all."""
    yield Server(url)


@contextmanager
def named(far: Server) -> Iterator[dict[str, str | None]]:
    """An environment in which every host with TLS is `far`, a server that has the certificate `NAMED`.

    A proxy stands between, as in a company; the names are looked up nowhere.
    """
    port = int(far.host.rpartition(":")[2])

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"CONNECT ")
            back, on = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(pipe(reader, on), pipe(back, writer))

    async def start() -> Any:
        return await asyncio.start_server(connected, "127.0.0.1", 0)

    with _in_thread(start) as listening:
        proxy = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(NAMED)}
