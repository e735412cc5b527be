"""A whole talk on the virtual sound device with the embedded server, its ear and its voice, each a process of its own.

What each of them uses while the talk listens, hears and speaks, and how late the client's own callbacks come meanwhile.
"""

from __future__ import annotations

import os
import tempfile
import time
import wave
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import sounddevice

from benchmarks.engines import Watched
from tests.commands.processes import children
from tests.live.virtual_audio import APT, VirtualAudio, missing
from tests.speech.beside import LACKS, clip
from voicecli.commands import planning
from voicecli.core.changes import PhaseNow
from voicecli.core.effects import AnyEffect
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import Asked, Begin, Quit, Received, Stimulus, Typed
from voicecli.devices.card import Card
from voicecli.devices.stream import Device, SoundSetup
from voicecli.ports import RATE
from voicecli.protocol.events import TranscriptionCompleted
from voicecli.runtime.process import EmbeddedServer
from voicecli.runtime.socket import WebSocketLink
from voicecli.runtime.thread import SessionThread
from voicecli.settings import Settings
from voicecli.target import Target

WINDOW_S = 0.5
LIMIT_S = 60.0
SPOKEN_S = 12.0
"""Of a person who reads; it is heard at the end, whatever the ear was given before."""
SILENCE_MS = 700
PHASES = ("listens", "hears", "speaks")
NAMES = ("the client", "its server", "the ear", "the voice")


class Callbacks:
    """When the microphone's callback came, and how often the speaker had nothing in time."""

    def __init__(self) -> None:
        self.came: list[float] = []
        self.underflows: list[float] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Streams that are opened in here tell when they are called."""
        streams = sounddevice.RawInputStream, sounddevice.RawOutputStream

        def opener(stream: Any, look: Callable[[Any], None]) -> Callable[..., Any]:
            def opened(*args: Any, callback: Callable[..., None], **how: Any) -> Any:
                def called(data: Any, frames: int, times: Any, status: Any) -> None:
                    look(status)
                    callback(data, frames, times, status)

                return stream(*args, callback=called, **how)

            return opened

        def speaker(status: Any) -> None:
            if status.output_underflow:
                self.underflows.append(perf_counter())

        sounddevice.RawInputStream = opener(streams[0], lambda _: self.came.append(perf_counter()))
        sounddevice.RawOutputStream = opener(streams[1], speaker)
        try:
            yield
        finally:
            sounddevice.RawInputStream, sounddevice.RawOutputStream = streams


class Used(NamedTuple):
    """What a process used in a phase."""

    percents: list[float]
    """Of a core, window by window."""
    mb: list[int]


class Talk:
    """The client, in this process, as a person's program runs it."""

    def __init__(self, url: str, server: EmbeddedServer) -> None:
        settings = Settings(vad_silence_ms=SILENCE_MS)
        plan = planning.plan(settings, Target("", None, True), "talk", planning.Sides("device", True, "terminal"), url)
        self.card = Card(SoundSetup(Device(), Device()), lambda: self.session.ring())
        self.session = SessionThread(
            VoiceSession(plan), self.card, lambda give: WebSocketLink(give, server.token), log=self._note
        )
        self.understood = 0
        self.phase = ""

    def _note(self, stimulus: Stimulus, _at: float, _effects: Sequence[AnyEffect]) -> None:
        if isinstance(stimulus, Received) and isinstance(stimulus.event, TranscriptionCompleted):
            self.understood += 1

    def take(self) -> None:
        for change in self.session.changes.take():
            if isinstance(change, PhaseNow):
                self.phase = change.phase

    def until(self, true: Callable[[], bool]) -> None:
        end = perf_counter() + LIMIT_S
        while not true():
            if perf_counter() > end:
                raise TimeoutError(f"it did not come; the talk is {self.phase}")
            self.session.changes.wait(0.02)
            self.take()


