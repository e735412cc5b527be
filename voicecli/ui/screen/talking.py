"""What the screen needs of the talk that it shows; it does not know who runs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from voicecli.core.changes import AnyChange, Told
from voicecli.core.stimuli import Stimulus
from voicecli.ui.actions import Do
from voicecli.ui.view import View


class Talking(Protocol):
    """A talk that runs. Everything is called on main's thread, and nothing of it waits."""

    def take(self) -> Iterator[AnyChange]:
        """What has come since the last time, in order; `Ended` is the last there is."""

    def give(self, stimulus: Stimulus) -> None:
        """What the person does: types, presses, asks."""

    def do(self, do: Do, view: View) -> bool:
        """Carries out an action; `view` is what there is to be saved. False: it is the face's own affair."""

    def show(self, change: Told) -> None:
        """Puts a notice of the face's own into the stream."""

    @property
    def answering(self) -> bool:
        """There is an answer that could be stopped, and nobody has asked for that yet."""

    def stop_answer(self) -> None:
        """Stops it."""

    def leave(self, code: int) -> None:
        """Ends the talk with `code`; `Ended` follows, or the whole program ends within two seconds."""
