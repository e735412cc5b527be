"""A TCP proxy in a thread of its own that can be a bad network: drop, half-open, throttle, delay."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

SMALL = 2 * 1024
"""Kernel buffers on the way up: a network that is slow does not take in a second of speech at once."""


class Proxy:
    """What it does may be changed at any time."""

    def __init__(self, port: int) -> None:
        self._far_port = port
        self._loop = asyncio.new_event_loop()
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0
        self.up: float | None = None
        """Bytes a second towards the server; None: as fast as it goes, 0: nothing."""
        self.down: float | None = None
        self.delay_s = 0.0
        """Before each piece in either direction."""

    # ---- what a network does, from any thread

    def drop(self) -> None:
        """Both sides get a reset."""
        self._loop.call_soon_threadsafe(self._drop)

    def fin(self) -> None:
        """Both sides are closed in order, without a word of websockets."""
        self._loop.call_soon_threadsafe(self._fin)

    def half_open(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self.up = self.down = 0.0

    def heal(self) -> None:
        self.up = self.down = None

    def _drop(self) -> None:
        for near, far in self._pairs:
            for writer in (near, far):
                raw = writer.get_extra_info("socket")
                with suppress(OSError):  # it is closed already
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                writer.transport.abort()

    def _fin(self) -> None:
        for near, far in self._pairs:
            near.close()
            far.close()

    # ---- its thread

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port, limit=SMALL)
        self._pairs.append((writer, far_writer))
        pumps = [
            self._loop.create_task(self._pump(reader, far_writer, "up")),
            self._loop.create_task(self._pump(far_reader, writer, "down")),
        ]
        self._tasks += pumps
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for one in (writer, far_writer):
            one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        with suppress(ConnectionError):
            while True:
                while (rate := getattr(self, way)) == 0.0:
                    await asyncio.sleep(0.01)
                data = await reader.read(1024 if rate else 65_536)
                if not data:
                    return
                while getattr(self, way) == 0.0:
                    await asyncio.sleep(0.01)
                pause = self.delay_s + (len(data) / rate if rate else 0.0)
                if pause:
                    await asyncio.sleep(pause)
                writer.write(data)
                await writer.drain()

    async def _serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        listening.bind(("127.0.0.1", 0))
        server = await asyncio.start_server(self._connected, sock=listening, limit=SMALL)
        self.port = listening.getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        self._drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(0.01)


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """A proxy before `port`."""
    one, ready, over = Proxy(port), threading.Event(), asyncio.Event()
    loop: Any = one._loop
    loop.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=lambda: loop.run_until_complete(one._serve(ready, over)), daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield one
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(5)
