"""The shell around a session: orders carried out by an ear, a voice and a language model, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from housed import housed
from test_server_sockets import dial, in_loop, until

from voicecli.ports import RATE
from voicecli.server import door
from voicecli.server.engine_desk import Busy, EngineFailed, EngineState
from voicecli.server.limits import Limits
from voicecli.server.orders import Call, Drop, Grew, Over, Prompt, Recognise, Recognised, Said, Say, Think, Thought
from voicecli.server.serve import Bounds, House
from voicecli.server.workshop import Workshop
from voicecli.speech.weights import Part

TONE = b"\x10\x00" * RATE


class Speech:
    """Engines by hand: what is asked for waits until the test lets it go."""

    def __init__(self, there: EngineState = EngineState.READY) -> None:
        self.there = there
        self.go = asyncio.Event()
        self.began = asyncio.Event()
        self.over = asyncio.Event()
        self.asked: list[Any] = []
        self.cancelled: list[Any] = []
        self.forgotten: list[str] = []
        self.wrong: Exception | None = None

    def state(self, part: Part) -> EngineState:
        return self.there

    async def recognise(self, session: str, pcm: bytes) -> str:
        await self._wait((session, len(pcm)))
        return "hello there"

    async def say(self, session: str, sentence: str) -> bytes:
        await self._wait((session, sentence))
        return TONE

    def forget(self, session: str) -> None:
        self.forgotten.append(session)
        self.over.set()

    async def _wait(self, what: Any) -> None:
        self.asked.append(what)
        self.began.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(what)
            raise
        if self.wrong is not None:
            raise self.wrong


class Mind:
    """A language model by hand: it says what the test puts into it."""

    def __init__(self) -> None:
        self.words: asyncio.Queue[Grew | Call | Over] = asyncio.Queue()
        self.prompts: list[Prompt] = []
        self.closed = asyncio.Event()

    async def think(self, prompt: Prompt) -> AsyncGenerator[Grew | Call | Over, None]:
        self.prompts.append(prompt)
        try:
            while True:
                word = await self.words.get()
                yield word
                if isinstance(word, Over):
                    return
        finally:
            self.closed.set()


async def results(workshop: Workshop, count: int) -> list[Any]:
    out: list[Any] = []
    while len(out) < count:
        await workshop.wake.wait()
        workshop.wake.clear()
        while workshop.results:
            out.append(workshop.results.popleft())
    return out


def test_orders_are_carried_out_beside_each_other_and_come_back_as_results() -> None:
    async def work() -> None:
        speech, mind = Speech(), Mind()
        shop = Workshop("1", speech, mind)
        shop.take([Recognise("item", TONE), Say("resp", 0, "One."), Think("resp", Prompt())])
        speech.go.set()
        mind.words.put_nowait(Grew("Two"))
        mind.words.put_nowait(Over())
        back = await results(shop, 4)
        assert Recognised("item", "hello there") in back
        assert Said("resp", 0, TONE) in back
        assert [one for one in back if isinstance(one, Thought)] == [
            Thought("resp", Grew("Two")),
            Thought("resp", Over()),
        ]
        await shop.close()
        assert speech.forgotten == ["1"]

    in_loop(work)


@pytest.mark.parametrize(
    ("wrong", "there", "why"),
    [
        (Busy(), EngineState.READY, "busy"),
        (EngineFailed("died"), EngineState.READY, "failed"),
        (EngineFailed("gone"), EngineState.BROKEN, ""),
    ],
)
def test_an_engine_that_cannot_is_a_result_and_no_exception(wrong: Exception, there: EngineState, why: str) -> None:
    async def work() -> None:
        speech = Speech(there)
        speech.wrong = wrong
        speech.go.set()
        shop = Workshop("1", speech)
        shop.take([Recognise("item", b"")])
        assert await results(shop, 1) == [Recognised("item", None, why)]
        if isinstance(wrong, EngineFailed):
            shop.take([Say("resp", 0, "One.")])
            assert await results(shop, 1) == [Said("resp", 0, None)]
        await shop.close()

    in_loop(work)


def test_what_is_dropped_is_ended_and_comes_back_never() -> None:
    async def work() -> None:
        speech, mind = Speech(), Mind()
        shop = Workshop("1", speech, mind)
        shop.take([Say("a", 0, "One."), Say("b", 0, "Two."), Think("a", Prompt())])
        await asyncio.sleep(0)
        shop.take([Drop("a")])
        await mind.closed.wait()
        speech.go.set()
        assert await results(shop, 1) == [Said("b", 0, TONE)]
        assert speech.cancelled == [("1", "One.")]
        await shop.close()

    in_loop(work)


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (EngineState.ABSENT, False),
        (EngineState.LOADING, True),
        (EngineState.READY, True),
        (EngineState.BROKEN, False),
    ],
)
def test_a_session_counts_on_engines_that_are_there_or_are_being_loaded(there: EngineState, wanted: bool) -> None:
    outside = Workshop("1", Speech(there)).outside
    assert (outside.ear, outside.voice, outside.mind) == (wanted, wanted, False)
    assert not any(Workshop("1").outside)


# ---- over a socket ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(speech: Speech | None = None, mind: Mind | None = None) -> AsyncIterator[str]:
    told: list[str] = []
    house = House(door.Door(), Bounds(), Limits(), told.append, speech=speech, mind=mind)
    async with housed(house) as url:
        yield url
    assert not [line for line in told if "bug" in line]


async def ask(talk: Any, text: str = "hello") -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await talk.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await talk.send(json.dumps({"type": "response.create"}))


def test_words_leave_as_they_are_thought_and_sound_as_it_is_said() -> None:
    async def work() -> None:
        speech, mind = Speech(), Mind()
        speech.go.set()
        async with served(speech, mind) as url, dial(url) as talk:
            await ask(talk)
            mind.words.put_nowait(Grew("Hello there. And"))
            await until(talk, "response.output_audio.delta")
            mind.words.put_nowait(Grew(" bye."))
            mind.words.put_nowait(Over())
            done = (await until(talk, "response.done"))[-1]
            assert done["response"]["output"][0]["content"][0]["transcript"] == "Hello there. And bye."
        assert speech.forgotten == ["1"]

    in_loop(work)


def test_a_cancel_closes_the_stream_of_the_language_model_at_once() -> None:
    async def work() -> None:
        mind = Mind()
        async with served(mind=mind) as url, dial(url) as talk:
            await ask(talk)
            mind.words.put_nowait(Grew("Hello there. "))
            await until(talk, "response.output_audio.delta")
            await talk.send(json.dumps({"type": "response.cancel"}))
            await until(talk, "response.done")
            await mind.closed.wait()

    in_loop(work)


def test_a_client_is_heard_before_what_was_made_for_it() -> None:
    """So that a language model that writes fast cannot hold up who wants to stop it."""

    async def work() -> None:
        mind = Mind()
        async with served(mind=mind) as url, dial(url) as talk:
            update = {"type": "realtime", "output_modalities": ["text"]}
            await talk.send(json.dumps({"type": "session.update", "session": update}))
            await ask(talk)
            await until(talk, "response.created")
            for _ in range(5_000):
                mind.words.put_nowait(Grew("word "))
            await until(talk, "response.output_text.delta")
            await talk.send(json.dumps({"type": "response.cancel"}))
            frames = await until(talk, "response.done")
            assert frames[-1]["response"]["status"] == "cancelled"
            assert sum(frame["type"] == "response.output_text.delta" for frame in frames) < 4_000

    in_loop(work)


def test_a_client_that_goes_ends_what_was_being_made_for_it() -> None:
    async def work() -> None:
        speech, mind = Speech(), Mind()
        async with served(speech, mind) as url:
            async with dial(url) as talk:
                await ask(talk)
                mind.words.put_nowait(Grew("One. Two. "))
                await speech.began.wait()
            await mind.closed.wait()
            await speech.over.wait()
            assert sorted(speech.cancelled) == sorted(speech.asked)

    in_loop(work)


def test_recognition_of_one_session_holds_up_no_other() -> None:
    """G25"""

    async def work() -> None:
        speech = Speech()
        async with served(speech) as url, dial(url) as waiting, dial(url) as other:
            update = {"type": "realtime", "output_modalities": ["text"], "audio": {"input": {"turn_detection": None}}}
            for talk in (waiting, other):
                await talk.send(json.dumps({"type": "session.update", "session": update}))
            sound = base64.b64encode(TONE).decode()
            await waiting.send(json.dumps({"type": "input_audio_buffer.append", "audio": sound}))
            await waiting.send(json.dumps({"type": "input_audio_buffer.commit"}))
            await waiting.send(json.dumps({"type": "response.create"}))
            await until(waiting, "response.created")
            await ask(other)
            await until(other, "response.done")
            assert [session for session, _ in speech.asked] == ["1"]
            speech.go.set()
            done = (await until(waiting, "response.done"))[-1]
            assert "hello there" in done["response"]["output"][0]["content"][0]["text"]

    in_loop(work)
