"""The screen in a terminal: how soon it is there, how soon a key is seen, what it costs, whom it keeps waiting."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
import wave
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks import screen
from benchmarks.children import environment
from benchmarks.terminal import Terminal, running
from voicecli import __version__
from voicecli.commands.clips import clip
from voicecli.ports import RATE

VOICECLI: Final = [sys.executable, "-m", "voicecli"]
BUSY: Final = str(Path(__file__).with_name("busy.py"))
EMPTY: Final = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Empty(App):\n"
    "    def compose(self):\n"
    "        yield Static('ready')\n"
    "Empty().run()\n"
)
PAINTED, CONNECTED = r"not connected|connecting|starting|listening|waiting for you to type", r"listening"
KEYS: Final = "ZQXJ"
"""Nothing on the screen has them."""


class Plan(NamedTuple):
    starts: int
    keys: int
    window_s: float


FULL = Plan(20, 300, 60.0)
QUICK = Plan(5, 60, 12.0)
Table = dict[str, list[float]]

FIRST = "start -> first painted screen, ms"
OTHER_FIRST = "start -> first painted screen of an empty Textual app, ms"
OPEN = "start -> connected and shown, ms"
OFFLINE = "start -> connected and shown, with its own server, ms"
ECHO = "a key -> it is seen, while 100 deltas a second and the tape stream over 10,000 turns, ms"
LATE = "how late a thread beside the screen is woken meanwhile, ms"
LONGEST = "the longest of those, ms"
LISTENING = "processor while it listens, 120x40, seconds a minute"
TALKING = "processor while somebody always speaks, 120x40, seconds a minute"
LINES = "the same talk by lines, --plain, seconds a minute"


def starts(table: Table, plan: Plan, home: Path, url: str, say: Callable[[str], None]) -> None:
    files = ["--audio-in", str(home / "silent.wav"), "--audio-out", str(home / "out.wav")]
    for n in range(plan.starts):
        say(f"starting {n + 1}/{plan.starts}")
        with running([sys.executable, "-c", EMPTY], home) as empty:
            table[OTHER_FIRST].append((empty.seen("ready") - empty.started_at) * 1000)
        with running([*VOICECLI, "talk", "--url", url, *files], home) as ours:
            table[FIRST].append((ours.seen(PAINTED) - ours.started_at) * 1000)
            table[OPEN].append((ours.seen(CONNECTED) - ours.started_at) * 1000)
        with running([*VOICECLI, "talk", *files], home) as ours:
            table[OFFLINE].append((ours.seen(CONNECTED) - ours.started_at) * 1000)


def echo(table: Table, plan: Plan, home: Path, say: Callable[[str], None]) -> None:
    say("typing over ten thousand turns")
    late = home / "late"
    with running([sys.executable, BUSY, str(late)], home) as busy:
        busy.seen("to come", 60.0)
        time.sleep(4.0)
        for n in range(plan.keys):
            key = KEYS[n % len(KEYS)]
            busy.forget()
            at = busy.type(key)
            table[ECHO].append((busy.seen(key) - at) * 1000)
            time.sleep(0.03 + 0.007 * (n % 5))
            busy.type("\x7f")
            time.sleep(0.05)
        busy.type("\x11")
        busy.process.wait(10)
    table[LATE] = [float(line) for line in late.read_text().split()]
    table[LONGEST] = [max(table[LATE])]


def costs(table: Table, plan: Plan, home: Path, say: Callable[[str], None]) -> None:
    def files(name: str) -> list[str]:
        return ["--audio-in", str(home / name), "--audio-out", str(home / "out.wav")]

    say("listening")
    with running([*VOICECLI, "talk", *files("silent.wav")], home) as ours:
        ours.seen(CONNECTED)
        table[LISTENING].append(minute(ours, plan.window_s))
    for row, more in ((TALKING, []), (LINES, ["--plain"])):
        say(f"talking {' '.join(more)}")
        with running([*VOICECLI, "talk", *more, *files("talking.wav")], home) as ours:
            ours.seen("speaking" if not more else "assistant:")
            table[row].append(minute(ours, plan.window_s))


def minute(program: Terminal, seconds: float) -> float:
    time.sleep(1.0)
    at, before = time.perf_counter(), program.cpu_s()
    time.sleep(seconds)
    return (program.cpu_s() - before) / (time.perf_counter() - at) * 60


def write(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(pcm)


def run(quick: bool, say: Callable[[str], None]) -> str:
    """Everything, as a table in Markdown."""
    plan, began, busy = QUICK if quick else FULL, time.perf_counter(), f"{os.getloadavg()[0]:.1f}"
    table: Table = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="voicecli-benchmarks-") as folder:
        home = Path(folder)
        write(home / "silent.wav", bytes(2 * RATE * 200))
        write(home / "talking.wav", (clip("clip:hello") + bytes(round(2 * RATE * 7.0))) * 20)
        command = [*VOICECLI, "serve", "--port", "0", "--log-level", "warning", "--tones"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(home), text=True) as server:
            assert server.stdout is not None
            try:
                url = server.stdout.readline().split()[-1]
                starts(table, plan, home, url, say)
            finally:
                server.terminate()
        echo(table, plan, home, say)
        costs(table, plan, home, say)
    screen.costs(table, quick, say)
    return printed(table, time.perf_counter() - began, busy)


def printed(table: Table, seconds: float, busy: str) -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {platform.release()}"
    lines = [
        f"The screen of voicecli {__version__} on {machine}, Python {platform.python_version()}; load before: {busy}.",
        f"Median / 95th percentile (number of values); it took {seconds:.0f} s.",
        "",
        "| | |",
        "|---|---|",
    ]
    for row, values in table.items():
        few = len(values) == 1
        cell = (
            f"{values[0]:.1f}" if few else f"{np.median(values):.1f} / {np.percentile(values, 95):.1f} ({len(values)})"
        )
        lines.append(f"| {row} | {cell} |")
    return "\n".join(lines)
