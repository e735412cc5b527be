"""What `voicecli serve` promises to whoever runs it (G19-G25), against the process itself: talks beside clients that
mean harm or are broken, its memory, its descriptors, its end."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from tests.server.served_process import (
    MIB,
    PROGRAM,
    Client,
    Probe,
    Served,
    client,
    closed_with,
    dial,
    serving,
    status_of,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux tells of them")

KEY = "sk-canary-of-a-server"
PATIENCE_S = 40.0


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await work()

    asyncio.run(bounded())


def handshake(*lines: str, path: str = "/v1/realtime", host: str = "127.0.0.1", key: str | None = None) -> bytes:
    head = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        *([] if key is None else [f"api-key: {key}"]),
        *lines,
    ]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"


async def answer_to(server: Served, request: bytes) -> bytes:
    """The first bytes of the answer; none where it hung up."""
    reader, writer = await asyncio.open_connection(*server.address)
    try:
        writer.write(request)
        return await reader.read(4096)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


class Raw:
    """A websocket client that reads only when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, server: Served, key: str | None = None) -> Raw:
        dialled = socket.socket()
        dialled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        dialled.setblocking(False)
        await asyncio.get_running_loop().sock_connect(dialled, server.address)
        reader, writer = await asyncio.open_connection(sock=dialled, limit=4096)
        writer.write(handshake(key=key))
        assert status(await reader.readuntil(b"\r\n\r\n")) == 101
        return cls(reader, writer)

    def ask_for_much(self) -> None:
        """A text that is given back twice, again and again."""
        content = [{"type": "input_text", "text": "x" * MIB}]
        item = {"type": "message", "role": "user", "content": content}
        text = json.dumps({"type": "conversation.item.create", "item": item}).encode()
        self.writer.write(16 * Frame(Opcode.TEXT, text).serialize(mask=True))

    async def hung_up(self, bytes_a_time: int, pause_s: float) -> None:
        """Reads so slowly until the server has had enough."""
        with suppress(ConnectionError):
            while await self.reader.read(bytes_a_time):
                await asyncio.sleep(pause_s)
        self.writer.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """One that asks for a key."""
    with serving("--log-level", "debug", key=KEY) as served:
        yield served
        assert served.process.poll() is None
        assert KEY not in bytes(served.said).decode()
        assert "Traceback" not in bytes(served.said).decode()


def test_16_talks_at_four_times_their_speed_beside_clients_that_do_not_read() -> None:
    """1 and 2: the talks are whole and equal on both ends, memory is flat, the deaf are hung up on, the next is 503."""

    async def work() -> None:
        by_hand = {"audio": {"input": {"turn_detection": None}}}
        talks = [await client(served.url, **({} if n < 4 else by_hand)) for n in range(16)]
        probe = Probe(await client(served.url))
        slow, deaf = [await Raw.open(served) for _ in range(2)]
        assert await status_of(served.url) == 503
        slow.ask_for_much()
        deaf.ask_for_much()
        ends = asyncio.gather(slow.hung_up(100, 0.1), closes(deaf))
        await asyncio.gather(*(one.talk(1, 4.0, hands_free=n < 4) for n, one in enumerate(talks)))
        early = served.rss()
        await asyncio.gather(*(one.talk(3, 4.0, hands_free=n < 4) for n, one in enumerate(talks)))
        grown = served.rss() - early
        await ends
        assert await probe.stop() < 3.0, "0.5 s are promised, 0.1 s measured"
        assert all(await asyncio.gather(*(one.agrees() for one in talks)))
        assert all(one.count("conversation.item.truncated") >= 2 for one in talks)
        refused = {one.last["error"]["error"]["code"] for one in talks if "error" in one.last}
        assert refused <= {"response_cancel_not_active"}, "an answer may have ended while it was interrupted"
        assert grown < 10 * MIB
        for one in talks:
            await one.close()

    async def closes(deaf: Raw) -> None:
        """It reads nothing; that it was hung up on is found by writing."""
        with suppress(ConnectionError):
            while True:
                deaf.writer.write(Frame(Opcode.PING, b"").serialize(mask=True))
                await asyncio.sleep(0.1)
                if deaf.writer.transport.is_closing():
                    return

    with serving("--max-sessions", "19", "--unread-s", "2") as served:
        in_loop(work)
        assert served.end() == 0
        said = bytes(served.said).decode()
        assert said.count("ended") == 19
        assert said.count('closed with 1011 "the client does not read"') == 2


