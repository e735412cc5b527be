"""The list of all that can be done now, by what is typed of its name: a view of the actions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from textual.command import Command, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from voicecli.ui.actions import Do, possible
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.keys import Keymap
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import shortened
from voicecli.ui.view import View

WIDEST: Final = 92


class Entry(NamedTuple):
    """One line of the list."""

    name: str
    do: Do
    help: str
    keys: str
    """As they are shown; "" for none."""
    whole: bool
    """It can be done at once; else its argument is still to be typed."""


def entries(view: View, keymap: Keymap) -> list[Entry]:
    """All that is possible now, a choice of an action as one of its own."""
    found: list[Entry] = []
    for action in possible(view):
        keys = keymap.labels(action)
        if action.choices:
            for choice in action.choices:
                found.append(Entry(f"{action.name} {choice}", Do(action, choice), action.help, keys, True))
        else:
            found.append(Entry(action.name, Do(action), action.help, keys, action.optional or not action.argument))
    return found


class Palette(CommandPalette):
    """Textual's list, filled by us and kept off the lines below."""

    DEFAULT_CSS = """
    Palette { background: transparent; align-horizontal: left; }
    Palette > Vertical { margin-top: 1; background: $panel; }
    Palette #--input { border: none; height: 1; background: $panel; }
    Palette #--input Label { margin-top: 0; }
    Palette CommandInput, Palette CommandInput:focus { border: none; height: 1; padding: 0; background: $panel; }
    Palette CommandInput > .input--placeholder { color: $text-muted; }
    Palette #--results { background: $panel; }
    Palette CommandList { border: none; background: $panel; scrollbar-size: 0 0; }
    Palette CommandList:focus { border: none; }
    Palette CommandList > .option-list--option-highlighted {
        background: $background; color: $text-accent; text-style: bold;
    }
    /* Textual's lists pass over `reverse`. */
    Palette:nocolor CommandList > .option-list--option-highlighted { text-style: bold underline; }
    """

    def __init__(self, view: View, keymap: Keymap, width: int, glyphs: Glyphs, act: Callable[[Entry], None]) -> None:
        """`act` is called with what was chosen; `width` is that of the screen."""
        found = entries(view, keymap)
        self._place = (0, min(width, WIDEST))  # column, width

        def shown() -> list[tuple[Entry, Content]]:
            return displayed(found, self._place[1] - 6, glyphs)

        self._shown = shown

        class Actions(Provider):
            """What is possible now."""

            async def discover(self) -> Hits:
                for entry, display in shown():
                    yield DiscoveryHit(display, partial(act, entry), text=entry.name)

            async def search(self, query: str) -> Hits:
                matcher = self.matcher(query)
                for entry, display in shown():
                    score = max(matcher.match(entry.name), matcher.match(entry.do.action.command))
                    if score > 0:
                        yield Hit(score, display, partial(act, entry), text=entry.name)

        super().__init__([Actions], placeholder="what to do")

    def on_mount(self) -> None:
        self._place = self._placed()  # before its lines are made for the first time
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _placed(self) -> tuple[int, int]:
        layout = Layout.of(*self.app.size)
        column = layout.text_column if layout.centred_left else 0
        return column, min(WIDEST, layout.main_width - column)

    def _redraw(self) -> None:
        """Each line as wide as there is room now; the choice stays where it is."""
        lines = {entry.name: display for entry, display in self._shown()}
        found = self.query_one(CommandList)
        for n, option in enumerate(found.options):
            if isinstance(option, Command) and (display := lines.get(str(option.hit.text))) is not None:
                found.replace_option_prompt_at_index(n, display)

    def _fit(self) -> None:
        height, place = self.app.size.height, self._placed()
        box = self.query_one("Vertical")
        box.styles.margin, box.styles.width = (1, 0, 0, place[0]), place[1]
        if place != self._place:
            self._place = place
            self._redraw()
        below = 9 if height >= 30 else 6  # state, tape, the line to type in and keys are never covered
        self.query_one("CommandList").styles.max_height = max(1, height - below - 2)


def displayed(found: list[Entry], room: int, glyphs: Glyphs) -> list[tuple[Entry, Content]]:
    """Each in one line of `room` cells: its name, its keys, what it does where there is room for that."""
    names = max((len(entry.name) for entry in found), default=0) + 2
    keys = max((len(entry.keys) for entry in found), default=0) + 2
    rest = room - names - keys
    return [
        (
            entry,
            Content.assemble(
                f"{entry.name:{names}}",
                (f"{entry.keys:{keys}}", "$text-accent"),
                (shortened(entry.help, rest, glyphs), "not bold $text-muted") if rest >= 12 else "",
            ),
        )
        for entry in found
    ]
