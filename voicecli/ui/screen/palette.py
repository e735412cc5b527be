"""The list of all that can be done now, by what is typed of its name: a view of the actions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from voicecli.ui.actions import Do, possible
from voicecli.ui.screen.keys import Keymap
from voicecli.ui.view import View

BELOW: Final = 9
"""Lines at the bottom that it leaves free: state, tape, the line to type in, keys."""


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
    Palette { background: transparent; }
    Palette > Vertical { margin-top: 1; background: $panel; max-width: 92; }
    Palette #--input { border: none; height: 1; background: $panel; }
    Palette #--input Label { margin-top: 0; }
    Palette #--results { background: $panel; }
    Palette CommandList { border: none; background: $panel; scrollbar-size-vertical: 1; }
    Palette CommandList:focus { border: none; }
    """

    def __init__(self, view: View, keymap: Keymap, act: Callable[[Entry], None]) -> None:
        """`act` is called with what was chosen."""
        shown = [(entry, _display(entry)) for entry in entries(view, keymap)]

        class Actions(Provider):
            """What is possible now."""

            async def discover(self) -> Hits:
                for entry, display in shown:
                    yield DiscoveryHit(display, partial(act, entry), text=entry.name, help=entry.help)

            async def search(self, query: str) -> Hits:
                matcher = self.matcher(query)
                for entry, display in shown:
                    score = max(matcher.match(entry.name), matcher.match(entry.do.action.command))
                    if score > 0:
                        yield Hit(score, display, partial(act, entry), text=entry.name, help=entry.help)

        super().__init__([Actions], placeholder="what to do")

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        self.query_one("CommandList").styles.max_height = max(2, self.app.size.height - BELOW - 2)


def _display(entry: Entry) -> Content:
    return Content.assemble(entry.name, (f"  {entry.keys}", "$text-accent") if entry.keys else "")
