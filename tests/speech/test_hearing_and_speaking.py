"""The real ear and the real voice: words come back, what is no speech has none, and nothing is more than they can bear.

Skipped where the engines are not installed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.speech.beside import Beside, clip, engines, errors, pcm
from voicecli.audio.pcm import peak
from voicecli.audio.wav import parse
from voicecli.commands import clips
from voicecli.ports import RATE
from voicecli.speech.voice import LONGEST, UNSAID

pytestmark = [engines, pytest.mark.xdist_group("speech engines")]

TOLD = Callable[[str, object], None]

MOST_WRONG = 0.10
BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
TWO_CITIES = """
    It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness,
    it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of
    darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing
    before us
"""
SENTENCES = (
    "I am a practice partner and not a language model.",
    "Please repeat what I said, and then tell me a long story.",
    "What is the weather like in London today?",
    "Count slowly to twenty, so that I can interrupt you in the middle.",
    "Once upon a time there was a lighthouse at the end of the world.",
    "Could you speak a little louder? The street outside is very noisy.",
)


def test_people_are_understood(ear: Beside, record_property: TOLD) -> None:
    wrong = words = 0
    for name, seconds, text in (("beckett.wav", None, BECKETT), ("two_cities.wav", 24.0, TWO_CITIES)):
        more, of = errors(text, ear.hear(clip(name, seconds)))
        wrong, words = wrong + more, words + of
    record_property("told", f"the ear, recorded people: {wrong} of {words} words wrong ({100 * wrong / words:.1f} %)")
    assert wrong <= MOST_WRONG * words


def test_the_clip_that_comes_along_is_understood_wherever_its_first_sample_falls(ear: Beside) -> None:
    """It is the first that a newcomer without a microphone says; the model divides sound into frames."""
    said = clips.clip("clip:hello")
    for samples in range(2400, 7000, 141):
        heard = ear.hear(bytes(2 * samples) + said + bytes(2 * 7200))
        assert errors("Hello, can you hear me, and what can you do?", heard)[0] == 0


def test_what_the_voice_says_is_understood_by_the_ear(ear: Beside, voice: Beside, record_property: TOLD) -> None:
    wrong = words = 0
    for sentence in SENTENCES:
        more, of = errors(sentence, ear.hear(voice.say(sentence)))
        wrong, words = wrong + more, words + of
    record_property("told", f"voice to ear and back: {wrong} of {words} words wrong ({100 * wrong / words:.1f} %)")
    assert wrong <= MOST_WRONG * words


@pytest.mark.parametrize("word", ["Yes.", "No.", "Stop.", "Help."])
def test_a_single_word_is_heard(ear: Beside, voice: Beside, word: str) -> None:
    assert errors(word, ear.hear(voice.say(word))) == (0, 1)


def test_times_and_sums_are_said_in_words(ear: Beside, voice: Beside) -> None:
    for written, wanted in (("It is 14:05.", "it is 1405"), ("That is 12°C.", "that is 12 degrees celsius")):
        assert errors(wanted, ear.hear(voice.say(written)))[0] <= 2


def test_soft_and_loud_speech_are_the_same_words(ear: Beside, voice: Beside) -> None:
    sound = np.frombuffer(voice.say(SENTENCES[0]), "<i2") / 32768
    for gain in (0.05, 3.0):
        assert errors(SENTENCES[0], ear.hear(pcm(sound * gain)))[0] <= 1


def noises(seconds: float) -> dict[str, bytes]:
    random = np.random.default_rng(1)
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    brown = np.cumsum(random.normal(size=n))
    beat = RATE // 4
    notes = random.choice([220, 247, 262, 294, 330, 349, 392, 440], n // beat + 1)
    fading = np.exp(-np.arange(beat) / 5000)
    tune = [sum(np.sin(2 * np.pi * note * k * t[:beat]) / k for k in range(1, 6)) * fading for note in notes]
    clicks = np.zeros(n)
    clicks[random.integers(0, n, int(5 * seconds))] = 0.8
    return {
        "silence": bytes(2 * n),
        "soft noise": pcm(random.normal(size=n) * 0.003),
        "noise": pcm(random.normal(size=n) * 0.1),
        "rumble": pcm((brown - brown.mean()) / np.abs(brown).max() * 0.3),
        "a tone": pcm(0.3 * np.sin(2 * np.pi * 440 * t)),
        "a chord": pcm(sum(np.sin(2 * np.pi * f * t) for f in (262, 330, 392)) * 0.1 * (1 + np.sin(4 * np.pi * t))),
        "a tune": pcm(np.concatenate(tune)[:n] * 0.15),
        "clicks": pcm(clicks),
        "full scale": pcm(np.sign(np.sin(2 * np.pi * 60 * t))),
    }


@pytest.mark.parametrize("kind", noises(0.5))
def test_what_is_no_speech_has_no_words(ear: Beside, kind: str) -> None:
    for seconds in (0.5, 3.0):
        assert ear.hear(noises(seconds)[kind]) == ""


def test_speech_cut_anywhere_is_words_or_nothing(ear: Beside) -> None:
    whole = clip("beckett.wav")
    for at, size in ((0, 1), (0, 3), (1, 601), (2 * RATE, RATE), (3 * RATE + 1, 2 * RATE), (RATE, 7 * RATE // 3)):
        assert ear.hear(whole[at : at + size]).isprintable()


def test_long_speech_without_a_pause_is_cut_and_costs_no_more_memory(ear: Beside, record_property: TOLD) -> None:
    status = Path(f"/proc/{ear.pid}/status")
    if not status.exists():
        pytest.skip("no /proc")

    def most_mb() -> int:
        return int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024

    ear.hear(clip("two_cities.wav", 24.0))
    before = most_mb()
    heard = ear.hear(clip("two_cities.wav", 24.0) * 2)
    wrong, words = errors(TWO_CITIES * 2, heard)
    grown = most_mb() - before
    record_property("told", f"48 s without a pause: {wrong} of {words} words wrong, {grown} MB more than for 24 s")
    assert wrong <= MOST_WRONG * words
    assert grown < 40


def test_another_language_is_words_or_nothing(ear: Beside, tmp_path: Path) -> None:
    program = shutil.which("espeak-ng") or shutil.which("espeak")
    if program is None:
        pytest.skip("no espeak here")
    text = "Guten Tag, ich möchte bitte wissen, wie spät es ist."
    subprocess.run([program, "-v", "de", "-w", str(tmp_path / "german.wav"), text], check=True, timeout=20)
    assert ear.hear(parse((tmp_path / "german.wav").read_bytes())).isprintable()


@pytest.mark.parametrize("text", ["", "😀", "日本語です", "...", "\x1b[2J", "\ud800"])
def test_what_cannot_be_said_is_a_short_silence(voice: Beside, text: str) -> None:
    assert voice.say(text) == UNSAID


@pytest.mark.parametrize(
    "text",
    [
        "10^21 " + "9" * 60,
        "9" * 400,
        "W" * 400,
        "$" * 400,
        "x" * 400,
        "[a](/ð/)",
        "(())[](){}<>",
        "Ω≈ç√∫",
        "word " * 80,
    ],
)
def test_no_text_is_more_than_the_voice_can_bear(voice: Beside, text: str) -> None:
    said = voice.say(text)
    assert len(said) % 2 == 0
    assert 0 < len(said) <= 2 * LONGEST


def test_a_sentence_said_twice_is_the_same_sound_and_fits(voice: Beside) -> None:
    for sentence in SENTENCES:
        said = voice.say(sentence)
        assert said == voice.say(sentence)
        assert 6_000 < peak(said) < 32_767
