"""The manners of the screen: Ctrl-C, Ctrl-Z, what comes from other threads, bugs, and what it does while nothing is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from tests.ui.screen.recording import Recording, text_of
from tests.ui.screen.scripted import Scripted
from voicecli.core.changes import (
    AnyChange,
    Foreign,
    LevelsNow,
    LinkNow,
    Phase,
    PhaseNow,
    SoundNow,
    Started,
    Told,
    TurnGrew,
    TurnOpened,
)
from voicecli.core.stimuli import Asked
from voicecli.ui.screen.app import Look, TalkApp

Script = Callable[[TalkApp, Scripted, Pilot[int]], Awaitable[None]]


class Suspending(Recording):
    """A terminal from which the program can be stopped; it keeps what happened in order."""

    @property
    def can_suspend(self) -> bool:
        return True

    def suspend_application_mode(self) -> None:
        self._app.log_of_stops.append("off")  # type: ignore[attr-defined]

    def resume_application_mode(self) -> None:
        self._app.log_of_stops.append("on")  # type: ignore[attr-defined]


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def a_talk(phase: Phase = "listening") -> list[AnyChange]:
    return [
        Started("2026-01-01T10:00:00+00:00", "1", "talk", "", "m", None, True, ""),
        LinkNow(state="open"),
        SoundNow(side="input", state="opened"),
        SoundNow(side="output", state="opened"),
        PhaseNow(phase),
    ]


def play(
    script: Script, changes: list[AnyChange], clock: Clock | None = None, *, ended_by_then: bool = False
) -> tuple[TalkApp, Scripted]:
    """`ended_by_then`: once it has stopped, a signal ends the talk."""
    talking = Scripted(changes)
    stops: list[str] = []
    app = TalkApp(
        talking,
        clock or Clock(),
        Look(),
        halt=lambda at_once: stops.append("halted" if at_once else "held"),
        ending=lambda: ended_by_then and "halted" in stops,
        driver_class=Suspending,
    )
    app.log_of_stops = stops  # type: ignore[attr-defined]

    async def run() -> None:
        async with app.run_test(headless=False, size=(80, 24)) as pilot:
            await drained(pilot)
            await script(app, talking, pilot)

    asyncio.run(run())
    return app, talking


async def drained(pilot: Pilot[int]) -> None:
    await pilot.pause(0.06)
    await pilot.pause()


# ---- Ctrl-C


def test_ctrl_c_stops_the_answer_then_clears_the_line_then_asks_and_then_ends() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press(*"half a")
        await pilot.press("ctrl+c")
        assert talking.stopped == 1
        assert app.face.composer.value == "half a"
        await pilot.press("ctrl+c")
        assert app.face.composer.value == ""
        assert talking.left == []
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert any("Ctrl-C again" in line for line in app.face.notice.lines)
        assert talking.left == []
        await pilot.press("ctrl+c")
        await drained(pilot)
        assert talking.left == [130]
        assert app.return_code == 130

    play(script, a_talk("assistant_speaking"))


@pytest.mark.parametrize("key", ["ctrl+c", "escape", "f2"])
def test_an_answer_that_waits_for_its_sound_is_stopped_as_one_that_is_heard(key: str) -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        assert "esc stop" in app.face.keys.lines[-1]
        await pilot.press(key)

    _, talking = play(script, a_talk("waiting_for_sound"))
    assert (talking.stopped, talking.left, talking.given) == (1, [], [])


def test_the_question_whether_to_quit_is_forgotten_after_two_seconds() -> None:
    clock = Clock()

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+c")
        clock.at += 2.1
        await drained(pilot)
        assert app.face.notice.lines == []
        await pilot.press("ctrl+c")
        assert talking.left == []

    play(script, a_talk(), clock)


# ---- Ctrl-Z


def test_g28_the_program_stops_only_when_the_microphone_is_closed_and_says_so_afterwards() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        stops: list[str] = app.log_of_stops  # type: ignore[attr-defined]
        await pilot.press("ctrl+z")
        await drained(pilot)
        assert Asked("mute") in talking.given
        assert talking.stopped == 1
        assert stops == []
        talking.put(SoundNow(side="input", state="closed"), PhaseNow("muted"))
        await drained(pilot)
        assert stops == ["off", "halted", "on"]
        await drained(pilot)
        assert any("turned off while voicecli was stopped" in line for line in app.face.conversation.lines)

    play(script, a_talk("assistant_speaking"))


def test_a_microphone_that_does_not_close_holds_up_ctrl_z_for_a_second_and_no_longer() -> None:
    clock = Clock()

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        stops: list[str] = app.log_of_stops  # type: ignore[attr-defined]
        await pilot.press("ctrl+z")
        clock.at += 0.9
        await drained(pilot)
        assert stops == []
        clock.at += 0.2
        await drained(pilot)
        assert stops == ["off", "halted", "on"]

    play(script, a_talk(), clock)


def test_what_is_recorded_when_the_program_is_stopped_is_thrown_away() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+z")
        assert talking.given[:2] == [Asked("interrupt"), Asked("mute")]

    play(script, a_talk("recording"))


def test_a_talk_that_was_ended_while_it_was_stopped_leaves_the_terminal_to_the_shell() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+z")
        talking.put(SoundNow(side="input", state="closed"))
        await drained(pilot)
        talking.leave(143)
        await drained(pilot)

    app, _ = play(script, a_talk(), ended_by_then=True)
    assert app.log_of_stops == ["off", "halted"]  # type: ignore[attr-defined]
    assert app.return_code == 143


def test_without_a_microphone_it_stops_at_once_and_has_nothing_to_say() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+z")
        await drained(pilot)
        assert app.log_of_stops == ["off", "halted", "on"]  # type: ignore[attr-defined]
        assert talking.given == []

    play(script, [*a_talk()[:2], PhaseNow("waiting_for_you_to_type")])


# ---- other threads


def test_a_terminal_that_is_gone_ends_the_talk_once_whoever_says_so() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        for _ in range(3):
            thread = threading.Thread(target=app.terminal_gone)
            thread.start()
            thread.join()
        await drained(pilot)
        assert talking.left == [129]

    play(script, a_talk())


def test_before_it_runs_and_after_it_has_ended_nobody_is_called() -> None:
    app, talking = play(_nothing, a_talk())
    app.from_outside(lambda: talking.leave(1))
    TalkApp(talking, Clock()).from_outside(lambda: talking.leave(2))
    assert talking.left == []


async def _nothing(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
    pass


# ---- bugs


class Broken(Exception):
    pass


def test_g9_a_bug_ends_the_screen_with_70_and_prints_nothing_of_it() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        def fail() -> None:
            secret = "sk-canary"
            raise Broken(secret)

        app.call_later(fail)
        await drained(pilot)
        assert isinstance(app.bug, Broken)
        assert app.return_code == 70

    with pytest.raises(Broken):
        play(script, a_talk())


def test_a_bug_in_what_another_thread_asked_for_is_one_of_the_screen() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        def fail() -> None:
            raise Broken

        app.from_outside(fail)
        await asyncio.sleep(0.1)  # there are no widgets any more to wait for
        assert isinstance(app.bug, Broken)
        assert app.return_code == 70

    app, _ = play(script, a_talk())
    assert "Broken" not in text_of("".join(app.written))  # type: ignore[attr-defined]


# ---- what is drawn


def test_in_silence_nothing_is_written_but_the_time() -> None:
    clock = Clock()

    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        written: list[str] = app.written  # type: ignore[attr-defined]
        await drained(pilot)
        written.clear()
        for n in range(20):
            clock.at += 0.01
            talking.put(LevelsNow(-90.0 - n % 3, -100.0, 0.0))
            await pilot.pause(0.04)
        assert "".join(written) == ""
        clock.at += 1.0
        await drained(pilot)
        assert 0 < len("".join(written)) < 400

    play(script, a_talk(), clock)


def test_what_has_grown_between_two_looks_is_all_there() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        talking.put(TurnOpened("i", None, "assistant", "text", 0.0))
        talking.put(*(TurnGrew("i", Foreign(f"{n} ")) for n in range(2000)))
        await drained(pilot)
        row = app.view.row("i")
        assert row is not None
        assert row.text.raw == "".join(f"{n} " for n in range(2000))
        assert any("1999" in line for line in app.face.conversation.lines)

    play(script, a_talk())


def test_a_screen_that_is_too_small_says_so_and_is_back_when_it_grows() -> None:
    async def script(app: TalkApp, talking: Scripted, pilot: Pilot[int]) -> None:
        written: list[str] = app.written  # type: ignore[attr-defined]
        talking.put(Told(severity="error", code="closed", title="Gone."))
        await drained(pilot)
        await pilot.resize_terminal(19, 4)
        await drained(pilot)
        assert "needs 20x5" in text_of("".join(written))
        assert not app.face.composer.is_on_screen
        written.clear()
        await pilot.resize_terminal(80, 24)
        await drained(pilot)
        assert "Gone." in text_of("".join(written))
        assert "needs" not in text_of("".join(written))
        await pilot.press(*"hi", "enter")
        assert talking.typed == ["hi"]

    play(script, a_talk())
