"""For tests with virtual sound: a card whose events are collected, noise whose every moment is its own, WAV files."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from voicecli.devices.card import Card
from voicecli.devices.stream import Device, File, SoundSetup
from voicecli.ports import RATE, MicBlock, Passed, SoundEvent, Span


def noise(seconds: float, seed: int = 1, level: int = 8000) -> np.ndarray:
    """No two moments of it are alike, and none of its samples is 0."""
    found = np.random.default_rng(seed).integers(1, level, int(seconds * RATE))
    return (found * np.random.default_rng(seed + 1).choice([-1, 1], len(found))).astype("<i2")


def write_wav(path: Path, pcm: np.ndarray, rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm.astype("<i2").tobytes())
    return path


class Sounding:
    """A card that is taken from as a session does. `with Sounding() as talk:` ends it."""

    def __init__(self, input: Device | File | None = None, output: Device | File | None = None) -> None:
        self.rung = threading.Event()
        self.card = Card(SoundSetup(input or Device(), output or Device()), self.rung.set)
        self.events: list[SoundEvent] = []

    def __enter__(self) -> Sounding:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.card.end(), "a device did not let go"

    def take(self) -> None:
        self.events += self.card.take()

    def of(self, kind: Any) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def spans(self) -> list[Span]:
        return [span for passed in self.of(Passed) for span in passed.spans]

    def until(self, true: Callable[[], bool], seconds: float = 10) -> None:
        """Takes until it is so."""
        deadline = time.monotonic() + seconds
        while True:
            self.rung.clear()
            self.take()
            if true():
                return
            if time.monotonic() > deadline:
                raise AssertionError([event for event in self.events if not isinstance(event, Passed | MicBlock)][-20:])
            self.rung.wait(0.01)

    def listen(self, seconds: float) -> None:
        """Goes on taking for so long: what is heard in the meantime has no event of its own to wait for."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.rung.clear()
            self.take()
            self.rung.wait(min(0.02, left))
