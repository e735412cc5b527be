"""A question as a WAV: something like a voice, which a VAD takes for speech, made by arithmetic."""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path

import numpy as np

from voicecli.ports import RATE


@cache
def voice(seconds: float = 1.0) -> bytes:
    """A buzz that glides through moving resonances, four syllables a second. PCM16 at 24 kHz."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    pitch = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    out = np.zeros(n)
    for k in range(1, 40):
        gain = sum(
            a / (1 + ((120 * k - c - d * np.sin(2 * np.pi * 2 * t)) / 90) ** 2)
            for a, c, d in ((1, 600, 200), (0.6, 1400, 500), (0.3, 2600, 200))
        )
        out += gain * np.sin(k * pitch)
    out *= 0.35 + 0.65 * np.abs(np.sin(2 * np.pi * 2 * t))
    return (out / np.abs(out).max() * 20_000).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


def question(path: Path, *pieces: bytes) -> Path:
    """Writes a WAV; by default a question of a second with a little silence around it."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(b"".join(pieces) or silence(0.2) + voice(0.8) + silence(0.2))
    return path


def heard(path: Path) -> np.ndarray:
    """The sound of a WAV at 24 kHz mono, as numbers between -1 and 1; the header must be valid."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        frames = file.readframes(file.getnframes())
        assert len(frames) == 2 * file.getnframes()
    return np.frombuffer(frames, "<i2").astype(float) / 32768


def loud_s(path: Path) -> float:
    """For how many seconds there is sound in it."""
    sound = heard(path)
    blocks = sound[: len(sound) // 240 * 240].reshape(-1, 240)
    return float(np.count_nonzero(np.abs(blocks).max(axis=1) > 0.02)) * 0.01
