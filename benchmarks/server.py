"""The server that both clients talk to: it writes down when each frame came and went, and does only what it is told.

It speaks the newer ("GA") spelling. All times are `time.perf_counter()`, which on Linux is one clock for all processes.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

RATE = 24_000
DELTA = RATE // 10
SPEED = 5
"""Answers come so many times faster than they are heard, as from a real server."""
WAIT_S = 15.0


class Appended(NamedTuple):
    """Microphone sound up to sample `end` had come at `at`."""

    at: float
    end: int


class Session:
    """One client's connection, from the server's side."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connected_at = 0.0
        """When its `session.update` came."""
        self.appended: list[Appended] = []
        self.truncated: dict[str, tuple[float, int]] = {}
        """By item: when it came, and the milliseconds that it claims."""
        self._pcm: list[bytes] = []
        self._connection = connection
        self._came = asyncio.Event()
        self._items = 0

    @property
    def microphone(self) -> np.ndarray:
        """All that the microphone sent."""
        return np.frombuffer(b"".join(self._pcm), "<i2")

    async def run(self) -> None:
        await self.send("session.created", session={"type": "realtime", "model": "benchmark"})
        async for raw in self._connection:
            at = perf_counter()
            event = json.loads(raw)
            match event["type"]:
                case "input_audio_buffer.append":
                    self._pcm.append(base64.b64decode(event["audio"]))
                    end = (self.appended[-1].end if self.appended else 0) + len(self._pcm[-1]) // 2
                    self.appended.append(Appended(at, end))
                case "session.update":
                    self.connected_at = self.connected_at or at
                    await self.send("session.updated", session=event["session"])
                case "conversation.item.truncate":
                    self.truncated.setdefault(event["item_id"], (at, event["audio_end_ms"]))
                    claim = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
                    await self.send("conversation.item.truncated", **claim)
                case "conversation.item.delete":
                    await self.send("conversation.item.deleted", item_id=event["item_id"])
            self._came.set()

    async def send(self, type: str, **rest: Any) -> None:
        await self._connection.send(json.dumps({"type": type, **rest}))

    async def until(self, true: Any, limit_s: float = WAIT_S) -> bool:
        """Waits until it is so, looking at each frame that comes; whether it is."""
        try:
            async with asyncio.timeout(limit_s):
                while not true():
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return False
        return True

    async def answer(self, pcm: np.ndarray, cut_after_s: float | None = None) -> Spoken:
        """Sends an answer; after `cut_after_s` the person is heard to speak, and no more of it comes."""
        self._items += 1
        n = self._items
        response, item = f"resp_{n}", f"item_{n}"
        of = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        message = {"id": item, "type": "message", "role": "assistant", "content": []}
        await self.send("response.created", response={"id": response, "status": "in_progress", "output": []})
        await self.send("response.output_item.added", response_id=response, output_index=0, item=message)
        await self.send("conversation.item.added", item=message, previous_item_id=None)
        await self.send("response.content_part.added", **of, part={"type": "audio", "transcript": ""})
        began = perf_counter()
        cut = None if cut_after_s is None else began + cut_after_s
        for k, start in enumerate(range(0, len(pcm), DELTA)):
            due = began + k * DELTA / RATE / SPEED
            if cut is not None and due >= cut:
                break
            delta = base64.b64encode(pcm[start : start + DELTA].tobytes()).decode()
            await asyncio.sleep(max(0.0, due - perf_counter()))
            if k == 0:
                began = perf_counter()
            await self.send("response.output_audio.delta", **of, delta=delta)
        else:
            await self.send("response.output_audio.done", **of)
            await self.send("response.done", response={"id": response, "status": "completed", "output": [message]})
        if cut is None:
            return Spoken(item, began, len(pcm), None)
        await asyncio.sleep(max(0.0, cut - perf_counter()))
        user = f"user_{n}"
        speech_at = perf_counter()
        await self.send("input_audio_buffer.speech_started", item_id=user, audio_start_ms=0)
        await self.send("response.done", response={"id": response, "status": "cancelled", "output": [message]})
        await self.send("input_audio_buffer.speech_stopped", item_id=user, audio_end_ms=0)
        await self.send("input_audio_buffer.committed", item_id=user, previous_item_id=item)
        said = {"id": user, "type": "message", "role": "user", "content": [{"type": "input_audio"}]}
        await self.send("conversation.item.added", item=said, previous_item_id=item)
        return Spoken(item, began, len(pcm), speech_at)


class Spoken(NamedTuple):
    """An answer that was sent."""

    item: str
    first_at: float
    """When its first delta was about to be sent."""
    n: int
    """Samples it would have had."""
    speech_at: float | None
    """When `speech_started` was about to be sent, if it was."""


class Server:
    def __init__(self, url: str, arrived: asyncio.Queue[Session]) -> None:
        self.url = url
        self._arrived = arrived

    async def session(self) -> Session:
        """The next client's, once its `session.update` has come. Raises TimeoutError."""
        async with asyncio.timeout(WAIT_S):
            session = await self._arrived.get()
        if not await session.until(lambda: session.connected_at):
            raise TimeoutError
        return session


@asynccontextmanager
async def listening() -> AsyncIterator[Server]:
    arrived: asyncio.Queue[Session] = asyncio.Queue()

    async def client(connection: ServerConnection) -> None:
        session = Session(connection)
        arrived.put_nowait(session)
        with suppress(ConnectionClosed):
            await session.run()

    async with serve(client, "127.0.0.1", 0, max_size=None, compression=None) as server:
        yield Server(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime", arrived)
