"""The ear and the voice of all sessions, with engines that die, hang and talk nonsense: G25, and G29 from the loop."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from voicecli.printable import printable
from voicecli.server.engine_jobs import WINDOW
from voicecli.server.engines import (
    MOVES,
    Busy,
    EngineFailed,
    EngineNews,
    Engines,
    EngineState,
    Part,
    Patience,
)
from voicecli.server.rota import Rota
from voicecli.speech.weights import INSTALL, Lack

FAKE = Path(__file__).parent / "fake_engine.py"
SOON = Patience(ear_s=5.0, voice_s=5.0, load_s=5.0)


class Hall:
    """Engines of which only one part is there, and what they told."""

    def __init__(self, kind: str, part: Part, patience: Patience, environment: dict[str, str]) -> None:
        self.news: list[EngineNews] = []
        self.part = part
        self._moved = asyncio.Event()
        command = (sys.executable, "-P", str(FAKE), kind)
        self.engines = Engines(
            self._told,
            environment,
            commands=dict.fromkeys(Part, command),
            found=lambda each: None if each is part else Lack.NOT_INSTALLED,
            patience=patience,
        )

    def _told(self, news: EngineNews) -> None:
        assert news.words == printable(news.words)
        assert "\n" not in news.words
        self.news.append(news)
        self._moved.set()

    def told(self) -> list[EngineNews]:
        return [news for news in self.news if news.part is self.part]

    async def until(self, state: EngineState) -> EngineNews:
        """The news that brought it there."""
        while self.engines.state(self.part) is not state:
            self._moved.clear()
            await self._moved.wait()
        return self.told()[-1]


@asynccontextmanager
async def hall(
    kind: str = "works",
    part: Part = Part.VOICE,
    patience: Patience = SOON,
    environment: dict[str, str] | None = None,
) -> AsyncIterator[Hall]:
    it = Hall(kind, part, patience, dict(os.environ) if environment is None else environment)
    try:
        async with asyncio.timeout(20):
            yield it
    finally:
        await it.engines.stop()


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def asked(engines: Engines, *orders: tuple[str, str]) -> list[asyncio.Task[bytes]]:
    """Tasks that wait for the voice in this order."""
    tasks = [asyncio.create_task(engines.say(session, text)) for session, text in orders]
    await asyncio.sleep(0)
    return tasks


def test_what_is_asked_while_it_loads_is_answered_when_it_is_ready() -> None:
    async def story() -> None:
        async with hall() as it:
            assert it.engines.state(Part.VOICE) is EngineState.LOADING
            (task,) = await asked(it.engines, ("a", "hello"))
            await it.engines.start()
            assert await task == b"1:hello "
            assert [news.state for news in it.told()] == [EngineState.LOADING, EngineState.READY]

    run(story)


def test_sessions_take_turns_and_each_keeps_its_order_g25() -> None:
    async def story() -> None:
        async with hall() as it:
            orders = [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]
            tasks = await asked(it.engines, *orders)
            await it.engines.start()
            said = b"".join(sorted(await asyncio.gather(*tasks))).decode().split()
            assert said == ["1:a1", "2:b1", "3:c1", "4:a2", "5:b2", "6:a3"]

    run(story)


def test_ten_minutes_without_a_pause_let_others_be_heard_in_between_g25() -> None:
    async def story() -> None:
        async with hall(part=Part.EAR) as it:
            long = asyncio.create_task(it.engines.recognise("a", b"aa" * (300 * 24_000)))
            await asyncio.sleep(0)
            short = asyncio.create_task(it.engines.recognise("b", b"bb" * 24_000))
            await asyncio.sleep(0)
            await it.engines.start()
            assert await short == "2:b"
            assert not long.done()
            assert (await long).split() == ["1:a", *(f"{n}:a" for n in range(3, 15))]

    run(story)


def test_a_third_utterance_of_one_session_is_refused_and_another_session_is_not_g25() -> None:
    async def story() -> None:
        async with hall(part=Part.EAR) as it:
            tasks = [asyncio.create_task(it.engines.recognise("a", b"aa")) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await it.engines.recognise("a", b"aa")
            tasks.append(asyncio.create_task(it.engines.recognise("b", b"bb")))
            await asyncio.sleep(0)
            await it.engines.start()
            assert await asyncio.gather(*tasks) == ["1:a", "3:a", "2:b"]
            assert await it.engines.recognise("a", b"aa") == "4:a"

    run(story)


def test_a_session_has_no_more_than_ten_minutes_of_sound_waiting_g25() -> None:
    async def story() -> None:
        async with hall(part=Part.EAR) as it:
            tasks = [asyncio.create_task(it.engines.recognise("a", b"aa" * (599 * 24_000)))]
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await it.engines.recognise("a", b"bb" * (2 * 24_000))
            tasks.append(asyncio.create_task(it.engines.recognise("a", b"cc" * 24_000)))
            await asyncio.sleep(0)
            it.engines.forget("a")
            assert [type(end) for end in await asyncio.gather(*tasks, return_exceptions=True)] == [EngineFailed] * 2

    run(story)


def test_nothing_said_is_no_words_without_asking_anybody() -> None:
    async def story() -> None:
        async with hall(part=Part.EAR) as it:
            assert await it.engines.recognise("a", b"") == ""

    run(story)


def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    async def story() -> None:
        async with hall() as it:
            tasks = await asked(it.engines, ("a", "one"), ("a", "two"), ("a", "three"))
            tasks[1].cancel()
            await it.engines.start()
            assert await tasks[2] == b"2:three "

    run(story)


def test_a_forgotten_session_is_dropped_and_the_others_go_on() -> None:
    async def story() -> None:
        async with hall() as it:
            tasks = await asked(it.engines, ("a", "one"), ("b", "two"), ("a", "three"))
            it.engines.forget("a")
            it.engines.forget("nobody")
            await it.engines.start()
            assert await tasks[1] == b"1:two "
            for task in (tasks[0], tasks[2]):
                with pytest.raises(EngineFailed, match="the session has ended"):
                    await task

    run(story)


@pytest.mark.parametrize("order", ["die", "garbage", "half", "other number", "words"])
def test_an_engine_that_dies_or_talks_nonsense_is_replaced_and_only_its_job_fails(order: str) -> None:
    async def story() -> None:
        async with hall() as it:
            await it.engines.start()
            tasks = await asked(it.engines, ("a", order), ("b", "next"))
            with pytest.raises(EngineFailed):
                await tasks[0]
            assert await tasks[1] == b"1:next "
            states = [news.state for news in it.told()]
            assert states == [EngineState.LOADING, EngineState.READY, EngineState.LOADING, EngineState.READY]

    run(story)


def test_an_engine_that_hangs_is_killed_and_replaced() -> None:
    async def story() -> None:
        async with hall(patience=SOON._replace(voice_s=0.3)) as it:
            await it.engines.start()
            before = int(await it.engines.say("a", "id"))
            with pytest.raises(EngineFailed, match="did not answer"):
                await it.engines.say("a", "hang")
            assert int(await it.engines.say("a", "id")) != before
            with pytest.raises(ProcessLookupError):
                os.kill(before, 0)

    run(story)


def test_an_engine_killed_while_it_has_nothing_to_do_is_back_before_it_is_asked() -> None:
    async def story() -> None:
        async with hall() as it:
            await it.engines.start()
            os.kill(int(await it.engines.say("a", "id")), 9)
            news = await it.until(EngineState.LOADING)
            assert "started again" in news.words
            await it.until(EngineState.READY)
            assert await it.engines.say("a", "hello") == b"1:hello "

    run(story)


def test_after_three_restarts_within_a_minute_it_is_left_alone_and_everyone_is_told() -> None:
    async def story() -> None:
        async with hall() as it:
            await it.engines.start()
            tasks = await asked(it.engines, *[("a", "die")] * 5)
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(end) for end in ends] == [EngineFailed] * 5
            news = await it.until(EngineState.BROKEN)
            assert "ended with 9" in news.words
            assert [each.state for each in it.told()].count(EngineState.READY) == 4
            with pytest.raises(EngineFailed, match="stays off"):
                await it.engines.say("a", "hello")

    run(story)


def test_deaths_longer_ago_than_a_minute_are_forgiven() -> None:
    async def story() -> None:
        async with hall(patience=SOON._replace(restarts=0, within_s=0.0)) as it:
            await it.engines.start()
            for _ in range(2):
                with pytest.raises(EngineFailed):
                    await it.engines.say("a", "die")
            assert await it.engines.say("a", "hello") == b"1:hello "

    run(story)


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        ("wrong", EngineState.BROKEN, "pip install --force-reinstall --no-deps hibari-tts==0.2.1"),
        ("unusable", EngineState.BROKEN, "GLIBC_2.99"),
        ("absent", EngineState.ABSENT, INSTALL),
        ("dies", EngineState.BROKEN, "was not found"),
        ("noise", EngineState.BROKEN, "no answer"),
        ("early", EngineState.BROKEN, "before it was asked"),
        ("stuck", EngineState.BROKEN, "did not answer within"),
    ],
)
def test_an_engine_that_never_works_says_why_and_who_waits_is_told_g29(
    kind: str, state: EngineState, words: str
) -> None:
    async def story() -> None:
        patience = SOON._replace(load_s=0.2 if kind == "stuck" else 5.0, restarts=1)
        async with hall(kind, patience=patience) as it:
            (task,) = await asked(it.engines, ("a", "hello"))
            await it.engines.start()
            news = await it.until(state)
            assert words in news.words
            with pytest.raises(EngineFailed):
                await task

    run(story)


def test_a_program_that_cannot_be_started_is_told() -> None:
    async def story() -> None:
        news: list[EngineNews] = []
        commands = dict.fromkeys(Part, ("/there/is/no/such/program",))
        engines = Engines(news.append, {}, commands=commands, found=lambda _: None)
        await engines.start()
        for ask in (engines.say("a", "hello"), engines.recognise("a", b"aa")):
            with pytest.raises(EngineFailed, match="could not be started"):
                await ask
        assert {each.state for each in news} == {EngineState.LOADING, EngineState.BROKEN}
        await engines.stop()

    run(story)


def test_what_is_not_installed_is_told_with_the_line_that_installs_it_and_nothing_is_started() -> None:
    async def story() -> None:
        news: list[EngineNews] = []
        commands = dict.fromkeys(Part, ("/there/is/no/such/program",))
        engines = Engines(news.append, {}, commands=commands, found=lambda _: Lack.NOT_INSTALLED)
        await engines.start()
        with pytest.raises(EngineFailed, match="not installed"):
            await engines.say("a", "hello")
        assert [(each.state, INSTALL in each.words) for each in news] == [(EngineState.ABSENT, True)] * 2
        await engines.stop()

    run(story)


def test_one_that_fails_at_one_sentence_says_the_next() -> None:
    async def story() -> None:
        async with hall() as it:
            await it.engines.start()
            with pytest.raises(EngineFailed, match="IndexError") as failed:
                await it.engines.say("a", "fail")
            assert str(failed.value) == printable(str(failed.value))
            assert await it.engines.say("a", "hello") == b"2:hello "

    run(story)


def test_no_key_is_in_the_environment_of_an_engine_g29() -> None:
    async def story() -> None:
        keys = dict.fromkeys(("OPENAI_API_KEY", "VOICECLI_API_KEY", "VOICECLI_LLM_API_KEY", "MINE"), "sk-canary")
        async with hall(environment=dict(os.environ) | keys) as it:
            await it.engines.start()
            environment = await it.engines.say("a", "environment")
            assert b"PATH=" in environment
            assert b"canary" not in environment

    run(story)


def test_a_stop_ends_a_hanging_engine_within_a_second_and_who_waits_is_told() -> None:
    async def story() -> None:
        async with hall() as it:
            await it.engines.start()
            process = int(await it.engines.say("a", "id"))
            tasks = await asked(it.engines, ("a", "hang"), ("b", "later"))
            async with asyncio.timeout(1.2):
                await it.engines.stop()
            for task in tasks:
                with pytest.raises(EngineFailed):
                    await task
            with pytest.raises(ProcessLookupError):
                os.kill(process, 0)
            with pytest.raises(EngineFailed):
                await it.engines.say("a", "more")

    run(story)


def test_half_a_character_and_a_very_long_sentence_are_said() -> None:
    async def story() -> None:
        async with hall() as it:
            await it.engines.start()
            assert await it.engines.say("a", "\ud800") == b"1:? "
            said = await it.engines.say("a", "word " * 1_000)
            assert said.count(b"word") == 400
            assert said.count(b":") == 5
            assert await it.engines.say("a", "") == b"7: "

    run(story)


def test_a_state_moves_only_as_the_table_says() -> None:
    assert set(MOVES) == set(EngineState)
    assert not MOVES[EngineState.BROKEN]
    assert not MOVES[EngineState.ABSENT]
    assert WINDOW % 2 == 0


def test_a_rota_gives_every_session_its_turn_and_what_goes_on_comes_after_the_others() -> None:
    rota: Rota[int] = Rota()
    for session, job in (("a", 1), ("a", 2), ("b", 3), ("a", 4), ("c", 5)):
        rota.put(session, job)
    assert rota.waiting("a") == (1, 2, 4)
    assert rota.take() == ("a", 1)
    rota.back("a", 1)
    taken = list(itertools.takewhile(lambda turn: turn is not None, iter(rota.take, None)))
    assert taken == [("b", 3), ("c", 5), ("a", 1), ("a", 2), ("a", 4)]
    rota.put("b", 6)
    assert rota.drop("b") == (6,)
    assert rota.drop("b") == rota.drop_all() == ()
