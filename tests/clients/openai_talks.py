"""Talks of the openai package with a Realtime server, run by the Python of an environment that has it: JSON lines out.

It imports nothing of ours. Every frame is read twice: by the client as its users read it, and strictly into the typed
model that the client chose for it, so that a field that is missing or of another kind is found. Usage:
`python openai_talks.py BASE_URL beta|ga CLIP.wav`, the key in OPENAI_API_KEY; a line of JSON for each talk.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import sys
import time
import traceback
import wave
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

TALK_S = 20.0
BLOCK = 4_800
"""100 ms of sound."""

BETA = sys.argv[2] == "beta"
TYPES = "openai.types.beta.realtime" if BETA else "openai.types.realtime"
EVENTS = importlib.import_module(f"{TYPES}.realtime_server_event")
ITEM = "conversation.item.created" if BETA else "conversation.item.added"
AUDIO = "response.audio" if BETA else "response.output_audio"
TEXT = "response.text" if BETA else "response.output_text"
MOST_TOKENS = "max_response_output_tokens" if BETA else "max_output_tokens"
NO_TURNS: Any = None
TURNS = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 300}
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Says the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}

SLIPS = (("previous_item_id", None), ("status", "in_progress"), ("type", "audio"))
"""Fields and values that the older package's types have not, though hosted servers sent them, and later ones have: no
item before the first, what is not yet whole, sound in an answer."""


def clip() -> bytes:
    with wave.open(sys.argv[3]) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        return file.readframes(file.getnframes())


def session(**said: Any) -> dict[str, Any]:
    """An update in the spelling of the package; names are the older one's."""
    if BETA:
        return {"model": "gpt-4o-realtime-preview", **said}
    heard, spoken = {}, {}
    wire: dict[str, Any] = {"type": "realtime"}
    for name, value in said.items():
        if name == "turn_detection":
            heard["turn_detection"] = value
        elif name == "input_audio_transcription":
            heard["transcription"] = value
        elif name == "voice":
            spoken["voice"] = value
        elif name == "modalities":
            wire["output_modalities"] = ["audio"] if "audio" in value else ["text"]
        else:
            wire[name] = value
    return {**wire, "audio": {"input": heard, "output": spoken}}


def wrong(event: Any, frame: dict[str, Any]) -> list[str]:
    """What a strict reading of this frame into the model that the client chose does not like."""
    from pydantic import ValidationError

    model = type(event)
    named = getattr(model.model_fields.get("type"), "annotation", None)
    if frame["type"] not in getattr(named, "__args__", ()):
        return [f"{frame['type']} was read as {model.__name__}"]
    try:
        model.model_validate(frame, strict=True)
    except ValidationError as failure:
        return [
            f"{frame['type']}: {'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in failure.errors()
            if not BETA or (each["loc"][-1], each["input"]) not in SLIPS
        ]
    return []


class Talk:
    """One connection of the asynchronous client; keeps what came."""

    def __init__(self, connection: Any) -> None:
        self.do = connection
        self.seen: list[Any] = []
        self.wrong: list[str] = []

    async def next(self) -> Any:
        data = await self.do.recv_bytes()
        event = self.do.parse_event(data)
        self.wrong += wrong(event, json.loads(data))
        self.seen.append(event)
        return event

    async def until(self, kind: str) -> Any:
        while (event := await self.next()).type != kind:
            pass
        return event

    async def done(self) -> Any:
        return (await self.until("response.done")).response

    async def update(self, **said: Any) -> Any:
        await self.do.session.update(session=session(**said))
        return (await self.until("session.updated")).session

    async def write(self, text: str) -> Any:
        content = [{"type": "input_text", "text": text}]
        await self.do.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        return (await self.until(ITEM)).item

    async def speak(self, pcm: bytes) -> None:
        for n in range(0, len(pcm), BLOCK):
            await self.do.input_audio_buffer.append(audio=base64.b64encode(pcm[n : n + BLOCK]).decode())

    def every(self, kind: str) -> list[Any]:
        return [event for event in self.seen if event.type == kind]

    def one(self, kind: str) -> Any:
        (event,) = self.every(kind)
        return event

    def kinds(self) -> list[str]:
        return list(dict.fromkeys(event.type for event in self.seen))

    def sound(self) -> bytes:
        return b"".join(base64.b64decode(event.delta) for event in self.every(f"{AUDIO}.delta"))


# ---- the talks -------------------------------------------------------------------------------------------------------


