"""The server behind real sockets: what is let in, how many, a talk from end to end, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from housed import housed
from server_talk import silence
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from voicecli.server import door
from voicecli.server.limits import Limits
from voicecli.server.serve import Bounds, House

KEY = "sk-right"
LOCKED = door.Door(digest=door.digest(KEY))


@asynccontextmanager
async def served(
    entry: door.Door = door.Door(),  # noqa: B008 (frozen)
    bounds: Bounds = Bounds(),  # noqa: B008
    told: list[str] | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> AsyncIterator[str]:
    """A server on a free port of this machine; its URL."""
    house = House(entry, bounds, limits, (told if told is not None else []).append)
    async with housed(house) as url:
        yield url


def dial(url: str, **options: Any) -> connect:
    return connect(url, proxy=None, compression=None, max_size=2**25, **options)


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work()

    asyncio.run(bounded())


async def status_of(url: str, **options: Any) -> int:
    try:
        async with dial(url, **options):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def until(connection: ClientConnection, kind: str) -> list[dict[str, Any]]:
    frames = []
    while not frames or frames[-1]["type"] != kind:
        frames.append(json.loads(await connection.recv()))
    return frames


async def closed_with(connection: ClientConnection) -> int | None:
    """The code that ended it, after whatever came before."""
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code


async def raw_answer(url: str, request: bytes) -> bytes:
    host, port = url.removeprefix("ws://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await reader.read(4096)
    writer.close()
    return answer


def upgrade(*lines: str, path: str = door.PATH) -> bytes:
    head = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version: 13",
        *lines,
    ]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"


@pytest.mark.parametrize("beta", [False, True])
def test_a_question_is_answered_in_words_and_sound(beta: bool) -> None:
    async def work() -> None:
        headers = {"OpenAI-Beta": "realtime=v1"} if beta else {}
        async with served() as url, dial(url + "?model=some-model", additional_headers=headers) as talk:
            greeting = await until(talk, "conversation.created")
            assert greeting[0]["session"]["model"] == "some-model"
            assert ("audio" in greeting[0]["session"]) != beta
            content = [{"type": "input_text", "text": "hello there"}]
            item = {"type": "message", "role": "user", "content": content}
            await talk.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await talk.send(json.dumps({"type": "response.create"}))
            frames = await until(talk, "response.done")
            said = frames[-1]["response"]["output"][0]["content"][0]["transcript"]
            assert said.startswith('You wrote: "hello there". I am voicecli\'s practice partner')
            audio = "response.audio.delta" if beta else "response.output_audio.delta"
            assert sum(len(base64.b64decode(one["delta"])) for one in frames if one["type"] == audio) > 48_000

    in_loop(work)


def test_a_client_may_send_its_sound_faster_than_real_time() -> None:
    async def work() -> None:
        async with served() as url, dial(url) as talk:
            await until(talk, "conversation.created")
            audio = base64.b64encode(silence(20.0)).decode()
            await talk.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
            await talk.send(json.dumps({"type": "input_audio_buffer.commit"}))
            assert "input_audio_buffer.committed" in [
                one["type"] for one in await until(talk, "conversation.item.done")
            ]

    in_loop(work)


def test_g21_the_table_of_keys_over_the_wire() -> None:
    async def work() -> None:
        async with served(LOCKED) as url:
            assert await status_of(url) == 401
            for headers in (
                {"Authorization": "Bearer wrong"},
                {"Authorization": f"Basic {KEY}"},
                {"api-key": "wrong"},
                {"Authorization": "Bearer s\xe9k"},
            ):
                assert await status_of(url, additional_headers=headers) == 401, headers
            for headers in ({"Authorization": f"Bearer {KEY}"}, {"api-key": KEY}):
                assert await status_of(url, additional_headers=headers) == 101, headers
            assert await status_of(f"{url}?api-key={KEY}") == 401
            offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{KEY}")]
            async with dial(url, subprotocols=offered) as talk:
                assert talk.subprotocol == "realtime"

    in_loop(work)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer \xff\xfe\x80",
        "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.\xe9",
        "Sec-WebSocket-Protocol: ,,,;;;",
        "Sec-WebSocket-Protocol: openai-insecure-api-key.a b",
        "api-key: " + "x" * 8_000,
    ],
)
def test_g21_a_malformed_key_is_never_500(line: str) -> None:
    async def work() -> None:
        async with served(LOCKED) as url:
            assert (await raw_answer(url, upgrade(line))).split(b" ")[1] == b"401"

    in_loop(work)


def test_g21_a_header_without_end_is_cut_off() -> None:
    async def work() -> None:
        async with served(LOCKED) as url:
            answer = await raw_answer(url, upgrade("api-key: " + "x" * 100_000))
            assert not answer.startswith(b"HTTP/1.1 500")
            assert await status_of(url, additional_headers={"api-key": KEY}) == 101

    in_loop(work)


def test_g19_the_table_of_origins_and_hosts_over_the_wire() -> None:
    async def work() -> None:
        async with served() as url:
            for origin in ("https://evil.example", "null", "http://localhost", url.replace("ws", "http")):
                assert await status_of(url, origin=origin) == 403, origin
            assert (await raw_answer(url, upgrade("Origin: "))).split(b" ")[1] == b"403"
            for host in (b"evil.example", b"0.0.0.0", b"127.0.0.1.evil.example:80"):
                answer = await raw_answer(url, upgrade().replace(b"Host: 127.0.0.1", b"Host: " + host))
                assert answer.split(b" ")[1] == b"403", host
            for host in (b"localhost:99", b"[::1]:1", b"127.0.0.1"):
                answer = await raw_answer(url, upgrade().replace(b"Host: 127.0.0.1", b"Host: " + host))
                assert answer.split(b" ")[1] == b"101", host

    in_loop(work)


def test_other_paths_are_404_with_a_line_that_helps() -> None:
    async def work() -> None:
        async with served() as url:
            with pytest.raises(InvalidStatus) as refused:
                await dial(url.replace("/v1/realtime", "/")).__aenter__()
            assert refused.value.response.status_code == 404
            assert b"/v1/realtime" in refused.value.response.body

    in_loop(work)


def test_over_the_limit_of_sessions_is_503_until_one_ends() -> None:
    async def work() -> None:
        async with served(bounds=Bounds(sessions=1, connections=4)) as url:
            async with dial(url) as first:
                await until(first, "conversation.created")
                with pytest.raises(InvalidStatus) as refused:
                    await dial(url).__aenter__()
                assert refused.value.response.status_code == 503
                assert refused.value.response.headers["Retry-After"] == "5"
            assert await status_of(url) == 101

    in_loop(work)


def test_over_the_limit_of_connections_is_hung_up_on_at_once_and_told_once() -> None:
    async def work() -> None:
        told: list[str] = []
        async with served(bounds=Bounds(sessions=1, connections=4), told=told) as url:
            host, port = url.removeprefix("ws://").partition("/")[0].split(":")
            idle = [await asyncio.open_connection(host, int(port)) for _ in range(4)]
            for _ in range(3):
                with pytest.raises((OSError, InvalidHandshake, EOFError, ConnectionClosed)):
                    await dial(url).__aenter__()
            assert len(told) == 1
            for _, writer in idle:
                writer.close()
                await writer.wait_closed()
            while (await status_of_or_none(url)) is None:
                await asyncio.sleep(0.05)

    in_loop(work)


async def status_of_or_none(url: str) -> int | None:
    try:
        return await status_of(url)
    except (OSError, InvalidHandshake, EOFError, ConnectionClosed):
        return None


def test_a_frame_over_the_limit_ends_the_session_with_1009() -> None:
    async def work() -> None:
        async with served() as url:
            talk = await dial(url).__aenter__()
            await until(talk, "conversation.created")
            with suppress(ConnectionClosed):
                await talk.send("x" * (22 * 2**20 + 1))
            assert await closed_with(talk) == 1009
            assert await status_of(url) == 101

    in_loop(work)


def test_the_end_of_the_server_is_told_with_1001() -> None:
    async def work() -> None:
        async with served() as url:
            talk = await dial(url).__aenter__()
            await until(talk, "conversation.created")
        assert await closed_with(talk) == 1001

    in_loop(work)


def test_a_deaf_client_does_not_keep_the_server_from_ending() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with served() as url:
            host, port = url.removeprefix("ws://").partition("/")[0].split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(upgrade())
            await reader.readuntil(b"\r\n\r\n")
            began = loop.time()
        assert loop.time() - began < 4.0
        writer.close()

    in_loop(work)


def test_a_client_that_reads_nothing_is_hung_up_on_and_its_place_is_free() -> None:
    async def work() -> None:
        async with served(bounds=Bounds(sessions=1, deaf_s=0.1)) as url:
            await fill(url)
            while await status_of(url) != 101:
                await asyncio.sleep(0.05)

    in_loop(work)


def test_the_server_ends_in_time_while_a_client_reads_nothing() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with served(bounds=Bounds(sessions=1, deaf_s=None)) as url:
            await fill(url)
            began = loop.time()
        assert loop.time() - began < 4.0

    in_loop(work)


async def fill(url: str) -> asyncio.StreamWriter:
    """A client that asks for much and reads none of it, until the server takes nothing more."""
    host, port = url.removeprefix("ws://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**10)
    writer.write(upgrade())
    await reader.readuntil(b"\r\n\r\n")
    content = [{"type": "input_text", "text": "x" * 2**20}]
    item = {"type": "message", "role": "user", "content": content}
    frame = Frame(Opcode.TEXT, json.dumps({"type": "conversation.item.create", "item": item}).encode())
    for _ in range(16):
        writer.write(frame.serialize(mask=True))
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await writer.drain()
    return writer


def test_no_key_reaches_any_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work() -> None:
        async with served(LOCKED) as url:
            await raw_answer(url, upgrade("Authorization: Bearer canary-in-a-header"))
            await raw_answer(url, upgrade("Sec-WebSocket-Protocol: openai-insecure-api-key.canary\xe9"))
            await raw_answer(url, upgrade(path="/v1/realtime?api-key=canary"))
            await raw_answer(url, b"canary is no HTTP\r\n\r\n")

    in_loop(work)
    assert "canary" not in caplog.text


@pytest.mark.parametrize("beta", [False, True])
def test_a_capped_session_is_closed_with_1001_and_its_reason_and_the_beta_has_an_error_before(beta: bool) -> None:
    async def work() -> None:
        headers = {"OpenAI-Beta": "realtime=v1"} if beta else {}
        async with served(limits=Limits(cap_s=0.2)) as url, dial(url, additional_headers=headers) as connection:
            frames = await until(connection, "conversation.created")
            assert abs(frames[0]["session"]["expires_at"] - time.time()) < 5
            if beta:
                assert json.loads(await connection.recv())["error"]["code"] == "session_expired"
            assert await closed_with(connection) == 1001
            assert "maximum duration" in str(connection.close_reason)

    in_loop(work)
