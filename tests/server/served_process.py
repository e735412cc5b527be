"""`voicecli serve` as a process whose memory and descriptors are looked at, and clients that keep what it says."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voicecli.commands.clips import clip
from voicecli.ports import RATE
from voicecli.protocol.codec import decode_server
from voicecli.protocol.conversation import Conversation, ItemView
from voicecli.protocol.events import Malformed, Unknown

PROGRAM = "import sys; from voicecli.cli import main; sys.exit(main())"
PATIENCE_S = 30.0
MIB = 2**20
Frame = dict[str, Any]


class Served:
    """A server that listens."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self.url = url
        host, port = url.partition("//")[2].partition("/")[0].split(":")
        self.address = (host, int(port))
        self.said = bytearray()
        """Its stderr so far."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        while data := os.read(self.process.stderr.fileno(), 65_536):
            self.said += data

    def rss(self) -> int:
        """Bytes in memory."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes it ever had in memory."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_s(self) -> float:
        """Seconds of processor time it has used, all threads; by the clock that Linux keeps of a process."""
        return time.clock_gettime(((-self.process.pid - 1) << 3) | 2)

    def end(self, limit_s: float = 10.0) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(limit_s)
        self._reader.join(PATIENCE_S)
        return code


@contextmanager
def serving(*args: str, key: str | None = None, program: str = PROGRAM, log: Path | None = None) -> Iterator[Served]:
    """Starts `voicecli serve` in an empty home; what is left of it at the end is killed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("VOICECLI_", "OPENAI_", "XDG_"))}
    with tempfile.TemporaryDirectory(prefix="voicecli-served-") as home:
        env |= {"HOME": home, "VOICECLI_TONES": "1"} | ({} if key is None else {"VOICECLI_SERVE_KEY": key})
        command = [sys.executable, "-P", "-c", program, "serve", "--port", "0", *args]
        command += [] if log is None else ["--log-file", str(log)]
        with subprocess.Popen(command, env=env, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            try:
                line = process.stdout.readline().decode()
                assert "listening on" in line, line or process.communicate()[1].decode()
                yield Served(process, line.rsplit(" ", 1)[1].strip())
            finally:
                if process.poll() is None:
                    process.kill()


def dial(url: str, key: str | None = None, **options: Any) -> connect:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return connect(url, additional_headers=headers, proxy=None, compression=None, max_size=2**26, **options)


async def status_of(url: str, key: str | None = None) -> int:
    try:
        async with dial(url, key):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def closed_with(connection: ClientConnection) -> tuple[int | None, str | None]:
    """What ended it, after whatever came before."""
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code, connection.close_reason


class Client:
    """One talk: it reads all the time, and keeps the conversation as clients do."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.conversation = Conversation()
        self.counts: dict[str, int] = {}
        """How many events of each type came, by the names of the contract."""
        self.last: dict[str, Frame] = {}
        self.odd: list[str] = []
        """What no client could read."""
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                raw = await self.connection.recv(decode=False)
                event = decode_server(raw)
                if isinstance(event, Unknown | Malformed):
                    self.odd.append(repr(event)[:200])
                    continue
                self.conversation.apply(event)
                kind = str(event.__struct_config__.tag)
                self.counts[kind] = self.counts.get(kind, 0) + 1
                if "delta" not in kind:
                    self.last[kind] = json.loads(raw)
                self._news.set()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str, times: int) -> None:
        """Waits for the so-manieth event of a type; not for ever."""
        async with asyncio.timeout(PATIENCE_S):
            await self.wait(kind, times)

    async def wait(self, kind: str, times: int) -> None:
        """Waits for it however long it takes."""
        while self.counts.get(kind, 0) < times:
            self._news.clear()
            await self._news.wait()

    def count(self, kind: str) -> int:
        return self.counts.get(kind, 0)

    async def speak(self, pcm: bytes, speed: float, block_s: float = 0.08) -> None:
        """Appends sound as a microphone that runs at `speed`."""
        size = 2 * round(block_s * RATE)
        began = time.perf_counter()
        for n, start in enumerate(range(0, len(pcm), size)):
            audio = base64.b64encode(pcm[start : start + size]).decode()
            await self.send("input_audio_buffer.append", audio=audio)
            await asyncio.sleep(max(0.0, began + (n + 1) * block_s / speed - time.perf_counter()))

    async def talk(self, turns: int, speed: float, *, hands_free: bool = True, pause_s: float = 0.4) -> None:
        """Speaks so often, each time but the first into the answer, which it truncates; then hears the last one out.

        `hands_free` is what the session's turn detection must be.
        """
        for turn in range(1, turns + 1):
            answers = self.count("response.created")
            await self.speak(SAID, speed)
            if hands_free:
                await self.speak(SILENCE, speed)
            elif answers > self.count("response.done"):
                await self.send("response.cancel")
                await self.until("response.done", answers)
            if turn > 1 and (said := self.last_sound()) is not None:
                before = self.count("conversation.item.truncated")
                await self.send("conversation.item.truncate", item_id=said[0], content_index=0, audio_end_ms=said[1])
                await self.until("conversation.item.truncated", before + 1)
            if not hands_free:
                await self.send("input_audio_buffer.commit")
                await self.send("response.create")
            await self.until("response.created", answers + 1)
            await self.until("response.audio.delta", self.count("response.audio.delta") + 1)
            await asyncio.sleep(pause_s)
        await self.until("response.done", self.count("response.created"))

    def last_sound(self) -> tuple[str, int] | None:
        """The last item of the assistant's with sound, before the one of now, and half of its length in ms."""
        spoken = [item for item in self.conversation.view() if item.role == "assistant" and item.samples]
        done = [item for item in spoken if item.status != "in_progress"]
        return (done[-1].id, done[-1].samples // 48) if done else None

    async def theirs(self) -> list[ItemView]:
        """The items as the server has them, asked one by one."""
        there = Conversation()
        for item_id in self.conversation.order():
            await self.send("conversation.item.retrieve", item_id=item_id)
            await self.until("conversation.item.retrieved", self.count("conversation.item.retrieved") + 1)
            item = self.last["conversation.item.retrieved"]["item"]
            frame = {"type": "conversation.item.created", "previous_item_id": there.last(), "item": item}
            there.apply(decode_server(json.dumps(frame)))  # type: ignore[arg-type]
        return [item._replace(samples=0) for item in there.view()]

    async def agrees(self) -> bool:
        """Whether both ends have the same items with the same words, at rest; of sound the wire tells no length."""
        for _ in range(10):
            await self.send("input_audio_buffer.clear")  # all sound is heard before it
            await self.until("input_audio_buffer.cleared", self.count("input_audio_buffer.cleared") + 1)
            await self.until("response.done", self.count("response.created"))
            theirs = await self.theirs()
            if [item._replace(samples=0) for item in self.conversation.view()] == theirs:
                return not self.odd
            await asyncio.sleep(0.3)  # a transcript, or an answer to what was said last, was still on its way
        return False

    async def close(self) -> None:
        await self.connection.close()
        await self._task


SAID = clip("clip:hello")
SILENCE = bytes(2 * round(0.9 * RATE))


async def client(url: str, key: str | None = None, **session: Any) -> Client:
    """A client that has been greeted, and has taken its settings."""
    one = Client(await dial(url, key, ping_interval=None))  # a busy machine is no reason to hang up
    await one.until("session.created", 1)
    if session:
        await one.send("session.update", session={"type": "realtime", **session})
        await one.until("session.updated", 1)
    return one


class Probe:
    """Asks for something small again and again, and measures how long the answer takes: what others do to a session."""

    def __init__(self, one: Client) -> None:
        self._client = one
        self.waits_s: list[float] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        for n in range(1, 1_000_000):
            asked = time.perf_counter()
            await self._client.send("input_audio_buffer.clear")
            await self._client.until("input_audio_buffer.cleared", n)
            self.waits_s.append(time.perf_counter() - asked)
            await asyncio.sleep(0.05)

    async def stop(self) -> float:
        """The longest wait. Raises where it was not answered any more."""
        if self._task.done():
            await self._task
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        return max(self.waits_s)
