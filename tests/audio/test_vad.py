"""What the two detectors owe: a probability for each frame, whatever the pieces; silence and hum are no speech."""

from __future__ import annotations

import numpy as np
import pytest

from voicecli.audio.vad import FRAME, Down24To16, EnergyVad, SileroVad, Vad, best_vad
from voicecli.ports import RATE

try:
    SileroVad()
except ImportError:
    MAKERS = [EnergyVad]
else:
    MAKERS = [EnergyVad, SileroVad]


def noise(seconds: float, level_db: float, seed: int = 1) -> bytes:
    n = int(seconds * RATE)
    return (
        (np.random.default_rng(seed).standard_normal(n) * 32768 * 10 ** (level_db / 20))
        .clip(-32768, 32767)
        .astype("<i2")
        .tobytes()
    )


def vowels(seconds: float) -> bytes:
    """Something like a voice: a buzz at 120 Hz that glides, through moving resonances, four syllables a second."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    pitch = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    out = np.zeros(n)
    for k in range(1, 40):
        f = 120 * k
        gain = sum(
            a / (1 + ((f - c - d * np.sin(2 * np.pi * 2 * t)) / 90) ** 2)
            for a, c, d in ((1, 600, 200), (0.6, 1400, 500), (0.3, 2600, 200))
        )
        out += gain * np.sin(k * pitch)
    out *= 0.35 + 0.65 * np.abs(np.sin(2 * np.pi * 2 * t))
    return (out / np.abs(out).max() * 20_000).astype("<i2").tobytes()


@pytest.mark.parametrize("make", MAKERS)
def test_one_probability_for_each_whole_frame_whatever_the_pieces(make) -> None:
    sound = vowels(0.7)
    whole, pieces = make(), make()
    expected = whole.feed(sound)
    assert len(expected) == len(sound) // 2 // FRAME
    found, at = [], 0
    for n in (2, 960, 962, 1534, 4800, 30_000):
        found += pieces.feed(sound[at : at + n])
        at += n
    assert found == pytest.approx(expected[: len(found)], abs=1e-5)
    assert all(0 <= p <= 1 for p in expected)


@pytest.mark.parametrize("make", MAKERS)
def test_silence_and_quiet_noise_are_no_speech(make) -> None:
    assert max(make().feed(bytes(2 * RATE))) < 0.3
    assert max(make().feed(noise(2, -65))) < 0.5


@pytest.mark.parametrize("make", MAKERS)
def test_a_voice_is_speech_and_the_quiet_after_it_is_none(make) -> None:
    vad: Vad = make()
    during = vad.feed(noise(0.5, -70) + vowels(1.0))
    assert np.mean(np.array(during[-25:]) > 0.5) > 0.6
    assert max(vad.feed(noise(1.0, -70))[-10:]) < 0.5


@pytest.mark.parametrize("make", MAKERS)
def test_a_reset_forgets_half_frames_and_history(make) -> None:
    vad = make()
    first = vad.feed(vowels(0.5))
    vad.feed(bytes(10))
    vad.reset()
    assert vad.feed(vowels(0.5)) == pytest.approx(first, abs=1e-5)


def test_the_energy_gate_gets_used_to_a_hum_that_stays() -> None:
    vad = EnergyVad()
    probabilities = vad.feed(noise(30, -35))
    assert probabilities[0] > 0.5
    assert max(probabilities[-100:]) < 0.5


def test_the_best_is_the_model_where_it_is_installed() -> None:
    assert best_vad().name == MAKERS[-1]().name


def test_24_khz_becomes_16_with_pitch_and_level_and_without_mirrors() -> None:
    def through(hz: float) -> np.ndarray:
        down = Down24To16()
        tone = np.sin(2 * np.pi * hz * np.arange(24_000) / 24_000).astype(np.float32)
        return np.concatenate([down.frame(tone[at : at + 768]) for at in range(0, 23_808, 768)])[200:]

    out = through(1000)
    assert np.fft.rfftfreq(len(out), 1 / 16_000)[np.abs(np.fft.rfft(out)).argmax()] == pytest.approx(1000, abs=2)
    assert np.abs(out).max() == pytest.approx(1, abs=0.01)
    assert np.abs(through(10_500)).max() < 0.01
