"""The single lines around the conversation: what talk it is, the state, the keys that work now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message
from textual.strip import Strip

from voicecli.core.changes import Started
from voicecli.ui.screen.facts import NEAR, Facts, Limit
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Lines, Piece, blank, foreign, width_of
from voicecli.ui.screen.states import State, minutes
from voicecli.ui.screen.theme import Inks

GAP = 3
"""Blanks between two things in one line."""
SPARKS = 6
"""Turns in the sparkline of the top line."""
MOST_KEYS = 5


class Key(NamedTuple):
    """A key as it is called ("esc", "^o", "F1"), and what it does now."""

    key: str
    word: str


# ---- the state


def state_line(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, at: float) -> list[Strip]:
    """Shape, word, detail; right of it whether the microphone is on, which is never left out."""
    state = facts.state_words(at)
    room = layout.edge - layout.text_column
    line = Line(layout.width)
    left, right = _state_pieces(state, layout, inks, glyphs, room)
    line.put(layout.text_column, *left).until(layout.edge, *right)
    return [blank(layout.width), line.strip()] if layout.air else [line.strip()]


def _state_pieces(
    state: State, layout: Layout, inks: Inks, glyphs: Glyphs, room: int
) -> tuple[list[Piece], list[Piece]]:
    """The longest of both that fit beside each other."""
    word, muted = inks(state.ink, bold=True), inks("muted")
    shape = Piece(f"{getattr(glyphs, state.shape)} ", word)
    said = state.detail.split(" · ") if state.detail else []
    details = [Piece("".join(f" {glyphs.dot} {part}" for part in said[:n]), inks("fg")) for n in (2, 1)]
    off = state.right_short != "mic on"
    rights = [
        [Piece(text.replace("·", glyphs.dot), inks("warn") if off and _off_unsaid(state) else muted)]
        for text in ((state.right, state.right_short) if layout.echo_words else (state.right_short,))
    ]
    lefts = [
        *([shape, Piece(state.word, word), detail] for detail in details),
        [shape, Piece(state.word, word)],
        [shape, Piece(state.short, word)],
    ]
    for left in lefts:
        for right in rights:
            gap = 2 if room >= 40 else 1
            if width_of(left) + gap + width_of(right) <= room:
                return left, right
    return lefts[-1], rights[-1]


def _off_unsaid(state: State) -> bool:
    """The microphone is off in a talk in which it could be on, and the state word does not say so itself."""
    return state.right_short == "mic off" and state.kind in ("listening", "thinking", "assistant_speaking")


class Pressed(Message):
    """The mouse is held on the state line, which is the talk key."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at


class Released(Message):
    """...and let go, wherever that is."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at


class StateLine(Lines):
    """The state; the mouse held on it is the talk key, a true hold in every terminal."""

    Pressed = Pressed
    Released = Released

    def __init__(self, inks: Inks, glyphs: Glyphs, clock: Callable[[], float], *, id: str | None = None) -> None:
        """`clock` is the app's: it says when the mouse was pressed and let go."""
        super().__init__(inks, glyphs, id=id)
        self._clock = clock
        self._held = False

    def show(self, facts: Facts, layout: Layout, at: float) -> None:
        self.show_lines((facts.state_words(at), layout), lambda: state_line(facts, layout, self.inks, self.glyphs, at))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and not self._held:
            event.stop()
            self._held = True
            self.capture_mouse()
            self.post_message(Pressed(self._clock()))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if event.button == 1 and self._held:
            event.stop()
            self.let_go()

    def on_mouse_release(self) -> None:
        """Something else has taken the mouse: nobody can say any more whether it is held."""
        self.let_go()

    def on_unmount(self) -> None:
        self.let_go()

    def let_go(self) -> None:
        """As if the mouse was let go; the app says so when the terminal loses its focus."""
        if self._held:
            self._held = False
            self.release_mouse()
            self.post_message(Released(self._clock()))


# ---- the top line


def top_line(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, at: float) -> list[Strip]:
    """Which model and voice; where there is no rail also delay and the tightest limit; how long it has been."""
    if not layout.top:
        return []
    line = Line(layout.width)
    start = 1 if layout.width >= 36 else 0
    if layout.width >= 116:
        start = layout.text_column
        line.until(start - 2, Piece("voicecli", inks("muted")))
    room = layout.edge - start
    time = [Piece(minutes(facts.elapsed_s(at)), inks("fg"))]
    names = _names(facts, layout, inks, glyphs, room - width_of(time) - GAP)
    for name in names:
        for middle in _middles(facts, layout, inks, glyphs, at):
            right = _joined([*middle, time])
            if width_of(name) + GAP + width_of(right) <= room:
                return [line.put(start, *name).until(layout.edge, *right).strip()]
    return [line.put(start, *names[-1]).until(layout.edge, *time).strip()]


def _names(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, room: int) -> list[list[Piece]]:
    """What the talk is with, the longest first."""
    started = facts.view.started
    muted = inks("muted")
    if started is None:
        return [[Piece("voicecli", inks("fg", bold=True))]]
    if started.mind_model:
        return _mind_names(started, inks, glyphs, room)
    if started.offline:
        short = [Piece("offline practice"[: max(0, room)], inks("warn", bold=True))]
        return [[*short, Piece(f" {glyphs.dot} not a language model", muted)], short]
    model = Piece(foreign(started.model, min(room, 40), glyphs), inks("fg", bold=True))
    names = [[model]]
    if started.voice and layout.model:
        names.insert(0, [model, Piece(f" {glyphs.dot} {foreign(started.voice, 20, glyphs)}", muted)])
    return names


