"""A screen over ten thousand turns, to which a thread beside it says a hundred deltas a second, to be measured.

`python benchmarks/busy.py FILE` writes into the file how late the thread was woken, in milliseconds, one a line.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from voicecli.core.changes import (
    AnyChange,
    Delayed,
    Ended,
    Foreign,
    HeardNow,
    LevelsNow,
    LinkNow,
    PhaseNow,
    QueuedNow,
    SoundNow,
    Started,
    Told,
    TurnGrew,
    TurnOpened,
    TurnSet,
)
from voicecli.core.stimuli import Quit, Stimulus
from voicecli.runtime.thread import settle_interpreter
from voicecli.ui.actions import Do
from voicecli.ui.screen.app import TalkApp
from voicecli.ui.screen.driver import TalkDriver
from voicecli.ui.view import View

TURNS = 10_000
DELTA_S = 0.01
LOOK_S = 0.002
GROWN = 400
"""Deltas of one turn."""


class Busy:
    """`Talking`: an assistant that never stops."""

    answering = True

    def __init__(self, file: Path) -> None:
        self._changes: deque[AnyChange] = deque(past())
        self._file = file
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        """As the session's thread does: woken often, with little to do each time."""
        late: list[float] = []
        due = time.perf_counter() + 3.0  # the ten thousand are drawn first
        n = 0
        while not self._over.is_set():
            due += LOOK_S
            time.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            late.append((now - due) * 1000)
            due = max(due, now - 0.1)
            n += 1
            if n % round(DELTA_S / LOOK_S) == 0:
                self._say(n // round(DELTA_S / LOOK_S))
        self._file.write_text("\n".join(f"{value:.3f}" for value in late))

    def _say(self, n: int) -> None:
        item = f"new{n // GROWN}"
        if n % GROWN == 0:
            self._changes.append(TurnOpened(item=item, after=None, role="assistant", via="voice", started=float(n)))
        self._changes.append(TurnGrew(item, Foreign("several " if n % 7 else "words,\n")))
        if n % 10 == 0:
            level = -12.0 - 10 * abs(math.sin(n / 37))
            self._changes.append(LevelsNow(-60.0, level, 8.0))
            self._changes.append(QueuedNow(8.0, tuple(-12.0 - 10 * abs(math.sin((n + k) / 37)) for k in range(32))))
            self._changes.append(HeardNow(item, n % GROWN * 10, n % GROWN * 5))

    def take(self) -> Iterator[AnyChange]:
        while self._changes:
            yield self._changes.popleft()

    def give(self, stimulus: Stimulus) -> None:
        if isinstance(stimulus, Quit):
            self.leave(0)

    def do(self, do: Do, view: View) -> bool:  # noqa: ARG002
        if isinstance(do.stimulus, Quit):
            self.leave(0)
        return do.stimulus is not None

    def show(self, change: Told) -> None:
        self._changes.append(change)

    def stop_answer(self) -> None:
        pass

    def leave(self, code: int) -> None:
        self._over.set()
        self._thread.join()
        self._changes.append(Ended(exit_code=code, reason="quit", seconds=1.0, turns=TURNS, interruptions=0))


def past() -> Iterator[AnyChange]:
    """A long talk up to now."""
    yield Started(at="", version="", mode="talk", url="ws://here", model="m", voice="v", offline=False, key_source="")
    yield LinkNow(state="open")
    yield SoundNow(side="input", state="opened")
    yield SoundNow(side="output", state="opened")
    last = None
    for n in range(TURNS):
        item = f"t{n}"
        you = n % 2 == 0
        yield TurnOpened(item=item, after=last, role="you" if you else "assistant", via="voice", started=n * 4.0)
        text = Foreign("and how do i keep it open?" if you else "two things help. set the interval to thirty. " * 4)
        yield TurnSet(item=item, status="done", text=text, heard=text, ended=n * 4.0 + 3)
        if not you:
            yield Delayed(item, 0.5, 0.2, 0.05)
        last = item
    yield PhaseNow("assistant_speaking")


def main() -> int:
    talking = Busy(Path(sys.argv[1]))
    app = TalkApp(talking, time.perf_counter, settle=settle_interpreter, driver_class=TalkDriver)
    return app.run() or 0


if __name__ == "__main__":
    sys.exit(main())
