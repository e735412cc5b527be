"""Fuzz over the door of `voicecli serve`: broken HTTP and broken websocket frames; a talk beside them goes on."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from tests.fuzz.frames import Storm
from tests.server.served_process import Probe, Served, client, serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at a process as Linux tells of it")

SECONDS = 2.0
AT_ONCE = 8
REQUEST = (
    b"GET /v1/realtime?model=m HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)
MORE = (
    *(
        b"Authorization: Bearer \xff\xfe",
        b"Origin: ",
        b"OpenAI-Beta: realtime=v1",
        b"Sec-WebSocket-Protocol: ,,realtime",
    ),
    *(
        b"Sec-WebSocket-Extensions: permessage-deflate",
        b"Expect: 100-continue",
        b"Content-Length: -1",
        b"X: " + b"y" * 9_000,
    ),
    *(b"Transfer-Encoding: chunked", b" folded", b":", b"Host: evil.example", b"Connection: close", b"Upgrade: h2c"),
)
EVENTS: list[dict[str, Any]] = [
    {"type": "session.update", "session": {"type": "realtime", "instructions": "x", "tools": []}},
    {"type": "session.update", "session": {"modalities": ["text"], "turn_detection": None}},
    {"type": "input_audio_buffer.append", "audio": "AAAA" * 1200},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "hello"}]}},
    {"type": "conversation.item.truncate", "item_id": "item_1_0005", "content_index": 0, "audio_end_ms": 10},
    {"type": "conversation.item.delete", "item_id": "item_1_0005"},
    {"type": "conversation.item.retrieve", "item_id": "item_1_0005"},
    {"type": "response.create", "response": {"conversation": "none", "metadata": {"a": "b"}}},
    {"type": "response.create"},
    {"type": "response.cancel"},
]  # fmt: skip


class Fuzz:
    """What is sent; the same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._storm = Storm(seed)

    def request(self) -> bytes:
        """A request that is nearly one, or none at all."""
        rng = self._rng
        match rng.randrange(6):
            case 0:
                return rng.randbytes(rng.randrange(300))
            case 1:
                return REQUEST[: rng.randrange(len(REQUEST))]
            case 2:
                return self._bitten(REQUEST + b"\r\n")
            case 3:
                return b"\r\n".join([REQUEST[:-2], *rng.sample(MORE, rng.randrange(1, 5)), b"", b""])
            case 4:
                return (
                    REQUEST.replace(b"/v1/realtime", rng.choice((b"/healthz", b"/%00", b"//[", b"*", b"/" * 9_000)))
                    + b"\r\n"
                )
            case _:
                return self.handshake() + rng.randbytes(rng.randrange(2_000))

    def handshake(self) -> bytes:
        return REQUEST + b"\r\n"

    def message(self) -> bytes:
        """A frame, or bytes that are none."""
        rng = self._rng
        match rng.randrange(8):
            case 0:
                return rng.randbytes(rng.randrange(1, 200))
            case 1:
                return bytes((rng.randrange(256), 0x80 | rng.randrange(126))) + rng.randbytes(rng.randrange(4, 130))
            case 2:
                return self._bitten(Frame(Opcode.TEXT, self._event()).serialize(mask=True))
            case 3:
                return Frame(Opcode.TEXT, next(self._storm)).serialize(mask=rng.random() < 0.9)
            case _:
                opcode = Opcode.TEXT if rng.random() < 0.9 else Opcode.BINARY
                return Frame(opcode, self._event()).serialize(mask=True)

    def _event(self) -> bytes:
        rng = self._rng
        event = json.loads(json.dumps(rng.choice(EVENTS)))
        at: Any = event
        while rng.random() < 0.5:
            key = rng.choice(list(at))
            if isinstance(at[key], dict) and at[key]:
                at = at[key]
                continue
            at[key] = rng.choice((None, -1, 2**70, "", "x" * 600, [], {}, True, 1e308, "\ud800", [[]]))
        return json.dumps(event).encode()

    def _bitten(self, data: bytes) -> bytes:
        rng = self._rng
        found = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            found[rng.randrange(len(found))] = rng.randrange(256)
        return bytes(found)


async def one_after_the_other(server: Served, seed: int, until: float) -> int:
    """Connections that come, send what they have, read a little and go."""
    fuzz, count = Fuzz(seed), 0
    while time.monotonic() < until:
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(*server.address)
            try:
                async with asyncio.timeout(0.5):
                    if seed % 2:
                        writer.write(fuzz.request())
                        await reader.read(100)
                    else:
                        writer.write(fuzz.handshake())
                        await reader.readuntil(b"\r\n\r\n")
                        for _ in range(30):
                            writer.write(fuzz.message())
                            await writer.drain()
                            await asyncio.sleep(0)
                        await reader.read(65_536)
            finally:
                writer.transport.abort()
            count += 1
    return count


def test_whatever_comes_through_the_door_the_server_stands_and_a_talk_goes_on() -> None:
    async def work() -> None:
        beside = await client(server.url)
        probe = Probe(beside)
        memory, until = server.rss(), time.monotonic() + SECONDS
        counts = await asyncio.gather(*(one_after_the_other(server, seed, until) for seed in range(AT_ONCE)))
        assert min(counts) > 1, counts
        assert await probe.stop() < 3.0
        assert beside.count("error") == 0
        assert server.rss() - memory < 120 * 2**20, "45 MB at most were measured"
        await beside.close()

    with serving("--handshake-s", "0.5") as server:
        asyncio.run(work())
        assert server.end() == 0
        said = bytes(server.said).decode()
        assert "Traceback" not in said
        assert "bug" not in said, said[-2000:]