def test_g23_four_messages_of_20_mib_cost_no_more_than_is_promised_and_are_given_back(server: Served) -> None:
    """3."""

    async def work() -> None:
        probe = Probe(await client(server.url, KEY))
        one = await client(server.url, KEY, audio={"input": {"turn_detection": None}})
        before = server.rss()
        audio = base64.b64encode(bytes(15 * MIB)).decode()
        for _ in range(4):
            await one.send("input_audio_buffer.append", audio=audio)
        await one.send("input_audio_buffer.clear")
        await one.until("input_audio_buffer.cleared", 1)
        await one.close()
        assert server.peak() - before < 320 * MIB
        while server.rss() - before > 40 * MIB:
            await asyncio.sleep(0.05)
        assert await probe.stop() < 3.0

    in_loop(work)


def test_200_connections_that_say_nothing_take_no_descriptors_and_no_place_for_long() -> None:
    """4: with 256 descriptors a running talk goes on, little is logged, and a new client gets in."""
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); " + PROGRAM

    async def work() -> None:
        probe = Probe(await client(served.url))
        idle = [await asyncio.open_connection(*served.address) for _ in range(200)]
        await asyncio.sleep(0.5)
        assert served.descriptors() < 100
        await_in = time.monotonic()
        while True:
            with suppress(OSError, EOFError, InvalidHandshake, ConnectionClosed):
                if await status_of(served.url) == 101:
                    break
            await asyncio.sleep(0.1)
        assert time.monotonic() - await_in < 10.0
        assert await probe.stop() < 3.0
        for _, writer in idle:
            writer.close()

    with serving("--handshake-s", "1", program=few) as served:
        in_loop(work)
        assert served.end() == 0
        assert bytes(served.said).count(b"\n") < 20


def test_connections_that_never_finish_tls_are_counted_too() -> None:
    """4, where the talks are encrypted."""
    certificate = Path(__file__).parent.parent / "commands" / "anywhere.pem"
    tls = ssl.create_default_context(cafile=str(certificate))

    async def work() -> None:
        running = Client(await dial(served.url, ssl=tls))
        await running.until("session.created", 1)
        idle = [await asyncio.open_connection(*served.address) for _ in range(200)]
        await running.send("input_audio_buffer.clear")
        await running.until("input_audio_buffer.cleared", 1)
        assert served.descriptors() < 100
        while True:
            with suppress(OSError, EOFError, InvalidHandshake, ConnectionClosed):
                async with dial(served.url, ssl=tls):
                    break
            await asyncio.sleep(0.1)
        for _, writer in idle:
            writer.close()

    with serving("--handshake-s", "0.5", "--tls-cert", str(certificate)) as served:
        assert served.url.startswith("wss://")
        in_loop(work)
        assert served.end() == 0


