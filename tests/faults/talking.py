"""A whole talk without a face: the core, its thread, the real link, and a card that records and plays in real time."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import voicecli
from voicecli.core.changes import AnyChange, Ended, LinkNow, PhaseNow, Told
from voicecli.core.plan import Plan
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import Begin, Quit, Stimulus, Typed
from voicecli.ports import RATE, MicBlock, Passed, Playhead, Side, Silent, SoundClosed, SoundEvent, SoundOpened, Span
from voicecli.protocol.items import SessionConfig, TurnDetection
from voicecli.protocol.profiles import OPENAI
from voicecli.runtime.dial import LIMITS, Limits
from voicecli.runtime.socket import WebSocketLink
from voicecli.runtime.thread import SessionThread

CANARY = "sk-canary-0123456789abcdef"
BLOCK_S = 0.02
BLOCK = int(RATE * BLOCK_S)
PATIENCE_S = 40.0

C = TypeVar("C")


class Secret:
    def reveal(self) -> str:
        return CANARY

    def __repr__(self) -> str:
        return "***"


class Card:
    """`ports.Sound`. Each block begins with the time at which it was recorded; what is played is heard at once."""

    def __init__(self) -> None:
        self._coming: deque[SoundEvent] = deque()
        self._records_from: float | None = None
        self._plays = False
        self._laid = 0
        self._at = Playhead(0, 0, True)
        self._played_to = 0.0
        self.laid_bytes = 0
        self.recorded = 0
        """Blocks."""

    def open(self, side: Side) -> None:
        self._coming.append(SoundOpened(side, "card", RATE, 0.0))
        if side is Side.MICROPHONE:
            self._records_from = time.perf_counter()
        else:
            self._plays, self._played_to = True, time.perf_counter()

    def close(self, side: Side) -> None:
        self._coming.append(SoundClosed(side))
        if side is Side.MICROPHONE:
            self._records_from = None
        else:
            self._plays = False

    def lay(self, pcm: bytes) -> None:
        self._laid += len(pcm) // 2
        self.laid_bytes += len(pcm)

    def move(self, playhead: Playhead) -> None:
        self._at = playhead
        self._coming.append(Silent(playhead.run - 1, time.perf_counter()))

    def take(self) -> Iterable[SoundEvent]:
        now = time.perf_counter()
        while self._records_from is not None and now >= self._records_from + BLOCK_S:
            stamp = struct.pack("<d", time.monotonic() - (now - self._records_from - BLOCK_S))
            self._coming.append(MicBlock(stamp.ljust(2 * BLOCK, b"\0"), self._records_from, -20.0))
            self._records_from += BLOCK_S
            self.recorded += 1
        if self._plays and now - self._played_to >= 0.01:
            n = min(self._laid - self._at.position, int((now - self._played_to) * RATE))
            if n > 0:
                self._coming.append(Passed((Span(self._at.run, self._at.position, n, now - n / RATE),)))
                self._at = self._at._replace(position=self._at.position + n)
            self._played_to = now
        while self._coming:
            yield self._coming.popleft()


class Talking:
    """Changes with their times, in order."""

    def __init__(
        self, url: str, *, limits: Limits = LIMITS, sound: bool = True, link: Any = WebSocketLink, **plan: Any
    ) -> None:
        self.card = Card() if sound else None
        session = SessionConfig(modalities=("text", "audio"), turn_detection=TurnDetection(type="server_vad"))
        has = {"microphone": "device", "speaker": True} if sound else {}
        self.session = VoiceSession(Plan(profile=OPENAI, url=url, session=session, keyboard="terminal", **(has | plan)))
        self.seen: list[tuple[float, AnyChange]] = []
        self.late_s = 0.0
        """The most that a timer in the session's loop was late."""
        self.frames = 0
        self.thread = SessionThread(self.session, self.card, self._link(link, limits))
        self._over = threading.Event()
        self._bell = threading.Thread(target=self._ring, daemon=True)

    def _link(self, base: Any, limits: Limits) -> Any:
        talking = self

        class Watched(base):  # type: ignore[misc]
            """The link, with a timer on its loop that measures how late it comes."""

            def open(self, url: str, headers: tuple[tuple[str, str], ...]) -> None:
                super().open(url, headers)
                self.tick(None)

            def tick(self, due: float | None) -> None:
                loop = asyncio.get_running_loop()
                if due is not None:
                    talking.late_s = max(talking.late_s, loop.time() - due)
                loop.call_later(0.005, self.tick, loop.time() + 0.005)

        def make(give: Any) -> WebSocketLink:
            return Watched(give, Secret(), limits=limits)

        return make

    def _ring(self) -> None:
        while not self._over.wait(0.01):
            self.thread.ring()

    # ---- from the test

    def give(self, *stimuli: Stimulus) -> None:
        for stimulus in stimuli:
            self.thread.give(stimulus)

    def look(self) -> None:
        now = time.perf_counter()
        self.seen += ((now, change) for change in self.thread.changes.take())

    def find(self, kind: type[C], **fields: Any) -> list[tuple[float, C]]:
        self.look()
        return [
            (at, change)
            for at, change in self.seen
            if isinstance(change, kind) and all(getattr(change, name) == value for name, value in fields.items())
        ]

    def wait(self, kind: type[C], *, within: float = PATIENCE_S, **fields: Any) -> float:
        """When the first such change was seen."""
        by = time.perf_counter() + within
        while True:
            if found := self.find(kind, **fields):
                return found[0][0]
            assert time.perf_counter() < by, f"no {kind.__name__} {fields}; there were {self.codes} {self.phases}"
            self.thread.changes.wait(0.02)

    def told(self, code: str, *, within: float = PATIENCE_S) -> float:
        return self.wait(Told, code=code, within=within)

    @property
    def codes(self) -> list[str]:
        return [change.code for _, change in self.find(Told)]

    @property
    def phases(self) -> list[str]:
        return [change.phase for _, change in self.find(PhaseNow)]

    def ready(self) -> Talking:
        self.wait(LinkNow, state="open")
        return self

    def says(self, text: str) -> None:
        self.give(Typed(text))


@contextmanager
def talking(url: str, **options: Any) -> Iterator[Talking]:
    """A talk, which ends with the block. No bug of ours may have ended it, and no key be in what it shows."""
    one = Talking(url, **options)
    one.thread.start()
    one._bell.start()
    one.give(Begin())
    try:
        yield one
        one.give(Quit())
        one.wait(Ended, within=10)
    finally:
        one.give(Quit())
        one._over.set()
        one.thread.join(5)
    one.look()
    assert one.thread.failure is None
    assert CANARY not in str(one.seen)


class Child:
    """The server in `far.py`."""

    def __init__(self, *arguments: str) -> None:
        root = Path(voicecli.__file__).parent.parent
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("far.py")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=root,
        )
        self.blocks: list[tuple[float, float]] = []
        """When each block was recorded, and when it came, by `time.monotonic`."""
        assert self.process.stdout is not None
        self.port = json.loads(self.process.stdout.readline())["port"]
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if "block" in said:
                self.blocks.append((said["block"], said["at"]))

    def oldest(self, since: float) -> float:
        """How old the oldest sound was that came after `since`."""
        return max((at - recorded for recorded, at in list(self.blocks) if at >= since), default=0.0)


@contextmanager
def child(*arguments: str) -> Iterator[Child]:
    one = Child(*arguments)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()
