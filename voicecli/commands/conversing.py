"""One talk from its start to its exit code: puts face, session thread, link, sound and child together, decides nothing.

It runs on main: it draws what has changed, reads what was typed, and takes signals.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from voicecli import __version__, files
from voicecli.commands import planning
from voicecli.commands.console import CLOSED_OUTPUT, HANGUP, Keyboard, Output, OutputClosed
from voicecli.commands.faces import Face
from voicecli.commands.pictures import BadPicture, Reader
from voicecli.config import Config
from voicecli.core import notices
from voicecli.core.changes import AnyChange, Ended, Foreign, LinkNow, PhaseNow, Started, Told
from voicecli.core.plan import Plan
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import Asked, Begin, KeyboardSpent, Moved, Pictured, Quit, Stimulus, TalkPressed, Typed
from voicecli.logs import Log
from voicecli.ports import Link, Sound
from voicecli.runtime.process import ServerFailed, end_within, hard_end
from voicecli.runtime.socket import Key, WebSocketLink
from voicecli.runtime.thread import SessionThread
from voicecli.ui.actions import Do, Meant, Say, TalkKey, file_and_text
from voicecli.ui.plain import Written, notice_line, transcript

END_S: Final = 2.0
"""The end of the program takes no longer (G15)."""
LOOK_S: Final = 1.0
"""Main looks around this often even when nothing rings."""
SAYING: Final = ("image", "answer", "save")
"""Commands that wait for what was typed before them."""
ANSWERING: Final = ("assistant_speaking", "thinking")

_LOG = logging.getLogger("voicecli.talk")


class EndingSound(Sound, Protocol):
    """A sound that can be waited for at the end."""

    def end(self, limit_s: float = ...) -> bool: ...


MakeSound = Callable[[Callable[[], None]], EndingSound]


class Parts(NamedTuple):
    """What a talk is put together from."""

    config: Config
    log: Log
    face: Face
    mode: planning.Mode
    sides: planning.Sides
    sound: MakeSound | None = None
    """Makes the sound; it is given the bell that it rings."""
    question: str | None = None
    """One text, then the end; None: what comes from standard input."""


class Where(NamedTuple):
    """Where the link goes, and where our own words about it do."""

    url: str
    key: Key | None
    err: int = 2
    """The descriptor of standard error; descriptor 2 itself belongs to the log meanwhile."""
    revive: Callable[[], str] | None = None
    """Starts a server of our own anew where it has died, and gives its URL. Raises ServerFailed."""


class Conversing:
    def __init__(self, parts: Parts, where: Where) -> None:
        self._parts = parts
        self._where = where
        self._face = parts.face
        settings, target = parts.config.settings, parts.config.target
        plan = planning.plan(settings, target, parts.mode, parts.sides, where.url, parts.config.session)
        self._started = planning.started(
            settings, target, parts.mode, where.url, _now(), __version__, parts.config.session
        )
        self._out, self._err = Output(1), Output(where.err)
        self._ended: Ended | None = None
        self._phase = ""
        self._signal = 0
        self._stopping = False
        """Ctrl-C has stopped the answer that still seems to be given."""
        self._told: list[str] = []
        self._held = ""
        self.stuck = False
        """The sound library did not let go of a device: the interpreter's own end would hang in it, or crash."""
        self._sound = parts.sound(self._ring) if parts.sound else None
        self._session = SessionThread(VoiceSession(plan), self._sound, self._link(plan, where), levels=settings.levels)
        self._keyboard = Keyboard(self._session.changes.ring)
        self._reader = Reader(self._session.changes.ring)
        self._behind: deque[bytes | None] = deque()
        """What was typed behind an image that is still being read."""

    def _ring(self) -> None:
        self._session.ring()

    def _link(self, plan: Plan, where: Where) -> Callable[[Callable[[Stimulus], None]], Link]:
        return lambda give: WebSocketLink(give, where.key, key_header=plan.profile.key_header)

    # ---- main's loop

    def run(self) -> int:
        """Until `Ended`; gives the exit code."""
        try:
            self._begin()
            while self._ended is None:
                self._look()
                if self._ended is None:
                    self._session.changes.wait(self._patience())
            unwritten = CLOSED_OUTPUT if self._out.trouble else 0
            return self._left(self._signal or self._ended.exit_code or unwritten)
        except OutputClosed as closed:
            self._session.give(Quit(closed.code, "hangup" if closed.code == HANGUP else "closed_output"))
            return self._left(self._signal or closed.code)

    def _left(self, code: int) -> int:
        """Waits for link and devices to be closed, no longer than that may take; gives `code`."""
        end = end_within(END_S, code)
        self._session.join(END_S)
        self.stuck = self._sound is not None and not self._sound.end()
        end.cancel()
        return code

    def signalled(self, code: int) -> None:
        """A signal that ends the talk with `code`, or stops the answer. Called on main, between two lines of it."""
        if self._signal == code == HANGUP:
            return  # the same one: told by a signal and by the terminal itself
        if self._signal or self._ended is not None:
            hard_end(code)
        if code == 130 and self._interruptible():
            self._stopping = True
            self._session.give(Asked("interrupt"))
            return
        reasons = {130: "interrupted", 143: "terminated", 129: "hangup"}
        self._signal = code
        end_within(END_S, code)
        self._session.give(Quit(code, reasons.get(code, "terminated")))

    def _interruptible(self) -> bool:
        """The first Ctrl-C of a person at a terminal stops the answer; every other one ends.

        The second may come before the server has said that the answer is over.
        """
        answering = self._phase in ANSWERING and not self._stopping
        return not self._signal and self._parts.sides.keyboard == "terminal" and answering

    def _begin(self) -> None:
        self._show(self._started)
        for said in self._parts.config.notices:
            self._tell("unknown_setting", said)
        self._session.start()
        self._session.give(Begin())
        if self._parts.question is not None:
            self._session.give(Typed(self._parts.question))
            self._session.give(KeyboardSpent())
        elif self._parts.sides.keyboard != "none":
            self._keyboard.start()

    def _look(self) -> None:
        for change in self._session.changes.take():
            self._show(change)
        for line in self._keyboard.take():
            self._typed(line)
        while (read := self._reader.take()) is not None:
            self._pictured(read)
        if self._keyboard.gone and not self._signal:
            self.signalled(HANGUP)
        self._write(self._face.tick(time.perf_counter()))
        if (trouble := self._parts.log.notice) and trouble not in self._told:
            self._told.append(trouble)
            self._tell("cannot_write", trouble)
        if (trouble := self._out.trouble) and trouble not in self._told:
            self._told.append(trouble)
            said = notices.told("cannot_show", trouble)
            self._write(Written(err=(notice_line(said, self._parts.config.redactor),)))

    def _patience(self) -> float:
        deadline = self._face.deadline
        return LOOK_S if deadline is None else min(LOOK_S, deadline - time.perf_counter())

    # ---- out

    def _show(self, change: AnyChange) -> None:
        _log(change)
        match change:
            case PhaseNow(phase=phase):
                self._phase = phase
                self._stopping = self._stopping and phase in ANSWERING
            case Ended():
                self._ended = change
        self._write(self._face.show(change, time.perf_counter()))

    def _write(self, written: Written) -> None:
        clean = self._parts.config.redactor.known
        self._out.write(self._streamed(written.out))
        with suppress(OutputClosed):  # without readers of its notices a talk goes on
            for line in written.err:
                self._err.write(clean(line) + "\n")

    def _streamed(self, text: str) -> str:
        """Without secrets, also one that comes in pieces: the end waits while it may be the beginning of one."""
        redactor = self._parts.config.redactor
        text = redactor.known(self._held + text)
        begun = 0 if self._ended else redactor.begun(text)
        self._held = text[len(text) - begun :]
        return text[: len(text) - begun]

    def _tell(self, code: str, title: str, hint: str = "", detail: str = "") -> None:
        self._show(Told(severity="warning", code=code, title=title, hint=hint, detail=Foreign(detail)))

    # ---- in

    def _typed(self, line: bytes | None) -> None:
        meant = None if line is None else self._face.meant(line)
        if self._reader.busy and not _goes_ahead(line, meant):
            self._behind.append(line)
            return
        if line is None:
            self._session.give(KeyboardSpent())
            return
        match meant:
            case None:
                pass
            case Told() as told:
                self._show(told)
            case Say() as say:
                self._stopping = False
                self._session.give(say.stimulus)
            case TalkKey():
                self._session.give(TalkPressed(time.perf_counter(), releases_seen=False))
            case Do() as do:
                self._do(do)

    def _do(self, do: Do) -> None:
        stimulus = do.stimulus
        if stimulus == Asked("retry"):
            self._revive()
        if stimulus is not None:
            self._session.give(stimulus)
        elif do.action.id == "image" and (image := file_and_text(do.argument)) is not None:
            self._reader.start(Path(image[0]), image[1])
        elif do.action.id == "save":
            self._save(Path(do.argument))
        elif do.action.id == "help":
            for told in self._face.help(do.argument):
                self._show(told)

    def _pictured(self, read: Pictured | BadPicture) -> None:
        """An image was read, or not; then what waited behind it."""
        if isinstance(read, Pictured):
            self._stopping = False
            self._session.give(read)
        else:
            hint = "Nothing of it was sent: /image FILE takes a PNG or JPEG of up to 5 MiB."
            self._tell("bad_image", f"That image cannot be sent: {read}.", hint)
        waiting, self._behind = self._behind, deque()
        for line in waiting:
            self._typed(line)

    def _revive(self) -> None:
        if self._where.revive is None:
            return
        try:
            url = self._where.revive()
        except ServerFailed as failed:
            self._show(notices.told("practice_failed", failed.what))
        else:
            self._session.give(Moved(url))

    def _save(self, path: Path) -> None:
        text = "".join(f"{line}\n" for line in transcript(self._face.view))
        try:
            files.save_private(path.expanduser(), self._parts.config.redactor.known(text))
        except (OSError, RuntimeError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            self._tell("not_saved", "The talk could not be saved there.", "Give another name: /save FILE.", why)
        else:
            self._show(Told(severity="info", code="saved", title=f"The talk so far is saved in {path}."))


def _goes_ahead(line: bytes | None, meant: Meant) -> bool:
    """Whether it is carried out although an image is still being read: what says nothing in the talk."""
    said = isinstance(meant, Say) or (isinstance(meant, Do) and meant.action.id in SAYING)
    return line is not None and not said


def _log(change: AnyChange) -> None:
    """What the log keeps of a talk: its ends, its link and what went wrong, in the server's words; none of its own."""
    match change:
        case Started():
            where = change.url or "its own server"
            _LOG.info("%s %s with %s, key from %s", change.mode, change.version, where, change.key_source or "nowhere")
        case LinkNow():
            _LOG.info("link %s, %s, code %s: %s", change.state, change.dialect, change.code, change.reason.raw[:1000])
        case Told(severity="warning" | "error"):
            _LOG.warning("%s %s: %s", change.severity, change.code, change.detail.raw[:1000])
        case Ended():
            _LOG.info("ended after %.1f s: %s, %d", change.seconds, change.reason, change.exit_code)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
