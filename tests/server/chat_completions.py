"""A chat-completions server for tests: each request gets the next of its answers, under the test's control."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Out:
    """What an answer is written to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self, status: int = 200, kind: str = "text/event-stream", more: str = "") -> None:
        await self.raw(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}Connection: close\r\n\r\n".encode())

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def event(self, payload: Any) -> None:
        await self.raw(f"data: {json.dumps(payload)}\n\n".encode())

    async def word(self, text: str, **delta: Any) -> None:
        await self.event({"choices": [{"index": 0, "delta": {"content": text, **delta}}]})

    async def end(self, why: str = "stop", usage: Any = None) -> None:
        await self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": why}]})
        if usage is not None:
            await self.event({"choices": [], "usage": usage})
        await self.raw(b"data: [DONE]\n\n")

    async def gone(self) -> None:
        """Until the client has hung up."""
        with suppress(ConnectionError):
            while await self._reader.read(1024):
                pass


Answer = Callable[[Request, Out], Awaitable[None]]


def says(*words: str, why: str = "stop", usage: Any = None) -> Answer:
    async def answer(_: Request, out: Out) -> None:
        await out.head()
        for word in words:
            await out.word(word)
        await out.end(why, usage)

    return answer


def responds(status: int, body: Any = "", kind: str = "application/json", more: str = "") -> Answer:
    async def answer(_: Request, out: Out) -> None:
        await out.head(status, kind, more)
        await out.raw(body if isinstance(body, bytes) else json.dumps(body).encode() if body != "" else b"")

    return answer


class ChatServer:
    """On loopback, while it is entered. The last of its answers is given again and again."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._tls = tls
        self.asked: list[Request] = []
        self.connections = 0

    async def __aenter__(self) -> ChatServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = int(self._server.sockets[0].getsockname()[1])
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            request = Request(method, path, headers, json.loads(body) if body else None)
            self.asked.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            await answer(request, Out(reader, writer))
        writer.close()
