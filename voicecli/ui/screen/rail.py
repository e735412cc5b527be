"""The rail: limits, delay, tokens, sound and the talk, right of the conversation where there is room."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from textual.strip import Strip

from voicecli.core.changes import SoundNow
from voicecli.printable import one_line
from voicecli.ui.screen.bars import bar_pieces, sparkline
from voicecli.ui.screen.facts import NEAR, Facts
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Lines, Piece, foreign, width_of
from voicecli.ui.screen.states import minutes
from voicecli.ui.screen.theme import Inks

_LEFT: Final = 2
"""The line, a blank."""
_RIGHT: Final = 1
_NAME: Final = 8
_BAR: Final = 10
MODES: Final = {"talk": "hands-free", "ptt": "push-to-talk", "chat": "typed"}
DIALECTS: Final = {"ga": "GA", "beta": "beta"}


class Entry(NamedTuple):
    """One line: what stands left, and right."""

    left: Sequence[Piece]
    right: Sequence[Piece] = ()


def rail_lines(facts: Facts, layout: Layout, inks: Inks, glyphs: Glyphs, at: float, height: int) -> list[Strip]:
    """`height` lines. Where it is low its blank lines go first, then what stands lowest."""
    if not layout.rail:
        return []
    width = layout.rail_width - _LEFT - _RIGHT
    sections = [
        section
        for section in (
            _limits(facts, inks, glyphs, at),
            _delay(facts, width, inks, glyphs),
            _tokens(facts, inks),
            _sound(facts, width, inks, glyphs),
            _talk(facts, width, inks, glyphs),
        )
        if section
    ]
    airy = sum(map(len, sections)) + len(sections) <= height
    entries: list[Entry] = [Entry(())] if airy else []
    for section in sections:
        entries += [*([Entry(())] if airy and len(entries) > 1 else []), *section]
    entries += [Entry(())] * (height - len(entries))
    return [_strip(entry, layout, inks, glyphs) for entry in entries[:height]]


def _strip(entry: Entry, layout: Layout, inks: Inks, glyphs: Glyphs) -> Strip:
    line = Line(layout.rail_width).put(0, Piece(glyphs.rule, inks("line"))).put(_LEFT, *entry.left)
    return line.until(layout.rail_width - _RIGHT, *entry.right).strip()


def _head(word: str, inks: Inks, right: str = "") -> Entry:
    return Entry([Piece(word, inks("fg", bold=True))], [Piece(right, inks("fg"))])


def _pair(label: str, value: str, width: int, inks: Inks, glyphs: Glyphs) -> Entry:
    """`value` is foreign."""
    return Entry([Piece(label, inks("muted"))], [Piece(foreign(value, width - len(label) - 2, glyphs), inks("fg"))])


def _limits(facts: Facts, inks: Inks, glyphs: Glyphs, at: float) -> list[Entry]:
    entries = []
    for limit in facts.limits:
        used, left = limit.used(at), limit.left_s(at)
        ink = inks("warn", bold=not inks.coloured) if used >= NEAR else inks("fg")
        name = Piece(foreign(limit.name, _NAME, glyphs), inks("warn" if used >= NEAR else "muted"))
        blanks = Piece(" " * (_NAME + 1 - width_of([name])))
        countdown = minutes(left) if left is not None and used else ""
        entries.append(
            Entry(
                [name, blanks, *bar_pieces(used, _BAR, inks, glyphs)],
                [Piece(f"{used} %", ink), Piece(f"{countdown:>7}", ink)],
            )
        )
    return [_head("limits", inks), *entries] if entries else []


def _delay(facts: Facts, width: int, inks: Inks, glyphs: Glyphs) -> list[Entry]:
    if not facts.delays:
        return []
    last = facts.delays[-1][1]
    muted = inks("muted")
    parts = [("turn noticed", last.noticed), ("first sound sent", last.first_sent), ("first heard", last.first_heard)]
    if last.from_commit or last.noticed is None:
        parts[0] = ("from the turn's end on", None)
    return [
        _head("delay", inks, f"{last.total:.2f} s"),
        Entry(sparkline(facts, width, inks, glyphs)),
        *(
            Entry([Piece(word, muted)], [Piece(f"{part:.2f}" if part is not None else "", muted)])
            for word, part in parts
        ),
    ]


def _tokens(facts: Facts, inks: Inks) -> list[Entry]:
    if (usage := facts.view.usage) is None:
        return []
    total, muted = usage.total, inks("muted")
    rows = [("text", total.input_text, total.output_text), ("audio", total.input_audio, total.output_audio)]
    entries = [
        Entry(
            [Piece(f"{name:<8}", muted), Piece(f"{thousands(given):>9} in", muted)],
            [Piece(f"{thousands(made)} out", muted)],
        )
        for name, given, made in rows
        if given or made
    ]
    if total.cached:
        entries.append(Entry([Piece(f"{'cached':<8}", muted), Piece(f"{thousands(total.cached):>9} in", muted)]))
    return [_head("tokens", inks, thousands(total.total)), *entries]


def thousands(n: int) -> str:
    """In at most six characters: 950, 3.1k, 112k, 1.2M."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if n >= size:
            whole = n / size
            return f"{int(whole * 10) / 10:.1f}{unit}" if whole < 100 else f"{min(int(whole), 99999)}{unit}"
    return str(n)


