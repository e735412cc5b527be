"""G10: what one frame may cost, with the frames that were measured (F14 to F17)."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc
from typing import Any

import pytest

from voicecli.protocol import events as e
from voicecli.protocol.bounds import COUNTED, DEEPEST, costly, deep
from voicecli.protocol.codec import decode_client, decode_server, encode_server, spelling_of
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import Malformed
from voicecli.protocol.items import Item, Response, SessionConfig, Usage

MIB = 1 << 20


def limits(n: int) -> bytes:
    return b'{"type":"rate_limits.updated","rate_limits":[' + b",".join([b"{}"] * n) + b"]}"


def sound(size: int) -> bytes:
    return b'{"type":"response.audio.delta","item_id":"i","delta":"' + base64.b64encode(bytes(size)) + b'"}'


COSTLY = {
    "F17: 16 MiB of {}": limits(16 * MIB // 3),
    "F17: 16 MiB of numbers": b'{"type":"session.updated","x":[' + b",".join([b"1"] * (8 * MIB)) + b"]}",
    "F17: skipped in an unknown field": b'{"type":"response.done","x":[' + b",".join([b"[]"] * (5 * MIB)) + b"]}",
    "F14: 10 MB of [": b"[" * 10_000_000,
    "F14: 10 MB of [ inside": b'{"type":"error","error":' + b"[" * 10_000_000,
    "F14: names": b'{"a":' * 2_000_000,
}


@pytest.mark.parametrize("name", COSTLY)
@pytest.mark.parametrize("as_text", [False, True])
def test_a_frame_that_would_cost_much_is_malformed_before_it_is_decoded(name: str, as_text: bool) -> None:
    raw: bytes | str = COSTLY[name].decode() if as_text else COSTLY[name]
    assert costly(raw)
    assert spelling_of(raw) is None
    tracemalloc.start()
    began = time.perf_counter()
    try:
        for decode in (decode_server, decode_client):
            assert isinstance(decode(raw), Malformed)
        taken_s, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * MIB
    assert taken_s < 2.0  # decoding one of them takes longer still, and 385 MB; a busy machine is no fault


def test_much_sound_and_long_texts_are_not_costly() -> None:
    delta = decode_server(sound(12 * MIB))
    assert isinstance(delta, e.AudioDelta)
    assert len(delta.delta) == 12 * MIB
    words = "a text, as people write it, has commas. " * 10_000
    assert len(words) > COUNTED
    done = decode_server(json.dumps({"type": "response.text.done", "text": words}))
    assert isinstance(done, e.TextDone)
    tools = [{"type": "function", "name": f"f{n}", "description": "d" * 400} for n in range(700)]
    frame = json.dumps({"type": "session.updated", "session": {"tools": tools}})
    assert len(frame) > COUNTED
    assert isinstance(decode_server(frame), e.SessionUpdated)


def test_a_list_has_at_most_4096_members() -> None:
    assert isinstance(decode_server(limits(4096)), e.RateLimitsUpdated)
    assert isinstance(decode_server(limits(4097)), Malformed)
    item = {"id": "i", "content": [{}] * 4097}
    assert isinstance(decode_server(json.dumps({"type": "conversation.item.created", "item": item})), Malformed)
    assert isinstance(decode_client(json.dumps({"type": "conversation.item.create", "item": item})), Malformed)
    done = {"type": "response.done", "response": {"output": [{}] * 4097}}
    assert decode_server(json.dumps(done)) == e.ResponseDone()  # an end is one, whatever it carries


YEARS_S = 10 * 365 * 86_400


@pytest.mark.parametrize(
    ("kind", "field", "fits", "not_so"),
    [
        ("response.text.delta", "content_index", (0, 65_535, 1.0), (-1, 65_536, 1e308)),
        ("response.text.delta", "output_index", (0, 65_535), (-1, 65_536)),
        ("input_audio_buffer.speech_started", "audio_start_ms", (0, YEARS_S * 1000), (-1, YEARS_S * 1000 + 1)),
        ("input_audio_buffer.speech_stopped", "audio_end_ms", (0.5, YEARS_S * 1000), (-0.5, 2**60)),
        ("conversation.item.truncated", "audio_end_ms", (0,), (-1, 1e300)),
    ],
)
def test_numbers_past_all_measure_make_a_frame_malformed(
    kind: str, field: str, fits: tuple[float, ...], not_so: tuple[float, ...]
) -> None:
    """F15: `x + 0.5` of a number with 400 digits raises, and no time is longer than ten years."""
    for value in fits:
        assert getattr(decode_server(json.dumps({"type": kind, field: value})), field) == value
    for value in (*not_so, 10**400):
        assert isinstance(decode_server(json.dumps({"type": kind, field: value})), Malformed)


@pytest.mark.parametrize("value", ["1e18", "9007199254740993", "NaN", "Infinity", "1e400", "9" * 400, "9" * 5000])
def test_numbers_that_break_arithmetic_are_nowhere(value: str) -> None:
    """F15."""
    reset = '{"type":"rate_limits.updated","rate_limits":[{"reset_seconds":' + value + "}]}"
    usage = '{"type":"response.done","response":{"usage":{"total_tokens":' + value + "}}}"
    assert isinstance(decode_server(reset), Malformed)
    done = decode_server(usage)
    if isinstance(done, e.ResponseDone):  # what does not fit is left out, the end is not
        assert done.response == Response(usage=Usage())
    greeting = decode_server('{"type":"session.created","session":{"voice":"ash","expires_at":' + value + "}}")
    if isinstance(greeting, e.SessionCreated):  # what does not fit is left out, the greeting is not
        assert greeting.session == SessionConfig(voice="ash")
    else:
        assert isinstance(greeting, Malformed)


def nested(n: int, where: dict[str, Any] | None = None) -> Any:
    value: Any = where or {}
    for _ in range(n):
        value = [value]
    return value


FREE = {
    "session.updated": lambda value: {"session": {"tool_choice": value}},
    "session.created": lambda value: {"session": {"tracing": value}},
    "response.done": lambda value: {"response": {"metadata": value}},
    "conversation.item.created": lambda value: {"item": {"id": "i", "tools": value}},
    "conversation.item.input_audio_transcription.completed": lambda value: {"usage": value},
}


@pytest.mark.parametrize("kind", FREE)
def test_a_value_of_any_shape_is_never_so_deep_that_it_could_not_be_written_again(kind: str) -> None:
    """F14: what is decoded just below the bound of the interpreter raises when it is encoded further down."""
    shallow = decode_server(json.dumps({"type": kind, **FREE[kind](nested(DEEPEST - 5))}))
    assert isinstance(shallow, e.Event)
    for n in (DEEPEST, 500, 900, 940):
        assert isinstance(decode_server(json.dumps({"type": kind, **FREE[kind](nested(n))})), Malformed)
    deeper = {"type": "session.update", "session": {"tools": [{"parameters": nested(500)}]}}
    assert isinstance(decode_client(json.dumps(deeper)), Malformed)


def test_brackets_inside_of_texts_are_not_deep() -> None:
    text = json.dumps({"x": '[{"\\' * 500, "y": [{}] * 200})
    assert not deep(text)
    assert not deep(text.encode())
    item = Item(id="i", type="message", role="user", name="[" * 500)
    frame = encode_server(e.ConversationItemCreated(item=item), Spelling.BETA)
    assert frame is not None
    whole = Item(id="i", object="realtime.item", type="message", role="user", name="[" * 500)
    assert decode_server(frame) == e.ConversationItemCreated(item=whole, previous_item_id=None)


def test_a_type_that_is_said_twice_is_read_as_one_or_not_at_all() -> None:
    """F16."""
    event = decode_server('{"type":"error","type":"session.created","error":{"message":"a"}}')
    assert isinstance(event, e.ServerError | e.SessionCreated | Malformed)
