"""A whole client in this process against a scripted server in a child, and what a monitor says of what was heard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from ear import noise
from virtual_audio import Recording

from voicecli.commands import planning
from voicecli.core.changes import AnyChange, Ended, Interrupted
from voicecli.core.effects import AnyEffect, Move, Play
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import Asked, Begin, Quit, Received, Stimulus, Typed
from voicecli.devices.card import Card
from voicecli.devices.stream import Device, SoundSetup
from voicecli.ports import RATE, MicBlock, Passed, Side, SoundOpened, Span
from voicecli.protocol.events import AudioDelta, AudioTranscriptDelta, ResponseDone, SessionUpdated, SpeechStarted
from voicecli.runtime.socket import WebSocketLink
from voicecli.runtime.thread import SessionThread
from voicecli.settings import Settings
from voicecli.target import Target

HERE = Path(__file__).parent
QUESTION = HERE.parent / "data" / "question.wav"


class Server:
    """`scripted_server.py` as a child. Talks are numbered from 1 in the order they connect."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, str(HERE / "scripted_server.py"), str(folder)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE)
        assert self._child.stdout
        self._url = self._child.stdout.readline().strip()
        assert self._url.startswith("ws://"), "the server did not start"
        self.talks = 0

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._child.communicate("", timeout=5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def url(self, answers: Sequence[Sequence[float]], **how: float) -> str:
        """Where the next talk connects to; see `scripted_server.py` for what may be asked of it."""
        self.talks += 1
        return f"{self._url}?model={quote(json.dumps({'answers': answers, **how}))}"

    def frames(self, talk: int) -> list[tuple[str, dict[str, Any]]]:
        """Everything but the microphone's sound, "in" from the client or "out" to it, in order."""
        path = self._folder / f"{talk}.jsonl"
        if not path.exists():
            return []
        whole = path.read_text().rpartition("\n")[0]
        return [tuple(json.loads(line)) for line in whole.splitlines()]

    def recorded(self, talk: int) -> np.ndarray:
        """What the microphone sent."""
        path = self._folder / f"{talk}.pcm"
        data = path.read_bytes() if path.exists() else b""
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2")

    def spoken(self, talk: int) -> bytes:
        """The same without its zeros: a player that comes late puts some in, and our own clips have none."""
        pcm = self.recorded(talk)
        return pcm[pcm != 0].tobytes()


class Item(NamedTuple):
    """An item that has sound, as the client saw it begin."""

    id: str
    response: str
    position: int
    """Of its first sample on the timeline."""
    came_at: float
    """When its first delta came."""


class Cut(NamedTuple):
    """A moment in which the core stopped the answer."""

    at: float
    by: str


@contextmanager
def favoured() -> Iterator[None]:
    """Threads that begin in here get more of a machine that others use too, where that may be had (Linux: per thread).

    Only the time from a cut to silence depends on it, which the tests' figure has to bear.
    """
    us = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, us)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, us, before - 10)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, us, before)


