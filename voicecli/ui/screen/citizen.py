"""An app that behaves in its terminal: signals, Ctrl-Z, a terminal that is gone, a bug of ours. It draws nothing."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, cast, runtime_checkable

from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter

from voicecli.core.changes import Told
from voicecli.core.stimuli import Asked
from voicecli.ui.screen.composer import paste_cut
from voicecli.ui.screen.guard import Guard
from voicecli.ui.screen.talking import Talking
from voicecli.ui.view import View

STOP_S: Final = 1.0
"""Ctrl-Z waits so long for the microphone to be closed."""
HANGUP: Final = 129
BUG: Final = 70

_LOG = logging.getLogger("voicecli.screen")
_OFF: Final = Told(
    severity="info",
    code="off_while_stopped",
    title="The microphone was turned off while voicecli was stopped.",
    hint="/unmute turns it on.",
)


@runtime_checkable
class Restartable(Protocol):
    """A driver that can put the terminal's modes on again, and knows whether the terminal is ours."""

    @property
    def foreground(self) -> bool: ...

    def restart(self) -> None: ...


class _EndedMeanwhile(Exception):
    """A signal has ended the talk while the program was stopped."""


class Citizen(App[int]):
    """What every screen of ours owes the terminal, and the `Host` of its driver. Who derives from it has a `view`."""

    view: View

    def __init__(
        self,
        talking: Talking,
        clock: Callable[[], float],
        *,
        settle: Callable[[], None] = lambda: None,
        halt: Callable[[bool], None] = lambda _at_once: None,
        ending: Callable[[], bool] = lambda: False,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """`settle` is called once the screen stands, for the interpreter. `ending`: a signal has ended the talk.

        `halt` stops the process, at once or where the terminal is not ours, until it is ours or the talk has ended.
        """
        super().__init__(driver_class=driver_class)
        self.typed_before = b""
        self.given_back = self.silenced = False
        self.bug: BaseException | None = None
        """What ended the screen before the talk."""
        self.stood = False
        """It has been seen."""
        self.talking, self.clock = talking, clock
        self._settle, self._halt, self._ending = settle, halt, ending
        self._gone = False
        self._stop_by: float | None = None
        """When it stops at the latest, where that was asked for."""
        self._was_open = False
        self._main: asyncio.AbstractEventLoop | None = None

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), Guard()]

    def _set_pointer_shape(self, shape: str) -> None:
        """Terminals keep the shape of the mouse when the program has gone, so it is left as it is."""

    def begin(self) -> None:
        """To be called when it is mounted."""
        self._main = asyncio.get_running_loop()
        self._main.set_exception_handler(self._loop_failed)
        self.call_after_refresh(self._stand)

    def _stand(self) -> None:
        self.stood = True
        self._settle()

    # ---- from outside

    def from_outside(self, do: Callable[[], object]) -> None:
        """Has `do` called on the app's loop. From any thread, and from a signal's handler."""
        if self._main is not None and not self._main.is_closed():
            self._main.call_soon_threadsafe(do)

    def terminal_gone(self) -> None:
        if not self._gone:
            self._gone = True
            self.from_outside(lambda: self.talking.leave(HANGUP))

    def paste_cut(self, dropped: int) -> None:
        self.from_outside(lambda: self.talking.show(paste_cut(dropped)))

    def stop_asked(self) -> None:
        self.from_outside(self.action_stop)

    def continued(self) -> None:
        self.from_outside(self._afresh)

    def _afresh(self) -> None:
        """Somebody stopped us without asking: nobody knows what the terminal is like now."""
        driver: object = self._driver
        if not isinstance(driver, Restartable) or self._driver is None:
            return
        if not driver.foreground:
            with self._driver.no_automatic_restart():
                self._halt(False)
        if not self._ending():
            driver.restart()
            self.refresh(layout=True)

    # ---- Ctrl-Z

    def action_stop(self) -> None:
        """Stops the program as the shell knows it, with the microphone off; it stays off when it goes on (G27, G28)."""
        if self._stop_by is not None or self._driver is None or not self._driver.can_suspend:
            return
        self._stop_by = self.clock() + STOP_S
        phase = self.view.doing
        if self.talking.answering:
            self.talking.stop_answer()
        elif phase in ("recording", "recording_full"):
            self.talking.give(Asked("interrupt"))
        if self._microphone_open:
            self.talking.give(Asked("mute"))
            self._was_open = True

    @property
    def _microphone_open(self) -> bool:
        side = self.view.sound.get("input")
        return side is not None and side.state == "opened"

    def stop_when_quiet(self, at: float) -> None:
        """To be called often: stops once the microphone is closed, where that was asked for."""
        if self._stop_by is None or (self._microphone_open and at < self._stop_by):
            return
        self._stop_by = None
        try:
            with self.suspend():
                self._halt(True)
                if self._ending():
                    raise _EndedMeanwhile
        except _EndedMeanwhile:
            return  # the terminal is the shell's: to touch it in the background would stop us again
        if self._was_open:
            self._was_open = False
            self.talking.show(_OFF)

    # ---- bugs of ours

    def _loop_failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        bug = context.get("exception")
        self._fail(bug if isinstance(bug, Exception) else RuntimeError(str(context.get("message"))))

    def _handle_exception(self, error: Exception) -> None:
        """Textual would print the locals of every frame, among which a key may be (G9)."""
        self._exception = self._exception or error  # Textual's tests raise it
        cast(asyncio.Event, self._exception_event).set()
        self._fail(error)

    def panic(self, *_renderables: object) -> None:
        """Textual's way to end with something to print, which may hold locals too."""
        self._fail(RuntimeError("panic"))

    def _fail(self, error: Exception) -> None:
        if self.bug is None:
            self.bug = error
            where = "".join(traceback.format_tb(error.__traceback__))
            _LOG.critical("the screen: %s\n%s", type(error).__name__, where)
        self._return_code = BUG
        self._close_messages_no_wait()
