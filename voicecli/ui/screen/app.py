"""The screen of a talk: its widgets in order, what has changed drained to them, keys to actions.

It decides nothing about the talk, and asks for the time only by the clock that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.filter import LineFilter
from textual.widgets import Static

from voicecli.core.changes import AnyChange, Ended, Told
from voicecli.core.stimuli import TalkPressed, TalkReleased
from voicecli.printable import printable
from voicecli.ui.actions import ACTIONS, Do, Say, TalkKey, help_lines, parse
from voicecli.ui.plain import transcript, turn_text
from voicecli.ui.screen.bars import KeysLine, Pressed, Released, StateLine, TopLine
from voicecli.ui.screen.citizen import Citizen
from voicecli.ui.screen.completion import Files, no_files
from voicecli.ui.screen.composer import Composer, PasteCut, Sent, paste_cut
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE, Glyphs
from voicecli.ui.screen.guard import Guard, NoColour
from voicecli.ui.screen.hints import keys_now
from voicecli.ui.screen.keys import DEFAULT, ON_EMPTY, Keymap
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.notice import NoticeBar, remedies
from voicecli.ui.screen.rail import Rail
from voicecli.ui.screen.standins import Conversation
from voicecli.ui.screen.talking import Talking
from voicecli.ui.screen.tape import Tape
from voicecli.ui.screen.theme import DARK, LIGHT, PLAIN, Inks
from voicecli.ui.view import View

DRAIN_S: Final = 1 / 30
AGAIN_S: Final = 2.0
"""Ctrl-C twice within this time ends the talk."""
INTERRUPTED: Final = 130
MOST_COPIED: Final = 100_000
"""Characters (G34)."""

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
        Binding("escape", "escape", show=False),
    ]
    CSS = """
    #middle { height: 1fr; }
    #small { display: none; height: 1fr; }
    """

    def __init__(
        self,
        talking: Talking,
        clock: Callable[[], float],
        look: Look | None = None,
        *,
        half_duplex: bool = False,
        keymap: Keymap = DEFAULT,
        files: Files = no_files,
        clean: Callable[[str], str] = str,
        **more: Any,
    ) -> None:
        """`half_duplex`: the talk begins so. `files` are those that /save may be given. `clean` takes secrets out of
        what is shown. `more` is for `Citizen`.
        """
        super().__init__(talking, clock, **more)
        self.facts = Facts(half_duplex=half_duplex)
        self.look = look or Look()
        self.inks, self.glyphs = self.look.inks, self.look.glyphs
        self.shape = Layout.of(80, 24)
        self.keymap = keymap
        self._files, self._clean = files, clean
        self._again_by = 0.0
        self._second = 0

    @property
    def view(self) -> View:  # type: ignore[override]
        """What is known of the talk; also after the end."""
        return self.facts.view

    def get_line_filters(self) -> Sequence[LineFilter]:
        return super().get_line_filters() if self.inks.coloured else [NoColour(), Guard()]

    # ---- its parts

    def compose(self) -> ComposeResult:
        how = (self.inks, self.glyphs)
        self.top, self.rail, self.tape = TopLine(*how), Rail(*how), Tape(*how, motion=self.look.motion)
        self.notice_bar, self.state_line = NoticeBar(*how, self._clean), StateLine(*how, self.clock)
        self.keys_line = KeysLine(*how)
        self.conversation = Conversation(markup=False)
        self.composer = Composer(*how, keymap=self.keymap, files=self._files)
        self.composer.on_empty = self._does
        yield self.top
        with Horizontal(id="middle"):
            yield self.conversation
            yield self.rail
        yield self.notice_bar
        yield self.state_line
        yield self.tape
        yield self.composer
        yield self.keys_line
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        self.register_theme(self.inks.theme())
        self.theme = self.inks.name
        self.begin()
        self.composer.focus()
        self._reshape(self.size.width, self.size.height)
        self.set_interval(DRAIN_S, self._drain)

    def on_resize(self, event: events.Resize) -> None:
        self._reshape(event.size.width, event.size.height)

    def _reshape(self, width: int, height: int) -> None:
        self.shape = Layout.of(width, height)
        small = self.query_one("#small", Static)
        if self.shape.fits is small.display:
            for widget in (*self.screen.children,):
                widget.display = (widget is small) is not self.shape.fits
            self._forget()
        small.update(Content(self.shape.too_small))
        self.rail.display = self.shape.rail
        self._show(self.clock())

    def _forget(self) -> None:
        """Whatever was drawn is drawn again."""
        for widget in (self.top, self.rail, self.tape, self.notice_bar, self.state_line, self.keys_line, self.composer):
            widget.restyle(self.inks, self.glyphs)

    # ---- what has changed

    def _drain(self) -> None:
        at = self.clock()
        changed = self._take_back(at)
        for change in self.talking.take():
            changed = True
            self._apply(change, at)
        if (changed or int(at) != self._second) and self.is_running:
            self._second = int(at)
            self._show(at)
        self.stop_when_quiet(at)

    def _apply(self, change: AnyChange, at: float) -> None:
        self.facts.apply(change, at)
        if isinstance(change, Ended):
            self.exit(change.exit_code, change.exit_code)

    def _take_back(self, at: float) -> bool:
        """The question whether to quit stands for two seconds."""
        if not 0 < self._again_by <= at:
            return False
        self._again_by = 0.0
        self.facts.drop_notice(_AGAIN.code)
        return True

    def _show(self, at: float) -> None:
        """Each part repaints what differs, and nothing else."""
        if not self.shape.fits:
            return
        for part in (self.top, self.rail, self.notice_bar, self.state_line, self.tape, self.composer):
            part.show(self.facts, self.shape, at)
        self.conversation.show(self.facts, at)
        self.keys_line.show(keys_now(self.facts, self.keymap, open_panel=self._covered), self.shape)

    @property
    def _covered(self) -> bool:
        """Something is open over the talk."""
        return len(self.screen_stack) > 1

    # ---- what the person does

    async def on_event(self, event: events.Event) -> None:
        """A key of an action acts wherever the focus is; what is typed or pasted beside the line goes into it."""
        if isinstance(event, events.Key) and not event.is_forwarded and self._acts(event.key):
            return
        typed = isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.is_printable)
        if typed and not self._covered and not self.composer.typing and self.is_running:
            self.composer.focus()
        await super().on_event(event)

    def _acts(self, key: str) -> bool:
        """Whether `key` is one of an action, which it then has done."""
        if key in ON_EMPTY and (self._covered or self.composer.typing):
            return False  # the line says whether it is empty by then
        return self._does(key)

    def _does(self, key: str) -> bool:
        if not self.keymap.bound(key):
            return False
        action = self.keymap.meant(key, self.view)
        if action is not None and action.id == "talk":
            self._talk_key(self.clock())
        elif action is not None:
            self._do(Do(action))
        return True

    def on_sent(self, sent: Sent) -> None:
        match parse(sent.text, screen=True):
            case Told() as told:
                self.talking.show(told)
            case Say() as say:
                self.talking.give(say.stimulus)
            case Do() as do:
                self._do(do)
            case TalkKey() | None:
                self._remedy()

    def _remedy(self) -> None:
        """Enter on an empty line: the first thing that can be done about the notice on top."""
        first = next(iter(remedies(self.facts)), None)
        if first is not None and first.key == "enter":
            self.action_act(first.action)

    def action_act(self, name: str, argument: str = "") -> None:
        """Carries out the action of that name."""
        (action,) = (action for action in ACTIONS if action.id == name)
        self._do(Do(action, argument))

    def _do(self, do: Do) -> None:
        if self.talking.do(do, self.facts.view):
            return
        match do.action.id:
            case "suspend":
                self.action_stop()
            case "redraw":
                self.refresh(repaint=True, layout=True)
            case "theme":
                self._restyle(self.look._replace(light=do.argument == "light"))
            case "motion":
                self._restyle(self.look._replace(motion=do.argument == "on"))
            case "copy":
                self._copy(do.argument)
            case _:
                for line in help_lines(do.argument, screen=True):
                    self._say("help", line)

    def _say(self, code: str, title: str) -> None:
        self.talking.show(Told(severity="info", code=code, title=title))

    def _copy(self, which: str) -> None:
        """Into the clipboard: the whole talk, a turn counted from the end, else the last answer (G34)."""
        rows = [row for row in self.view.rows() if turn_text(row)]
        if which == "all":
            text = "\n".join(transcript(self.view))
        else:
            if not which:
                rows = [row for row in rows if row.role == "assistant"]
            number = int(which) if which.isascii() and which.isdigit() else 1
            text = turn_text(rows[-number]) if 0 < number <= len(rows) else ""
        text = self._clean(printable(text)).strip()[:MOST_COPIED]
        if text:
            self.copy_to_clipboard(text)
        self._say("copied", f"{len(text)} characters copied." if text else "There is nothing to copy.")

    def _restyle(self, look: Look) -> None:
        self.look = look
        self.inks, self.glyphs = look.inks, look.glyphs
        self.register_theme(self.inks.theme())
        self.theme = self.inks.name
        self.tape.motion = look.motion
        self._forget()
        self._show(self.clock())

    def action_escape(self) -> None:
        """Closes what is on top: a recording, an answer, a notice, a selection. It never quits."""
        phase = self.view.phase.phase if self.view.phase else ""
        if phase in ("recording", "recording_full"):
            self.action_act("interrupt")
        elif self.talking.answering:
            self.talking.stop_answer()
        elif self.facts.notice is not None:
            self.facts.close_notice()
            self._show(self.clock())
        else:
            self.screen.clear_selection()

    def action_break(self) -> None:
        """Ctrl-C: copies a selection, else stops the answer, else clears the line, else asks once more, else ends."""
        at = self.clock()
        if text := self.screen.get_selected_text():
            self.copy_to_clipboard(text)
            self.screen.clear_selection()
        elif self.talking.answering:
            self.talking.stop_answer()
        elif not self.composer.empty:
            self.composer.value = ""
        elif at < self._again_by:
            self.talking.leave(INTERRUPTED)
        else:
            self._again_by = at + AGAIN_S
            self._apply(_AGAIN, at)
            self._show(at)

    def on_paste_cut(self, cut: PasteCut) -> None:
        self.talking.show(paste_cut(cut.dropped))

    # ---- the talk key

    def on_pressed(self, pressed: Pressed) -> None:
        """By the mouse on the state line, which is seen to be let go."""
        self._talk_key(pressed.at, releases_seen=True)

    def on_released(self, released: Released) -> None:
        if self._push_to_talk:
            self.talking.give(TalkReleased(released.at))

    def on_app_blur(self) -> None:
        """Nobody can say any more whether the mouse is held."""
        self.state_line.let_go()

    @property
    def _push_to_talk(self) -> bool:
        return self.view.started is not None and self.view.started.mode == "ptt"

    def _talk_key(self, at: float, *, releases_seen: bool = False) -> None:
        """Push-to-talk: speak. Hands-free: stop the answer."""
        if self._push_to_talk:
            self.talking.give(TalkPressed(at, releases_seen=releases_seen))
        elif self.talking.answering:
            self.talking.stop_answer()
