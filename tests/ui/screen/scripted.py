"""A talk that runs by script, for the screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from voicecli.core.changes import AnyChange, Ended, PhaseNow, Told
from voicecli.core.stimuli import Quit, Stimulus, Typed
from voicecli.ui.actions import ANSWERING, Do
from voicecli.ui.view import View


class Scripted:
    """`Talking`: what is put in is taken out, what the person does is kept in `given`."""

    def __init__(self, changes: Iterable[AnyChange] = ()) -> None:
        self._changes: deque[AnyChange] = deque(changes)
        self._phase = ""
        self.given: list[Stimulus] = []
        self.done: list[Do] = []
        self.left: list[int] = []
        self.stopped = 0

    def put(self, *changes: AnyChange) -> None:
        self._changes += changes

    @property
    def waiting(self) -> bool:
        """Not all of it has been taken."""
        return bool(self._changes)

    def take(self) -> Iterator[AnyChange]:
        while self._changes:
            change = self._changes.popleft()
            if isinstance(change, PhaseNow):
                self._phase = change.phase
            yield change

    def give(self, stimulus: Stimulus) -> None:
        self.given.append(stimulus)

    def do(self, do: Do, view: View) -> bool:
        self.done.append(do)
        if isinstance(do.stimulus, Quit):
            self.end(0)
        elif do.stimulus is not None:
            self.give(do.stimulus)
        return do.stimulus is not None or do.action.id == "save"

    def show(self, change: Told) -> None:
        self.put(change)

    @property
    def answering(self) -> bool:
        return self._phase in ANSWERING

    def stop_answer(self) -> None:
        self.stopped += 1
        self._phase = ""

    def leave(self, code: int) -> None:
        self.left.append(code)
        self.end(code)

    def end(self, code: int) -> None:
        self.put(Ended(exit_code=code, reason="quit", seconds=1.0, turns=0, interruptions=0))

    @property
    def typed(self) -> list[str]:
        return [stimulus.text for stimulus in self.given if isinstance(stimulus, Typed)]
