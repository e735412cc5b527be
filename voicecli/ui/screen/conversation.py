"""The conversation: both sides as they come, on Textual's line API, so that ten thousand turns cost what ten cost.

It decides nothing and asks no clock; `note` is told each change after the facts have it, `show` draws what they made.
"""

from __future__ import annotations

from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from voicecli.core.changes import AnyChange
from voicecli.ui.screen.entry import Entry, Look
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.place import Hold, Place
from voicecli.ui.screen.rows import Rows
from voicecli.ui.screen.selecting import mark, selected
from voicecli.ui.screen.theme import Inks
from voicecli.ui.screen.turn import Clean

MOST_DRAWN: Final = 2000
"""Lines that are kept as they were drawn."""
MORE_S: Final = 1 / 60
READING: Final = frozenset("jkgGyY")


class Conversation(ScrollView, can_focus=True):
    DEFAULT_CSS = """
    Conversation {
        width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size: 0 0;
        background: $background; color: $foreground;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", show=False),
        Binding("k,up", "step(-1)", show=False),
        Binding("g,home", "first", show=False),
        Binding("G,end", "last", show=False),
        Binding("y", "copy", show=False),
        Binding("Y", "copy(True)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("escape", "leave", show=False),
    ]
    """They act only where `tab` led to the conversation; a click leads to no such thing."""

    class Copy(Message):
        """The person wants a copy of the turn, or of all."""

        def __init__(self, item: str | None) -> None:
            super().__init__()
            self.item = item

    class Left(Message):
        """The person has read enough and goes back to where is typed."""

    new_below: var[int | None] = var(None)
    """Turns that have come since it was scrolled back; None: it stays at the end as that moves on."""
    shape: var[Layout] = var(Layout.of(80, 24))

    def __init__(self, inks: Inks, glyphs: Glyphs, clean: Clean = str, *, id: str | None = None) -> None:
        """`clean` takes secrets out of words that are not ours."""
        super().__init__(id=id)
        self._rows = Rows(Look(Layout.of(80, 24), inks, glyphs, 80), clean)
        self._kept = 0  # lines that are kept as they were drawn
        self._ours = False  # it is scrolled by us, not by the person
        self._place = Place()
        self._marked: Entry | None = None

    # ---- what is asked of it

    @property
    def lines(self) -> list[str]:
        """What it shows, as text."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]

    # ---- what happens

    def note(self, change: AnyChange, facts: Facts) -> None:
        """Takes a change that `facts` has taken just before."""
        self._rows.note(change, facts)

    def show(self, facts: Facts, layout: Layout, at: float) -> None:  # noqa: ARG002 - every widget is called so
        """Draws what has changed."""
        self._reshape(self._rows.look._replace(layout=layout, width=self.size.width))
        drawn = self._rows.update()
        self._place.came(len(self._rows.opened))
        self._rows.opened.clear()
        self.new_below = self._place.new_below
        if drawn.all:
            self._settle()
        else:
            for entry, row in drawn.rows:
                self._refresh_row(entry, row)

    def restyle(self, inks: Inks, glyphs: Glyphs) -> None:
        """With the next `show`."""
        self._reshape(self._rows.look._replace(inks=inks, glyphs=glyphs))

    def _reshape(self, look: Look) -> None:
        if look != self._rows.look:
            self._kept, self.shape = 0, look.layout
            if self._rows.reshape(look):
                self.set_timer(MORE_S, self._wrap_more)

    def _wrap_more(self) -> None:
        self._rows.wrap_more()
        self._settle()
        if self._rows.unwrapped:
            self.set_timer(MORE_S, self._wrap_more)

    # ---- scrolling

    def _settle(self) -> None:
        """After heights changed: the end stays in sight, or what the person looks at stays where it is."""
        if not self.size.height:
            return
        stack, held = self._rows.stack, self._place.on_top(self._rows.stack)
        self._wrap_seen(held)
        self._rows.settled()
        self._ours = True
        # Another height is no reason to lay out and paint the whole screen, which setting it would do.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, stack.height))
        target = self.max_scroll_y
        if held is not None:
            entry, row = held
            target = min(target, stack.top(entry) + min(row, max(0, entry.height - 1)))
        self.scroll_to(y=target, animate=False, immediate=True, force=True)
        self._ours = False
        self.refresh()

    def _wrap_seen(self, held: tuple[Entry, int] | None) -> None:
        """What is seen is wrapped, whatever else is not."""
        stack, room = self._rows.stack, self.size.height + 1
        entry = stack.last
        if held is not None:
            entry, skipped = held
            room += skipped
        while entry is not None and room > 0:
            self._rows.fit(entry)
            room -= entry.height
            entry = stack.above(entry) if held is None else stack.below(entry)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._ours:
            self._scrolled()

    def _scrolled(self) -> None:
        """The person scrolled: to the end, or to what is to stay in sight."""
        if self.scroll_offset.y >= self.max_scroll_y:
            self._place.follow()
        else:
            self._place.keep(self._rows.stack, self.scroll_offset.y, Hold.BACK)
            if self._rows.unwrapped:
                self.call_later(self._settle)
        self.new_below = self._place.new_below

    def to_end(self) -> None:
        """Back to now."""
        self._jump(self.max_scroll_y)

    def to_start(self) -> None:
        self._jump(0)

    def page(self, pages: int) -> None:
        """Up where `pages` is negative. A line stays in sight."""
        self._jump(self.scroll_offset.y + pages * max(1, self.size.height - 1))

    def _jump(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, immediate=True, force=True)
        self._scrolled()

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002
        self._reshape(self._rows.look._replace(width=self.size.width))
        self._settle()

    # ---- reading turn by turn

    def text_select_all(self) -> None:
        """A double click: it is one widget, and nobody means the whole talk by it."""

    @property
    def select_container(self) -> Widget:
        """What a triple click marks."""
        return self

    def focus_on_click(self) -> bool:
        """Never: a letter typed after a click on the text is meant for the line."""
        return False

    def reads(self, key: str) -> bool:
        """Whether `key`, a letter, acts here and is not meant for the line."""
        return self.screen.focused is self and key in READING

    def on_focus(self) -> None:
        self._mark(self._rows.last_turn())

    def on_blur(self) -> None:
        self._mark(None)

    def action_step(self, turns: int) -> None:
        self._mark(self._rows.turn_from(self._marked, turns))

    def action_first(self) -> None:
        self._mark(self._rows.first_turn())

    def action_last(self) -> None:
        self._mark(self._rows.last_turn())
        self.to_end()

    def action_page(self, pages: int) -> None:
        self.page(pages)

    def action_copy(self, all_of_it: bool = False) -> None:
        if all_of_it or self._marked is not None:
            self.post_message(self.Copy(None if all_of_it or self._marked is None else self._marked.item))

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def _mark(self, entry: Entry | None) -> None:
        """The turn that keys act on now, brought into sight."""
        for one, marked in ((self._marked, False), (entry, True)):
            if one is not None:
                one.marked = marked
                one.forget()
        self._marked = entry
        self.refresh()
        if entry is None or not self._rows.stack.holds(entry):
            return
        self._rows.fit(entry)
        top, first, rows = self._rows.stack.top(entry), self.scroll_offset.y, self.size.height
        if top < first or entry.height >= rows:
            self._jump(top)
        elif top + entry.height > first + rows:
            self._jump(top + entry.height - rows)

    # ---- drawing

    @property
    def _pad(self) -> int:
        """Lines above the first turn while there is room for all."""
        return max(0, self.size.height - self._rows.stack.height)

    def _refresh_row(self, entry: Entry, row: int) -> None:
        y = self._rows.stack.top(entry) + row - self.scroll_offset.y + self._pad
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def base(self) -> Style:
        """What all of it is drawn on."""
        inks = self._rows.look.inks
        return inks("fg") + Style(bgcolor=inks.surface.bg) if inks.surface.bg else inks("fg")

    def render_line(self, y: int) -> Strip:
        width, look = self.size.width, self._rows.look
        while (found := self._rows.stack.at(self.scroll_offset.y + y - self._pad)) is not None:
            if found[0].wrapped(look.layout):
                break
            self._rows.fit(found[0])  # its height was a guess
            self.call_later(self._settle)
        if found is None:
            return Strip.blank(width, self.base())
        entry, row = found
        if self._kept > MOST_DRAWN:
            for other in self._rows.stack:
                other.forget()
            self._kept = 0
        self._kept -= entry.drawn
        strip = entry.strip(row, look)
        self._kept += entry.drawn
        if (selection := self.text_selection) is not None:
            begin, end = entry.line_at(row)
            strip = mark(strip, selection, entry.label + row, look, end - begin)
        strip = strip.adjust_cell_length(width).apply_style(self.base())
        return strip.apply_offsets(-look.layout.text_column, entry.label + row)

    # ---- selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text in it, without what stands beside; lines that were only broken are joined."""
        return selected(self._rows.stack, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Text does not move while it is being marked: the end is followed again when nothing is marked any more."""
        self.refresh()
        if selection is None and self._place.hold in (Hold.MARKING, Hold.MARKED):
            self.to_end()
        elif selection is not None and self._place.hold is Hold.FOLLOWS and self.max_scroll_y > 0:
            self._place.keep(self._rows.stack, self.scroll_offset.y, Hold.MARKING)

    def on_mouse_up(self) -> None:
        self._place.let_go()
        self.new_below = self._place.new_below
