"""`python -m benchmarks`: runs everything, prints one table, writes nothing. It measures and judges nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from websockets.exceptions import ConnectionClosed

from benchmarks import alongside, children, engines, face, serving, sitting, wire
from benchmarks.server import Server, listening
from tests.live.virtual_audio import APT, VirtualAudio, missing
from voicecli import __version__

OURS, THEIRS = "voicecli", "minimal"
CLIENTS: dict[str, Callable[[str], list[str]]] = {OURS: children.talk, THEIRS: children.minimal}

CONNECTED = "start -> session.update at the server"
CONNECTED_CHAT = "start -> session.update at the server, `chat`"
HEARING = "start -> first microphone frame at the server"
PRACTICE = "start -> connected, `chat` with its own server"
VERSION = "`voicecli --version`, beside a Python that does nothing"

SOUND_ROWS = {
    sitting.FIRST_SOUND: "ms",
    sitting.GAPS: "ms",
    sitting.MICROPHONE: "ms",
    sitting.SILENCE: "ms",
    sitting.TRUNCATE: "ms",
    sitting.CLAIM: "ms",
    sitting.WRONG: "ms",
    HEARING: "ms",
    sitting.LISTENING: "% of a core",
    sitting.SPEAKING: "% of a core",
}
OTHER_ROWS = {CONNECTED: "ms", CONNECTED_CHAT: "ms", PRACTICE: "ms", VERSION: "ms"}


class Plan(NamedTuple):
    sittings: int
    size: sitting.Size
    starts: int


FULL = Plan(4, sitting.Size(interruptions=6, windows=6), 20)
QUICK = Plan(1, sitting.Size(interruptions=5, windows=5), 5)

Table = dict[str, dict[str, list[float]]]
"""Row, client, values."""


@contextmanager
def told(what: str, home: Path) -> Iterator[None]:
    """A program that does not do its part is told of with its last words; the others go on."""
    try:
        yield
    except (TimeoutError, OSError, RuntimeError, ConnectionClosed) as error:
        file = home / children.SAID
        said = file.read_text(errors="replace")[-1000:] if file.exists() else ""
        print(f"\n{what} failed ({error!r}), its values are missing. It said:\n{said}", file=sys.stderr, flush=True)


async def talks(table: Table, plan: Plan, server: Server, audio: VirtualAudio, home: Path) -> None:
    rng = random.Random(1)
    for n in range(plan.sittings):
        for name in list(CLIENTS)[:: -1 if n % 2 else 1]:
            say(f"talking {n + 1}/{plan.sittings}: {name}")
            with told(f"{name}: talk {n + 1}", home):
                found = await sitting.sit(CLIENTS[name](server.url), server, audio, plan.size, home, rng)
                for row, values in found.items():
                    table[row][name] += values


async def spoken_starts(table: Table, plan: Plan, server: Server, home: Path, clients: list[str], sound: bool) -> None:
    for n in range(plan.starts):
        for name in clients:
            say(f"starting {n + 1}/{plan.starts}: {name}")
            with told(f"{name}: start {n + 1}", home):
                async with children.running(CLIENTS[name](server.url), home) as child:
                    session = await server.session()
                    if sound and await session.until(lambda session=session: session.appended):
                        table[HEARING][name].append((session.appended[0].at - child.started_at) * 1000)
                table[CONNECTED][name].append((session.connected_at - child.started_at) * 1000)


async def silent_starts(table: Table, plan: Plan, server: Server, home: Path) -> None:
    for n in range(plan.starts):
        say(f"starting {n + 1}/{plan.starts}: without sound")
        with told(f"chat: start {n + 1}", home):
            async with children.running(children.chat(server.url), home) as child:
                session = await server.session()
            table[CONNECTED_CHAT][OURS].append((session.connected_at - child.started_at) * 1000)
        with told(f"chat with its own server: start {n + 1}", home):
            async with children.running(children.PRACTICE, home, reads=True) as child:
                table[PRACTICE][OURS].append((await child.line_with(b'"state":"open"') - child.started_at) * 1000)
        with told(f"--version: start {n + 1}", home):
            table[VERSION][OURS].append(await children.wall_s(children.VERSION, home) * 1000)
            table[VERSION][THEIRS].append(await children.wall_s(children.NOTHING, home) * 1000)


async def run(plan: Plan, lacking: str) -> tuple[Table, list[str]]:
    table: Table = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory(prefix="voicecli-benchmarks-") as folder:
        home = Path(folder)
        async with listening() as server:
            if lacking:
                await spoken_starts(table, plan, server, home, [OURS], sound=False)
            else:
                with VirtualAudio() as audio:
                    await talks(table, plan, server, audio, home)
                    await spoken_starts(table, plan, server, home, list(CLIENTS), sound=True)
            await silent_starts(table, plan, server, home)
        return table, await children.heavy_modules(home)


def printed(table: Table, heavy: list[str], lacking: str, seconds: float, busy: str) -> str:
    """The table in Markdown, as it stands in the README."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {platform.release()}"
    lines = [
        f"voicecli {__version__} on {machine}, Python {platform.python_version()}; load before: {busy}.",
        f"Median / 95th percentile (number of values); it took {seconds:.0f} s.",
        "",
        "| | unit | voicecli | minimal client |",
        "|---|---|---|---|",
    ]
    for row, unit in (OTHER_ROWS if lacking else SOUND_ROWS | OTHER_ROWS).items():
        lines.append(f"| {row} | {unit} | {cell(table[row][OURS])} | {cell(table[row][THEIRS])} |")
    lines.append(f"| heavy modules that `--version` imports | | {', '.join(heavy) or 'none'} | |")
    if lacking:
        lines += ["", f"Without sound: {lacking} is missing. {APT}"]
    return "\n".join(lines)


def cell(values: list[float]) -> str:
    if not values:
        return "-"
    return f"{np.median(values):.1f} / {np.percentile(values, 95):.1f} ({len(values)})"


def say(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def _in_its_stead(args: argparse.Namespace) -> str:
    """What another part found out; "" where none was asked for."""
    if args.wire:
        return wire.run(50_000 if args.quick else 1_000_000, say)
    if args.screen:
        return face.run(args.quick, say)
    if args.engines:
        return "\n\n".join(filter(None, (part.run(args.quick, say) for part in (engines, alongside))))
    return serving.run(args.quick, say) if args.serve else ""


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks", description="How fast voicecli is on this machine.")
    parser.add_argument("--quick", action="store_true", help="few values, in half a minute")
    parser.add_argument("--wire", action="store_true", help="what frames cost, in its stead; with a million of them")
    parser.add_argument("--screen", action="store_true", help="how the screen does in a terminal, in its stead")
    parser.add_argument("--engines", action="store_true", help="how the ear and the voice do, in its stead")
    parser.add_argument("--serve", action="store_true", help="what sessions of the server cost, in its stead; a soak")
    args = parser.parse_args()
    plan = QUICK if args.quick else FULL
    if told := _in_its_stead(args):
        say("")
        print(told)
        return 0
    lacking, busy, at = missing(), f"{os.getloadavg()[0]:.1f}", perf_counter()
    sys.setswitchinterval(0.001)
    table, heavy = asyncio.run(run(plan, lacking))
    say("")
    print(printed(table, heavy, lacking, perf_counter() - at, busy))
    return 0


if __name__ == "__main__":
    sys.exit(main())