def _sound(facts: Facts, width: int, inks: Inks, glyphs: Glyphs) -> list[Entry]:
    sound = facts.view.sound
    sides = [("microphone", sound.get("input")), ("speaker", sound.get("output"))]
    entries = [_pair(name, _device(side), width, inks, glyphs) for name, side in sides if side is not None]
    latency = [side.latency_ms for _, side in sides if side is not None and side.latency_ms]
    if latency:
        entries.append(_pair("latency", " + ".join(f"{ms} ms" for ms in latency), width, inks, glyphs))
    return [_head("sound", inks), *entries] if entries else []


def _device(side: SoundNow) -> str:
    name = one_line(side.name.raw)
    if name.lower().endswith(".wav"):
        name = re.split(r"[/\\]", name)[-1]
    match side.state:
        case "opened":
            return name or "on"
        case "closed":
            return "off"
        case "lost":
            return f"lost: {name}" if name else "none"


def _talk(facts: Facts, width: int, inks: Inks, glyphs: Glyphs) -> list[Entry]:
    started = facts.view.started
    if started is None:
        return []
    entries = [_head("talk", inks, MODES[started.mode])]
    if started.mind_model:
        entries.append(_pair("model", started.mind_model, width, inks, glyphs))
    elif not started.offline:
        entries.append(_pair("model", started.model or "the server's own", width, inks, glyphs))
    server = started.mind_host or host(started.url, started.offline)
    entries.append(_pair("server", server, width, inks, glyphs))
    if facts.dialect:
        entries.append(_pair("dialect", DIALECTS.get(facts.dialect, facts.dialect), width, inks, glyphs))
    said = f"{facts.turns}" + (f", {facts.interruptions} interrupted" if facts.interruptions else "")
    entries.append(_pair("turns", said, width, inks, glyphs))
    return entries


def host(url: str, offline: bool) -> str:
    """Whom the talk is with, without scheme and path; foreign."""
    if offline:
        return "on this machine"
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return url


class Rail(Lines):
    """It takes the height there is, which its line fills; it is not there where the layout has none."""

    SURFACE = "bg"
    DEFAULT_CSS = "Rail { height: 1fr; dock: right; }"

    _last: tuple[Facts, Layout, float] | None = None

    def show(self, facts: Facts, layout: Layout, at: float) -> None:
        self._last = (facts, layout, at)
        self.styles.display = "block" if layout.rail else "none"
        self.styles.width = layout.rail_width
        height = self.size.height
        seen = (
            layout,
            height,
            tuple((limit, limit.used(at), int(limit.left_s(at) or 0)) for limit in facts.limits),
            facts.delays[-1] if facts.delays else None,
            facts.view.usage,
            tuple(facts.view.sound.values()),
            facts.view.started,
            facts.dialect,
            facts.turns,
            facts.interruptions,
        )
        self.show_lines(seen, lambda: rail_lines(facts, layout, self.inks, self.glyphs, at, height))

    def resize(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        """It is as high as it is given: what it shows depends on that."""
        if self._last is not None:
            self.show(*self._last)
