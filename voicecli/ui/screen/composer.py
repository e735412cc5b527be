"""The line to type in: grows with what is typed, keeps what was sent, completes commands; it knows no talk.

No letter acts here, and nothing that is pasted does: what is pasted is text, made printable, so that what is seen is
what is sent. A long paste stands in the line as a mark, because laying it out would stop everything for seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, TextArea

from voicecli.core.changes import Told
from voicecli.printable import one_line, painted, printable
from voicecli.ui.actions import Do, parse
from voicecli.ui.screen.completion import Files, choices, no_files
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.hints import hint
from voicecli.ui.screen.history import Entry, History
from voicecli.ui.screen.keys import DEFAULT, Keymap
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.menu import Clicked, Menu
from voicecli.ui.screen.theme import Inks

MOST_LINES: Final = 6
MOST: Final = 1 << 20
"""Characters of one text; the rest of a paste is dropped, and that is told."""
LONG: Final = 4000
"""Characters, and with 100 of them lines, from which on a paste stands in the line as a mark."""

_MOVED: Final = {"ctrl+z,super+z", "ctrl+y,super+y", "ctrl+c,super+c", "up", "down", "pageup", "pagedown", "f6", "f7"}
"""Bindings of TextArea that mean something else here."""
_EDITING: Final[list[BindingType]] = [
    binding for binding in TextArea.BINDINGS if not isinstance(binding, Binding) or binding.key not in _MOVED
]


class Sent(Message):
    """Enter was pressed. `text` is what `parse` takes: a pasted text of several lines is no command."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Scrolled(Message):
    """The conversation is to be scrolled by a page, or back to now."""

    def __init__(self, to: Literal["up", "down", "end"]) -> None:
        super().__init__()
        self.to = to