def _mind_names(started: Started, inks: Inks, glyphs: Glyphs, room: int) -> list[list[Piece]]:
    """Model, host and whether anything leaves this machine; the longest first."""
    muted = inks("muted")
    model = Piece(foreign(started.mind_model, min(room, 40), glyphs), inks("fg", bold=True))
    host = Piece(f" {glyphs.dot} {foreign(started.mind_host, 40, glyphs)}", muted)
    if not started.mind_local:
        return [[model, host], [model]]
    return [[model, host, Piece(f" {glyphs.dot} nothing leaves this machine", muted)], [model, host], [model]]


def _middles(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, at: float) -> list[list[list[Piece]]]:
    """Delay and limit, the longest first; the last is nothing."""
    if layout.rail:
        return [[]]
    delays, limits = _delays(facts, layout, inks, glyphs), _limits(facts.tightest(at), layout, inks, glyphs, at)
    both = [[delay, limit] for limit in limits for delay in delays]
    return [[part for part in parts if part] for parts in (*both, *([limit] for limit in limits), [])]


def _delays(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs) -> list[list[Piece]]:
    if not facts.delays or not layout.delay:
        return [[]]
    said = Piece(f"{facts.delays[-1][1].total:.2f} s", inks("fg"))
    sparks = sparkline(facts, SPARKS, inks, glyphs)
    return [[said, Piece(" "), *sparks], [said]] if layout.sparkline else [[said]]


def _limits(limit: Limit | None, layout: Layout, inks: Inks, glyphs: Glyphs, at: float) -> list[list[Piece]]:
    if limit is None:
        return [[]]
    used, left = limit.used(at), limit.left_s(at)
    near = used >= NEAR
    ink = inks("warn", bold=not inks.coloured) if near else inks("muted")
    countdown = [Piece(f" {minutes(left)}", ink)] if left is not None and used else []
    number = [Piece(f"{limit.name} {used} %", ink)]
    bar = [Piece(f"{limit.name} ", ink), *bar_pieces(used, 5, inks, glyphs)]
    return [[*bar, *countdown], [*number, *countdown], number] if layout.bar else [number]


def _joined(groups: Sequence[Sequence[Piece]]) -> list[Piece]:
    joined: list[Piece] = []
    for group in groups:
        joined += [*([Piece(" " * GAP)] if joined else []), *group]
    return joined


def bar_pieces(used: int, cells: int, inks: Inks, glyphs: Glyphs) -> list[Piece]:
    """A bar that fills towards trouble; full only when it is, empty only when nothing is used."""
    full = max(min(cells, used * cells // 100), min(used, 1))
    ink = inks("warn") if used >= NEAR else inks("muted")
    return [Piece(glyphs.bar_used * full, ink), Piece(glyphs.bar_free * (cells - full), inks("faint"))]


def sparkline(facts: Facts, cells: int, inks: Inks, glyphs: Glyphs) -> list[Piece]:
    """The delays of the last turns, a bar each. Full height is 1 s, so that talks can be compared; slower is warm."""
    last = [delay.total for _, delay in list(facts.delays)[-cells:]]
    pieces = []
    for n, total in enumerate(last):
        height = min(len(glyphs.levels) - 1, int(max(0.0, total) * len(glyphs.levels)))
        newest = n == len(last) - 1
        ink = inks("warn") if total > 1 else inks("fg") if newest else inks("muted")
        pieces.append(Piece(glyphs.levels[height], ink))
    return pieces


class TopLine(Lines):
    SURFACE = "bg"

    def show(self, facts: Facts, layout: Layout, at: float) -> None:
        limit = facts.tightest(at)
        seen = (
            layout,
            facts.view.started,
            int(facts.elapsed_s(at)),
            facts.delays[-1] if facts.delays else None,
            limit,
            limit and limit.used(at),
        )
        self.show_lines(seen, lambda: top_line(facts, layout, self.inks, self.glyphs, at))


# ---- the keys


def keys_line(keys: Sequence[Key | tuple[str, str]], layout: Layout, inks: Inks, glyphs: Glyphs) -> list[Strip]:  # noqa: ARG001
    """As many of the first five as there is room for."""
    if not layout.keys:
        return []
    groups = [
        [Piece(key, inks("fg", bold=not inks.coloured)), Piece(f" {word}", inks("muted"))]
        for key, word in keys[:MOST_KEYS]
    ]
    start = layout.text_column
    margin = 1 if layout.width >= 36 else 0
    if start + width_of(_joined(groups)) > layout.edge:
        start = margin
    while groups and start + width_of(_joined(groups)) > layout.edge:
        groups.pop()
    line = Line(layout.width).put(start, *_joined(groups)).strip()
    return [blank(layout.width), line] if layout.air else [line]


class KeysLine(Lines):
    def show(self, keys: Sequence[Key | tuple[str, str]], layout: Layout) -> None:
        self.show_lines((tuple(keys), layout), lambda: keys_line(keys, layout, self.inks, self.glyphs))
