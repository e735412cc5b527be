"""The screen of a talk: what has changed drained to its face, keys to actions, messages of its parts to the talk.

It decides nothing about the talk, and asks for the time only by the clock that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.filter import LineFilter

from voicecli.core.changes import AnyChange, Ended, Told
from voicecli.core.stimuli import TalkPressed, TalkReleased
from voicecli.printable import printable
from voicecli.ui.actions import ANSWERING, BY_ID, Do, Say, TalkKey, parse
from voicecli.ui.plain import transcript, turn_text
from voicecli.ui.screen.bars import Pressed, Released
from voicecli.ui.screen.citizen import Citizen
from voicecli.ui.screen.completion import Files, no_files
from voicecli.ui.screen.composer import Held, PasteCut, Scrolled, Sent, held, paste_cut
from voicecli.ui.screen.conversation import Conversation
from voicecli.ui.screen.face import Face, Look
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.guard import Guard, NoColour
from voicecli.ui.screen.keys import DEFAULT, ON_EMPTY, Keymap
from voicecli.ui.screen.notice import remedies
from voicecli.ui.screen.palette import Entry, Palette
from voicecli.ui.screen.talking import Talking
from voicecli.ui.sentences import answers
from voicecli.ui.view import View

__all__ = ["Look", "TalkApp"]

DRAIN_S: Final = 1 / 30
AGAIN_S: Final = 2.0
"""Ctrl-C twice within this time ends the talk."""
INTERRUPTED: Final = 130
MOST_COPIED: Final = 100_000
"""Characters (G34)."""

_AGAIN: Final = "again_to_quit"
_PASTED: Final = held("").code
_NO_COLOURS: Final = Told(
    severity="info",
    code="no_colours",
    title="Nothing changes to the eye: there are no colours.",
    hint="NO_COLOR is set; without it, the next start has them.",
)
_TALK, _QUIT = BY_ID["talk"], BY_ID["quit"]


class TalkApp(Citizen, inherit_bindings=False):  # Textual's own ctrl+q would end it whatever the keymap says
    """Runs until `Ended`, whose exit code it gives."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "break", show=False, priority=True),
        Binding("escape", "escape", show=False),
    ]

    def __init__(
        self,
        talking: Talking,
        clock: Callable[[], float],
        look: Look | None = None,
        *,
        keymap: Keymap = DEFAULT,
        files: Files = no_files,
        clean: Callable[[str], str] = str,
        **more: Any,
    ) -> None:
        """`files` are those that a command may be given.

        `clean` takes secrets out of what is shown. `more` is for `Citizen`.
        """
        super().__init__(talking, clock, **more)
        self.facts = Facts()
        self.keymap = keymap
        self.face = Face(look or Look(), clock, keymap, self.does, files, clean)
        self._clean = clean
        self._again_by = 0.0
        self._second = 0
        self._typed = False
        """A key that can be typed is, as it was shown."""

    @property
    def view(self) -> View:  # type: ignore[override]
        """What is known of the talk; also after the end."""
        return self.facts.view

    def get_line_filters(self) -> Sequence[LineFilter]:
        return super().get_line_filters() if self.face.look.coloured else [NoColour(), Guard()]

    def compose(self) -> ComposeResult:
        yield self.face

    def on_mount(self) -> None:
        self._take_theme()
        self.begin()
        self.face.composer.focus()
        self.set_interval(DRAIN_S, self._drain)

    def on_resize(self, event: events.Resize) -> None:
        self.face.reshape(event.size.width, event.size.height)
        self._show()

    # ---- what has changed

    def _drain(self) -> None:
        at = self.clock()
        changed = self._take_back(at)
        self.facts.tick(at)
        for change in self.talking.take():
            changed = True
            self._apply(change, at)
        if (changed or int(at) != self._second or self._types != self._typed) and self.is_running:
            self._second = int(at)
            self._show()
        self.stop_when_quiet(at)

    def _apply(self, change: AnyChange, at: float) -> None:
        if isinstance(change, Told):
            change = self.keymap.named_in(change)
        self.facts.apply(change, at)
        self.face.note(change, self.facts)
        if isinstance(change, Ended):
            self.exit(change.exit_code, change.exit_code)

    def _take_back(self, at: float) -> bool:
        """The question whether to quit stands for two seconds."""
        if not 0 < self._again_by <= at:
            return False
        self._again_by = 0.0
        self.facts.drop_notice(_AGAIN)
        return True

    def _show(self) -> None:
        self._typed = self._types
        self.facts.talk_key = self.keymap.acting(_TALK, typed=self._typed) or _TALK.command
        self.face.show(self.facts, self.clock(), covered=self._covered, typed=self._typed)

    @property
    def _covered(self) -> bool:
        """A list is open over the talk."""
        return len(self.screen_stack) > 1

    @property
    def _types(self) -> bool:
        """A key that can be typed is: there is something in the line, or a list is open."""
        return self._covered or not self.face.composer.empty

    # ---- keys

    async def on_event(self, event: events.Event) -> None:
        """A key of an action acts wherever the focus is; what is typed or pasted beside the line goes into it."""
        if isinstance(event, events.Key) and not event.is_forwarded and self._acts(event.key):
            return
        typed = isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.is_printable)
        typed = typed and not (isinstance(event, events.Key) and self.face.conversation.reads(event.key))
        if typed and self.is_running and not self._covered and not self.face.composer.typing:
            self.screen.set_focus(self.face.composer.editor)  # at once, so that this very key gets there
        await super().on_event(event)

    def _acts(self, key: str) -> bool:
        """Whether `key` is one of an action, which it then has done."""
        if key in ON_EMPTY and (self._covered or self.face.composer.typing):
            return False  # the line says whether it is empty by then
        return self.does(key)

    def does(self, key: str) -> bool:
        """Whether `key` belongs to an action; what is possible of it now is done."""
        if not self.keymap.bound(key):
            return False
        action = self.keymap.meant(key, self.view)
        if action is not None and action.id == "talk":
            self._talk_key(self.clock())
        elif action is not None and action.id == "interrupt":
            self._stop_key()
        elif action is not None:
            self._do(Do(action))
        return True

    def _stop_key(self) -> None:
        """A key that is held comes again and again: what is being stopped is not stopped once more."""
        phase = self.view.doing
        if self.talking.answering:
            self.talking.stop_answer()
        elif phase not in ANSWERING:
            self.act("interrupt")

    def action_escape(self) -> None:
        """Closes what is on top: help, a recording, an answer, a notice, a selection; then back to now. Never quits."""
        phase = self.view.doing
        if self.face.close_help():
            pass
        elif phase in ("recording", "recording_full"):
            self.act("interrupt")
        elif self.talking.answering:
            self.talking.stop_answer()
        elif self.facts.notice is not None:
            self.facts.close_notice()
        else:
            self.screen.clear_selection()
            self.face.conversation.to_end()
        self._show()

    def action_break(self) -> None:
        """Ctrl-C: copies a selection, else stops the answer, else clears the line, else asks once more, else ends."""
        at, composer = self.clock(), self.face.composer
        if text := composer.selected or self.screen.get_selected_text():
            self.copy_to_clipboard(self._clean(printable(text))[:MOST_COPIED])
            self.screen.clear_selection()
        elif self.talking.answering:
            self.talking.stop_answer()
        elif not composer.empty:
            composer.value = ""
        elif at < self._again_by:
            self.talking.leave(INTERRUPTED)
        else:
            self._again_by = at + AGAIN_S
            hint = f"So does {self.keymap.labels(_QUIT) or _QUIT.command}."
            self._apply(Told(severity="warning", code=_AGAIN, title="Ctrl-C again ends the talk.", hint=hint), at)
            self._show()

    # ---- the talk key

    def on_pressed(self, pressed: Pressed) -> None:
        """By the mouse on the state line, which is seen to be let go."""
        self._talk_key(pressed.at, releases_seen=True)

    def on_released(self, released: Released) -> None:
        if self._push_to_talk:
            self.talking.give(TalkReleased(released.at))

    def on_app_blur(self) -> None:
        """Nobody can say any more whether the mouse is held."""
        self.face.state.let_go()

    @property
    def _push_to_talk(self) -> bool:
        return self.view.started is not None and self.view.started.mode == "ptt"

    def _talk_key(self, at: float, *, releases_seen: bool = False) -> None:
        """Push-to-talk: speak. Hands-free: stop the answer."""
        if self._push_to_talk:
            self.talking.give(TalkPressed(at, releases_seen=releases_seen))
        elif self.talking.answering:
            self.talking.stop_answer()

    # ---- the line

    def on_held(self, command: Held) -> None:
        """At once, so that the next enter knows of it."""
        self._apply(held(command.command), self.clock())
        self._show()

    def on_sent(self, sent: Sent) -> None:
        self.facts.drop_notice(_PASTED)
        match parse(sent.text, screen=True):
            case Told() as told:
                self.talking.show(told)
            case Say() as say:
                self.talking.give(say.stimulus)
                self.face.conversation.to_end()  # who says something is back
            case Do() as do:
                self._do(do)
            case TalkKey() | None:
                self._remedy()

    def _remedy(self) -> None:
        """Enter on an empty line: the first thing that can be done about the notice on top."""
        first = next(iter(remedies(self.facts)), None)
        if first is not None and first.key == "enter":
            self.act(first.action)

    def on_scrolled(self, scrolled: Scrolled) -> None:
        if self.face.help.open:
            self.face.help.page({"up": -1, "down": 1, "end": 1000}[scrolled.to])
        elif scrolled.to == "end":
            self.face.conversation.to_end()
        else:
            self.face.conversation.page(-1 if scrolled.to == "up" else 1)

    def on_paste_cut(self, cut: PasteCut) -> None:
        self.talking.show(paste_cut(cut.dropped))

    # ---- actions

    def act(self, name: str, argument: str = "") -> None:
        """Carries out the action of that name."""
        self._do(Do(BY_ID[name], argument))

    def _do(self, do: Do) -> None:
        if self.talking.do(do, self.view):
            return
        match do.action.id:
            case "suspend":
                self.action_stop()
            case "redraw":
                self.refresh(repaint=True, layout=True)
            case "theme":
                if not self.face.look.coloured:
                    self.talking.show(_NO_COLOURS)
                self._restyle(self.face.look._replace(light=do.argument == "light"))
            case "motion":
                self._restyle(self.face.look._replace(motion=do.argument == "on"))
            case "copy":
                self._copy(do.argument)
            case "commands":
                self._list()
            case "keys" | "help":
                if not self.face.close_help():
                    self.face.open_help(self.facts, do.argument, keys_only=do.action.id == "keys")
            case _:
                at = self.clock()
                told_at = max((limit.at for limit in self.facts.limits), default=at)
                for told in answers(do, self.view, at - told_at):
                    self.talking.show(told)
        self._show()

    def _list(self) -> None:
        """All that can be done now, to choose from."""
        if self._covered:
            self.pop_screen()
            return
        self.push_screen(Palette(self.view, self.keymap, self.size.width, self.face.look.glyphs, self._chosen))

    def _chosen(self, entry: Entry) -> None:
        if entry.whole:
            self._do(entry.do)
        else:
            self.face.composer.value = f"{entry.do.action.command} "
            self.face.composer.focus()

    def on_conversation_copy(self, copy: Conversation.Copy) -> None:
        """By a key while it is read turn by turn."""
        row = None if copy.item is None else self.view.row(copy.item)
        self._clip("\n".join(transcript(self.view)) if copy.item is None else turn_text(row) if row else "")

    def on_conversation_left(self) -> None:
        self.face.composer.focus()

    def _copy(self, which: str) -> None:
        """Into the clipboard: the whole talk, a turn counted from the end, else the last answer (G34)."""
        rows = [row for row in self.view.rows() if turn_text(row)]
        if which == "all":
            text = "\n".join(transcript(self.view))
        else:
            if not which:
                rows = [row for row in rows if row.role == "assistant"]
            number = int(which) if which.isascii() and which.isdigit() and len(which) < 6 else 1
            text = turn_text(rows[-number]) if 0 < number <= len(rows) else ""
        self._clip(text)

    def _clip(self, text: str) -> None:
        text = self._clean(printable(text)).strip()[:MOST_COPIED]
        if text:
            self.copy_to_clipboard(text)
        said = f"{len(text)} characters copied." if text else "There is nothing to copy."
        self.talking.show(Told(severity="info", code="copied", title=said))

    def _restyle(self, look: Look) -> None:
        self.face.restyle(look)
        self._take_theme()
        self._show()

    def _take_theme(self) -> None:
        inks = self.face.look.inks
        self.register_theme(inks.theme())
        self.theme = inks.name
