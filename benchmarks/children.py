"""The programs that are measured, as children: started, timed, ended. None of the user's own settings reaches them."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

MINIMAL = str(Path(__file__).with_name("minimal.py"))
SAID = "said"
HEAVY = ("textual", "numpy", "asyncio", "sounddevice", "websockets")


def talk(url: str) -> list[str]:
    return [sys.executable, "-m", "voicecli", "talk", "--jsonl", "--url", url]


def chat(url: str) -> list[str]:
    return [sys.executable, "-m", "voicecli", "chat", "--jsonl", "--url", url]


def minimal(url: str) -> list[str]:
    return [sys.executable, MINIMAL, url]


PRACTICE = [sys.executable, "-m", "voicecli", "chat", "--jsonl"]
VERSION = [sys.executable, "-m", "voicecli", "--version"]
NOTHING = [sys.executable, "-c", "pass"]


class Child:
    """A running program."""

    def __init__(self, process: asyncio.subprocess.Process, started_at: float) -> None:
        self.started_at = started_at
        """Before it was started."""
        self.process = process

    def cpu_s(self) -> float:
        """Seconds of processor time it has used so far, all threads; by the clock that Linux keeps of a process."""
        return time.clock_gettime(((-self.process.pid - 1) << 3) | 2)

    async def line_with(self, words: bytes) -> float:
        """When it had printed a line with these words. Raises RuntimeError if it ends before."""
        assert self.process.stdout
        async for line in self.process.stdout:
            if words in line:
                return perf_counter()
        raise RuntimeError("it ended early")


@asynccontextmanager
async def running(command: list[str], home: Path, reads: bool = False) -> AsyncIterator[Child]:
    """Runs it until the block ends, in an empty home; what it prints goes to the file `said` unless it `reads`."""
    pipe = asyncio.subprocess.PIPE
    env = environment(home)
    with (home / SAID).open("wb") as said:
        at = perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe if reads else said, stderr=said, env=env, cwd=home
        )
    try:
        yield Child(process, at)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


async def wall_s(command: list[str], home: Path) -> float:
    """From its start to its end."""
    at = perf_counter()
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdin=null, stdout=null, stderr=null, env=environment(home), cwd=home
    )
    if await process.wait():
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return perf_counter() - at


async def heavy_modules(home: Path) -> list[str]:
    """What of `HEAVY` stands in `sys.modules` when `voicecli --version` ends."""
    code = (
        "import atexit, sys; sys.argv = ['voicecli', '--version']\n"
        f"atexit.register(lambda: print(*[m for m in {HEAVY} if m in sys.modules], file=sys.stderr))\n"
        "from voicecli.cli import main; main()"
    )
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=pipe, stderr=pipe, env=environment(home), cwd=home
    )
    out, err = await process.communicate()
    if not out.strip() or process.returncode:
        raise RuntimeError("voicecli --version failed")
    return err.decode().split()


def environment(home: Path) -> dict[str, str]:
    strange = ("VOICECLI_", "OPENAI_", "XDG_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return env | {"HOME": str(home)}
