"""What a talk is, whatever shows it: session thread, sound, link and child put together; it draws nothing.

A face on main takes the changes and gives what the person wants.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from voicecli import __version__, files
from voicecli.commands import planning
from voicecli.commands.console import HANGUP
from voicecli.commands.pictures import BadPicture, Reader
from voicecli.config import Config
from voicecli.core import notices
from voicecli.core.changes import AnyChange, Ended, Foreign, LinkNow, PhaseNow, Started, Told
from voicecli.core.plan import Plan
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import Asked, Begin, KeyboardSpent, Moved, PartnerNews, Pictured, Quit, Stimulus, Typed
from voicecli.logs import Log
from voicecli.ports import Link, Sound
from voicecli.runtime.process import ServerFailed, end_within, hard_end
from voicecli.runtime.socket import Key, WebSocketLink
from voicecli.runtime.thread import SessionThread
from voicecli.ui.actions import ANSWERING, Do, file_and_text
from voicecli.ui.plain import transcript
from voicecli.ui.view import View

END_S: Final = 2.0
"""The end of the program takes no longer (G15)."""
SAYING: Final = ("image", "answer", "save")
"""Commands that wait for what was typed before them."""

_LOG = logging.getLogger("voicecli.talk")


class EndingSound(Sound, Protocol):
    """A sound that can be waited for at the end."""

    def end(self, limit_s: float = ...) -> bool: ...


MakeSound = Callable[[Callable[[], None]], EndingSound]


class Parts(NamedTuple):
    """What a talk is put together from."""

    config: Config
    log: Log
    mode: planning.Mode
    sides: planning.Sides
    sound: MakeSound | None = None
    """Makes the sound; it is given the bell that it rings."""
    levels: bool = False
    """Whoever shows it wants sound levels."""
    stays: bool = False
    """Whoever shows it goes on where no connection could be had."""


class Where(NamedTuple):
    """Where the link goes."""

    url: str
    key: Key | None
    revive: Callable[[], str] | None = None
    """Starts a server of our own anew where it has died, and gives its URL. Raises ServerFailed."""
    news: deque[PartnerNews] | None = None
    """The mailbox of its news; whoever fills it rings."""


class Conversing:
    """A talk that runs. All of it is for main, but `ring`."""

    def __init__(self, parts: Parts, where: Where) -> None:
        self._parts = parts
        self._where = where
        settings, target, mind = parts.config.settings, parts.config.target, parts.config.mind
        plan = planning.plan(settings, target, parts.mode, parts.sides, where.url, parts.config.session, mind)
        other = plan.other and replace(plan.other, stays=parts.stays)
        plan = replace(plan, levels=plan.levels or parts.levels, stays=parts.stays, other=other)
        self._plan = plan
        self._started = planning.started(
            settings, target, parts.mode, where.url, _now(), __version__, parts.config.session, mind
        )
        self._own: deque[AnyChange] = deque()
        """What main itself has to say, which is shown before what the session says next."""
        self._phase = ""
        self._stopping = False
        """The answer that still seems to be given has been stopped."""
        self._told: list[str] = []
        self.begun = False
        self.ended: Ended | None = None
        self.leaving = 0
        """The exit code that a signal, or a face that cannot go on, has asked for; 0 before."""
        self.veil: Callable[[AnyChange], Iterable[AnyChange]] = lambda change: (change,)
        """What of a change is shown."""
        self.waits = True
        """Main may wait for a server of our own to start."""
        self._reviving: threading.Thread | None = None
        self._news: deque[Moved | Told] = deque()
        """What came of starting it."""
        self._reader = Reader(self.ring)
        self._behind: deque[Stimulus | tuple[Do, View]] = deque()
        """What was typed behind an image that is still being read."""
        self.restore: Callable[[], None] | None = None
        """Puts the terminal back where the end has to be a hard one."""
        self.stuck = False
        """The sound library did not let go of a device: the interpreter's own end would hang in it, or crash."""
        self._sound = parts.sound(self._ring) if parts.sound else None
        self._session = SessionThread(VoiceSession(plan), self._sound, self._link(plan, where), levels=plan.levels)

    def _ring(self) -> None:
        self._session.ring()

    def _link(self, plan: Plan, where: Where) -> Callable[[Callable[[Stimulus], None]], Link]:
        tls = self._parts.config.tls
        return lambda give: WebSocketLink(give, where.key, key_header=plan.profile.key_header, tls=tls)

    # ---- its life

    def begin(self) -> None:
        """Starts it. What is known before is told first."""
        self.begun = True
        self._own.append(self._started)
        for said in self._parts.config.notices:
            self.tell("unknown_setting", said)
        if unused := planning.unused(self._parts.config.settings, self._plan, self._parts.config.session):
            self._own.append(notices.told("not_used", what="; ".join(unused)))
        self._session.start()
        self._session.give(Begin())

    def take(self) -> Iterator[AnyChange]:
        """What has come since the last time, in order; `Ended` is the last there is."""
        if (trouble := self._parts.log.notice) and trouble not in self._told:
            self._told.append(trouble)
            self.tell("cannot_write", trouble)
        while self._news:
            self._again(self._news.popleft())
        while self._where.news:
            self._session.give(self._where.news.popleft())
        while (read := self._reader.take()) is not None:
            self._pictured(read)
        session = self._session.changes.take()
        while self.ended is None:
            change = self._own.popleft() if self._own else next(session, None)
            if change is None:
                return
            self._know(change)
            yield from self.veil(change)

    def _know(self, change: AnyChange) -> None:
        _log(change)
        match change:
            case PhaseNow(phase=phase):
                self._phase = phase
                self._stopping = self._stopping and phase in ANSWERING
            case Ended():
                self.ended = change

    def ring(self) -> None:
        """Wakes whoever waits for changes. From any thread."""
        self._session.changes.ring()

    def wait(self, seconds: float) -> None:
        """Waits until there is something to take, or somebody rings; `seconds` at most."""
        self._session.changes.wait(seconds)

    def left(self, code: int) -> int:
        """Waits for link and devices to be closed, no longer than that may take; gives `code`."""
        end = end_within(END_S, code, self.restore)
        self._session.join(END_S)
        self.stuck = self._sound is not None and not self._sound.end()
        end.cancel()
        return code

    def leave(self, code: int) -> None:
        """A signal that ends the talk with `code`. Called between two lines of main; the second time it is over."""
        if self.leaving == code == HANGUP:
            return  # the same one: told by a signal and by the terminal itself
        if self.leaving or self.ended is not None:
            hard_end(code, self.restore)
        reasons = {130: "interrupted", 143: "terminated", 129: "hangup", 70: "error"}
        self.leaving = code
        end_within(END_S, code, self.restore)
        self._session.give(Quit(code, reasons.get(code, "terminated")))

    # ---- what the person wants

    @property
    def answering(self) -> bool:
        """There is an answer that could be stopped, and nobody has asked for that yet.

        The server's word that it is over may come later than that question.
        """
        return self._phase in ANSWERING and not self._stopping

    def stop_answer(self) -> None:
        """What esc and the first Ctrl-C mean while there is an answer."""
        self._stopping = True
        self._session.give(Asked("interrupt", by="key"))

    def give(self, stimulus: Stimulus) -> None:
        """From the person. What is said behind an image that is still being read waits for it."""
        if self._reader.busy and isinstance(stimulus, Typed | KeyboardSpent):
            self._behind.append(stimulus)
            return
        if isinstance(stimulus, Typed | Pictured):
            self._stopping = False
        self._session.give(stimulus)

    def do(self, do: Do, view: View) -> bool:
        """Carries out an action; `view` is what there is to be saved. False: it is the face's own affair."""
        stimulus = do.stimulus
        if self._reader.busy and do.action.id in SAYING:
            self._behind.append((do, view))
        elif stimulus == Asked("retry"):
            self._retry()
        elif stimulus is not None:
            self.give(stimulus)
        elif do.action.id == "image" and (image := file_and_text(do.argument)) is not None:
            self._reader.start(Path(image[0]), image[1])
        elif do.action.id == "save":
            self._save(Path(do.argument), view)
        else:
            return False
        return True

    def _pictured(self, read: Pictured | BadPicture) -> None:
        """An image was read, or not; then what waited behind it."""
        if isinstance(read, Pictured):
            self.give(read)
        else:
            hint = "Nothing of it was sent: /image FILE takes a PNG or JPEG of up to 5 MiB."
            self.tell("bad_image", f"That image cannot be sent: {read}.", hint)
        waiting, self._behind = self._behind, deque()
        for each in waiting:
            if isinstance(each, tuple):
                self.do(*each)
            else:
                self.give(each)

    def _retry(self) -> None:
        """A server of our own is started anew first, where it has died, which may take seconds."""
        revive = self._where.revive
        if revive is None:
            self._session.give(Asked("retry"))
        elif self.waits:
            self._again(_revived(revive))
        elif self._reviving is None:
            thread = threading.Thread(target=self._revive, args=(revive,), name="reviving", daemon=True)
            self._reviving = thread
            thread.start()

    def _revive(self, revive: Callable[[], str]) -> None:
        """In a thread of its own."""
        self._news.append(_revived(revive))
        self.ring()

    def _again(self, revived: Moved | Told) -> None:
        """On main: a mailbox has one writer."""
        self._reviving = None
        if isinstance(revived, Moved):
            self._session.give(revived)
        else:
            self.show(revived)
        self._session.give(Asked("retry"))

    def _save(self, path: Path, view: View) -> None:
        text = "".join(f"{line}\n" for line in transcript(view))
        try:
            files.save_private(path.expanduser(), self._parts.config.redactor.known(text))
        except (OSError, RuntimeError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            self.tell("not_saved", "The talk could not be saved there.", "Give another name: /save FILE.", why)
        else:
            self.show(Told(severity="info", code="saved", title=f"The talk so far is saved in {path}."))

    # ---- what main has to say

    def show(self, change: AnyChange) -> None:
        """Puts something of main's own into the stream."""
        self._own.append(change)
        self.ring()

    def tell(self, code: str, title: str, hint: str = "", detail: str = "") -> None:
        """Puts a warning into the stream."""
        self.show(Told(severity="warning", code=code, title=title, hint=hint, detail=Foreign(detail), ours=True))


def _revived(revive: Callable[[], str]) -> Moved | Told:
    try:
        return Moved(revive())
    except ServerFailed as failed:
        return notices.told("practice_failed", failed.what)


def _log(change: AnyChange) -> None:
    """What the log keeps of a talk: its ends, its link and what went wrong, in the server's words; none of its own."""
    match change:
        case Started():
            where = change.url or (
                f"its own server and a language model at {change.mind_host}" if change.mind_host else ""
            )
            where = where or "its own server"
            _LOG.info("%s %s with %s, key from %s", change.mode, change.version, where, change.key_source or "nowhere")
        case LinkNow():
            _LOG.info("link %s, %s, code %s: %s", change.state, change.dialect, change.code, change.reason.raw[:1000])
        case Told(severity="warning" | "error"):
            _LOG.warning("%s %s: %s", change.severity, change.code, change.detail.raw[:1000])
        case Ended():
            _LOG.info("ended after %.1f s: %s, %d", change.seconds, change.reason, change.exit_code)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
