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
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE, Glyphs
from voicecli.ui.screen.standins import Composer, Conversation, Notice, StateLine, TopLine
from voicecli.ui.screen.talking import Talking
from voicecli.ui.screen.theme import DARK, LIGHT, PLAIN, Inks
from voicecli.ui.view import View

DRAIN_S: Final = 1 / 30
AGAIN_S: Final = 2.0
"""Ctrl-C twice within this time ends the talk."""
INTERRUPTED: Final = 130


_AGAIN: Final = Told(
    severity="warning", code="again_to_quit", title="Ctrl-C again ends the talk.", hint="So does ctrl+q."
)


class Look(NamedTuple):
    """How it is to look."""

    light: bool = False
    ascii: bool = False
    motion: bool = True
    coloured: bool = True

    @property
    def inks(self) -> Inks:
        if not self.coloured:
            return PLAIN
        return LIGHT if self.light else DARK

    @property
    def glyphs(self) -> Glyphs:
        return ASCII if self.ascii else UNICODE


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

    def __init__(
        self,
        talking: Talking,
        clock: Callable[[], float],
        look: Look | None = None,
        *,
        half_duplex: bool = False,
        **more: Any,
    ) -> None:
        """`half_duplex`: the talk begins so; `more` is for `Citizen`."""
        super().__init__(talking, clock, **more)
        self.facts = Facts(half_duplex=half_duplex)
        self.look = look or Look()
        self.inks, self.glyphs = self.look.inks, self.look.glyphs
        self._again_by = 0.0

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
        self.register_theme(self.inks.theme())
        self.theme = self.inks.name
        self.begin()
        self.query_one(Composer).focus()
        self.set_interval(DRAIN_S, self._drain)

    def _drain(self) -> None:
        at = self.clock()
        changed = False
        if 0 < self._again_by <= at:
            self._again_by = 0.0
            self.facts.drop_notice(_AGAIN.code)
            changed = True
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
        elif at < self._again_by:
            self.talking.leave(INTERRUPTED)
        else:
            self._again_by = at + AGAIN_S
            self._apply(_AGAIN, at)