class Bench:
    """The talk, its processes, and what was found of them, phase by phase."""

    def __init__(self, talk: Talk, watched: dict[str, Watched], callbacks: Callbacks) -> None:
        self._talk, self._watched, self._callbacks = talk, watched, callbacks
        self.used: dict[str, dict[str, Used]] = defaultdict(lambda: {name: Used([], []) for name in watched})
        self.gaps_ms: dict[str, list[float]] = defaultdict(list)
        self.underflows: dict[str, int] = defaultdict(int)

    def measure(self, phase: str, over: Callable[[], bool]) -> None:
        """Window by window until it is over."""
        began = perf_counter()
        done = False
        while not done and perf_counter() < began + LIMIT_S:
            at, before = perf_counter(), {name: one.cpu_s() for name, one in self._watched.items()}
            while perf_counter() < at + WINDOW_S and not (done := over()):
                time.sleep(0.02)
                self._talk.take()
            took = perf_counter() - at
            for name, one in self._watched.items():
                used = self.used[phase][name]
                if took > WINDOW_S / 2:
                    used.percents.append((one.cpu_s() - before[name]) / took * 100)
                used.mb.append(one.mb())
        ended = perf_counter()
        came = [at for at in self._callbacks.came if began <= at <= ended]
        self.gaps_ms[phase] += list(np.diff(came) * 1000)
        self.underflows[phase] += sum(began <= at <= ended for at in self._callbacks.underflows)


def run(quick: bool, say: Callable[[str], None]) -> str:
    """The table in Markdown."""
    if lacking := missing():
        return f"Without sound: {lacking} is missing. {APT}"
    if LACKS:
        return ""
    callbacks = Callbacks()
    with VirtualAudio() as audio, tempfile.TemporaryDirectory(prefix="voicecli-alongside-") as folder:
        server = EmbeddedServer()
        try:
            talk = Talk(server.start(), server)
            say("loading")
            with callbacks.watched():
                bench = _talked(talk, server, callbacks, audio, Path(folder), quick, say)
        finally:
            server.stop()
    return _table(bench)


def _talked(
    talk: Talk,
    server: EmbeddedServer,
    callbacks: Callbacks,
    audio: VirtualAudio,
    folder: Path,
    quick: bool,
    say: Callable[[str], None],
) -> Bench:
    talk.until(lambda: {news.part for news in server.news if news.state == "ready"} >= {"ear", "voice"})
    talk.session.start()
    talk.session.give(Begin())
    talk.until(lambda: talk.phase == "listening")
    time.sleep(1.0)
    bench = Bench(talk, _processes(server), callbacks)
    path = folder / "spoken.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(clip("two_cities.wav", SPOKEN_S))
    try:
        for n in range(1 if quick else 3):
            say(f"listening {n + 1}")
            until = perf_counter() + 5.0
            bench.measure("listens", lambda until=until: perf_counter() >= until)
            say(f"hearing {n + 1}")
            understood = talk.understood
            player = audio.speaking(path)
            bench.measure("hears", lambda n=understood: talk.understood > n)
            player.communicate()
            talk.until(lambda: talk.phase == "assistant_speaking")
            talk.session.give(Asked("interrupt"))
            talk.until(lambda: talk.phase == "listening")
            say(f"speaking {n + 1}")
            talk.session.give(Typed("Tell a long story."))
            until = perf_counter() + 12.0
            bench.measure("speaks", lambda until=until: perf_counter() >= until)
            talk.session.give(Asked("interrupt"))
            talk.until(lambda: talk.phase == "listening")
    finally:
        talk.session.give(Quit())
        talk.session.join(5)
        talk.card.end()
    return bench


def _processes(server: EmbeddedServer) -> dict[str, Watched]:
    assert server.pid is not None
    parts = {Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2].decode(): pid for pid in children(server.pid)}
    return dict(zip(NAMES, map(Watched, (os.getpid(), server.pid, parts["ear"], parts["voice"])), strict=True))


def _table(bench: Bench) -> str:
    lines = [f"| | unit | {' | '.join(f'it {phase}' for phase in PHASES)} |", "|---|---|---|---|---|"]

    def row(what: str, unit: str, cell: Callable[[str], str]) -> None:
        lines.append(f"| {what} | {unit} | {' | '.join(map(cell, PHASES))} |")

    for name in NAMES:
        row(f"{name}: processor", "% of a core", lambda phase, name=name: _percents(bench.used[phase][name].percents))
    for name in NAMES[1:]:
        row(f"{name}: memory", "MB", lambda phase, name=name: f"{max(bench.used[phase][name].mb)}")
    row(
        "between two callbacks of the microphone (20), median and longest",
        "ms",
        lambda phase: _both(bench.gaps_ms[phase]),
    )
    row("the speaker had nothing in time", "times", lambda phase: str(bench.underflows[phase]))
    return "\n".join(lines)


def _percents(values: list[float]) -> str:
    return f"{np.mean(values):.0f}, most {max(values):.0f}"


def _both(values: list[float]) -> str:
    return f"{np.median(values):.1f}, {max(values):.1f}"
