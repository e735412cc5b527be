"""Talks at a moment, for the tests of what is drawn around the conversation."""

from __future__ import annotations

from typing import Literal

from rich.style import Style
from textual.strip import Strip

from voicecli.core.changes import (
    Cut,
    Delayed,
    EchoNow,
    Foreign,
    Interrupted,
    LevelsNow,
    LimitNow,
    LimitsNow,
    LinkNow,
    Phase,
    PhaseNow,
    QueuedNow,
    SoundNow,
    Started,
    Tokens,
    TurnOpened,
    UsageNow,
)
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.layout import Layout

START = 1000.0
SIZES = [(80, 24), (120, 40), (200, 60), (60, 20), (40, 12), (20, 5)]
L80 = Layout.of(80, 24)


def started(
    mode: Literal["talk", "ptt", "chat"] = "talk", *, offline: bool = False, model: str = "gpt-realtime-2.1"
) -> Started:
    url = "wss://api.openai.com/v1/realtime?model=x"
    return Started("2026-01-01T10:00:00+00:00", "0.1", mode, url, model, "marin", offline, "config.env")


def talk(
    phase: Phase = "listening",
    detail: str = "",
    *,
    mode: Literal["talk", "ptt", "chat"] = "talk",
    offline: bool = False,
    microphone: Literal["opened", "closed", "lost"] | None = "opened",
    half_duplex: bool = False,
) -> Facts:
    """A talk that has been going on since START and has just come into `phase`."""
    facts = Facts()
    facts.apply(started(mode, offline=offline), START)
    facts.apply(LinkNow(state="open", dialect="ga"), START)
    if mode != "chat":
        if microphone is not None:
            facts.apply(SoundNow(side="input", state=microphone, name=Foreign("USB Audio"), latency_ms=12), START)
        facts.apply(SoundNow(side="output", state="opened", name=Foreign("Built-in"), latency_ms=40), START)
    if half_duplex:
        facts.apply(EchoNow("half-duplex"), START)
    facts.apply(PhaseNow(phase, detail), START)
    return facts


def rich(facts: Facts, at: float = START) -> Facts:
    """With delays, limits and tokens."""
    for n, sent in enumerate((0.2, 0.3, 1.5, 0.27)):
        facts.apply(TurnOpened(f"turn_{n}", None, "assistant", "voice", 1.0), at)
        facts.apply(Delayed(f"turn_{n}", 0.06, sent, 0.09), at)
    limits = (limit("requests", 1000, 940, 3.0), limit("tokens", 40_000, 23_600, 37.0))
    facts.apply(LimitsNow(limits), at)
    facts.apply(
        UsageNow(
            "turn_3",
            Tokens(),
            Tokens(input_text=3100, input_audio=11_200, cached=8000, output_text=420, output_audio=5120),
        ),
        at,
    )
    return facts


def limit(name: str, whole: float | None, left: float | None, reset_s: float | None) -> LimitNow:
    return LimitNow(Foreign(name), whole, left, reset_s)


def interrupt(facts: Facts, at: float) -> None:
    facts.apply(Interrupted("turn_3", "voice", (Cut("turn_3", 8412),), (), 8.0), at)


def levels(facts: Facts, at: float, seconds: float, input_db: float = -100.0, output_db: float = -100.0) -> float:
    """Ten a second; when they end."""
    for n in range(round(seconds * 10)):
        facts.apply(LevelsNow(input_db, output_db, 0.0), at + n / 10 + 0.01)
    return at + seconds


def queue(facts: Facts, at: float, *peaks: float) -> None:
    facts.apply(QueuedNow(len(peaks) / 4, peaks), at)


def texts(strips: list[Strip]) -> list[str]:
    """The lines, without the blanks at their ends."""
    return [strip.text.rstrip() for strip in strips]


def style_of(strips: list[Strip], text: str) -> Style:
    """Of the piece that holds `text`."""
    found = [segment.style for strip in strips for segment in strip if text in segment.text]
    assert found, (text, texts(strips))
    return found[0] or Style()
