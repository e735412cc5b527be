"""The screen of a talk: its widgets in order, what has changed drained to them, keys to actions, and a clean end.

It decides nothing about the talk, and asks for the time only by the clock that it is given.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter

from voicecli.core.changes import AnyChange, Ended, Told
from voicecli.ui.actions import ACTIONS, Do, Say, TalkKey, parse
from voicecli.ui.screen.guard import Guard
from voicecli.ui.screen.standfacts import Facts
from voicecli.ui.screen.standins import Composer, Conversation, Notice, StateLine, TopLine
from voicecli.ui.screen.talking import Talking
from voicecli.ui.view import View

DRAIN_S: Final = 1 / 30
AGAIN_S: Final = 2.0
"""Ctrl-C twice within this time ends the talk."""
HANGUP: Final = 129
INTERRUPTED: Final = 130
BUG: Final = 70

_LOG = logging.getLogger("voicecli.screen")


class Look(NamedTuple):
    """How it is to look."""

    light: bool = False
    ascii: bool = False
    motion: bool = True


class TalkApp(App[int]):
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
        look: Look = Look(),  # noqa: B008 - a frozen value
        *,
        settle: Callable[[], None] = lambda: None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """`settle` is called once the screen stands, for the interpreter."""
        super().__init__(driver_class=driver_class)
        self.facts = Facts()
        self.typed_before = b""
        self.bug: BaseException | None = None
        """What ended the screen before the talk."""
        self.stood = False
        """It has been seen."""
        self._talking, self._clock, self._look, self._settle = talking, clock, look, settle
        self._again_at = 0.0
        self._gone = False
        self._running_loop: asyncio.AbstractEventLoop | None = None

    @property
    def view(self) -> View:
        """What is known of the talk; also after the end."""
        return self.facts.view

    # ---- its life

    def compose(self) -> ComposeResult:
        yield TopLine(markup=False)
        yield Conversation(markup=False)
        yield Notice(markup=False)
        yield StateLine(markup=False)
        yield Composer()

    def on_mount(self) -> None:
        self._running_loop = asyncio.get_running_loop()
        self._running_loop.set_exception_handler(self._loop_failed)
        self.query_one(Composer).focus()
        self.set_interval(DRAIN_S, self._drain)
        self.call_after_refresh(self._stand)

    def _stand(self) -> None:
        self.stood = True
        self._settle()

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), Guard()]

    def _drain(self) -> None:
        at = self._clock()
        changed = False
        for change in self._talking.take():
            changed = True
            self._apply(change, at)
        if changed and self.is_running:
            self.query_one(TopLine).show(self.facts, at)
            self.query_one(Conversation).show(self.facts, at)
            self.query_one(Notice).show(self.facts, at)
            self.query_one(StateLine).show(self.facts, at)

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
                self._talking.show(told)
            case Say() as say:
                self._talking.give(say.stimulus)
            case Do() as do:
                self._do(do)
            case TalkKey() | None:
                pass

    def action_act(self, name: str, argument: str = "") -> None:
        """Carries out the action of that name."""
        (action,) = (action for action in ACTIONS if action.id == name)
        self._do(Do(action, argument))

    def _do(self, do: Do) -> None:
        self._talking.do(do, self.facts.view)

    def action_escape(self) -> None:
        """Closes what is on top; never quits."""
        if self._talking.answering:
            self._talking.stop_answer()
        else:
            self.facts.close_notice()

    def action_break(self) -> None:
        """Ctrl-C: copies a selection, else stops the answer, else clears the line, else asks once more, else ends."""
        at = self._clock()
        composer = self.query_one(Composer)
        if text := self.screen.get_selected_text():
            self.copy_to_clipboard(text)
            self.screen.clear_selection()
        elif self._talking.answering:
            self._talking.stop_answer()
        elif composer.value:
            composer.value = ""
        elif at < self._again_at + AGAIN_S:
            self._talking.leave(INTERRUPTED)
        else:
            self._again_at = at

    # ---- what the world does to it

    def from_outside(self, do: Callable[[], object]) -> None:
        """Has `do` called on the app's loop. From any thread, and from a signal's handler."""
        if self._running_loop is not None and not self._running_loop.is_closed():
            self._running_loop.call_soon_threadsafe(do)

    def interrupted(self) -> None:
        """SIGINT: the same as the key."""
        self.from_outside(self.action_break)

    def terminal_gone(self) -> None:
        if not self._gone:
            self._gone = True
            self.from_outside(lambda: self._talking.leave(HANGUP))

    def paste_cut(self, dropped: int) -> None:
        title = f"Only the beginning of what was pasted was taken; {dropped} characters were too many."
        self.from_outside(lambda: self._talking.show(Told(severity="warning", code="paste_cut", title=title)))

    def stop_asked(self) -> None:
        self.from_outside(self.action_stop)

    def action_stop(self) -> None:
        self.action_suspend_process()

    def _loop_failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        bug = context.get("exception")
        self._fail(bug if isinstance(bug, Exception) else RuntimeError(str(context.get("message"))))

    def _handle_exception(self, error: Exception) -> None:
        """A bug of ours. Textual would print the locals of every frame, among which a key may be (G9)."""
        self._exception = self._exception or error  # Textual's tests raise it
        event: Any = self._exception_event
        event.set()
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self.bug is None:
            self.bug = error
            where = "".join(traceback.format_tb(error.__traceback__))
            _LOG.critical("the screen: %s\n%s", type(error).__name__, where)
        self._return_code = BUG
        self._close_messages_no_wait()
