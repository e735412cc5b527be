"""The screen of a talk: its widgets in order, what has changed drained to them, keys to actions.

It decides nothing about the talk, and asks for the time only by the clock that it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from voicecli.core.changes import AnyChange, Ended, Told
from voicecli.ui.actions import ACTIONS, Do, Say, TalkKey, parse
from voicecli.ui.screen.citizen import Citizen
from voicecli.ui.screen.standfacts import Facts
from voicecli.ui.screen.standins import Composer, Conversation, Notice, StateLine, TopLine
from voicecli.ui.screen.talking import Talking
from voicecli.ui.view import View

DRAIN_S: Final = 1 / 30
AGAIN_S: Final = 2.0
"""Ctrl-C twice within this time ends the talk."""
INTERRUPTED: Final = 130


class Look(NamedTuple):
    """How it is to look."""

    light: bool = False
    ascii: bool = False
    motion: bool = True


class TalkApp(Citizen):
    """Runs until `Ended`, whose exit code it gives."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "break", show=False, priority=True),
        Binding("ctrl+q", "act('quit')", show=False, priority=True),
        Binding("ctrl+z", "stop", show=False, priority=True),
        Binding("escape", "escape", show=False),
    ]
    CSS = "Conversation { height: 1fr; } Composer { border: none; height: 1; }"

    def __init__(self, talking: Talking, clock: Callable[[], float], look: Look | None = None, **more: Any) -> None:
        """`more` is for `Citizen`."""
        super().__init__(talking, clock, **more)
        self.facts = Facts()
        self.look = look or Look()
        self._again_at = 0.0

    @property
    def view(self) -> View:  # type: ignore[override]
        """What is known of the talk; also after the end."""
        return self.facts.view

    def compose(self) -> ComposeResult:
        yield TopLine(markup=False)
        yield Conversation(markup=False)
        yield Notice(markup=False)
        yield StateLine(markup=False)
        yield Composer()

    def on_mount(self) -> None:
        self.begin()
        self.query_one(Composer).focus()
        self.set_interval(DRAIN_S, self._drain)

    def _drain(self) -> None:
        at = self.clock()
        changed = False
        for change in self.talking.take():
            changed = True
            self._apply(change, at)
        if changed and self.is_running:
            self.query_one(TopLine).show(self.facts, at)
            self.query_one(Conversation).show(self.facts, at)
            self.query_one(Notice).show(self.facts, at)
            self.query_one(StateLine).show(self.facts, at)
        self.stop_when_quiet(at)

    def _apply(self, change: AnyChange, at: float) -> None:
        self.facts.apply(change, at)
        if isinstance(change, Ended):
            self.exit(change.exit_code, change.exit_code)

    # ---- what the person does

    def on_composer_sent(self, sent: Composer.Sent) -> None:
        self._mean(sent.text)

    def _mean(self, line: str) -> None:
        match parse(line):
            case Told() as told:
                self.talking.show(told)
            case Say() as say:
                self.talking.give(say.stimulus)
            case Do() as do:
                self._do(do)
            case TalkKey() | None:
                pass

    def action_act(self, name: str, argument: str = "") -> None:
        """Carries out the action of that name."""
        (action,) = (action for action in ACTIONS if action.id == name)
        self._do(Do(action, argument))

    def _do(self, do: Do) -> None:
        self.talking.do(do, self.facts.view)

    def action_escape(self) -> None:
        """Closes what is on top; never quits."""
        if self.talking.answering:
            self.talking.stop_answer()
        else:
            self.facts.close_notice()

    def action_break(self) -> None:
        """Ctrl-C: copies a selection, else stops the answer, else clears the line, else asks once more, else ends."""
        at = self.clock()
        composer = self.query_one(Composer)
        if text := self.screen.get_selected_text():
            self.copy_to_clipboard(text)
            self.screen.clear_selection()
        elif self.talking.answering:
            self.talking.stop_answer()
        elif composer.value:
            composer.value = ""
        elif at < self._again_at + AGAIN_S:
            self.talking.leave(INTERRUPTED)
        else:
            self._again_at = at
