"""Frames to be sent to a client: a usual talk in either spelling, and what a broken or hostile server makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from voicecli.protocol import events as e
from voicecli.protocol.codec import encode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import (
    ContentPart,
    ErrorInfo,
    InputTokens,
    Item,
    OutputTokens,
    RateLimit,
    Response,
    SessionConfig,
    TurnDetection,
    Usage,
)

DELTA = random.Random(1).randbytes(4_800)
"""100 ms of sound."""


def answer(n: int, deltas: int = 40, size: int = len(DELTA)) -> Iterator[e.ServerEvent]:
    """One spoken turn of the person's and the answer to it, as servers send them."""
    user, item, response = f"item_{n:06}u", f"item_{n:06}a", f"resp_{n:06}"
    before = f"item_{n - 1:06}a" if n else None
    place: dict[str, Any] = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    yield e.SpeechStarted(item_id=user, audio_start_ms=n * 6000)
    yield e.SpeechStopped(item_id=user, audio_end_ms=n * 6000 + 1500)
    yield e.InputAudioBufferCommitted(item_id=user, previous_item_id=before)
    spoken = Item(id=user, type="message", role="user", content=(ContentPart(type="input_audio"),))
    yield e.ConversationItemCreated(item=spoken, previous_item_id=before)
    yield e.ResponseCreated(response=Response(id=response, status="in_progress"))
    yield e.OutputItemAdded(response_id=response, item=Item(id=item, type="message", role="assistant"))
    yield e.ConversationItemCreated(item=Item(id=item, type="message", role="assistant"), previous_item_id=user)
    yield e.ContentPartAdded(**place, part=ContentPart(type="audio"))
    for step in range(deltas):
        if step % 2 == 0:
            yield e.AudioTranscriptDelta(**place, delta=f" word{step}")
        if step == 3:
            yield e.TranscriptionCompleted(item_id=user, content_index=0, transcript="What is the time in Lisbon?")
        yield e.AudioDelta(**place, delta=DELTA[:size])
    text = "".join(f" word{step}" for step in range(0, deltas, 2))
    whole = Item(
        id=item,
        type="message",
        role="assistant",
        status="completed",
        content=(ContentPart(type="audio", transcript=text),),
    )
    yield e.AudioDone(**place)
    yield e.AudioTranscriptDone(**place, transcript=text)
    yield e.ContentPartDone(**place, part=whole.content[0])
    yield e.OutputItemDone(response_id=response, item=whole)
    usage = Usage(
        total_tokens=300,
        input_tokens=100,
        output_tokens=200,
        input_token_details=InputTokens(text_tokens=20, audio_tokens=80, cached_tokens=0),
        output_token_details=OutputTokens(text_tokens=40, audio_tokens=160),
    )
    yield e.ResponseDone(response=Response(id=response, status="completed", output=(whole,), usage=usage))
    yield e.RateLimitsUpdated(
        rate_limits=(RateLimit(name="tokens", limit=40_000, remaining=39_000, reset_seconds=1.5),)
    )


def talk(spelling: Spelling, answers: int = 20, **size: int) -> list[bytes]:
    """The frames of a talk, greeting included."""
    events: list[e.ServerEvent] = [
        e.SessionCreated(session=SessionConfig(id="sess_1", turn_detection=TurnDetection(type="server_vad"))),
        e.SessionUpdated(session=SessionConfig(id="sess_1", modalities=("text", "audio"))),
    ]
    for n in range(answers):
        events += answer(n, **size)
    events.append(e.ServerError(error=ErrorInfo(message="no", type="invalid_request_error", code="x")))
    frames = [encode_server(event, spelling) for event in events]
    return [frame.encode() for frame in frames if frame is not None]


JUNK: list[Any] = [
    *(None, True, -1, 0, 2**53, 2**70, 1e308, -0.5, [], {}, [[]], {"type": 1}, [None] * 50, {"": {"": {}}}),
    *("", "\u0000", "\u202e\u0007\x1b[31m", "x" * 3000, "item_000000a", "AAAA", "AAA", "pcm16", "resp_000000"),
]
NAMES = ["type", "item", "id", "delta", "response", "content_index", "output", "content", "session", "error", "status"]


