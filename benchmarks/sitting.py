"""One client, the server and the virtual sound for a while; what is measured comes from frames and recordings only."""

from __future__ import annotations

import asyncio
import random
import wave
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.children import Child, running
from benchmarks.server import RATE, Server, Session, Spoken
from tests.live.virtual_audio import Recording, VirtualAudio

Figures = dict[str, list[float]]

FIRST_SOUND = "first delta sent -> its first sample leaves the speaker"
MICROPHONE = "a sample at the microphone -> its frame at the server"
SILENCE = "speech_started sent -> the speaker is silent"
TRUNCATE = "speech_started sent -> truncate at the server"
CLAIM = "truncate: claimed - left the speaker"
WRONG = "truncate: how far off, either way"
GAPS = "silence inside an answer that is not cut"
LISTENING = "processor while it listens"
SPEAKING = "processor while it speaks"

WINDOW_S = 0.5
"""Processor time is taken over so long."""
ANSWER_S = 3.0
APART = 7 * RATE // 1000
"""Samples between those of a burst whose way is timed."""
SETTLED_S = 1.0
"""How long a client is left alone after it has connected."""


class Size(NamedTuple):
    """How much of it in one sitting."""

    interruptions: int
    windows: int


def noise(seconds: float, rng: random.Random) -> np.ndarray:
    """No two are alike, and none of its samples is 0, so what is 0 in a recording is silence."""
    dice = np.random.default_rng(rng.getrandbits(32))
    n = int(seconds * RATE)
    return np.asarray(dice.integers(1, 6000, n) * dice.choice([-1, 1], n), "<i2")


async def sit(
    command: list[str], server: Server, audio: VirtualAudio, size: Size, home: Path, rng: random.Random
) -> Figures:
    """One client from its start to its end. A client that does not do its part has no figures for it."""
    async with running(command, home) as child:
        session = await server.session()
        await session.until(lambda: session.appended)
        await asyncio.sleep(SETTLED_S)
        speaker, feed = audio.monitor(), audio.monitor("micfeed.monitor")
        try:
            listening, bursts = await _listen(child, audio, size, home, rng)
            speaking, whole = await _speak(child, session, size, rng)
            cuts = await _interrupt(session, size, rng)
        finally:
            heard, fed = speaker.stop(), feed.stop()
    figures: Figures = defaultdict(list)
    figures[LISTENING] += listening
    figures[SPEAKING] += speaking
    figures[MICROPHONE] += _microphone(session, fed, bursts)
    for answer in whole:
        _judge_whole(figures, answer, heard)
    for answer in cuts:
        _judge_cut(figures, answer, session, heard)
    return figures


# ---- what is done ----------------------------------------------------------------------------------------------------


async def _listen(
    child: Child, audio: VirtualAudio, size: Size, home: Path, rng: random.Random
) -> tuple[list[float], list[np.ndarray]]:
    """Short bursts of noise into the microphone; the processor time meanwhile."""
    bursts = [noise(0.05, rng) for _ in range(size.windows)]
    pieces = [np.zeros(RATE // 5, "<i2")]
    for burst in bursts:
        pieces += [burst, np.zeros(int(rng.uniform(0.35, 0.5) * RATE), "<i2")]
    path = home / "bursts.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.concatenate(pieces).tobytes())
    player = audio.speaking(path)
    percents = await _windows(child, size.windows)
    await asyncio.to_thread(player.wait, 30)
    await asyncio.sleep(0.3)
    return percents, bursts


async def _speak(child: Child, session: Session, size: Size, rng: random.Random) -> tuple[list[float], list[Spoken]]:
    """Answers that are not cut; the processor time while they are heard, their arrival included."""
    percents: list[float] = []
    whole = []
    per_answer = int((ANSWER_S - 0.2) / WINDOW_S)
    while len(percents) < size.windows:
        at = perf_counter()
        sending = asyncio.create_task(session.answer(noise(ANSWER_S, rng)))
        await asyncio.sleep(0.05)
        percents += await _windows(child, min(per_answer, size.windows - len(percents)))
        whole.append(await sending)
        await asyncio.sleep(max(0.0, at + ANSWER_S + rng.uniform(0.5, 0.7) - perf_counter()))
    return percents, whole


async def _windows(child: Child, n: int) -> list[float]:
    percents = []
    for _ in range(n):
        at, used = perf_counter(), child.cpu_s()
        await asyncio.sleep(WINDOW_S)
        percents.append((child.cpu_s() - used) / (perf_counter() - at) * 100)
    return percents


async def _interrupt(session: Session, size: Size, rng: random.Random) -> list[Spoken]:
    """Answers that the person cuts."""
    cuts = []
    for _ in range(size.interruptions):
        spoken = await session.answer(noise(ANSWER_S, rng), cut_after_s=rng.uniform(0.4, 1.0))
        await session.until(lambda item=spoken.item: item in session.truncated, limit_s=1.0)
        await asyncio.sleep(rng.uniform(0.5, 0.7))
        cuts.append(spoken)
    return cuts


# ---- what is made of it ----------------------------------------------------------------------------------------------


def _microphone(session: Session, fed: Recording, bursts: list[np.ndarray]) -> list[float]:
    """Milliseconds for samples all over the bursts, because a frame holds 20 ms and its last sample waits least."""
    sent = session.microphone.tobytes()
    ends = [each.end for each in session.appended]
    found = []
    for burst in bursts:
        there = fed.find(burst)
        at = sent.find(burst.tobytes())
        if there is None or at < 0:
            continue
        for n in range(0, len(burst), APART):
            frame = session.appended[int(np.searchsorted(ends, at // 2 + n, "right"))]
            found.append((frame.at - fed.when(there + n)) * 1000)
    return found


class Ear(NamedTuple):
    """What was heard of one answer."""

    first_at: float
    silent_at: float
    n: int
    """Samples that were not silence."""
    gaps_ms: float


def _hear(heard: Recording, since: float, until: float) -> Ear | None:
    start = max(0, heard.index(since))
    loud = np.flatnonzero(heard.pcm[start : heard.index(until)]) + start
    if not len(loud):
        return None
    first, last = int(loud[0]), int(loud[-1])
    gaps = (last + 1 - first - len(loud)) * 1000 / RATE
    return Ear(heard.when(first), heard.when(last + 1), len(loud), gaps)


def _judge_whole(figures: Figures, answer: Spoken, heard: Recording) -> None:
    ear = _hear(heard, answer.first_at - 0.2, answer.first_at + ANSWER_S + 0.45)
    if ear is not None:
        figures[FIRST_SOUND].append((ear.first_at - answer.first_at) * 1000)
        figures[GAPS].append(ear.gaps_ms)


def _judge_cut(figures: Figures, answer: Spoken, session: Session, heard: Recording) -> None:
    assert answer.speech_at is not None
    ear = _hear(heard, answer.first_at - 0.2, answer.speech_at + 0.45)
    if ear is None:
        return
    figures[FIRST_SOUND].append((ear.first_at - answer.first_at) * 1000)
    figures[SILENCE].append((ear.silent_at - answer.speech_at) * 1000)
    if answer.item in session.truncated:
        at, claimed_ms = session.truncated[answer.item]
        figures[TRUNCATE].append((at - answer.speech_at) * 1000)
        difference = claimed_ms - ear.n * 1000 / RATE
        figures[CLAIM].append(difference)
        figures[WRONG].append(abs(difference))