class Talk:
    """`with Talk(url) as talk:` runs it on real devices until the block ends; `given` does what a person would."""

    def __init__(self, url: str, settings: Settings | None = None) -> None:
        settings = settings or Settings(vad_silence_ms=200)
        sides = planning.Sides("device", True, "terminal")
        plan = planning.plan(settings, Target(url, None, False), "talk", sides, url)
        self.changes: list[AnyChange] = []
        self.items: list[Item] = []
        self.words: dict[str, str] = {}
        self.received: dict[str, int] = {}
        """Samples of each item."""
        self.done: list[str] = []
        """Responses whose generation is over."""
        self.cuts: list[Cut] = []
        self.blocks: list[MicBlock] = []
        """All that the microphone gave, whether it was sent or not."""
        self._interruptions = 0
        self._running: set[Side] = set()
        self._ready = False
        self._seen: set[str] = set()
        self._spans: list[Span] = []
        card = Card(SoundSetup(Device(), Device()), lambda: self.session.ring())
        self._card = card
        self.session = SessionThread(VoiceSession(plan), card, lambda give: WebSocketLink(give), log=self._note)

    def __enter__(self) -> Talk:
        with favoured():
            self.session.start()  # the devices' threads begin in it
        self.session.give(Begin())
        self.until(lambda: self._ready and len(self._running) == 2)
        self.rest(0.3)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.session.give(Quit())
        ended = self.session.join(5)
        let_go = self._card.end()
        if kind is None:
            assert ended
            assert let_go
            assert self.session.failure is None
            self._take()
            assert isinstance(self.changes[-1], Ended)

    def _note(self, stimulus: Stimulus, at: float, effects: Sequence[AnyEffect]) -> None:
        """On the session's thread; lists only grow, so anyone may read them."""
        by = "?"
        match stimulus:
            case MicBlock():
                self.blocks.append(stimulus)
                return
            case SoundOpened(side=side):
                self._running.add(side)
            case Passed(spans):
                self._spans += spans
            case Received(event=SessionUpdated()):
                self._ready = True
            case Received(event=AudioTranscriptDelta(item_id=item, delta=text)):
                self.words[item] = self.words.get(item, "") + text
            case Received(event=AudioDelta(item_id=item, response_id=response, delta=data)):
                self.received[item] = self.received.get(item, 0) + len(data) // 2
                for effect in effects:
                    if isinstance(effect, Play) and item not in self._seen:
                        self._seen.add(item)
                        self.items.append(Item(item, response, effect.position, at))
            case Received(event=ResponseDone(response=response)):
                self.done.append(response.id or "")
            case Received(event=SpeechStarted()):
                by = "voice"
            case Typed():
                by = "text"
            case Asked(what="interrupt"):
                by = "command"
        if any(isinstance(effect, Move) for effect in effects):
            self.cuts.append(Cut(at, by))

    # ---- waiting

    def _take(self) -> None:
        new = list(self.session.changes.take())
        self.changes += new
        self._interruptions += sum(isinstance(change, Interrupted) for change in new)

    def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        """Goes on until it is so."""
        deadline = time.monotonic() + seconds
        while True:
            self._take()
            if true():
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain; the last of it: {self.changes[-12:]}")
            self.session.changes.wait(0.01)

    def rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= until, seconds + 20)

    def heard_at(self, position: int) -> float | None:
        """When this sample is heard, as far as it was handed over; of several times (after a cut) the last."""
        for span in reversed(self._spans):
            if span.position <= position < span.position + span.n:
                return span.dac_at + (position - span.position) / RATE
        return None

    def wait_for(self, item: Item, after_s: float) -> None:
        """Until so much of the item has been heard."""
        self.until(lambda: self.heard_at(item.position) is not None)
        begins = self.heard_at(item.position)
        assert begins is not None
        self.rest(max(0.0, begins + after_s - perf_counter()))

    def recorded_at(self, pcm: np.ndarray) -> float | None:
        """When the first sample of this sound was at the microphone; None: not yet."""
        blocks = list(self.blocks)
        at = b"".join(block.pcm for block in blocks).find(pcm.tobytes()) // 2
        for block in blocks:
            if 0 <= at < len(block.pcm) // 2:
                return block.adc_at + at / RATE
            at -= len(block.pcm) // 2
        return None

    # ---- looking

    def of(self, kind: type) -> list[Any]:
        return [change for change in self.changes if isinstance(change, kind)]

    @property
    def interruptions(self) -> int:
        self._take()
        return self._interruptions

    def pcm(self, item: str) -> np.ndarray:
        """The sound of an item, made again from what its words say."""
        seed, samples, _ = self.words[item].split(":")
        return noise(int(samples) / RATE, int(seed))[: int(samples)]


class Ear:
    """A recording without its silences: our noise never gives a zero, so gaps do not matter to what was heard."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.where = np.flatnonzero(recording.pcm)
        self.solid = recording.pcm[self.where]
        self._bytes = self.solid.tobytes()

    def heard(self, pcm: np.ndarray) -> tuple[int, int]:
        """Where in `solid` this sound begins, and how many of its samples were heard, one by one; (-1, 0): none."""
        start = -1
        want = pcm[:120].tobytes()
        while (start := self._bytes.find(want, start + 1)) % 2 == 1 and start >= 0:
            pass
        if start < 0:
            return -1, 0
        start //= 2
        played = self.solid[start : start + len(pcm)]
        wrong = np.flatnonzero(played != pcm[: len(played)])
        return start, int(wrong[0]) if len(wrong) else len(played)

    def when(self, i: int) -> float:
        """When sample `i` of `solid` was heard."""
        return self._recording.when(int(self.where[i]))


def read_wav(path: Path) -> np.ndarray:
    """The samples of one of our own files: mono, at 24 kHz."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getframerate()) == (1, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")