class Storm:
    """Frames without end: mutated ones of a talk, JSON of wrong shapes, and bytes. The same seed gives the same."""

    def __init__(self, seed: int, spelling: Spelling = Spelling.GA) -> None:
        self._rng = random.Random(seed)
        self._talk = talk(spelling, 12, deltas=12, size=480)
        self._at = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        rng = self._rng
        frame = self._talk[self._at % len(self._talk)]
        self._at += rng.choice((1, 1, 1, 1, 0, 2, rng.randrange(len(self._talk))))
        match rng.randrange(10):
            case 0 | 1 | 2:
                return frame
            case 3 | 4 | 5:
                return self._reshaped(json.loads(frame))
            case 6:
                return self._bitten(frame)
            case 7:
                return json.dumps(self._tree(4)).encode()
            case 8:
                return frame.replace(b"00000", str(rng.randrange(10**5)).encode(), 2)
            case _:
                return rng.randbytes(rng.randrange(60))

    def _reshaped(self, frame: Any) -> bytes:
        rng = self._rng
        for _ in range(rng.randrange(1, 4)):
            at = frame
            while True:
                keys = list(at) if isinstance(at, dict) else list(range(len(at)))
                if not keys:
                    break
                key = rng.choice(keys)
                if isinstance(at[key], dict | list) and rng.random() < 0.7:
                    at = at[key]
                    continue
                if rng.random() < 0.2 and isinstance(at, dict) and len(keys) > 1:
                    del at[key]
                elif rng.random() < 0.2 and isinstance(at, dict):
                    at[rng.choice(NAMES)] = self._tree(2)
                else:
                    at[key] = deepcopy(rng.choice(JUNK))
                break
        return json.dumps(frame, ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass")

    def _bitten(self, frame: bytes) -> bytes:
        rng = self._rng
        data = bytearray(frame)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randrange(20)]
                case 2:
                    data[at:at] = rng.choice((b"{", b"[", b'"', b"\\", b",", b"\xff", b"\\ud800", b"1e999"))
                case _:
                    data[at:at] = data[max(0, at - 30) : at]
            if not data:
                break
        return bytes(data)

    def _tree(self, depth: int) -> Any:
        rng = self._rng
        if depth == 0 or rng.random() < 0.3:
            return deepcopy(rng.choice(JUNK))
        if rng.random() < 0.5:
            return [self._tree(depth - 1) for _ in range(rng.randrange(4))]
        return {rng.choice(NAMES): self._tree(depth - 1) for _ in range(rng.randrange(5))}


def hostile(rng: random.Random, n: int) -> Iterator[e.Decoded]:
    """Events such as a server that means harm, or is broken, might send: new names all the time, nothing ever whole."""
    for step in range(n):
        item, response = f"i{rng.randrange(step + 1)}", f"r{rng.randrange(step // 4 + 1)}"
        before = rng.choice([None, f"i{rng.randrange(2 * step + 1)}", f"never{step}"])
        match rng.randrange(16):
            case 0:
                yield e.ResponseCreated(response=Response(id=response, status="in_progress"))
            case 1:
                yield e.ConversationItemAdded(item=Item(id=item, type="message", role="user"), previous_item_id=before)
            case 2:
                yield e.OutputItemAdded(response_id=response, item=Item(id=item, type="message", role="assistant"))
            case 3:
                yield e.AudioDelta(item_id=item, response_id=response, content_index=step % 60_000, delta=b"\1\2\3")
            case 4 | 5:
                yield e.AudioTranscriptDelta(
                    item_id=item, response_id=response, content_index=step % 3, delta="x" * rng.randrange(400)
                )
            case 6:
                yield e.TextDelta(
                    item_id=item, response_id=response, content_index=step % 60_000, delta="y" * rng.randrange(40)
                )
            case 7:
                yield e.OutputItemDone(response_id=response, item=Item(id=item, type="message", status="completed"))
            case 8:
                yield e.ResponseDone(response=Response(id=response, status="completed"))
            case 9:
                yield e.InputAudioBufferCommitted(item_id=f"u{step}", previous_item_id=before)
            case 10:
                yield e.TranscriptionDelta(item_id=f"u{rng.randrange(step + 1)}", delta="z" * rng.randrange(200))
            case 11:
                call = Item(id=f"c{step}", type="function_call", call_id=f"call{step}", name="f", arguments="{}" * 9)
                yield e.OutputItemAdded(response_id=response, item=call)
            case 12:
                yield e.SpeechStarted(item_id=f"u{step}")
            case 13:
                yield e.ServerError(error=ErrorInfo(message=f"no {step}", type="x", code=f"c{step}"))
            case 14:
                yield rng.choice([e.Unknown(f"kind{step}", b"?" * 50), e.Malformed(f"kind{step}", "no", b"!" * 50)])
            case 15:
                yield e.ContentPartAdded(
                    item_id=item, response_id=response, content_index=step % 60_000, part=ContentPart(type="text")
                )
