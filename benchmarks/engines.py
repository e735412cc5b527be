"""How the ear and the voice of the embedded server do: how long they take, what they use, how late they make a loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter

import numpy as np

from tests.speech.beside import LACKS, Beside, clip
from voicecli.server.engines import Engines
from voicecli.speech.weights import INSTALL, Part

SENTENCE = "Once upon a time there was a lighthouse, at the very end of the world."
TICK_S = 0.005
Values = dict[str, list[float]]


class Watched:
    """A process whose processor time and memory are read as Linux keeps them."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._since = self.cpu_s()

    def cpu_s(self) -> float:
        return time.clock_gettime(((-self._pid - 1) << 3) | 2)

    def mb(self) -> int:
        with open(f"/proc/{self._pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def run(quick: bool, say: Callable[[str], None]) -> str:
    """The table in Markdown."""
    if LACKS:
        return f"There is no {' and no '.join(LACKS)} here; {INSTALL} brings them."
    values: Values = defaultdict(list)
    before = os.getloadavg()[0]
    times = 3 if quick else 20
    for n in range(max(2, times // 4)):
        say(f"loading {n + 1}")
        for part in Part:
            with Beside(part) as engine:
                values[f"{part.value}: start -> ready | ms"].append(engine.loaded_s * 1000)
    with Beside(Part.EAR) as ear, Beside(Part.VOICE) as voice:
        _ear(values, ear, times, 1 if quick else 10, say)
        _voice(values, voice, times, say)
    say("late")
    values["the loop that asks both at once: how late | ms"] += asyncio.run(_lateness(5 if quick else 20))
    lines = ["| | unit | median / 95th percentile (number of values) |", "|---|---|---|"]
    for row, found in values.items():
        what, _, unit = row.rpartition(" | ")
        figure = f"{np.median(found):.0f} / {np.percentile(found, 95):.0f} ({len(found)})"
        if what.startswith("the loop"):
            figure = f"{np.median(found):.1f} / {np.percentile(found, 95):.1f} ({len(found)}), most {max(found):.1f}"
        lines.append(f"| {what} | {unit} | {figure} |")
    return "\n".join([f"Load before: {before:.1f}.", "", *lines])


def _ear(values: Values, ear: Beside, times: int, minutes: int, say: Callable[[str], None]) -> None:
    watched = Watched(ear.pid)
    values["ear: memory when ready | MB"].append(watched.mb())
    for seconds in (4, 12, 24):
        sound = clip("two_cities.wav", float(seconds))
        for n in range(times):
            say(f"hearing {seconds} s: {n + 1}/{times}")
            at, cpu = perf_counter(), watched.cpu_s()
            ear.hear(sound)
            values[f"ear: {seconds} s of speech | ms"].append((perf_counter() - at) * 1000)
            if seconds == 4:
                values["ear: 4 s of speech, processor | ms"].append((watched.cpu_s() - cpu) * 1000)
    say(f"hearing {minutes} minutes")
    at = perf_counter()
    ear.hear(clip("two_cities.wav", 24.0) * (minutes * 60 // 24))
    values[f"ear: {minutes} min without a pause | ms"].append((perf_counter() - at) * 1000)
    values["ear: memory in the end | MB"].append(watched.mb())
    values["ear: processor while it waits | % of a core"].append(_waiting(watched))


def _voice(values: Values, voice: Beside, times: int, say: Callable[[str], None]) -> None:
    watched = Watched(voice.pid)
    values["voice: memory when ready | MB"].append(watched.mb())
    for n in range(times):
        say(f"speaking {n + 1}/{times}")
        at, cpu = perf_counter(), watched.cpu_s()
        said = voice.say(SENTENCE)
        row = f"voice: a sentence of {len(said) / 48_000:.1f} s"
        values[f"{row} | ms"].append((perf_counter() - at) * 1000)
        values[f"{row}, processor | ms"].append((watched.cpu_s() - cpu) * 1000)
    values["voice: memory in the end | MB"].append(watched.mb())
    values["voice: processor while it waits | % of a core"].append(_waiting(watched))


def _waiting(watched: Watched) -> float:
    at, cpu = perf_counter(), watched.cpu_s()
    time.sleep(1.0)
    return (watched.cpu_s() - cpu) / (perf_counter() - at) * 100


async def _lateness(times: int) -> list[float]:
    """How much later than it wanted a callback came, in ms, while utterances and sentences went through the loop."""
    sound = clip("two_cities.wav", 24.0)
    engines = Engines(lambda _: None, os.environ)
    await engines.start()
    await engines.recognise("a", sound[:48_000])
    await engines.say("a", SENTENCE)
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            late.append((perf_counter() - due) * 1000)

    ticking = asyncio.create_task(tick())
    for _ in range(times):
        await asyncio.gather(engines.recognise("a", sound), engines.say("b", SENTENCE))
    ticking.cancel()
    await engines.stop()
    return late