class Held(Message):
    """Enter was pressed on a command that came by a paste: the next one does it, now that it has been seen."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command = command


class PasteCut(Message):
    """So many characters of a paste were dropped."""

    def __init__(self, dropped: int) -> None:
        super().__init__()
        self.dropped = dropped


class Editor(TextArea, inherit_bindings=False):
    """The text itself. It asks its composer what enter, tab, escape, up and down mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_EDITING,
        Binding("ctrl+underscore,super+z", "undo", show=False),
        Binding("super+y,super+shift+z", "redo", show=False),
    ]
    _acts: ClassVar[dict[str, str]] = {
        key.strip(): binding.action
        for binding in BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    DEFAULT_CSS = """
    Editor, Editor:focus {
        border: none; padding: 0; height: 1; width: 1fr; background: transparent; scrollbar-size-vertical: 0;
        overflow-x: hidden;
    }
    Editor .text-area--placeholder { color: $text-muted; }
    Editor:light .text-area--cursor { color: $input-cursor-foreground; background: $input-cursor-background; }
    """

    def __init__(self, composer: Composer) -> None:
        super().__init__(
            soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False, show_line_numbers=False, compact=True
        )
        self.cursor_blink = False
        self._composer = composer

    def on_hide(self, event: events.Hide) -> None:
        """Where nothing fits it is hidden; Textual would take the focus from it, and give it back to nobody."""
        event.prevent_default()

    async def _on_key(self, event: events.Key) -> None:
        taken = self._composer.pressed(event.key)
        if not taken and (action := self._acts.get(event.key)):
            await self.run_action(action)  # as a binding it would be overtaken by what is typed right after it
            taken = True
        if taken:
            event.stop()
            event.prevent_default()  # else TextArea's own handler is called next

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._composer.paste(event.text)

    def action_delete_left(self) -> None:
        """A mark is deleted as one."""
        row, column = self.cursor_location
        if self.selection.is_empty and (mark := self._composer.mark_before(self.document[row][:column])):
            self.delete((row, column - len(mark)), (row, column), maintain_selection_offset=False)
        else:
            super().action_delete_left()

    def action_paste(self) -> None:
        """What was cut here."""
        if self.app.clipboard:
            self._composer.paste(self.app.clipboard)

    @property
    def on_first_line(self) -> bool:
        return self.wrapped_document.location_to_offset(self.cursor_location).y == 0

    @property
    def on_last_line(self) -> bool:
        return self.wrapped_document.location_to_offset(self.cursor_location).y >= self.wrapped_document.height - 1


class Composer(Vertical):
    """The prompt, the text, and above them the choices while a command is typed."""

    Sent = Sent
    Scrolled = Scrolled
    Held = Held
    PasteCut = PasteCut
    DEFAULT_CSS = """
    Composer { height: auto; background: $surface; }
    Composer > Horizontal { height: auto; }
    Composer #prompt { width: 2; height: 1; text-align: right; }
    """

    def __init__(
        self, inks: Inks, glyphs: Glyphs, *, keymap: Keymap = DEFAULT, files: Files = no_files, id: str | None = None
    ) -> None:
        """`files` are those that /save may be given."""
        super().__init__(id=id)
        self.inks, self.glyphs = inks, glyphs
        self.keymap = keymap
        self._list_files = files
        self.on_empty: Callable[[str], bool] = lambda _key: False
        """What a key does on the empty line; whether it did. Asked here, where all that was typed before is known."""
        self._facts = Facts()
        self._shape = Layout.of(80, 24)
        self._history = History()
        self._pasted: dict[str, str] = {}
        self._pastes = 0
        self._unseen: str | None = None  # what stood here right after a paste that made it a command
        self._quiet_for: str | None = None  # the text for which the menu was closed, or that came from the history
        self.menu = Menu(inks, glyphs)
        self.editor = Editor(self)
        self._prompt = Static("", id="prompt", markup=False)

    def compose(self) -> ComposeResult:
        yield self.menu
        with Horizontal():
            yield self._prompt
            yield self.editor

    # ---- what the app needs

    @property
    def value(self) -> str:
        """The whole text that would be sent."""
        return self._entry().whole

    @value.setter
    def value(self, text: str) -> None:
        self._set(Entry(text))

    @property
    def empty(self) -> bool:
        """Nothing is typed: keys that would type act now."""
        return not self.editor.text

    @property
    def typing(self) -> bool:
        """What is typed goes here. The screen knows it at once, the widget a moment later."""
        return self.is_attached and self.screen.focused is self.editor

    @property
    def selected(self) -> str:
        """What is selected in it."""
        return self.editor.selected_text

    def focus(self, scroll_visible: bool = True) -> Composer:
        self.editor.focus(scroll_visible)
        return self

    def close_menu(self) -> bool:
        """Whether there was one."""
        was, self._quiet_for = self.menu.open, self.editor.text
        self._offer()
        return was

    def show(self, facts: Facts, layout: Layout, at: float) -> None:  # noqa: ARG002 - every widget is called so
        self._facts = facts
        if layout != self._shape or not self._prompt.styles.width:
            self._shape = layout
            self._place()
        words = Content(hint(facts, self.keymap).replace("·", self.glyphs.dot))
        if self.editor.placeholder != words:
            self.editor.placeholder = words
        self.menu.show(layout)

    def restyle(self, inks: Inks, glyphs: Glyphs) -> None:
        self.inks, self.glyphs = inks, glyphs
        self.menu.restyle(inks, glyphs)
        self._place()

    # ---- how it looks

    def on_mount(self) -> None:
        self._place()

    def _place(self) -> None:
        width = max(2, self._shape.text_column)
        self._prompt.styles.width = width
        self._prompt.update(Content(f"{self.glyphs.prompt} "))
        self.editor.styles.margin = (0, max(0, self._shape.width - self._shape.edge), 0, 0)

    def _fit(self) -> None:
        lines = max(1, min(MOST_LINES, self.editor.wrapped_document.height, max(1, self._shape.height // 3)))
        if self.editor.styles.height is None or self.editor.styles.height.value != lines:
            self.editor.styles.height = lines

    def on_text_area_changed(self, changed: TextArea.Changed) -> None:
        changed.stop()
        if self._quiet_for is not None and self.editor.text != self._quiet_for:
            self._quiet_for = None
        self._fit()
        self._offer()

    def on_resize(self) -> None:
        self.call_after_refresh(self._refit)

    def _refit(self) -> None:
        """The line with the cursor is among those that are shown still."""
        self._fit()
        self.call_after_refresh(self.editor.scroll_cursor_visible)

    def _offer(self) -> None:
        text = self.editor.text
        offered = choices(text, self._facts.view, self.keymap, self._list_files) if self._quiet_for is None else ()
        self.menu.offer(offered)
        self.menu.show(self._shape)

    def on_clicked(self, clicked: Clicked) -> None:
        """A choice is taken into the line; enter does it."""
        clicked.stop()
        self._take()

    # ---- keys

    def pressed(self, key: str) -> bool:
        """Whether it means something here; else it is the editor's, or that of whoever is behind it."""
        match key:
            case "enter":
                self._enter()
            case "ctrl+j" | "shift+enter":
                self.editor.insert("\n", maintain_selection_offset=False)
            case "tab" if self.menu.open:
                self._take()
            case "escape":
                return self.close_menu() if self.menu.open else False
            case "up":
                self._up()
            case "down":
                self._down()
            case "pageup" | "pagedown":
                self.post_message(Scrolled("up" if key == "pageup" else "down"))
            case "end" if self.empty:
                self.post_message(Scrolled("end"))
            case _ if self.empty and self.on_empty(key):
                pass
            case _:
                return False
        return True

    def _enter(self) -> None:
        choice, text = self.menu.meant, self.editor.text
        if choice is not None:
            if self.menu.moved:
                self._take()
                if not choice.whole:
                    return
            elif not isinstance(parse(text, screen=True), Do):
                self._take()
                return
        self._send()

    def _take(self) -> None:
        """The choice that is meant goes into the line."""
        if (choice := self.menu.meant) is not None:
            self._set(Entry(choice.line))
            if choice.whole:
                self.close_menu()

    def _up(self) -> None:
        if self.menu.open:
            self.menu.move(-1)
            self.menu.show(self._shape)
        elif not self.editor.on_first_line:
            self.editor.action_cursor_up()
        elif (entry := self._history.back(self._entry())) is not None:
            self._recall(entry)

    def _down(self) -> None:
        if self.menu.open:
            self.menu.move(1)
            self.menu.show(self._shape)
        elif not self.editor.on_last_line:
            self.editor.action_cursor_down()
        elif (entry := self._history.forward(self._entry())) is not None:
            self._recall(entry)

    def _recall(self, entry: Entry) -> None:
        self._quiet_for = entry.text
        self._set(entry)

    def _send(self) -> None:
        entry = self._entry()
        whole = entry.whole
        literal = whole.startswith("/") and not whole.startswith("//") and (entry.pasted or "\n" in whole.strip())
        unseen, self._unseen = self._unseen, None
        if not literal and unseen == entry.text and isinstance(parse(whole, screen=True), Do):
            self.post_message(Held(whole))
            return
        self._history.add(entry)
        self._set(Entry(""))
        self._pasted.clear()
        self.post_message(Sent(f"/{whole}" if literal else whole))

    # ---- the text

    def _entry(self) -> Entry:
        text = self.editor.text
        return Entry(text, tuple((mark, pasted) for mark, pasted in self._pasted.items() if mark in text))

    def _set(self, entry: Entry) -> None:
        self._pasted.update(entry.pasted)
        self.editor.load_text(entry.text)
        self.editor.move_cursor(self.editor.document.end)

    def paste(self, text: str) -> None:
        """Text from elsewhere; a long one stands in the line as a mark."""
        room = max(0, MOST - len(self._entry()))
        kept = text[:room].replace("\r\n", "\n").replace("\r", "\n")
        if len(kept) > LONG or kept.count("\n") >= 100:
            kept = self._mark(_clean(kept))
        else:
            kept = _clean(kept)
        if kept:
            command = self.editor.text.lstrip().startswith("/")
            self.editor.replace(kept, *self.editor.selection, maintain_selection_offset=False)
            if not command and self.editor.text.lstrip().startswith("/"):
                self._unseen = self.editor.text
        if dropped := max(0, len(text) - room):
            self.post_message(PasteCut(dropped))

    def _mark(self, text: str) -> str:
        self._pastes += 1
        lines = text.count("\n") + 1
        size = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        mark = f"[pasted text {self._pastes}, {size}]"
        self._pasted[mark] = text
        return mark

    def mark_before(self, text: str) -> str:
        """The mark that `text` ends with; "" for none."""
        return next((mark for mark in self._pasted if text.endswith(mark)), "")


def _clean(text: str) -> str:
    return "\n".join(painted(line) for line in printable(text).split("\n"))


def held(command: str) -> Told:
    """What is said of a command that was pasted, at the first enter."""
    return Told(
        severity="warning",
        code="pasted_command",
        title=f"{one_line(command, 60)} was pasted, so it was not done yet.",
        hint="Enter once more does it; with another slash before it, it is sent as words.",
    )


def paste_cut(dropped: int) -> Told:
    """What is said of a paste that was too long."""
    title = f"What you pasted was too long: its last {dropped} characters were dropped."
    return Told(
        severity="warning", code="paste_cut", title=title, hint=f"One text has {MOST >> 10} Ki characters at most."
    )
