"""The server behind real sockets of this process, for as long as a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voicecli.server.serve import House, run


@asynccontextmanager
async def housed(house: House) -> AsyncIterator[str]:
    """A server on a free port of this machine; its URL. It has to end within 5 s."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(run(house, "127.0.0.1", 0, ready.set_result, stop))
    try:
        yield await ready
    finally:
        stop.set()
        async with asyncio.timeout(5):
            await task
