"""Speech in, speech out: by the virtual microphone to the ear of `serve`, and what its voice says at the speaker."""

from __future__ import annotations

import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from talking import Talk
from virtual_audio import Recording, VirtualAudio

from tests.speech.beside import Beside, clip, engines, errors
from voicecli.core.changes import TurnOpened, TurnSet
from voicecli.ports import RATE, MicBlock
from voicecli.settings import Settings
from voicecli.speech.weights import Part

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound"), engines]

Tell = Callable[[str], None]
SILENCE_MS = 700
LOUD_DB = -40.0
PATIENT = Settings(vad_silence_ms=SILENCE_MS)


class Spoken(NamedTuple):
    """What is played to the microphone."""

    pcm: bytes
    words: str


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """`voicecli serve`; the engines are loaded while the first talk waits for them."""
    command = [sys.executable, "-m", "voicecli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield server.stdout.readline().split()[-1]
        server.terminate()
        assert server.communicate(timeout=5) == ("", "")


@pytest.fixture(scope="module")
def voice() -> Iterator[Beside]:
    with Beside(Part.VOICE) as voice:
        yield voice


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    def line(text: str) -> None:
        print(text)
        record_property("told", text)

    return line


def play(audio: VirtualAudio, folder: Path, pcm: bytes) -> None:
    path = folder / "spoken.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    audio.speak_into_mic(path)


def said(talk: Talk) -> str:
    """All that the person said, as it was transcribed."""
    roles = {change.item: change.role for change in talk.of(TurnOpened)}
    turns = {change.item: change.text.raw for change in talk.of(TurnSet) if roles.get(change.item) == "you"}
    return " ".join(turns.values())


def last_loud(blocks: list[MicBlock]) -> float:
    """When the last of what was spoken was at the microphone."""
    block = next(block for block in reversed(blocks) if block.level_db > LOUD_DB)
    loud = np.flatnonzero(np.abs(np.frombuffer(block.pcm, "<i2").astype(int)) > 32768 * 10 ** (LOUD_DB / 20))
    return block.adc_at + (int(loud[-1]) + 1) / RATE


def heard_between(recording: Recording, start: float, seconds: float) -> bytes:
    first = recording.index(start)
    return recording.pcm[first : first + round(seconds * RATE)].astype("<i2").tobytes()


def test_a_person_is_understood_through_the_microphone(
    virtual_audio: VirtualAudio, url: str, tmp_path: Path, tell: Tell
) -> None:
    wanted = (
        "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
        "it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of "
        "darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had "
        "nothing before us"
    )
    with Talk(url, PATIENT) as talk:
        play(virtual_audio, tmp_path, clip("two_cities.wav", 24))
        talk.until(lambda: said(talk).rstrip(".").endswith("nothing before us"))
        heard = said(talk)
    wrong, words = errors(wanted, heard)
    tell(f"a person through the microphone: {wrong} of {words} words wrong ({100 * wrong / words:.0f} %)")
    assert wrong <= words // 10, heard


def test_what_was_said_comes_back_in_words_and_the_answer_can_be_understood(
    virtual_audio: VirtualAudio, url: str, voice: Beside, tmp_path: Path, tell: Tell
) -> None:
    question = "Hello there, can you hear me?"
    with Talk(url, PATIENT) as talk:
        monitor = virtual_audio.monitor()
        play(virtual_audio, tmp_path, voice.say(question))
        talk.until(lambda: bool(talk.done) and bool(talk.items))
        (item,) = talk.items
        samples = talk.received[item.id]
        talk.wait_for(item, samples / RATE)
        talk.rest(0.3)
        recording = monitor.stop()
        first = talk.heard_at(item.position)
        assert first is not None
        delay_ms = 1000 * (first - last_loud(talk.blocks)) - SILENCE_MS
    assert errors(question, said(talk)) == (0, 6)
    answer = talk.words[item.id]
    with Beside(Part.EAR) as ear:
        understood = ear.hear(heard_between(recording, first - 0.1, samples / RATE + 0.3))
    wrong, words = errors(answer, understood)
    tell(
        f"speech: from the last sample said to the first of the answer heard {delay_ms:.0f} ms beyond the silence of "
        f"{SILENCE_MS} ms; the answer through the ear again: {wrong} of {words} words wrong"
    )
    assert delay_ms < 4_000  # ten times what is promised; what it is stands above
    assert wrong <= max(1, words // 10), (answer, understood)
