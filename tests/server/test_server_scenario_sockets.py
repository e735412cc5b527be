"""Scenarios played over real sockets: the documented one with its delays, frames and end, and the exercises by file."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from housed import housed
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from voicecli.server.door import Door
from voicecli.server.limits import Limits
from voicecli.server.partner import HONEST
from voicecli.server.scenario_file import read
from voicecli.server.serve import Bounds, House

SCENARIOS = Path(__file__).parents[2] / "docs" / "scenarios"


@asynccontextmanager
async def talking(text: str) -> AsyncIterator[ClientConnection]:
    """A client of a server that plays this scenario, behind its greeting."""
    house = House(Door(), Bounds(), Limits(), [].append, scenario=read(text))
    async with housed(house) as url, asyncio.timeout(20), connect(url, proxy=None) as talk:
        await until(talk, "conversation.created")
        yield talk


async def until(talk: ClientConnection, kind: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] != kind:
        frames.append(json.loads(await talk.recv()))
    return frames


async def send(talk: ClientConnection, kind: str, **fields: Any) -> None:
    await talk.send(json.dumps({"type": kind, **fields}))


async def answered(talk: ClientConnection, text: str) -> dict[str, Any]:
    """Writes it and asks for a written answer; the response as it is done."""
    content = [{"type": "input_text", "text": text}]
    await send(talk, "conversation.item.create", item={"type": "message", "role": "user", "content": content})
    await send(talk, "response.create", response={"output_modalities": ["text"]})
    response: dict[str, Any] = (await until(talk, "response.done"))[-1]["response"]
    return response


def text_of(response: dict[str, Any]) -> str:
    return " ".join(part["text"] for item in response["output"] for part in item.get("content", []))


def test_the_documented_scenario_is_played_with_its_delays_its_frames_and_its_end() -> None:
    async def work() -> None:
        async with talking((SCENARIOS / "cafe.toml").read_text()) as talk:
            began = time.perf_counter()
            await send(talk, "session.update", session={"type": "realtime"})
            await until(talk, "session.updated")
            cold = await talk.recv()
            assert time.perf_counter() - began >= 0.25
            assert cold == read((SCENARIOS / "cafe.toml").read_text()).cues[0].act.text  # type: ignore[union-attr]

            began = time.perf_counter()
            await send(talk, "response.create", response={"output_modalities": ["text"]})
            frames = await until(talk, "response.done")
            assert time.perf_counter() - began >= 0.3
            assert "event_limits" in [frame["event_id"] for frame in frames]
            assert text_of(frames[-1]["response"]) == "Good morning. One moment, please. What would you like?"

            _, call = (await answered(talk, "soup"))["output"]
            assert (call["name"], call["arguments"]) == ("ask_kitchen", '{"dish":"soup","count":2}')
            assert (await answered(talk, "The BILL!"))["status_details"]["error"]["code"] == "server_error"
            with pytest.raises(ConnectionClosed):
                await until(talk, "never")
            assert (talk.close_code, talk.close_reason) == (1011, "The cafe has closed.")

    asyncio.run(work())


def test_exercises_by_file_end_as_they_should_and_the_last_breaks_the_connection() -> None:
    async def work() -> None:
        names = "fail", "repeat", "refused", "cut_short", "hang_up"
        async with talking("".join(f'[[answer]]\nexercise = "{name}"\n' for name in names)) as talk:
            told = [await answered(talk, "go on") for _ in names[1:]]
            assert [response["status"] for response in told] == ["failed", "completed", "incomplete", "incomplete"]
            assert text_of(told[0]) == HONEST
            assert text_of(told[1]) == "go on"
            with pytest.raises(ConnectionClosed):
                await answered(talk, "go on")
            assert talk.close_code == 1006

    asyncio.run(work())


def test_a_rate_limit_as_an_exercise_is_told_and_refuses_what_comes_next() -> None:
    async def work() -> None:
        async with talking('answer = [{exercise = "limited"}, {say = "on"}]') as talk:
            first, second = await answered(talk, "x"), await answered(talk, "y")
            for response in (first, second):
                assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
            assert "20 seconds" in first["status_details"]["error"]["message"]

    asyncio.run(work())


def test_a_frame_that_is_no_event_and_a_break_in_the_middle() -> None:
    async def work() -> None:
        cues = '[[cue]]\non = "connect"\nsend = "{ no json"\n[[cue]]\non = "session.update"\ndrop = true'
        async with talking(cues) as talk:
            assert await talk.recv() == "{ no json"
            await send(talk, "session.update", session={"type": "realtime"})
            with pytest.raises(ConnectionClosed):
                await until(talk, "never")
            assert talk.close_code == 1006

    asyncio.run(work())