async def text_turn(talk: Talk) -> None:
    await talk.update(modalities=["text"], turn_detection=NO_TURNS, instructions="Be brief.")
    item = await talk.write("hello over there")
    assert (item.type, item.role, item.status) == ("message", "user", "completed"), item
    await talk.do.response.create()
    response = await talk.done()
    assert response.status == "completed", response
    text = talk.one(f"{TEXT}.done").text
    assert text == "".join(event.delta for event in talk.every(f"{TEXT}.delta"))
    assert response.output[0].content[0].text == text
    assert "hello over there" in text
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert response.usage.input_token_details.cached_tokens == 0
    await talk.write("and again")
    await talk.do.response.create()
    again = await talk.done()
    assert again.usage.input_tokens > response.usage.input_tokens
    assert again.usage.input_token_details.cached_tokens == response.usage.input_tokens
    assert len(talk.every("rate_limits.updated")) >= 2


async def spoken_turn(talk: Talk) -> None:
    await talk.update(turn_detection=TURNS, input_audio_transcription={"model": "whisper-1"})
    await talk.speak(bytes(2 * 12_000) + clip() + bytes(2 * 24_000))
    response = await talk.done()
    assert response.status == "completed", response
    started, stopped = talk.one("input_audio_buffer.speech_started"), talk.one("input_audio_buffer.speech_stopped")
    assert 0 <= started.audio_start_ms < stopped.audio_end_ms
    committed = talk.one("input_audio_buffer.committed")
    assert started.item_id == stopped.item_id == committed.item_id == talk.every(ITEM)[0].item.id
    heard = talk.one("conversation.item.input_audio_transcription.completed")
    assert heard.item_id == committed.item_id
    assert heard.transcript
    assert len(talk.sound()) > 24_000
    assert response.output[0].content[0].transcript == talk.one(f"{AUDIO}_transcript.done").transcript


async def turn_by_hand(talk: Talk) -> None:
    await talk.update(turn_detection=NO_TURNS, modalities=["text"])
    await talk.do.input_audio_buffer.append(audio=base64.b64encode(clip()).decode())
    await talk.do.input_audio_buffer.clear()
    await talk.until("input_audio_buffer.cleared")
    await talk.speak(clip())
    await talk.do.input_audio_buffer.commit()
    committed = await talk.until("input_audio_buffer.committed")
    assert (await talk.until(ITEM)).item.id == committed.item_id
    await talk.do.response.create()
    assert (await talk.done()).status == "completed"
    assert not talk.every("input_audio_buffer.speech_started")


async def cancelled(talk: Talk) -> None:
    await talk.update(turn_detection=NO_TURNS)
    await talk.write("a long answer, please")
    await talk.do.response.create()
    await talk.until(f"{AUDIO}.delta")
    await talk.do.response.cancel()
    response = await talk.done()
    assert (response.status, response.status_details.reason) == ("cancelled", "client_cancelled")
    assert response.output[0].status == "incomplete"
    assert response.usage.output_tokens > 0
    for kind in (f"{AUDIO}.done", "response.content_part.done", "response.output_item.done"):
        assert kind in talk.kinds(), kind


async def truncated_and_deleted(talk: Talk) -> None:
    await talk.update(turn_detection=NO_TURNS)
    asked = await talk.write("say something")
    await talk.do.response.create()
    await talk.until(f"{AUDIO}.delta")
    await talk.do.response.cancel()
    item = (await talk.done()).output[0]
    await talk.do.conversation.item.truncate(item_id=item.id, content_index=0, audio_end_ms=50)
    cut = await talk.until("conversation.item.truncated")
    assert (cut.item_id, cut.content_index, cut.audio_end_ms) == (item.id, 0, 50)
    if not BETA:
        await talk.do.conversation.item.retrieve(item_id=item.id)
        assert (await talk.until("conversation.item.retrieved")).item.id == item.id
    for gone in (item.id, asked.id):
        await talk.do.conversation.item.delete(item_id=gone)
        assert (await talk.until("conversation.item.deleted")).item_id == gone


async def called(talk: Talk) -> None:
    await talk.update(turn_detection=NO_TURNS, modalities=["text"], tools=[WEATHER])
    await talk.write("Call the weather tool.")
    await talk.do.response.create(response={"tool_choice": "required"})
    response = await talk.done()
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert (call.name, call.status) == ("weather", "completed"), call
    done = talk.one("response.function_call_arguments.done")
    assert (done.call_id, done.arguments, done.name) == (call.call_id, call.arguments, "weather")
    assert isinstance(json.loads(call.arguments)["city"], str)
    output = {"type": "function_call_output", "call_id": call.call_id, "output": '{"sky": "clear"}'}
    await talk.do.conversation.item.create(item=output)
    assert (await talk.until(ITEM)).item.type == "function_call_output"
    await talk.do.response.create()
    assert (await talk.done()).output[0].type == "message"


