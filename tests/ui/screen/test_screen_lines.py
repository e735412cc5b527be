"""The widgets around the conversation: when they repaint, how high they are, and the mouse held on the state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rich.style import Style
from screen_facts import START, interrupt, levels, rich, talk
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from voicecli.core import notices
from voicecli.core.changes import PhaseNow
from voicecli.ui.screen.bars import KeysLine, Pressed, Released, StateLine, TopLine
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.glyphs import ASCII, UNICODE
from voicecli.ui.screen.layout import Layout
from voicecli.ui.screen.lines import Line, Piece, foreign, shortened
from voicecli.ui.screen.notice import NoticeBar
from voicecli.ui.screen.rail import Rail
from voicecli.ui.screen.tape import Tape
from voicecli.ui.screen.theme import ALL, DARK, LIGHT, PLAIN, Inks


class Counted(StateLine):
    """Counts the lines that are drawn."""

    drawn = 0

    def render_line(self, y: int) -> Strip:
        self.drawn += 1
        return super().render_line(y)


class Bars(App[None]):
    CSS = "Horizontal { height: 1fr; } #room { width: 1fr; }"

    def __init__(self, inks: Inks = DARK) -> None:
        super().__init__()
        self.inks = inks
        self.time = 7.0
        self.told: list[tuple[str, float]] = []

    def compose(self) -> ComposeResult:
        how = (self.inks, UNICODE)
        yield TopLine(*how)
        with Horizontal():
            yield Widget(id="room")
            yield Rail(*how)
        yield NoticeBar(*how)
        yield Counted(*how, lambda: self.time)
        yield Tape(*how)
        yield KeysLine(*how)

    def on_mount(self) -> None:
        for inks in ALL:
            self.register_theme(inks.theme())
        self.theme = self.inks.name

    def on_pressed(self, pressed: Pressed) -> None:
        self.told.append(("pressed", pressed.at))

    def on_released(self, released: Released) -> None:
        self.told.append(("released", released.at))

    def show(self, facts: Facts, at: float) -> None:
        layout = Layout.of(*self.size)
        for widget in (TopLine, Rail, NoticeBar, Counted, Tape):
            self.query_one(widget).show(facts, layout, at)
        self.query_one(KeysLine).show([("esc", "stop")], layout)


def run(
    play: Callable[[Bars, Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24), inks: Inks = DARK
) -> None:
    async def whole() -> None:
        app = Bars(inks)
        async with app.run_test(size=size) as pilot:
            await play(app, pilot)

    asyncio.run(whole())


def test_what_is_shown_is_what_is_drawn_and_only_what_differs_is_drawn_again() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        facts = talk("listening")
        app.show(facts, START)
        await pilot.pause()
        state = app.query_one(Counted)
        assert state.lines[0].split()[:2] == ["○", "listening"]
        drawn = state.drawn
        assert drawn
        for n in range(50):
            app.show(facts, START + n / 30)
            await pilot.pause()
        assert state.drawn == drawn
        facts.apply(PhaseNow("thinking"), START + 2)
        app.show(facts, START + 2)
        await pilot.pause()
        assert state.drawn == drawn + 1

    run(play)


def test_in_silence_nothing_of_the_tape_is_drawn() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        facts = talk("listening")
        at = levels(facts, START, 1, input_db=-10)
        at = levels(facts, at, 3)
        app.show(facts, at)
        await pilot.pause()
        before = app.query_one(Tape).lines
        assert "▆▆▆▆" in before[0]
        levels(facts, at, 30)
        app.show(facts, at + 30)
        assert app.query_one(Tape).lines == before

    run(play)


def test_each_is_as_high_as_its_lines_and_gone_without_any() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        facts = talk("listening")
        app.show(facts, START)
        await pilot.pause()
        heights = [app.query_one(widget).outer_size.height for widget in (TopLine, Counted, Tape, KeysLine)]
        assert heights == [1, 1, 2, 1]
        assert not app.query_one(NoticeBar).display
        state_at = app.query_one(Counted).region.y
        facts.apply(notices.told("no_permission"), START)
        app.show(facts, START)
        await pilot.pause()
        notice = app.query_one(NoticeBar)
        assert notice.display
        assert notice.region.bottom == app.query_one(Counted).region.y == state_at  # it pushes upwards
        facts.close_notice()
        app.show(facts, START)
        await pilot.pause()
        assert not notice.display

    run(play)


def test_the_rail_fills_the_height_it_is_given_at_once() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        app.show(rich(talk()), START)
        await pilot.pause()
        rail = app.query_one(Rail)
        assert rail.region.right == 120
        assert len(rail.lines) == rail.size.height > 20
        assert "limits" in rail.lines[1]

    run(play, size=(120, 40))


def test_there_is_no_rail_on_a_narrow_screen() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        app.show(rich(talk()), START)
        await pilot.pause()
        assert not app.query_one(Rail).display

    run(play)


def test_the_mouse_held_on_the_state_line_is_the_talk_key_wherever_it_is_let_go() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        app.show(talk("press_to_talk", mode="ptt"), START)
        await pilot.pause()
        await pilot.mouse_down(Counted, offset=(20, 0))
        app.time = 8.5
        await pilot.mouse_up(Rail if app.query_one(Rail).display else None, offset=(3, 3))
        await pilot.pause()
        assert app.told == [("pressed", 7.0), ("released", 8.5)]

    run(play)


def test_the_other_buttons_of_the_mouse_do_not_talk() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        app.show(talk("press_to_talk", mode="ptt"), START)
        await pilot.pause()
        await pilot.mouse_down(Counted, offset=(20, 0), button=3)
        await pilot.pause()
        assert app.told == []

    run(play)


def test_a_held_mouse_is_let_go_once_when_nobody_can_say_any_more() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        app.show(talk("press_to_talk", mode="ptt"), START)
        await pilot.pause()
        await pilot.mouse_down(Counted, offset=(20, 0))
        app.query_one(Counted).let_go()
        app.query_one(Counted).let_go()
        await pilot.mouse_up(Counted, offset=(20, 0))
        await pilot.pause()
        assert [word for word, _ in app.told] == ["pressed", "released"]

    run(play)


def test_every_cell_has_the_colours_of_its_surface() -> None:
    for inks in (DARK, LIGHT, PLAIN):

        async def play(app: Bars, pilot: Pilot[None], inks: Inks = inks) -> None:
            facts = rich(talk("listening"))
            interrupt(facts, START)
            app.show(facts, START)
            await pilot.pause()
            for widget, surface in ((TopLine, inks.surface.bg), (Counted, inks.surface.panel)):
                strip = app.query_one(widget).render_line(0)
                assert strip.cell_length == 80
                for segment in strip:
                    style = segment.style or Style()
                    assert (style.bgcolor.name if style.bgcolor else "") == surface
                    assert (style.color is not None) is inks.coloured

        run(play, inks=inks)


def test_with_other_inks_everything_is_drawn_again() -> None:
    async def play(app: Bars, pilot: Pilot[None]) -> None:
        facts = talk("listening")
        app.show(facts, START)
        app.query_one(Counted).restyle(LIGHT, ASCII)
        app.show(facts, START)
        assert app.query_one(Counted).lines[0].split()[0] == "o"

    run(play)


def test_a_line_is_cut_at_its_width_and_nothing_is_drawn_over() -> None:
    assert Line(10).put(2, Piece("abc")).until(10, Piece("xyz")).strip().text == "  abc  xyz"
    assert Line(6).put(2, Piece("abc")).until(6, Piece("xyz")).strip().text == "  abcx"
    assert Line(4).put(0, Piece("名前名")).strip().text == "名前"
    assert Line(5).put(0, Piece("名前名")).strip().cell_length == 5
    assert Line(0).put(0, Piece("a")).strip().cell_length == 0


def test_what_is_cut_is_marked() -> None:
    assert shortened("abcdef", 6, UNICODE) == "abcdef"
    assert shortened("abcdefg", 6, UNICODE) == "abcde…"
    assert shortened("abcdefg", 6, ASCII) == "abc..."
    assert shortened("abcdefg", 2, ASCII) == ".."
    assert shortened("abc", 0, UNICODE) == ""
    assert foreign("a\x1b[1m\nb", 20, UNICODE) == "a␛[1m b"