HOSTILE = {
    "deep": b'{"type":"session.update","session":' + b"[" * 100_000,
    "deep and closed": b'{"type":"session.update","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "five million objects": b'{"type":"session.update","session":{"tools":[' + b"{}," * 5_000_000 + b"{}]}}",
    "a huge number": b'{"type":"conversation.item.truncate","item_id":"a","content_index":' + b"9" * 400 + b"}",
    "a type twice": b'{"type":"response.create","type":"session.update"}',
    "no JSON": b"\x00\x01 not at all",
    "another encoding": '{"type":"response.create"}'.encode("utf-16"),
    "an unknown type": b'{"type":"' + b"x" * 100_000 + b'"}',
    "an unknown id": b'{"type":"conversation.item.delete","item_id":"\\ud800"}',
    "no base64": b'{"type":"input_audio_buffer.append","audio":"!!!"}',
    "nothing": b"",
}


def test_hostile_messages_are_an_error_or_a_close_and_nobody_else_notices(server: Served) -> None:
    """5."""

    async def told(message: str | bytes) -> str:
        """What comes of it: the type of the last event, or a close code."""
        one = await dial(server.url, KEY)
        try:
            await one.send(message)
            while True:
                frame = json.loads(await one.recv())
                if frame["type"] == "error":
                    return "error"
        except ConnectionClosed:
            return str(one.close_code)
        finally:
            await one.close()

    async def fragments() -> str:
        """A million of them, all empty."""
        raw = await Raw.open(server, KEY)
        one = Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True)
        more = Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 10_000
        with suppress(ConnectionError):
            raw.writer.write(one)
            for _ in range(100):
                raw.writer.write(more)
                await raw.writer.drain()
        with suppress(ConnectionError):
            while await raw.reader.read(65_536):
                pass
        raw.writer.close()
        return "closed"

    async def work() -> None:
        probe = Probe(await client(server.url, KEY))
        before = server.rss()
        for what, data in HOSTILE.items():
            assert await told(data) == "error", what
            with suppress(UnicodeDecodeError):
                assert await told(data.decode()) == "error", what
        assert await fragments() == "closed"
        bad = await Raw.open(server, KEY)
        bad.writer.write(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
        while b'"type":"error"' not in (data := await bad.reader.read(65_536)):
            assert data, "it was hung up on instead"
        bad.writer.close()
        assert await probe.stop() < 3.0
        while server.rss() - before > 40 * MIB:
            await asyncio.sleep(0.05)

    in_loop(work)


def test_g22_too_many_events_and_too_many_errors_are_1008() -> None:
    async def flood(text: str, times: int, reason: str) -> None:
        one = await dial(served.url)

        async def send() -> None:
            with suppress(ConnectionClosed):
                for _ in range(times):
                    await one.send(text)

        sending = asyncio.create_task(send())
        assert await closed_with(one) == (1008, reason)
        await sending

    async def pings() -> None:
        raw = await Raw.open(served)
        raw.writer.write(Frame(Opcode.PING, b"").serialize(mask=True) * 3_000)
        with suppress(ConnectionError):
            while await raw.reader.read(65_536):
                pass
        raw.writer.close()

    async def work() -> None:
        beside = await client(served.url)
        await flood('{"type":"input_audio_buffer.clear"}', 3_000, "too many events")
        await flood('{"type":"response.cancel"}', 100, "too many errors")
        await pings()
        await beside.send("input_audio_buffer.clear")
        await beside.until("input_audio_buffer.cleared", 1)

    with serving("--max-events-per-s", "200", "--max-errors", "20") as served:
        in_loop(work)


def test_g22_a_client_that_is_idle_or_too_loud_is_told_why() -> None:
    async def work() -> None:
        idle = await dial(served.url)
        assert await closed_with(idle) == (1001, "idle")
        loud = await dial(served.url)
        with suppress(ConnectionClosed):
            await loud.send("x" * (MIB + 1))
        assert (await closed_with(loud))[0] == 1009

    with serving("--idle-minutes", "0.01", "--max-frame-mib", "1") as served:
        in_loop(work)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ((), 401),
        (("Authorization: Bearer wrong",), 401),
        (("Authorization: Bearer",), 401),
        (("Authorization: \x80\xff",), 401),
        ((f"Authorization: Basic {KEY}",), 401),
        (("api-key: \xe9",), 401),
        (("api-key: " + "x" * 8_000,), 401),
        (("Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.\xe9",), 401),
        (("Sec-WebSocket-Protocol: ,,;;",), 401),
        ((f"Authorization: Bearer {KEY}",), 101),
        ((f"api-key: {KEY}",), 101),
    ],
)
def test_g21_a_key_is_right_or_401_and_never_500(server: Served, lines: tuple[str, ...], wanted: int) -> None:
    """6."""

    async def work() -> None:
        assert status(await answer_to(server, handshake(*lines))) == wanted

    in_loop(work)


def test_g21_keys_in_other_places(server: Served) -> None:
    """6: a megabyte of key ends the connection, a query is no place, and a subprotocol is never given back."""

    async def work() -> None:
        assert not (await answer_to(server, handshake("api-key: " + "x" * MIB))).startswith(b"HTTP/1.1 5")
        assert status(await answer_to(server, handshake(path=f"/v1/realtime?api-key={KEY}"))) == 401
        offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{KEY}")]
        async with dial(server.url, subprotocols=offered) as one:
            assert one.subprotocol == "realtime"

    in_loop(work)


def test_origins_and_hosts_and_health(server: Served) -> None:
    """7, G19."""

    async def work() -> None:
        for origin in (
            "https://evil.example",
            "null",
            "",
            "http://localhost",
            server.url.replace("ws", "http", 1),
        ):
            assert status(await answer_to(server, handshake(f"Origin: {origin}", key=KEY))) == 403, origin
        for host in ("evil.example", "127.0.0.1.evil.example", "0.0.0.0"):
            assert status(await answer_to(server, handshake(host=host, key=KEY))) == 403, host
        health = await answer_to(server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status(health) == 200
        assert health.endswith(b"\r\n\r\nok\n")

    in_loop(work)


def test_the_pages_that_are_named_are_let_in_and_no_other() -> None:
    async def work() -> None:
        for origin, wanted in (("https://app.example", 101), ("http://app.example", 403), ("https://b.example", 101)):
            assert status(await answer_to(served, handshake(f"Origin: {origin}"))) == wanted, origin

    with serving("--allow-origin", "https://app.example, https://b.example/") as served:
        in_loop(work)


def test_g24_sigterm_ends_8_talks_with_1001_within_3_s_though_one_client_is_deaf() -> None:
    """8."""

    async def work() -> None:
        talks = [await client(served.url) for _ in range(7)]
        (await Raw.open(served)).ask_for_much()
        speaking = [asyncio.create_task(one.speak(bytes(480_000), 1.0)) for one in talks]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        assert await asyncio.to_thread(served.end) == 0
        assert time.monotonic() - began < 6.0, "3 s are promised, 1.8 s measured"
        for one, task in zip(talks, speaking, strict=True):
            with suppress(ConnectionClosed):
                await task
            assert one.connection.close_code == 1001

    with serving() as served:
        in_loop(work)


def test_a_thousand_short_sessions_leave_nothing_behind(server: Served) -> None:
    """9."""

    async def short(n: int) -> None:
        for _ in range(n):
            one = await client(server.url, KEY, instructions="be brief")
            await one.close()

    async def work() -> None:
        await asyncio.gather(*(short(25) for _ in range(8)))
        memory, descriptors = server.rss(), server.descriptors()
        await asyncio.gather(*(short(100) for _ in range(8)))
        assert server.rss() - memory < 8 * MIB
        while server.descriptors() > descriptors:
            await asyncio.sleep(0.05)

    in_loop(work)


def test_g19_the_server_inside_a_client_takes_one_session_and_only_with_its_token(tmp_path: Path) -> None:
    """10."""
    token = "0123456789abcdef" * 2

    async def work(url: str) -> None:
        async with dial(url, token):
            assert await status_of(url, token) == 503
            assert await status_of(url) == 401
            assert await status_of(url, token[::-1]) == 401

    command = [sys.executable, "-P", "-c", PROGRAM, "serve", "--child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(token.encode() + b'\n{"tones": true}\n')
        child.stdin.flush()
        url = json.loads(child.stdout.readline())["url"]
        in_loop(lambda: work(url))
        child.stdin.close()
        assert child.wait(5.0) == 0
