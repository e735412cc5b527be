"""The last guard, alone: what a widget that forgot `printable()` would draw (G17)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.filter import LineFilter
from textual.widgets import Static

from tests.ui.screen.recording import Recording, text_of
from voicecli.printable import UNSAFE, painted, printable
from voicecli.ui.screen.guard import Guard

BLACK = Color(0, 0, 0)
NASTY = "AA \x1b]52;c;SGVsbG8=\x1b\\ BB \x1b[2J \x9b2J \u202e \u200b \U000e0041 \u3164 \U000e0100 \u2028 ZZ"


class Careless(App[None]):
    """Draws what it is given as it is."""

    written: list[str]
    guards: tuple[LineFilter, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(NASTY, markup=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self.guards]


async def drawn(*guards: LineFilter) -> str:
    app = Careless(driver_class=Recording)
    app.guards = guards
    async with app.run_test(headless=False, size=(120, 3)) as pilot:
        await pilot.pause()
    return text_of("".join(app.written)).replace("\x1b]22;default\x07", "")


def test_what_a_widget_forgets_to_make_safe_does_not_leave_the_program() -> None:
    assert UNSAFE.search(asyncio.run(drawn()).replace("\n", ""))
    guarded = asyncio.run(drawn(Guard()))
    assert not UNSAFE.search(guarded.replace("\r", "").replace("\n", ""))
    assert "AA" in guarded
    assert "ZZ" in guarded


@given(st.lists(st.tuples(st.text(), st.sampled_from([None, Style(bold=True)]))))
def test_each_line_holds_only_what_printable_lets_through_and_keeps_its_styles(
    line: list[tuple[str, Style | None]],
) -> None:
    out = Guard().apply([Segment(text, style) for text, style in line], BLACK)
    assert [segment.style for segment in out] == [style for _, style in line]
    for segment in out:
        assert not UNSAFE.search(segment.text)
        assert "\n" not in segment.text
        assert painted(segment.text) == segment.text


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_safe_already_is_left_alone(text: str) -> None:
    text = painted(printable(text).replace("\n", ""))
    (segment,) = Guard().apply([Segment(text)], BLACK)
    assert segment.text == text
