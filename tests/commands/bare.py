"""A server that is nothing but what a test lets it say: no session of ours stands behind it, every frame is kept."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Literal

from tests.commands.servers import Frame, Peer, Script

Dialect = Literal["ga", "beta"]

GREETINGS: dict[str, Frame] = {
    "ga": {"type": "realtime", "output_modalities": ["audio"], "audio": {"input": {}, "output": {}}},
    "beta": {"modalities": ["text", "audio"], "input_audio_format": "pcm16", "turn_detection": None},
    "": {},
}
"""The sessions that are greeted with; "" says nothing of a dialect."""


def created(dialect: Dialect | Literal[""]) -> Frame:
    return {"type": "session.created", "session": {"id": "sess_1", "model": "m", **GREETINGS[dialect]}}


def refusal(frame: Frame, message: str, **more: Any) -> Frame:
    """The answer of a server that does not take `frame`."""
    error = {"type": "invalid_request_error", "message": message, "event_id": frame["event_id"], **more}
    return {"type": "error", "error": error}


def shape(update: Frame) -> Dialect | None:
    """In which dialect a `session.update` is; None: in a mixture."""
    session = update["session"]
    ga = session.get("type") == "realtime"
    only_ga = {"audio", "output_modalities", "max_output_tokens"} & session.keys()
    only_beta = {"modalities", "input_audio_format", "output_audio_format", "turn_detection", "voice"} & session.keys()
    if ga and not only_beta:
        return "ga"
    return "beta" if not ga and not only_ga else None


def answer(dialect: Dialect, response: str, words: Sequence[str], sound: Sequence[bytes] = ()) -> list[Frame]:
    """An answer up to the end of its sound: text, or words that are spoken with `sound`."""
    out = "output_" if dialect == "ga" else ""
    item = {"id": f"item_{response}", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    names = {"response_id": response, "item_id": item["id"], "output_index": 0, "content_index": 0}
    kind = f"response.{out}audio_transcript.delta" if sound else f"response.{out}text.delta"
    return [
        {"type": "response.created", "response": {"id": response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "response_id": response, "output_index": 0, "item": item},
        *({"type": kind, **names, "delta": word} for word in words),
        *(
            {"type": f"response.{out}audio.delta", **names, "delta": base64.b64encode(piece).decode()}
            for piece in sound
        ),
    ]


def done(response: str, status: str = "completed", **details: Any) -> list[Frame]:
    """The end of an answer."""
    item = {"id": f"item_{response}", "type": "message", "role": "assistant", "status": "completed"}
    whole = {"id": response, "status": status, "status_details": details or None, "output": [item]}
    return [
        {"type": "response.output_item.done", "response_id": response, "output_index": 0, "item": item},
        {"type": "response.done", "response": whole},
    ]


async def chat(peer: Peer, dialect: Dialect) -> None:
    """Answers what is typed, as `dialect` spells it, and never ends by itself."""
    texts: list[str] = []
    while True:
        await peer.receive()
        frame = peer.frames[-1]
        if frame["type"] == "conversation.item.create":
            texts.append(frame["item"]["content"][0]["text"])
            kind = "conversation.item.added" if dialect == "ga" else "conversation.item.created"
            await peer.send({"type": kind, "previous_item_id": None, "item": frame["item"]})
        elif frame["type"] == "response.create":
            name = f"r{len(texts)}"
            await peer.send(*answer(dialect, name, ["You said ", f"{texts[-1]}."]), *done(name))


def speaks(dialect: Dialect, greets: Dialect | Literal["", "same"] = "same") -> Script:
    """Greets, takes the settings in `dialect` only, and chats. A frame in the other one is answered as servers do."""

    async def script(peer: Peer) -> None:
        await peer.send(created(dialect if greets == "same" else greets))
        await peer.receive()
        update = peer.frames[-1]
        if shape(update) != dialect:
            what = "Unknown" if dialect == "beta" else "Missing required"
            await peer.send(refusal(update, f"{what} parameter: 'session.type'."))
        else:
            await peer.send({"type": "session.updated", "session": update["session"]})
        await chat(peer, dialect)

    return script


def closes(code: int, reason: str, *first: Frame) -> Script:
    """Says `first`, and closes."""

    async def script(peer: Peer) -> None:
        await peer.send(*first)
        await peer.close(code, reason)

    return script
