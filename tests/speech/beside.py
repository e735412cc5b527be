"""For tests with the real speech engines: one in a process, asked without a loop; sounds; words compared."""

from __future__ import annotations

import os
import re
import subprocess
import time
import wave
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from voicecli.ports import RATE
from voicecli.server.engine_jobs import Hearing, Saying
from voicecli.server.engine_process import needed
from voicecli.server.engines import COMMANDS
from voicecli.speech import frames as f
from voicecli.speech.weights import INSTALL, Part, found

LACKS = [part.value for part in Part if found(part) is not None]
engines = pytest.mark.skipif(bool(LACKS), reason=f"no {' and no '.join(LACKS)} here; {INSTALL} brings them")


class Beside:
    """The engine of one part. `with Beside(Part.EAR) as ear:` ends it."""

    def __init__(self, part: Part, environment: dict[str, str] | None = None) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            COMMANDS[part],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=needed(os.environ) | (environment or {}),
        )
        assert isinstance(self.read(), f.Loading)
        self.state = self.read()
        self.loaded_s = time.perf_counter() - began
        self._number = 0

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self) -> f.Reply | None:
        out: Any = self._process.stdout
        head = out.read(f.HEAD)
        return f.reply(out.read(f.size(head))) if head else None

    def write(self, data: bytes) -> None:
        into: Any = self._process.stdin
        into.write(data)
        into.flush()

    def end(self) -> int:
        """Its code, once its standard input has closed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(5)

    def code(self) -> int:
        """Its code, when it ends by itself."""
        return self._process.wait(5)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def hear(self, pcm: bytes) -> str:
        hearing = Hearing(pcm)
        while not hearing.take(self._ask(hearing)):
            pass
        return " ".join(filter(None, hearing.words))

    def say(self, text: str) -> bytes:
        saying = Saying(text)
        while not saying.take(self._ask(saying)):
            pass
        return b"".join(saying.sounds)

    def _ask(self, job: Hearing | Saying) -> f.Heard | f.Spoken:
        self._number += 1
        self.write(f.frame(job.request(self._number)))
        reply = self.read()
        assert isinstance(reply, f.Heard | f.Spoken), reply
        assert reply.number == self._number
        return reply


@cache
def clip(name: str, seconds: float | None = None) -> bytes:
    """A recording that comes with the speech package, at 24 kHz."""
    spec = find_spec("moonshine_voice")
    assert spec is not None
    assert spec.origin is not None
    with wave.open(str(Path(spec.origin).parent / "assets" / name), "rb") as file:
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
    return pcm(soxr.resample(np.frombuffer(frames, "<i2").astype(np.float32) / 32768, rate, RATE), seconds)


def pcm(samples: np.ndarray[Any, Any], seconds: float | None = None) -> bytes:
    whole = samples if seconds is None else samples[: int(seconds * RATE)]
    return (np.clip(whole, -1, 1) * 32767).astype("<i2").tobytes()


def plain(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("-", " ")).split()


def errors(wanted: str, heard: str) -> tuple[int, int]:
    """Word errors (wrong, missing, too many), and words."""
    a, b = plain(wanted), plain(heard)
    row = list(range(len(b) + 1))
    for n, word in enumerate(a, 1):
        before, row[0] = row[0], n
        for m, other in enumerate(b, 1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (word != other))
    return row[-1], len(a)
