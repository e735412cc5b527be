"""`python -m benchmarks --serve`: what sessions of `voicecli serve` cost a core, and a soak that must leave no memory.

Clients stream sound in real time, as microphones do, hands-free: they speak, hear a part of the answer, and every
second time speak into it and truncate it. In the soak half of them say themselves where their turns end.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from tests.server.served_process import MIB, SAID, Client, Probe, Served, client, serving
from voicecli.ports import RATE

BLOCK_S = 0.02
BY_HAND: dict[str, Any] = {"audio": {"input": {"turn_detection": None}}}
PAUSES_S = (1.6, 5.0)
"""After what is said: into the answer, and after it."""


class Size(NamedTuple):
    sessions: tuple[int, ...]
    seconds: float
    soak_sessions: int
    soak_s: float


FULL = Size((1, 8, 16), 20.0, 16, 180.0)
QUICK = Size((1, 8), 12.0, 16, 30.0)


class Row(NamedTuple):
    """What some sessions did to the server."""

    sessions: int
    what: str
    core: float
    """Part of a core that it used."""
    per_minute_s: float
    """Seconds of processor time for a minute of one session."""
    wait_ms: np.ndarray
    """How long something small took to be answered in another session."""


async def microphone(one: Client, seconds: float, rng: random.Random) -> None:
    """Streams for so long, in blocks as they are recorded; begins anywhere in its pattern."""
    pattern = b"".join(SAID + bytes(2 * round(pause * RATE)) for pause in PAUSES_S)
    size = 2 * round(BLOCK_S * RATE)
    blocks = [pattern[start : start + size] for start in range(0, len(pattern), size)]
    frames = [
        json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(block).decode()}) for block in blocks
    ]
    first, began = rng.randrange(len(frames)), perf_counter()
    for n in range(round(seconds / BLOCK_S)):
        await one.connection.send(frames[(first + n) % len(frames)])
        await asyncio.sleep(max(0.0, began + (n + 1) * BLOCK_S - perf_counter()))


async def interrupter(one: Client) -> None:
    """Truncates the answer that was cut, each time somebody began to speak."""
    heard: set[str] = set()
    for n in range(1, 1_000_000):
        await one.wait("input_audio_buffer.speech_started", n)
        await asyncio.sleep(0.05)  # the end of the answer comes behind it
        said = one.last_sound()
        if said is not None and said[0] not in heard:
            heard.add(said[0])
            await one.send("conversation.item.truncate", item_id=said[0], content_index=0, audio_end_ms=said[1])


async def listening(one: Client, seconds: float, rng: random.Random) -> None:
    """One client's talk; at its end nothing is being said any more."""
    beside = asyncio.create_task(interrupter(one))
    await microphone(one, seconds, rng)
    await one.speak(bytes(2 * RATE), 1.0)
    await one.until("response.done", one.count("response.created"))
    beside.cancel()
    with suppress(asyncio.CancelledError):
        await beside


async def measured(server: Served, sessions: int, seconds: float, hears: bool) -> Row:
    """So many sessions in real time; without `hears` nobody looks for speech in what they send."""
    ones = [await client(server.url, **({} if hears else BY_HAND)) for _ in range(sessions)]
    beside = await client(server.url)
    probe = Probe(beside)
    rng = random.Random(1)
    await asyncio.gather(*(microphone(one, 2.0, rng) for one in ones))  # what is loaded once
    cpu, began = server.cpu_s(), perf_counter()
    await asyncio.gather(*(microphone(one, seconds, rng) for one in ones))
    cpu, took = server.cpu_s() - cpu, perf_counter() - began
    await probe.stop()
    for one in (*ones, beside):
        await one.close()
    waits = np.array(probe.waits_s) * 1000
    what = "hands-free" if hears else "without turn detection"
    return Row(sessions, what, cpu / took, cpu / sessions / took * 60, waits)


async def by_hand(one: Client, seconds: float) -> None:
    """The talk of a client that says itself where its turns end, and is silent in between."""
    until = perf_counter() + seconds
    while perf_counter() < until:
        await one.talk(3, 1.0, hands_free=False, pause_s=1.5)


class Soaked(NamedTuple):
    """What a soak left."""

    sessions: int
    seconds: float
    mib: list[float]
    """In memory, after each tenth."""
    equal: int
    """Sessions whose two ends have the same items."""
    answers: int
    interrupted: int
    errors: int
    per_minute_s: float


async def soak(server: Served, sessions: int, seconds: float, say: Callable[[str], None]) -> Soaked:
    hands_free = [await client(server.url) for _ in range(sessions // 2)]
    pressing = [await client(server.url, **BY_HAND) for _ in range(sessions - len(hands_free))]
    ones, rng = hands_free + pressing, random.Random(2)
    cpu, began = server.cpu_s(), perf_counter()
    talks = asyncio.gather(
        *(listening(one, seconds, rng) for one in hands_free), *(by_hand(one, seconds) for one in pressing)
    )
    mib: list[float] = []
    for n in range(1, 11):
        await asyncio.sleep(max(0.0, began + n * seconds / 10 - perf_counter()))
        mib.append(server.rss() / MIB)
        say(f"soaking: {n}/10")
    await talks
    cpu, took = server.cpu_s() - cpu, perf_counter() - began
    equal = sum([await one.agrees() for one in ones])
    found = Soaked(
        sessions,
        took,
        mib,
        equal,
        sum(one.count("response.done") for one in ones),
        sum(one.count("conversation.item.truncated") for one in ones),
        sum(one.count("error") for one in ones),
        cpu / sessions / took * 60,
    )
    for one in ones:
        await one.close()
    return found


async def all_of_it(server: Served, size: Size, say: Callable[[str], None]) -> tuple[list[Row], Soaked]:
    rows = []
    for hears in (True, False):
        for sessions in size.sessions:
            say(f"{sessions} sessions")
            rows.append(await measured(server, sessions, size.seconds, hears))
    return rows, await soak(server, size.soak_sessions, size.soak_s, say)


def run(quick: bool, say: Callable[[str], None]) -> str:
    """The table in Markdown, as it stands in docs/serving.md."""
    size = QUICK if quick else FULL
    most = max(*size.sessions, size.soak_sessions) + 1
    with serving("--max-sessions", str(most), "--log-level", "warning") as server:
        rows, soaked = asyncio.run(all_of_it(server, size, say))
    lines = [
        "| sessions in real time | | % of a core | processor s per session-minute | answer in another session, ms |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        waits = f"{np.median(row.wait_ms):.1f} / {np.percentile(row.wait_ms, 99):.1f} / {row.wait_ms.max():.1f}"
        lines.append(f"| {row.sessions} | {row.what} | {row.core * 100:.0f} | {row.per_minute_s:.2f} | {waits} |")
    flat = " ".join(f"{mib:.0f}" for mib in soaked.mib)
    return "\n".join(
        [
            *lines,
            "",
            "The last column is median / 99th percentile / worst.",
            f"Soak: {soaked.sessions} sessions for {soaked.seconds:.0f} s, {soaked.answers} answers, "
            f"{soaked.interrupted} interrupted and truncated, {soaked.errors} errors; both ends equal in "
            f"{soaked.equal} of {soaked.sessions}; {soaked.per_minute_s:.2f} processor seconds per session-minute; "
            f"MiB in memory after each tenth: {flat}.",
        ]
    )
