"""The session's thread: an asyncio loop of its own around the engine, and the mailbox in which changes reach the face.

It knows no device and no key, and decides nothing about the talk.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from voicecli.core.changes import AnyChange
from voicecli.core.stimuli import Stimulus
from voicecli.ports import Bell, Link, Sound
from voicecli.runtime.engine import Engine, Log, Mind

LINK_END_S: Final = 1.5
"""How long the thread waits for its link to close once the talk has ended."""
SWITCH_S: Final = 0.001
"""The interpreter's switch interval: callbacks wait 1.3 ms instead of 5 for a busy thread."""
COLLECT_S: Final = 30.0
"""Between two full collections, in moments in which nothing plays."""

_LOG = logging.getLogger("voicecli.session")


class Changes:
    """Mailbox of what is to be shown: the session thread puts, main takes, whoever waits is rung."""

    def __init__(self) -> None:
        self._waiting: deque[AnyChange] = deque()
        self._bell = Bell()

    def put(self, change: AnyChange) -> None:
        self._waiting.append(change)
        self._bell.ring()

    def take(self) -> Iterator[AnyChange]:
        """What has come since the last time, in order."""
        while self._waiting:
            yield self._waiting.popleft()

    def wait(self, seconds: float) -> bool:
        """Waits until something was put since the last wait, `seconds` at most; whether it was."""
        return self._bell.wait(seconds)

    def ring(self) -> None:
        """Wakes whoever waits without putting anything: a signal, or a line that was typed."""
        self._bell.ring()


class SessionThread:
    """Runs one talk. `give` and `ring` may be called at any time, also before `start` and after the end.

    `link` makes the link: it is called once, with the function that takes what the link has to tell, which is called
    on the loop only. `changes` ends with `Ended` whatever happens, also when the thread dies.
    """

    def __init__(
        self,
        session: Mind,
        sound: Sound | None,
        link: Callable[[Callable[[Stimulus], None]], Link],
        *,
        levels: bool = False,
        log: Log | None = None,
        link_end_s: float = LINK_END_S,
    ) -> None:
        self.changes = Changes()
        self._engine = Engine(session, sound, link(self._from_link), self.changes.put, levels=levels, log=log)
        self._link_end_s = link_end_s
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_quietly)
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)
        self._rung = False
        self._turn_waits = False
        self._timer: asyncio.TimerHandle | None = None
        self._last_resort: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to take what was given."""
        settle_interpreter()
        self.ring()
        self._thread.start()

    def give(self, stimulus: Stimulus) -> None:
        """From the face: main's thread only, because a mailbox has one writer."""
        self._engine.give(stimulus)
        self.ring()

    def ring(self) -> None:
        """Makes the engine look: at most one ring is on its way, and none once the loop is closed."""
        if self._rung:
            return
        self._rung = True
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._answer)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def failure(self) -> BaseException | None:
        """The bug that ended the talk; to be read once the thread has ended."""
        return self._engine.failure

    def join(self, seconds: float) -> bool:
        """Waits for the end, `seconds` at most; whether the thread has ended."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self.alive

    # ---- on the session's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_later(COLLECT_S, self._collect)
        try:
            self._loop.run_forever()
        except BaseException as bug:
            self._engine.fail(bug, time.perf_counter())
        finally:
            with suppress(Exception):
                self._leave()
            self._loop.close()

    def _leave(self) -> None:
        """Ends what still runs on the loop: tasks of a link that did not close in time."""
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=0.2))

    def _from_link(self, stimulus: Stimulus) -> None:
        self._engine.give_link(stimulus)
        if not self._turn_waits:
            self._turn_waits = True
            self._loop.call_soon(self._turn)

    def _answer(self) -> None:
        self._rung = False
        self._turn()

    def _turn(self) -> None:
        self._turn_waits = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wanted = self._engine.turn(time.perf_counter())
        if self._engine.done:
            self._loop.stop()
            return
        if self._engine.ended and self._last_resort is None:
            self._last_resort = self._loop.call_later(self._link_end_s, self._loop.stop)
        if wanted is not None:
            self._timer = self._loop.call_at(self._loop.time() + (wanted - time.perf_counter()), self._turn)

    def _collect(self) -> None:
        if not self._engine.playing:
            gc.collect()
        self._loop.call_later(COLLECT_S, self._collect)


def settle_interpreter() -> None:
    """A full collection stops every thread for 40 to 60 ms, and a busy thread holds the others for the switch interval.

    What was loaded so far is taken out of collection, and full collections are left to quiet moments.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 10_000)
    sys.setswitchinterval(SWITCH_S)


def _quietly(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would print to stderr with reprs (which may hold a key) becomes a log record without any."""
    bug = context.get("exception")
    where = "".join(traceback.format_tb(bug.__traceback__)) if bug else ""
    _LOG.error("%s: %s\n%s", context.get("message", "error in the loop"), type(bug).__name__ if bug else "", where)
