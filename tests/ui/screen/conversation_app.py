"""A conversation by itself, in an app and without one."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.strip import Strip

from voicecli.core.changes import AnyChange, Foreign, SoundNow, Started, TurnGrew, TurnOpened, TurnRole, TurnSet, Via
from voicecli.ui.screen.below import Below
from voicecli.ui.screen.conversation import Conversation
from voicecli.ui.screen.entry import Look
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import UNICODE, Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.rows import Rows
from voicecli.ui.screen.theme import DARK, Inks

STARTED = Started(
    at="2025-11-25T14:03:10+01:00",
    version="1",
    mode="talk",
    url="",
    model="m",
    voice=None,
    offline=False,
    key_source="x",
)
SPEAKER = SoundNow(side="output", state="opened")


def opened(item: str, role: TurnRole = "assistant", via: Via = "voice", after: str | None = None) -> TurnOpened:
    return TurnOpened(item, after, role, via, 0.0)


def grew(item: str, text: str) -> TurnGrew:
    return TurnGrew(item, Foreign(text))


def done(item: str, text: str) -> TurnSet:
    return TurnSet(item=item, status="done", text=Foreign(text), heard=Foreign(text), ended=2.0)


def typed(item: str, text: str, after: str | None = None) -> list[AnyChange]:
    return [opened(item, "you", "text", after), done(item, text)]


def answer(item: str, text: str) -> list[AnyChange]:
    return [opened(item), grew(item, text), done(item, text)]


class Drawing:
    """Rows as lines of text, and with what they are drawn."""

    def __init__(self, width: int = 80, height: int = 24, inks: Inks = DARK, glyphs: Glyphs = UNICODE) -> None:
        layout = Layout.of(width, height)
        self.rows = Rows(Look(layout, inks, glyphs, layout.main_width))
        self.facts = Facts()
        self.drawn = 0

    def feed(self, *changes: AnyChange | Iterable[AnyChange]) -> Drawing:
        for change in changes:
            for one in change if isinstance(change, Iterable) else (change,):
                self.facts.apply(one, 0.0)
                self.rows.note(one, self.facts)
        return self

    def strips(self) -> list[Strip]:
        self.rows.update()
        found = (self.rows.stack.at(line) for line in range(self.rows.stack.height))
        return [entry.strip(row, self.rows.look) for entry, row in filter(None, found)]

    def lines(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.strips()]

    def runs(self) -> list[tuple[str, Style | None]]:
        """Every stretch that is drawn in one style, blanks apart."""
        return [(text, style) for strip in self.strips() for text, style, _ in strip if text.strip()]

    def style_of(self, text: str) -> Style:
        (style,) = {style for run, style in self.runs() if text in run}
        assert style is not None
        return style


class Shown(App[None]):
    """The widgets, with the layout of the whole screen."""

    CSS = "Screen { background: $background; }"
    AUTO_FOCUS = None

    def __init__(
        self, changes: Iterable[AnyChange] = (), inks: Inks = DARK, driver: type[Driver] | None = None
    ) -> None:
        super().__init__(driver_class=driver)
        self.inks = inks
        self.facts = Facts()
        self.conversation = Conversation(inks, UNICODE)
        self.below = Below(self.conversation, inks, UNICODE)
        self.layout_now = Layout.of(80, 24)
        self._first = list(changes)
        self.copied: list[str | None] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield self.conversation
        yield self.below

    def on_mount(self) -> None:
        self.register_theme(self.inks.theme())
        self.theme = self.inks.name
        self.feed(self._first)

    def on_resize(self, event: events.Resize) -> None:
        self.layout_now = Layout.of(*event.size)
        self.feed()

    def on_conversation_copy(self, copy: Conversation.Copy) -> None:
        self.copied.append(copy.item)

    def on_conversation_left(self) -> None:
        self.left += 1

    def feed(self, changes: Iterable[AnyChange] = ()) -> None:
        for change in changes:
            self.facts.apply(change, 0.0)
            self.conversation.note(change, self.facts)
        self.conversation.show(self.facts, self.layout_now, 0.0)