async def refused(talk: Talk) -> None:
    await talk.do.response.cancel(event_id="mine")
    error = (await talk.until("error")).error
    assert (error.type, error.code, error.event_id) == ("invalid_request_error", "response_cancel_not_active", "mine")
    await talk.do.conversation.item.delete(item_id="nobody")
    assert "does not exist" in (await talk.until("error")).error.message
    await talk.do.session.update(session=session(**{MOST_TOKENS: 0}), event_id="bad")
    assert (await talk.until("error")).error.event_id == "bad"
    assert await talk.update(instructions="still here")


async def aside(talk: Talk) -> None:
    await talk.update(turn_detection=NO_TURNS)
    content = [{"type": "input_text", "text": "classify this"}]
    own = {"modalities": ["text"]} if BETA else {"output_modalities": ["text"]}
    await talk.do.response.create(
        response={
            "conversation": "none",
            "metadata": {"topic": "x"},
            "input": [{"type": "message", "role": "user", "content": content}],
            **own,
        }
    )
    response = await talk.done()
    assert (response.status, response.metadata) == ("completed", {"topic": "x"})
    assert ITEM not in talk.kinds()


TALKS: dict[str, Callable[[Talk], Awaitable[None]]] = {
    "text turn": text_turn,
    "spoken turn": spoken_turn,
    "turn by hand": turn_by_hand,
    "cancel": cancelled,
    "truncate and delete": truncated_and_deleted,
    "tool call": called,
    "errors": refused,
    "out of band": aside,
}


async def held(name: str, client: Any) -> dict[str, Any]:
    """One talk from its connection to its close, and what was found."""
    began = time.monotonic()
    found: dict[str, Any] = {"talk": name, "wrong": [], "kinds": [], "failure": None}
    try:
        opener = client.beta.realtime if BETA else client.realtime
        async with asyncio.timeout(TALK_S), opener.connect(model="some-model") as connection:
            talk = Talk(connection)
            created = await talk.until("session.created")
            assert created.session.model == "some-model", created
            try:
                await TALKS[name](talk)
            finally:
                found |= {"wrong": talk.wrong, "kinds": talk.kinds(), "events": len(talk.seen)}
    except Exception:
        found["failure"] = traceback.format_exc()
    return {**found, "seconds": round(time.monotonic() - began, 2)}


async def all_held() -> list[dict[str, Any]]:
    """All at the same time, each on a connection of its own."""
    import openai

    async with openai.AsyncOpenAI(base_url=sys.argv[1], **where()) as client:
        talks: list[Coroutine[Any, Any, dict[str, Any]]] = [held(name, client) for name in TALKS]
        return list(await asyncio.gather(*talks))


def where() -> dict[str, Any]:
    """The older package makes every URL wss, but for this."""
    return {"websocket_base_url": sys.argv[1].replace("http", "ws", 1)} if BETA else {}


def held_in_turn() -> dict[str, Any]:
    """A short talk with the synchronous client, read as its users do."""
    import openai

    found: dict[str, Any] = {"talk": "synchronous", "wrong": [], "kinds": [], "failure": None}
    began = time.monotonic()
    try:
        client = openai.OpenAI(base_url=sys.argv[1], **where())
        opener = client.beta.realtime if BETA else client.realtime
        with opener.connect(model="some-model") as connection:
            connection.session.update(session=session(modalities=["text"]))
            content = [{"type": "input_text", "text": "hello"}]
            connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            connection.response.create()
            for event in connection:
                found["kinds"].append(event.type)
                assert event.type != "error", event
                if event.type == "response.done":
                    assert event.response.status == "completed"
                    break
    except Exception:
        found["failure"] = traceback.format_exc()
    return {**found, "kinds": list(dict.fromkeys(found["kinds"])), "seconds": round(time.monotonic() - began, 2)}


async def kept_out() -> dict[str, Any]:
    """With a key that is not the server's."""
    import openai
    from websockets.exceptions import InvalidStatus

    failure: str | None = "a wrong key was let in"
    client = openai.AsyncOpenAI(api_key="sk-of-nobody", base_url=sys.argv[1], **where())
    try:
        async with (client.beta.realtime if BETA else client.realtime).connect(model="some-model"):
            pass
    except InvalidStatus as refusal:
        failure = None if refusal.response.status_code == 401 else str(refusal)
    return {"talk": "a wrong key", "wrong": [], "kinds": [], "failure": failure}


def main() -> None:
    for found in [*asyncio.run(all_held()), held_in_turn(), asyncio.run(kept_out())]:
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
