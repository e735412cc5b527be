"""A language model behind the server's own sockets: tools both ways, an end that is an end, and what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from chat_completions import ChatServer, Out, Request, says
from housed import housed
from websockets.asyncio.client import ClientConnection, connect

from voicecli.server.door import Door
from voicecli.server.limits import Limits
from voicecli.server.llm import Mind
from voicecli.server.serve import Bounds, House

BETA = {"OpenAI-Beta": "realtime=v1"}
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work()

    asyncio.run(bounded())


@asynccontextmanager
async def talking(model: ChatServer, **session: Any) -> AsyncIterator[ClientConnection]:
    """A connection to a server with that language model behind it; its session is configured."""
    mind = Mind(model.url, "m")
    house = House(Door(), Bounds(), Limits(), print, mind=mind)
    try:
        async with housed(house) as url, connect(url, proxy=None, additional_headers=BETA) as talk:
            await send(talk, type="session.update", session={"modalities": ["text"], **session})
            await until(talk, "session.updated")
            yield talk
    finally:
        await mind.close()


async def send(talk: ClientConnection, **event: Any) -> None:
    await talk.send(json.dumps(event))


async def say(talk: ClientConnection, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    await send(talk, type="conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await send(talk, type="response.create")


async def until(talk: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(await talk.recv())
        assert frame["type"] != "error", frame
        if frame["type"] == kind:
            return frame


def test_a_tool_call_goes_to_the_client_and_its_output_back() -> None:
    async def calls(_: Request, out: Out) -> None:
        await out.head()
        function = {"name": "weather", "arguments": '{"city": '}
        await out.word("", tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": function}])
        await out.word("", tool_calls=[{"index": 0, "function": {"arguments": '"Oslo"}'}}])
        await out.end("tool_calls")

    async def work() -> None:
        async with (
            ChatServer(calls, says("Rain.", usage={"prompt_tokens": 30, "completion_tokens": 2})) as model,
            talking(model, tools=[WEATHER], instructions="Be brief.") as talk,
        ):
            await say(talk, "How is the weather in Oslo?")
            (call,) = (await until(talk, "response.done"))["response"]["output"]
            assert (call["type"], call["name"], json.loads(call["arguments"])) == (
                *("function_call", "weather"),
                {"city": "Oslo"},
            )
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"rain": true}'}
            await send(talk, type="conversation.item.create", item=output)
            await send(talk, type="response.create")
            response = (await until(talk, "response.done"))["response"]
            assert response["output"][0]["content"][0]["text"] == "Rain."
            assert (response["usage"]["input_tokens"], response["usage"]["output_tokens"]) == (30, 2)
            first, second = (request.body for request in model.asked)
            assert first["tools"][0]["function"]["name"] == "weather"
            assert [each["role"] for each in second["messages"]] == ["system", "user", "assistant", "tool"]
            assert second["messages"][2]["tool_calls"][0]["id"] == second["messages"][3]["tool_call_id"] == "call_1"
            assert second["messages"][3]["content"] == '{"rain": true}'

    in_loop(work)


def test_an_answer_that_is_cancelled_is_not_written_on() -> None:
    async def work() -> None:
        gone = asyncio.Event()

        async def writes(_: Request, out: Out) -> None:
            await out.head()
            await out.word("One. ")
            await out.gone()
            gone.set()

        async with ChatServer(writes, says("Two.")) as model, talking(model) as talk:
            await say(talk, "Count.")
            await until(talk, "response.text.delta")
            await send(talk, type="response.cancel")
            assert (await until(talk, "response.done"))["response"]["status"] == "cancelled"
            await gone.wait()
            await say(talk, "Go on.")
            assert (await until(talk, "response.done"))["response"]["status"] == "completed"

    in_loop(work)


def test_a_client_that_hangs_up_stops_what_is_written_for_it() -> None:
    async def work() -> None:
        gone = asyncio.Event()

        async def writes(_: Request, out: Out) -> None:
            await out.head()
            await out.word("One. ")
            await out.gone()
            gone.set()

        async with ChatServer(writes) as model, talking(model) as talk:
            await say(talk, "Count.")
            await until(talk, "response.text.delta")
            await talk.close()
            await gone.wait()

    in_loop(work)


def test_a_failure_is_the_end_of_the_response_with_our_code() -> None:
    async def breaks(_: Request, out: Out) -> None:
        await out.head()
        await out.word("Half a")

    async def work() -> None:
        async with ChatServer(breaks, says("Whole.")) as model, talking(model) as talk:
            await say(talk, "Hello.")
            response = (await until(talk, "response.done"))["response"]
            assert response["status"] == "failed"
            assert response["status_details"]["error"]["code"] == "llm_cut"
            await say(talk, "Once more.")
            assert (await until(talk, "response.done"))["response"]["status"] == "completed"

    in_loop(work)
