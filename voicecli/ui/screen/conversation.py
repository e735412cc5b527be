"""The conversation: both sides as they come, on Textual's line API, so that ten thousand turns cost what ten cost.

It decides nothing and asks no clock; `note` is told each change after the facts have it, `show` draws what they made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from voicecli.core.changes import (
    AnyChange,
    DelayNow,
    HeardNow,
    Interrupted,
    SoundNow,
    Started,
    Told,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnSet,
)
from voicecli.ui.screen.entry import Entry, Look
from voicecli.ui.screen.facts import MOST_QUIET, Facts, Quiet
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.selecting import mark, selected
from voicecli.ui.screen.stack import Stack
from voicecli.ui.screen.theme import Inks
from voicecli.ui.screen.turn import Clean, interrupted_by, quiet, turn
from voicecli.ui.view import Row

MOST_DRAWN: Final = 2000
"""Lines that are kept as they were drawn."""
AT_ONCE: Final = 40_000
"""Characters that are wrapped in one go while there is nothing else to do."""


class Conversation(ScrollView, can_focus=True):
    DEFAULT_CSS = """
    Conversation {
        width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        background: $background; color: $foreground;
        scrollbar-color: $background; scrollbar-background: $background;
    }
    Conversation.-back { scrollbar-color: $border; }
    """

    def __init__(self, inks: Inks, glyphs: Glyphs, clean: Clean = str, *, id: str | None = None) -> None:
        """`clean` takes secrets out of words that are not ours."""
        super().__init__(id=id)
        self._clean = clean
        self._look = Look(Layout.of(80, 24), inks, glyphs, 80)
        self._facts: Facts | None = None
        self._stack: Stack[Entry] = Stack()
        self._turns: dict[str, Entry] = {}  # in the order in which they were opened
        self._quiet: deque[Entry] = deque()
        self._last_quiet: Quiet | None = None
        self._by: dict[str, str] = {}  # turn -> what it was interrupted by
        self._hears: str | None = None  # the turn that is being heard
        self._changed: dict[str, None] = {}
        self._unwrapped: list[Entry] = []
        self._drawn = 0
        self._moving = False  # it is scrolled by us, not by the person
        self._whole = True  # all of it is to be drawn again
        self._held: tuple[Entry, int] | None = None  # scrolled back: what stands on top, and which row of it
        self._below: set[str] = set()

    # ---- what is asked of it

    @property
    def follows(self) -> bool:
        """It stays at the end as that moves on."""
        return self._held is None

    @property
    def new_below(self) -> int:
        """Turns that have come since it was scrolled back."""
        return len(self._below)

    @property
    def lines(self) -> int:
        """All there are."""
        return self._stack.height

    # ---- what happens

    def note(self, change: AnyChange, facts: Facts) -> None:
        """Takes a change that `facts` has taken just before."""
        self._facts = facts
        match change:
            case TurnOpened(item=item, after=after):
                self._open(item, after)
            case TurnMoved(item=item, after=after):
                self._move(item, after)
            case TurnGrew(item=item) | TurnSet(item=item) | TurnGone(item=item):
                self._open(item, None)
                self._changed[item] = None
            case DelayNow(item=item):
                self._changed[item] = None
            case Interrupted():
                items, by = interrupted_by(change)
                for item in items:
                    self._by[item] = by
                    self._changed[item] = None
            case HeardNow(item=item):
                if self._hears is not None:
                    self._changed[self._hears] = None
                self._changed[item] = None
                self._hears = item
            case SoundNow(side="output"):
                self._changed |= dict.fromkeys(list(self._turns)[-4:])
            case Started() | Told():
                self._tell(facts)

    def show(self, facts: Facts, layout: Layout, at: float) -> None:  # noqa: ARG002 - every widget is called so
        """Draws what has changed."""
        self._facts = facts
        self._shape(layout)
        rows: list[tuple[Entry, int]] = []
        before = self._stack.height
        moved = False
        for item in self._changed:
            if (entry := self._turns.get(item)) is not None and (row := facts.view.row(item)) is not None:
                rows += self._say(entry, row)
                moved = self._fit(entry) or moved
        self._changed.clear()
        if moved or before != self._stack.height or self._whole:
            self._settle()
        else:
            for entry, row_number in rows:
                self._refresh_row(entry, row_number)

    def restyle(self, inks: Inks, glyphs: Glyphs) -> None:
        """With the next `show`."""
        self._look = self._look._replace(inks=inks, glyphs=glyphs)
        self._changed |= dict.fromkeys(self._turns)
        self._forget()

    # ---- entries

    def _open(self, item: str, after: str | None) -> None:
        if item in self._turns or self._facts is None or (row := self._facts.view.head(item)) is None:
            return
        entry = self._turns[item] = Entry(item, row.role)
        self._place(entry, self._turns.get(after) if after is not None else None, self._stack.last)
        self._changed[item] = None
        if not self.follows:
            self._below.add(item)
        self._bound()

    def _move(self, item: str, after: str | None) -> None:
        """As the view does it: behind `after`; to the front where that is None, to the end where it is not known."""
        if item == after or (entry := self._turns.get(item)) is None:
            return
        under = self._stack.below(entry)
        self._take(entry)
        front = next((one for one in self._stack if one.is_turn), None)
        otherwise = self._stack.last if after is not None or front is None else self._stack.above(front)
        self._place(entry, self._turns.get(after) if after is not None else None, otherwise)
        self._settle_air(under)
        self._whole = True

    def _place(self, entry: Entry, after: Entry | None, otherwise: Entry | None) -> None:
        """Behind `after` and what was told behind that."""
        while after is not None and (under := self._stack.below(after)) is not None and not under.is_turn:
            after = under
        self._stack.put(entry, after or otherwise)
        self._settle_air(entry)
        self._settle_air(self._stack.below(entry))

    def _take(self, entry: Entry) -> None:
        if self._held is not None and self._held[0] is entry:
            under = self._stack.below(entry) or self._stack.above(entry)
            self._held = (under, 0) if under is not None else None
        self._stack.take(entry)

    def _tell(self, facts: Facts) -> None:
        """A quiet information, if there is a new one."""
        if not facts.quiet or facts.quiet[-1] is self._last_quiet:
            return
        new = self._last_quiet = facts.quiet[-1]
        entry = Entry("", "notice", new.told)
        self._quiet.append(entry)
        front = None if new.after is None else self._turns.get(new.after)
        first = self._stack.first
        while front is None and first is not None and not first.is_turn and (new.after is None):
            under = self._stack.below(first)
            if under is None or under.is_turn:
                front = first
                break
            first = under
        self._place(entry, front, None if new.after is None else self._stack.last)
        entry.say(quiet(new.told, self._clean), "")
        self._fit(entry)
        self._whole = True
        if len(self._quiet) > MOST_QUIET:
            self._take(self._quiet.popleft())

    def _bound(self) -> None:
        """Turns that the view has forgotten are forgotten."""
        assert self._facts is not None
        while (oldest := next(iter(self._turns))) not in self._facts.view:
            entry = self._turns.pop(oldest)
            under = self._stack.below(entry)
            self._take(entry)
            self._settle_air(under)
            self._by.pop(oldest, None)
            self._below.discard(oldest)
            self._whole = True

    def _settle_air(self, entry: Entry | None) -> None:
        """A blank line above it: before each turn where there is room, else before each of the person's."""
        if entry is None:
            return
        above = self._stack.above(entry)
        close = above is None or (not entry.is_turn and not above.is_turn)
        air = not close and (self._look.layout.air or entry.word == "you")
        if air != entry.air:
            entry.air = air
            entry.forget()
            self._fit(entry)

    def _say(self, entry: Entry, row: Row) -> list[tuple[Entry, int]]:
        entry.safe.take(row.text.raw)
        entry.word = row.role
        heard = self._heard(row)
        said = turn(row, entry.safe, self._look.glyphs, heard, self._by.get(row.item), self._clean)
        return [(entry, number) for number in entry.say(said, self._side(row))]

    def _heard(self, row: Row) -> int | None:
        """How many characters were heard; None: it is to be read."""
        assert self._facts is not None
        view = self._facts.view
        if row.role != "assistant" or row.via != "voice" or row.over:
            return None
        if view.heard is not None and view.heard.item == row.item:
            return view.heard.characters
        output = view.sound.get("output")
        return 0 if output is not None and output.state == "opened" else None

    def _side(self, row: Row) -> str:
        """The time of day of the person's turns, the delay of the assistant's."""
        assert self._facts is not None
        if row.role == "you" and (started := self._facts.view.started) is not None:
            try:
                return f"{datetime.fromisoformat(started.at) + timedelta(seconds=row.started):%H:%M}"
            except (ValueError, OverflowError):
                return ""
        if row.role == "assistant" and row.delay is not None:
            total = row.delay.total
            return f"{total:.2f} s" if total < 10 else f"{total:.0f} s" if total < 1000 else ""
        return ""

    # ---- heights

    def _fit(self, entry: Entry) -> bool:
        """Gives it the height it needs. True: it had another."""
        before = entry.height
        self._stack.resize(entry, entry.measure(self._look.layout))
        return entry.height != before

    def _shape(self, layout: Layout) -> None:
        """The layout that it is to be drawn in; turns that are not seen are wrapped bit by bit."""
        old, look = self._look.layout, self._look._replace(layout=layout, width=self.size.width)
        if look == self._look:
            return
        self._look = look
        self._forget()
        if (old.text_width, old.air, old.gutter) != (layout.text_width, layout.air, layout.gutter):
            above: Entry | None = None
            for entry in self._stack:
                close = above is None or (not entry.is_turn and not above.is_turn)
                entry.air = not close and (layout.air or entry.word == "you")
                above = entry
            self._stack.measure(lambda entry: entry.guess(layout))
            self._unwrapped = list(self._stack)
            self.set_timer(1 / 60, self._wrap_more)

    def _forget(self) -> None:
        for entry in self._stack:
            entry.forget()
        self._drawn = 0
        self._whole = True

    def _wrap_more(self) -> None:
        """A piece of what is to be wrapped anew, from the end on."""
        room = AT_ONCE
        while self._unwrapped and room > 0:
            entry = self._unwrapped.pop()
            room -= 50 + len(entry.said.text)
            if self._turns.get(entry.item) is entry or entry in self._quiet:
                self._fit(entry)
        self._settle()
        if self._unwrapped:
            self.set_timer(1 / 60, self._wrap_more)

    def _wrap_seen(self) -> None:
        """What is seen is wrapped whatever else is not."""
        room = self.size.height + 1
        if self._held is None:
            entry = self._stack.last
            while entry is not None and room > 0:
                self._fit(entry)
                room -= entry.height
                entry = self._stack.above(entry)
            return
        entry, skipped = self._held
        room += skipped
        below: Entry | None = entry
        while below is not None and room > 0:
            self._fit(below)
            room -= below.height
            below = self._stack.below(below)

    # ---- scrolling

    def _settle(self) -> None:
        """After heights changed: the end stays in sight, or what the person looks at stays where it is."""
        if not self.size.height:
            return
        self._wrap_seen()
        self._moving = True
        self.virtual_size = Size(self.size.width, self._stack.height)
        if self._held is None:
            target = self.max_scroll_y
        else:
            entry, row = self._held
            target = min(self.max_scroll_y, self._stack.top(entry) + min(row, max(0, entry.height - 1)))
        self.scroll_to(y=target, animate=False, immediate=True, force=True)
        self._moving = False
        self._whole = False
        self.set_class(not self.follows, "-back")
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._scrolled()

    def _scrolled(self) -> None:
        """The person scrolled: to the end, or to what is to stay in sight."""
        if self.scroll_offset.y >= self.max_scroll_y:
            self._held = None
            self._below.clear()
        else:
            self._held = self._stack.at(self.scroll_offset.y)
            if self._unwrapped:
                self.call_later(self._settle)
        self.set_class(not self.follows, "-back")

    def to_end(self) -> None:
        """Back to now."""
        self._held = None
        self._below.clear()
        self._settle()

    def to_start(self) -> None:
        self.scroll_to(y=0, animate=False, immediate=True, force=True)

    def page(self, pages: int) -> None:
        """Up where `pages` is negative. A line stays in sight."""
        lines = max(1, self.size.height - 1)
        self.scroll_to(y=self.scroll_offset.y + pages * lines, animate=False, immediate=True, force=True)

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002
        self._shape(self._look.layout)
        self._settle()

    # ---- drawing

    @property
    def _pad(self) -> int:
        """Lines above the first turn while there is room for all."""
        return max(0, self.size.height - self._stack.height)

    def _refresh_row(self, entry: Entry, row: int) -> None:
        y = self._stack.top(entry) + row - self.scroll_offset.y + self._pad
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def base(self) -> Style:
        """What all of it is drawn on."""
        inks = self._look.inks
        return inks("fg") + Style(bgcolor=inks.surface.bg) if inks.surface.bg else inks("fg")

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        found = self._stack.at(self.scroll_offset.y + y - self._pad)
        if found is None:
            return Strip.blank(width, self.base())
        entry, row = found
        if self._drawn > MOST_DRAWN:
            for other in self._stack:
                other.forget()
            self._drawn = 0
        before = entry.drawn
        strip = entry.strip(row, self._look)
        self._drawn += entry.drawn - before
        begin, end = entry.line_at(row)
        if (selection := self.text_selection) is not None:
            strip = mark(strip, selection, entry.label + row, self._look, end - begin)
        strip = strip.adjust_cell_length(width).apply_style(self.base())
        return strip.apply_offsets(-self._look.layout.text_column, entry.label + row)

    # ---- selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text in it, without what stands beside; lines that were only broken are joined."""
        return selected(self._stack, selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        self.refresh()

    def turns(self) -> Iterator[str]:
        """The items of the turns as they are shown, from the top."""
        return (entry.item for entry in self._stack if entry.is_turn and entry.height)
