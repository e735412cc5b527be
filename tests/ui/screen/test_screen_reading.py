"""The conversation in the whole app: read turn by turn, copied, scrolled by the keys of the line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conversation_app import STARTED, answer, typed
from scripted import Scripted
from textual.pilot import Pilot

from voicecli.core.changes import AnyChange, LinkNow, PhaseNow
from voicecli.ui.screen.app import Look, TalkApp

Script = Callable[[TalkApp, Scripted, Pilot[int]], Awaitable[None]]


def play(script: Script, turns: int = 30, size: tuple[int, int] = (80, 24)) -> None:
    changes: list[AnyChange] = [STARTED, LinkNow(state="open"), PhaseNow("listening")]
    for n in range(turns):
        changes += [*typed(f"y{n}", f"Question {n}?"), *answer(f"a{n}", f"Answer {n}.")]
    talking = Scripted(changes)
    app = TalkApp(talking, lambda: 100.0, Look())

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await drained(pilot)
            await script(app, talking, pilot)

    asyncio.run(run())


async def drained(pilot: Pilot[int]) -> None:
    for _ in range(3):
        await pilot.pause(0.05)


def test_tab_leads_into_the_conversation_and_a_letter_back_into_the_line() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("tab", "k", "k", "y")
        await drained(pilot)
        assert app.clipboard == "Answer 28."
        assert app.face.composer.value == ""
        await pilot.press("Y")
        await drained(pilot)
        assert app.clipboard.splitlines()[-2:] == ["you: Question 29?", "assistant: Answer 29."]
        await pilot.press(*"hi")
        await drained(pilot)
        assert app.face.composer.value == "hi"
        await pilot.press(*"jky")
        assert app.face.composer.value == "hijky"
        await pilot.press("ctrl+c", "tab", "escape", "x")
        await drained(pilot)
        assert app.face.composer.value == "x"

    play(script)


def test_page_up_scrolls_back_says_so_and_end_comes_back() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("pageup", "pageup")
        await drained(pilot)
        before = app.face.conversation.lines
        assert app.face.below.lines[0].strip() == "more below · end"
        talking.put(*answer("new", "Something new."))
        await drained(pilot)
        assert app.face.below.lines[0].strip() == "1 new below · end"
        assert app.face.conversation.lines == before
        await pilot.press("end")
        await drained(pilot)
        assert app.face.conversation.lines[-1].endswith("Something new.")
        assert app.face.below.lines == []

    play(script)


def test_who_says_something_is_back_at_the_end() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("pageup", *"hi", "enter")
        await drained(pilot)
        assert talking.typed == ["hi"]
        assert app.face.conversation.lines[-1].endswith("Answer 29.")

    play(script)


def test_a_mark_with_the_mouse_is_copied_by_ctrl_c() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        conversation = app.face.conversation
        y = conversation.size.height - 1
        await pilot.mouse_down(conversation, offset=(2, y - 1))
        await pilot.hover(conversation, offset=(17, y))
        await pilot.mouse_up(conversation, offset=(17, y))
        await pilot.press("ctrl+c")
        await drained(pilot)
        assert app.clipboard == "Question 29?\nAnswer"
        assert app.screen.get_selected_text() is None

    play(script)
