"""The conversation under the hands of a person: scrolled, marked with the mouse, resized, while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest
from conversation_app import SPEAKER, Shown, answer, done, grew, opened, typed
from recording import Recording, text_of
from textual.pilot import Pilot
from textual.selection import SELECT_ALL

from voicecli.core.changes import AnyChange, Foreign, HeardNow, TurnMoved, TurnSet
from voicecli.ui.screen.glyphs import ASCII
from voicecli.ui.screen.theme import DARK, LIGHT, PLAIN, Inks

Script = Callable[[Shown, Pilot[None]], Awaitable[None]]


def play(
    script: Script, changes: Iterable[AnyChange] = (), size: tuple[int, int] = (80, 24), inks: Inks = DARK
) -> None:
    async def run() -> None:
        app = Shown(changes, inks)
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            await script(app, pilot)

    asyncio.run(run())


async def settled(pilot: Pilot[None]) -> None:
    for _ in range(3):
        await pilot.pause()


def talk(turns: int) -> list[AnyChange]:
    changes: list[AnyChange] = []
    for n in range(turns):
        changes += typed(f"y{n}", f"Question {n}?")
        changes += answer(f"a{n}", f"Answer {n}. " + "It takes some words. " * 5)
    return changes


def test_few_turns_stand_at_the_bottom() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        assert app.conversation.lines[-2:] == ["       you  Hello?", " assistant  Yes."]
        assert set(app.conversation.lines[:-2]) == {""}

    play(script, [*typed("y", "Hello?"), *answer("a", "Yes.")])


def test_a_move_of_the_needle_writes_its_line_and_no_other() -> None:
    async def run() -> None:
        app = Shown(
            [SPEAKER, *talk(10), opened("a"), grew("a", "One two. " * 20), HeardNow("a", 1, 4)], driver=Recording
        )
        async with app.run_test(headless=False, size=(80, 24)) as pilot:
            await settled(pilot)
            written: list[str] = app.written  # type: ignore[attr-defined]
            written.clear()
            app.feed([HeardNow("a", 2, 9)])
            await settled(pilot)
            shown = text_of("".join(written))
            assert "One two.▏One" in shown
            assert "Question" not in shown

    asyncio.run(run())


def test_the_end_stays_in_sight_as_text_streams() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.feed([opened("a")])
        for n in range(60):
            app.feed([grew("a", f"word{n} ")])
            await pilot.pause()
            assert app.conversation.lines[-1].endswith(f"word{n}")
        assert app.conversation.new_below is None
        assert app.below.lines == []

    play(script, talk(20))


def test_no_row_of_a_long_answer_is_lost() -> None:
    words = [f"w{n}" for n in range(20_000)]

    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.feed([opened("a")])
        for n in range(0, len(words), 500):
            app.feed([grew("a", " ".join(words[n : n + 500]) + " ")])
            await pilot.pause()
        app.conversation.to_start()
        seen: list[str] = []
        while app.conversation.new_below is not None:
            await pilot.pause()
            seen += app.conversation.lines[: app.conversation.size.height - 1]
            app.conversation.page(1)
        seen += app.conversation.lines
        shown = " ".join(line[12:].strip() for line in seen).split()
        assert list(dict.fromkeys(shown)) == words

    play(script)


def test_a_person_who_has_scrolled_back_is_left_alone() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.conversation.page(-2)
        await settled(pilot)
        before = app.conversation.lines
        assert app.below.lines[0].strip() == "more below · end"
        app.feed([*answer("b", "New. " * 50), *typed("z", "And this?"), opened("c"), grew("c", "Also this.")])
        app.feed([done("a3", "Another text " * 40), opened("late", "you", after="a2"), done("late", "Words.")])
        app.feed([TurnMoved("a1", None)])
        await settled(pilot)
        assert app.conversation.lines == before
        assert app.conversation.new_below == 4
        assert app.below.lines[0].strip() == "4 new below · end"
        app.conversation.to_end()
        await settled(pilot)
        assert app.conversation.lines[-1].endswith("Also this.")
        assert app.conversation.new_below is None
        assert app.below.lines == []
        app.feed([grew("c", " " + "More. " * 100 + "Last.")])
        await settled(pilot)
        assert app.conversation.lines[-1].endswith("Last.")

    play(script, talk(30))


def test_the_wheel_scrolls_back_and_down_again() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.conversation.action_scroll_up()
        await settled(pilot)
        assert app.conversation.new_below == 0
        await pilot.pause(0.3)
        for _ in range(5):
            app.conversation.scroll_down(animate=False)
        await settled(pilot)
        assert app.conversation.new_below is None

    play(script, talk(30))


def test_a_click_on_what_is_new_below_leads_there() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.conversation.to_start()
        await settled(pilot)
        assert app.conversation.lines[0] == "       you  Question 0?"
        await pilot.click(app.below)
        await settled(pilot)
        assert app.conversation.new_below is None

    play(script, talk(30))


def test_at_another_size_the_end_or_what_is_looked_at_stays_in_sight() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        for width, height in ((120, 40), (40, 12), (20, 5), (200, 60), (80, 24)):
            await pilot.resize_terminal(width, height)
            await settled(pilot)
            assert app.conversation.lines[-1].endswith("words.")
        app.conversation.page(-3)
        await settled(pilot)
        top = next(line for line in app.conversation.lines if "Question" in line).split("Question")[1]
        for width, height in ((120, 40), (66, 12), (80, 24)):
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.1)
            assert any(line.endswith(top) for line in app.conversation.lines)

    play(script, talk(300))


def test_every_line_is_as_wide_as_the_widget() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        for width in (20, 21, 36, 63, 64, 80, 117):
            await pilot.resize_terminal(width, 24)
            await settled(pilot)
            for y in range(app.conversation.size.height):
                assert app.conversation.render_line(y).cell_length == app.conversation.size.width

    play(script, [SPEAKER, *talk(3), opened("b"), grew("b", "漢字" * 40), HeardNow("b", 1, 33)])


def test_text_is_marked_with_the_mouse_without_what_stands_beside() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        lines = app.conversation.lines
        first, last = len(lines) - 3, len(lines) - 1
        await pilot.mouse_down(app.conversation, offset=(12 + 9, first))
        await pilot.hover(app.conversation, offset=(12 + 4, last))
        await pilot.mouse_up(app.conversation, offset=(12 + 4, last))
        await pilot.pause()
        marked = app.screen.get_selected_text()
        assert marked == "now?\nThen use mosh. It keeps its own session over UDP, so a new addre"
        assert "  " not in marked
        styles = [segment.style for segment in app.conversation.render_line(last) if segment.text == lines[last][12:17]]
        assert [style.bgcolor.name for style in styles if style and style.bgcolor] == [DARK.colour("line")]
        app.feed([*answer("b", "More. " * 40), done("y", "And longer words of mine instead, now?")])
        await settled(pilot)
        assert (app.screen.get_selected_text() or "").endswith(marked.partition("\n")[2])

    play(script, [*typed("y", "And what now?"), *answer("a", MOSH)])


def test_text_holds_still_while_it_is_marked_and_goes_on_afterwards() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        before = app.conversation.lines
        await pilot.mouse_down(app.conversation, offset=(14, 3))
        await pilot.hover(app.conversation, offset=(30, 4))
        app.feed(answer("b", "More. " * 100))
        await settled(pilot)
        assert app.conversation.lines == before
        assert app.below.lines == []
        await pilot.mouse_up(app.conversation, offset=(30, 4))
        await settled(pilot)
        assert app.conversation.lines == before[: len(app.conversation.lines)]
        assert app.conversation.new_below == 1
        app.screen.clear_selection()
        await settled(pilot)
        assert app.conversation.lines[-1].endswith("More.")
        assert app.conversation.new_below is None

    play(script, talk(30))


def test_another_look_is_drawn_at_once() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.conversation.restyle(LIGHT, ASCII)
        app.feed()
        await settled(pilot)
        line = app.conversation.render_line(app.conversation.size.height - 2)
        assert "// rest" in line.text
        (style,) = (segment.style for segment in line if "//" in segment.text)
        assert style is not None
        assert style.color is not None
        assert style.color.name == LIGHT.colour("warn")

    cut = TurnSet(
        item="a", status="interrupted", text=Foreign("One rest"), heard=Foreign("One "), unheard=Foreign("rest")
    )
    play(script, [opened("a"), cut])


def test_a_mark_that_begins_beside_the_text_takes_the_whole_line() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        y = len(app.conversation.lines) - 1
        await pilot.mouse_down(app.conversation, offset=(3, y))
        await pilot.hover(app.conversation, offset=(75, y))
        await pilot.mouse_up(app.conversation, offset=(75, y))
        await pilot.pause()
        assert app.screen.get_selected_text() == "One two."
        assert any(segment.style and segment.style.reverse for segment in app.conversation.render_line(y))

    play(script, answer("a", "One two."), inks=PLAIN)


@pytest.mark.parametrize("times", [2, 3])
def test_clicks_that_are_quick_do_not_mark_the_whole_talk(times: int) -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        await pilot.click(app.conversation, offset=(14, len(app.conversation.lines) - 1), times=times)
        await pilot.pause()
        assert not app.screen.get_selected_text()

    play(script, answer("a", "One two."), inks=PLAIN)


def test_lines_of_the_text_stay_lines_when_they_are_copied() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.screen.selections = {app.conversation: SELECT_ALL}
        assert app.screen.get_selected_text() == "Do:\n  one\n\n  two"

    play(script, answer("a", "Do:\n  one\n\n  two"))


def test_it_is_read_turn_by_turn() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        def marked() -> list[str]:
            lines = range(app.conversation.size.height)
            segments = [segment for y in lines for segment in app.conversation.render_line(y)]
            return [segment.text for segment in segments if segment.style and segment.style.reverse]

        assert marked() == []
        app.conversation.focus()
        await settled(pilot)
        assert marked() == ["assistant"]
        assert app.conversation.lines[-1].endswith("words.")
        await pilot.press("k")
        assert marked() == ["you"]
        await pilot.press("g")
        await settled(pilot)
        assert app.conversation.lines[0] == "       you  Question 0?"
        assert marked() == ["you"]
        await pilot.press("j", "j", "j")
        await settled(pilot)
        assert marked() == ["assistant"]
        await pilot.press("G")
        await settled(pilot)
        assert app.conversation.new_below is None
        await pilot.press("k", "k", "y", "Y", "escape")
        await settled(pilot)
        assert app.copied == ["a28", None]
        assert app.left == 1
        app.screen.set_focus(None)
        await settled(pilot)
        assert marked() == []

    play(script, talk(30))


def test_a_click_on_the_text_gives_its_letters_to_nobody_else() -> None:
    async def script(app: Shown, pilot: Pilot[None]) -> None:
        app.screen.set_focus(None)
        await pilot.click(app.conversation)
        assert not app.conversation.has_focus
        assert not app.conversation.reads("j")

    play(script, talk(2))


MOSH = "Then use mosh. It keeps its own session over UDP, so a new address does not end it."
