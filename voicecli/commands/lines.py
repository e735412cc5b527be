"""A talk by lines: what has changed is written, what was typed or piped in is read; it decides nothing of the talk."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from voicecli.commands import planning
from voicecli.commands.console import CLOSED_OUTPUT, HANGUP, Keyboard, Output, OutputClosed
from voicecli.commands.conversing import Conversing
from voicecli.commands.faces import Face
from voicecli.core import notices
from voicecli.core.changes import AnyChange, Ended, LimitsNow, Told
from voicecli.core.stimuli import KeyboardSpent, Quit, TalkPressed, Typed
from voicecli.secret import Redactor
from voicecli.ui.actions import Do, Say, TalkKey
from voicecli.ui.plain import Written, notice_line
from voicecli.ui.sentences import answers

LOOK_S: Final = 1.0
"""Main looks around this often even when nothing rings."""


class Lines:
    """One talk with one of the faces that give lines."""

    def __init__(
        self,
        talk: Conversing,
        face: Face,
        keyboard: planning.Keyboard,
        redactor: Redactor,
        err: int = 2,
        question: str | None = None,
    ) -> None:
        """`question`: one text, then the end; None: what comes from standard input. `err`: our own words go there."""
        self._talk, self._face = talk, face
        self._sort = keyboard
        self._redactor = redactor
        self._question = question
        self._out, self._err = Output(1), Output(err)
        self._told = ""
        self._limits_at = 0.0
        self._held = ""
        self._ended = False
        self._keyboard = Keyboard(talk.ring)

    def run(self) -> int:
        """Until `Ended`; gives the exit code."""
        talk = self._talk
        try:
            self._begin()
            while talk.ended is None:
                self._look()
                if talk.ended is None:
                    talk.wait(self._patience())
            unwritten = CLOSED_OUTPUT if self._out.trouble else 0
            return talk.left(talk.leaving or talk.ended.exit_code or unwritten)
        except OutputClosed as closed:
            talk.give(Quit(closed.code, "hangup" if closed.code == HANGUP else "closed_output"))
            return talk.left(talk.leaving or closed.code)

    def signalled(self, code: int) -> None:
        """A signal that ends the talk with `code`, or stops the answer. Called on main, between two lines of it.

        The first Ctrl-C of a person at a terminal stops the answer; every other one ends.
        """
        talk = self._talk
        ending = talk.leaving or talk.ended is not None
        if code == 130 and not ending and self._sort == "terminal" and talk.answering:
            talk.stop_answer()
        else:
            talk.leave(code)

    def _begin(self) -> None:
        if not self._talk.begun:
            self._talk.begin()
        for change in self._talk.take():
            self._show(change)
        if self._question is not None:
            self._talk.give(Typed(self._question))
            self._talk.give(KeyboardSpent())
        elif self._sort != "none":
            self._keyboard.start()

    def _look(self) -> None:
        for change in self._talk.take():
            self._show(change)
        for line in self._keyboard.take():
            self._typed(line)
        if self._keyboard.gone and not self._talk.leaving:
            self.signalled(HANGUP)
        self._write(self._face.tick(time.perf_counter()))
        if (trouble := self._out.trouble) and trouble != self._told:
            self._told = trouble
            said = notices.told("cannot_show", trouble)
            self._write(Written(err=(notice_line(said, self._redactor),)))

    def _patience(self) -> float:
        deadline = self._face.deadline
        return LOOK_S if deadline is None else min(LOOK_S, deadline - time.perf_counter())

    # ---- out

    def _show(self, change: AnyChange) -> None:
        self._ended = isinstance(change, Ended)
        if isinstance(change, LimitsNow):
            self._limits_at = time.perf_counter()
        self._write(self._face.show(change, time.perf_counter()))

    def _write(self, written: Written) -> None:
        clean = self._redactor.known
        self._out.write(self._streamed(written.out))
        with suppress(OutputClosed):  # without readers of its notices a talk goes on
            for line in written.err:
                self._err.write(clean(line) + "\n")

    def _streamed(self, text: str) -> str:
        """Without secrets, also one that comes in pieces: the end waits while it may be the beginning of one."""
        shown, held = self._redactor.parted(self._held + text)
        self._held = "" if self._ended else held
        return shown + held if self._ended else shown

    # ---- in

    def _typed(self, line: bytes | None) -> None:
        if line is None:
            self._talk.give(KeyboardSpent())
            return
        match self._face.meant(line):
            case None:
                pass
            case Told() as told:
                self._talk.show(told)
            case Say() as say:
                self._talk.give(say.stimulus)
            case TalkKey():
                self._talk.give(TalkPressed(time.perf_counter(), releases_seen=False))
            case Do() as do:
                self._do(do)

    def _do(self, do: Do) -> None:
        if not self._talk.do(do, self._face.view):
            view = self._face.view
            for told in answers(do, view, time.perf_counter() - self._limits_at) or self._face.help(do.argument):
                self._talk.show(told)
