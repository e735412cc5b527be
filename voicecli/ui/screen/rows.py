"""What stands in the conversation, in order, each as high as it is: turns, and what was quietly told between them.

It follows the view, which decides order and what is forgotten; it knows no widget and no scrolling.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from voicecli.core.changes import (
    AnyChange,
    Delayed,
    HeardNow,
    Interrupted,
    Phase,
    PhaseNow,
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
from voicecli.ui.screen.stack import Stack
from voicecli.ui.screen.turn import Clean, hearing, interrupted_by, quiet, turn
from voicecli.ui.view import Row

AT_ONCE: Final = 40_000
"""Characters that are wrapped in one go while there is nothing else to do."""
_SPEAKS: Final[frozenset[Phase]] = frozenset({"you_are_speaking", "recording", "recording_full"})
_OPEN: Final = 8
"""Turns at the end that may still be open."""


class Drawn(NamedTuple):
    """What is not as it was drawn any more."""

    rows: list[tuple[Entry, int]]
    all: bool
    """Heights or order have changed."""


class Rows:
    def __init__(self, look: Look, clean: Clean = str) -> None:
        """`clean` takes secrets out of words that are not ours."""
        self.look = look
        self.stack: Stack[Entry] = Stack()
        self.opened: list[str] = []
        """Turns that have come; whoever looks at it empties it."""
        self._clean = clean
        self._facts = Facts()
        self._turns: dict[str, Entry] = {}  # in the order in which they were opened
        self._quiet: deque[Entry] = deque()
        self._last_quiet: Quiet | None = None
        self._by: dict[str, str] = {}  # turn -> what it was interrupted by
        self._hears: str | None = None  # the turn that is being heard
        self._heard_of: set[str] = set()  # that one and those before it
        self._changed: dict[str, None] = {}
        self._unwrapped: list[Entry] = []
        self._all = True
        self._phase: Phase = "connecting"
        self._hearing: Entry | None = None  # stands for the turn that is being spoken, until there is one

    # ---- what happens

    def note(self, change: AnyChange, facts: Facts) -> None:
        """Takes a change that `facts` has taken just before."""
        self._facts = facts
        match change:
            case TurnOpened(item=item, after=after):
                if (change.role, change.via) == ("you", "voice"):
                    self._heard_out()
                self._open(item, after)
            case PhaseNow(phase=phase):
                self._hear(phase)
            case TurnMoved(item=item, after=after):
                self._move(item, after)
            case TurnGrew(item=item) | TurnSet(item=item):
                self._open(item, None)
                self._changed[item] = None
            case TurnGone(item=item) | Delayed(item=item):
                self._changed[item] = None
            case Interrupted():
                items, by = interrupted_by(change)
                for item in items:
                    if item in self._turns:
                        self._by[item] = by
                        self._changed[item] = None
            case HeardNow(item=item):
                if self._hears not in (None, item):
                    self._changed[self._hears] = None
                self._changed[item] = None
                self._hears = item
                self._heard_of.add(item)
            case SoundNow(side="output"):
                self._changed |= dict.fromkeys(list(self._turns)[-_OPEN:])
            case Started() | Told():
                self._tell()

    def update(self) -> Drawn:
        """Brings what has changed up to date."""
        rows: list[tuple[Entry, int]] = []
        for item in self._changed:
            if (entry := self._turns.get(item)) is not None and (row := self._facts.view.row(item)) is not None:
                rows += self._say(entry, row)
                self.fit(entry)
        self._changed.clear()
        return Drawn(rows, self._all)

    def settled(self) -> None:
        """All is in its place; what changes from now on is news."""
        self._all = False

    def reshape(self, look: Look) -> bool:
        """How it is drawn from now on. True: it is wrapped anew, piece by piece; see `wrap_more`."""
        old, self.look, self._all = self.look, look, True
        if look.glyphs != old.glyphs:
            self._changed |= dict.fromkeys(self._turns)
            if self._hearing is not None:
                self._hearing.say(hearing(self._phase, look.glyphs), "")
        layout, before = look.layout, old.layout
        anew = (layout.text_width, layout.air, layout.gutter) != (before.text_width, before.air, before.gutter)
        above: Entry | None = None
        for entry in self.stack:
            entry.forget()
            if anew:
                entry.air = self._airy(entry, above)
                above = entry
        if anew:
            self.stack.measure(lambda entry: entry.guess(layout))
            self._unwrapped = list(self.stack)
        return anew

    # ---- heights

    def fit(self, entry: Entry) -> None:
        """Gives it the height it needs."""
        height = entry.measure(self.look.layout)
        if height != entry.height:
            self.stack.resize(entry, height)
            self._all = True

    @property
    def unwrapped(self) -> bool:
        """There are turns whose height is a guess."""
        return bool(self._unwrapped)

    def wrap_more(self) -> None:
        """Wraps a piece of them, from the end on."""
        room = AT_ONCE
        while self._unwrapped and room > 0:
            entry = self._unwrapped.pop()
            room -= 50 + len(entry.said.text)
            if self.stack.holds(entry):
                self.fit(entry)

    # ---- turn by turn

    def first_turn(self) -> Entry | None:
        return next((entry for entry in self.stack if entry.readable), None)

    def last_turn(self) -> Entry | None:
        return next((entry for entry in reversed(self.stack) if entry.readable), None)

    def turn_from(self, entry: Entry | None, turns: int) -> Entry | None:
        """So many turns further down, up where `turns` is negative; the last there is."""
        if entry is None or not self.stack.holds(entry):
            return self.last_turn()
        found, beside = entry, self.stack.below if turns > 0 else self.stack.above
        for _ in range(abs(turns)):
            one = beside(found)
            while one is not None and not one.readable:
                one = beside(one)
            found = one or found
        return found

    # ---- entries

    def _open(self, item: str, after: str | None) -> None:
        if item in self._turns or (row := self._facts.view.head(item)) is None:
            return
        entry = Entry(item, row.role)
        self._place(entry, self._turns.get(after) if after is not None else None, self.stack.last)
        self._turns[item] = entry
        self._changed[item] = None
        self.opened.append(item)
        self._bound()

    def _hear(self, phase: Phase) -> None:
        """Who speaks is seen to be heard, before the server has a turn of it; until then it stays while it thinks."""
        before, self._phase = self._phase, phase
        if phase in _SPEAKS and before not in _SPEAKS and self._hearing is None:
            self._hearing = Entry("", "you")
            self._hearing.say(hearing(phase, self.look.glyphs), "")
            self._place(self._hearing, None, self.stack.last)
        elif phase not in _SPEAKS and phase != "thinking":
            self._heard_out()
        elif self._hearing is not None and phase != before:
            self._hearing.say(hearing(phase, self.look.glyphs), "")
            self._settle(self._hearing)
            self._all = True

    def _heard_out(self) -> None:
        if self._hearing is not None:
            self._take(self._hearing)
            self._hearing = None

    def _move(self, item: str, after: str | None) -> None:
        """As the view does it: behind `after`; to the front where that is None, to the end where it is not known."""
        if item == after or (entry := self._turns.get(item)) is None:
            return
        self._take(entry)
        if after is None:
            self._place(entry, None, self._told_first())
        else:
            self._place(entry, self._turns.get(after), self.stack.last)

    def _tell(self) -> None:
        """A quiet information, if there is a new one."""
        quiets = self._facts.quiet
        if not quiets or quiets[-1] is self._last_quiet:
            return
        new = self._last_quiet = quiets[-1]
        entry = Entry("", "notice", new.told)
        entry.say(quiet(new.told, self._clean), "")
        self._quiet.append(entry)
        if new.after is None:
            self._place(entry, None, self._told_first())
        else:
            self._place(entry, self._turns.get(new.after), self.stack.last)
        if len(self._quiet) > MOST_QUIET:
            self._take(self._quiet.popleft())

    def _told_first(self) -> Entry | None:
        """The last of what was told before the first turn."""
        last: Entry | None = None
        for entry in self.stack:
            if entry.is_turn:
                break
            last = entry
        return last

    def _place(self, entry: Entry, after: Entry | None, otherwise: Entry | None) -> None:
        """Below `after` and what was told behind that; below `otherwise` where there is none."""
        while after is not None and (under := self.stack.below(after)) is not None and not under.is_turn:
            after = under
        self.stack.put(entry, after or otherwise)
        self._settle(entry)
        self._settle(self.stack.below(entry))
        self._all = True

    def _take(self, entry: Entry) -> None:
        under = self.stack.below(entry)
        self.stack.take(entry)
        self._settle(under)
        self._all = True

    def _bound(self) -> None:
        """Turns that the view has forgotten are forgotten."""
        while self._turns and (oldest := next(iter(self._turns))) not in self._facts.view:
            self._take(self._turns.pop(oldest))
            self._by.pop(oldest, None)
            self._heard_of.discard(oldest)

    def _settle(self, entry: Entry | None) -> None:
        """Its blank line, after what stands above it has changed."""
        if entry is not None:
            air = self._airy(entry, self.stack.above(entry))
            if air != entry.air:
                entry.air = air
                entry.forget()
            self.fit(entry)

    def _airy(self, entry: Entry, above: Entry | None) -> bool:
        """A blank line above it: of each turn where there is room, else of each of the person's."""
        close = above is None or not (entry.is_turn or above.is_turn)
        return not close and (self.look.layout.air or entry.word == "you")

    # ---- what they say

    def _say(self, entry: Entry, row: Row) -> list[tuple[Entry, int]]:
        entry.safe.take(row.text.raw)
        if entry.word != row.role:
            entry.word = row.role
            self._settle(entry)
        said = turn(row, entry.safe, self.look.glyphs, self._heard(row), self._by.get(row.item), self._clean)
        return [(entry, number) for number in entry.say(said, self._side(row))]

    def _heard(self, row: Row) -> int | None:
        """How many characters were heard; None: it is to be read."""
        view = self._facts.view
        if row.role != "assistant" or row.via != "voice" or row.over:
            return None
        if view.heard is not None and view.heard.item == row.item:
            return view.heard.characters
        if row.item in self._heard_of:
            return None  # another one is heard now, so this one was to its end
        output = view.sound.get("output")
        return 0 if output is not None and output.state == "opened" else None

    def _side(self, row: Row) -> str:
        """The time of day of the person's turns, the delay of the assistant's."""
        started = self._facts.view.started
        if row.role == "you" and started is not None:
            try:
                return f"{datetime.fromisoformat(started.at) + timedelta(seconds=row.started):%H:%M}"
            except (ValueError, OverflowError):
                return ""
        if row.role == "assistant" and row.delay is not None:
            total = row.delay.total
            return f"{total:.2f} s" if total < 10 else f"{total:.0f} s" if total < 1000 else ""
        return ""
