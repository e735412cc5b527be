"""`python -m benchmarks --wire`: what frames cost, beside json and base64, and what a million of them keep.

The frames are those of usual talks in either spelling, with 100 ms of sound in a delta; the million are hostile ones.
"""

from __future__ import annotations

import base64
import gc
import json
import random
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from tests.fuzz.frames import Storm, hostile, talk
from tests.fuzz.listener import Listener
from voicecli.audio.wire import ToWire
from voicecli.core.stimuli import Received
from voicecli.ports import PCM16
from voicecli.protocol.codec import decode_server, encode
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import InputAudioBufferAppend
from voicecli.protocol.profiles import EMBEDDED_BETA, EMBEDDED_GA, Profile
from voicecli.runtime.thread import settle_interpreter

ROUNDS = 15
"""Each figure is the best of so many: what the machine does beside it only makes it worse."""
BLOCK = 480
"""Samples of a microphone frame: 20 ms."""


class Row(NamedTuple):
    what: str
    ours_us: float
    theirs_us: float


def best_us(work: Callable[[], object], times: int) -> float:
    """Microseconds for one of `times`."""
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            began = perf_counter()
            work()
            best = min(best, perf_counter() - began)
    finally:
        gc.enable()
    return best / times * 1e6


def plainly(frame: bytes) -> Any:
    """As most clients read."""
    event = json.loads(frame)
    if event["type"].endswith("audio.delta"):
        event["delta"] = base64.b64decode(event["delta"])
    return event


def decoding(spelling: Spelling) -> list[Row]:
    frames = talk(spelling)
    sound = [frame for frame in frames if b"audio.delta" in frame[:200]]
    other = [frame for frame in frames if b"audio.delta" not in frame[:200]]
    rows = []
    for what, some in (("the mix", frames), ("sound", sound), ("everything else", other)):
        size = sum(map(len, some)) / len(some)
        rows.append(
            Row(
                f"decode an event, {spelling.value}, {what} ({size:,.0f} bytes)",
                best_us(lambda some=some: [decode_server(frame) for frame in some], len(some)),
                best_us(lambda some=some: [plainly(frame) for frame in some], len(some)),
            )
        )
    return rows


def encoding() -> list[Row]:
    """From recorded sound to the text of the frame, as the engine does it."""
    spell = ToWire().spell
    pcm = random.Random(1).randbytes(2 * BLOCK)
    rows = []
    for profile in (EMBEDDED_BETA, EMBEDDED_GA):

        def ours(profile: Profile = profile) -> None:
            for _ in range(1000):
                encode(InputAudioBufferAppend(audio=spell(pcm, PCM16)), profile)

        def theirs() -> None:
            for _ in range(1000):
                json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})

        what = f"encode a microphone frame of 20 ms, {profile.spelling.value}"
        rows.append(Row(what, best_us(ours, 1000), best_us(theirs, 1000)))
    return rows


def resident() -> int | None:
    """Bytes of this process that are in memory, where the system says so."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except OSError:
        return None


def million(count: int, say: Callable[[str], None]) -> list[str]:
    """Lines about `count` frames and as many hostile events through decoder and core, collected as in a talk."""
    settle_interpreter()
    lines = []
    for what, stimuli in (
        ("fuzzed frames", (Received(decode_server(frame), len(frame)) for frame in Storm(1))),
        ("hostile events", (Received(event, 100) for event in hostile(random.Random(11), count))),
    ):
        listener, before, grown = Listener(), resident(), []
        worst_s, began = 0.0, perf_counter()
        for n in range(1, count + 1):
            at = perf_counter()
            listener.takes(next(stimuli))
            worst_s = max(worst_s, perf_counter() - at)
            if n % (count // 10) == 0:
                say(f"{what}: {n:,}")
                now = resident()
                grown.append("?" if now is None or before is None else f"{(now - before) / 1e6:.0f}")
        seconds = perf_counter() - began
        lines.append(
            f"{count:,} {what} through decoder and core: {seconds / count * 1e6:.0f} us each, the worst "
            f"{worst_s * 1000:.0f} ms; MB grown after each tenth: {' '.join(grown)}."
        )
    return lines


def run(count: int, say: Callable[[str], None]) -> str:
    """The table in Markdown, as it stands in the README."""
    lines = ["| | voicecli, us | json + base64, us |", "|---|---|---|"]
    for row in (*decoding(Spelling.BETA), *decoding(Spelling.GA), *encoding()):
        lines.append(f"| {row.what} | {row.ours_us:.1f} | {row.theirs_us:.1f} |")
    return "\n".join([*lines, "", *million(count, say)])
