"""Servers on loopback in a thread, each bad in one way. No test lives here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

QUIET = logging.getLogger("tests.faults.bad_server")
QUIET.setLevel(logging.CRITICAL)
QUIET.addHandler(logging.NullHandler())

CREATED = json.dumps({"type": "session.created", "session": {"type": "realtime", "id": "sess_1"}})
UPDATED = json.dumps({"type": "session.updated", "session": {"type": "realtime", "id": "sess_1"}})

Behaviour = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def _running(main: Callable[[Callable[[int], None]], Awaitable[None]]) -> Iterator[int]:
    """Runs `main` in a thread until the block ends; it says its port."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    told, ports = threading.Event(), [0]

    def say(port: int) -> None:
        ports[0] = port
        told.set()

    task: asyncio.Task[None] = loop.create_task(main(say))  # type: ignore[arg-type]

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert told.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(5)


@contextmanager
def websocket(behave: Behaviour) -> Iterator[str]:
    """A websocket server; its URL."""

    async def handler(far: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await behave(far)

    async def main(say: Callable[[int], None]) -> None:
        options: dict[str, Any] = {"max_size": None, "ping_interval": None, "close_timeout": 0.1, "logger": QUIET}
        async with serve(handler, "127.0.0.1", 0, **options) as server:
            say(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    with _running(main) as port:
        yield f"ws://127.0.0.1:{port}/"


@contextmanager
def deaf(frames: bytes) -> Iterator[str]:
    """It shakes hands, greets, sends `frames` as they are, and never closes its TCP."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(
            line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
        )
        accepted = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"
        )
        writer.write(text(CREATED) + text(UPDATED))
        await asyncio.sleep(0.5)
        writer.write(frames)
        await asyncio.Event().wait()

    async def main(say: Callable[[int], None]) -> None:
        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            say(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    with _running(main) as port:
        yield f"ws://127.0.0.1:{port}/"


@contextmanager
def silent() -> Iterator[str]:
    """It takes connections and says nothing."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def main(say: Callable[[int], None]) -> None:
        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            say(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    with _running(main) as port:
        yield f"ws://127.0.0.1:{port}/"


def text(frame: str) -> bytes:
    """As a server sends it, unmasked."""
    data = frame.encode()
    assert len(data) < 65_536
    size = bytes([len(data)]) if len(data) < 126 else bytes([126]) + len(data).to_bytes(2, "big")
    return b"\x81" + size + data


async def greeted(far: ServerConnection) -> None:
    """Until the settings are confirmed."""
    await far.send(CREATED)
    await far.recv()
    await far.send(UPDATED)
