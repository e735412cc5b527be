"""Whatever a client sends, a session answers with events and never raises; both ends agree afterwards."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from server_talk import CALL, FIVE_SECONDS, SPOKEN_CALL, TWO_ITEMS, Talk, silence, speech

from voicecli.protocol.dialects import Spelling

EXAMPLES = int(os.environ.get("VOICECLI_EXAMPLES", "100"))
"""Of frames that mean nothing; more of them by hand."""

TYPES = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
    "conversation.item.retrieve",
    "output_audio_buffer.clear",
)
NAMES = [
    "session",
    "item",
    "response",
    "audio",
    "item_id",
    "content_index",
    "audio_end_ms",
    "previous_item_id",
    "response_id",
    "event_id",
    "turn_detection",
    "role",
    "content",
    "text",
    "input",
    "metadata",
    "voice",
    "modalities",
    "instructions",
    "tools",
    "threshold",
    "silence_duration_ms",
    "prefix_padding_ms",
    "max_response_output_tokens",
    "input_audio_transcription",
    "conversation",
    "id",
    "call_id",
    "output",
    "output_modalities",
    "format",
    "noise_reduction",
    "speed",
    "eagerness",
    "idle_timeout_ms",
    "create_response",
    "interrupt_response",
    "tool_choice",
    "temperature",
    "name",
]
WORDS = [
    "message",
    "user",
    "assistant",
    "input_text",
    "input_audio",
    "text",
    "audio",
    "none",
    "auto",
    "server_vad",
    "semantic_vad",
    "item_reference",
    "near_field",
    "call_w",
    "realtime",
    "function_call",
    "function_call_output",
    "item_t0006",
    "resp_t0005",
    "root",
    "inf",
    "AAAA",
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*NAMES, "type")) | st.text(max_size=4), inner)
    ),
    max_leaves=12,
)
frames = st.fixed_dictionaries({"type": st.sampled_from(TYPES)}, optional=dict.fromkeys(NAMES, values))


dumped = frames.map(json.dumps)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(list(Spelling)), st.lists(st.binary(max_size=200) | st.text(max_size=200) | dumped, max_size=4))
def test_any_frames_are_answered_or_carried_out(spelling: Spelling, given_frames: list[str | bytes]) -> None:
    talk = Talk(SPOKEN_CALL, TWO_ITEMS, spelling=spelling)
    for frame in given_frames:
        answer = talk.raw(frame)
        if not isinstance(frame, str) or "input_audio_buffer.append" not in frame:
            assert answer, frame  # B3
        talk.wait(20.0)
    assert talk.update(instructions="still here")[-1]["type"] in ("session.updated", "error")


def message(text: str, item_id: str | None, place: dict[str, str] | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    named = item if item_id is None else {**item, "id": item_id}
    return {"type": "conversation.item.create", "item": named, **(place or {})}


def output(call_id: str) -> dict[str, Any]:
    item = {"type": "function_call_output", "call_id": call_id, "output": "3"}
    return {"type": "conversation.item.create", "item": item}


def detected(spelling: Spelling, detection: dict[str, Any]) -> dict[str, Any]:
    """An update of turn detection, as that spelling has it."""
    shapes: dict[Spelling, dict[str, Any]] = {
        Spelling.BETA: {"turn_detection": detection},
        Spelling.GA: {"type": "realtime", "audio": {"input": {"turn_detection": detection}}},
    }
    return {"type": "session.update", "session": shapes[spelling]}


detections = st.fixed_dictionaries(
    {"type": st.sampled_from(["server_vad", "semantic_vad"])},
    optional={
        "eagerness": st.sampled_from(["low", "high"]),
        "idle_timeout_ms": st.sampled_from([500, 3_000]),
        "create_response": st.booleans(),
        "interrupt_response": st.booleans(),
    },
)
ids = st.sampled_from([f"item_t{n:04}" for n in range(4, 40)] + ["mine", "other"])
steps = st.one_of(
    st.just({"type": "response.create"}),
    st.just({"type": "response.create", "response": {"conversation": "none", "metadata": {"a": "b"}}}),
    st.just({"type": "response.create", "response": {"instructions": "x", "voice": "ash"}}),
    st.builds(detected, st.sampled_from(list(Spelling)), detections),
    st.sampled_from(["call_w", "call_x"]).map(output),
    st.just({"type": "response.cancel"}),
    st.just({"type": "input_audio_buffer.commit"}),
    st.just({"type": "input_audio_buffer.clear"}),
    st.builds(
        message,
        st.text(max_size=5),
        st.none() | st.sampled_from(["mine", "other"]),
        st.sampled_from([{}, {}, {"previous_item_id": "root"}, {"previous_item_id": "mine"}]),
    ),
    ids.map(lambda name: {"type": "conversation.item.delete", "item_id": name}),
    ids.map(lambda name: {"type": "conversation.item.retrieve", "item_id": name}),
    st.builds(
        lambda name, ms: {
            "type": "conversation.item.truncate",
            "item_id": name,
            "content_index": 0,
            "audio_end_ms": ms,
        },
        ids,
        st.integers(0, 900),
    ),
    st.sampled_from([speech(0.4), silence(0.6)]).map(
        lambda pcm: {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
    ),
    st.floats(0.0, 1.0),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(Spelling)), st.lists(steps, max_size=25))
def test_any_order_of_events_leaves_both_ends_with_the_same_conversation(
    spelling: Spelling, taken: list[dict[str, Any] | float]
) -> None:
    talk = Talk(
        CALL,
        FIVE_SECONDS,
        SPOKEN_CALL,
        TWO_ITEMS,
        spelling=spelling,
        update={"input_audio_transcription": {"model": "whisper-1"}},
    )
    for text in ("one", "two"):  # which follows the other is told: only then a null says "at the beginning"
        talk.raw(json.dumps(message(text, None)))
    for step in taken:
        if isinstance(step, float):
            talk.wait(step)
        else:
            talk.raw(json.dumps(step))
    talk.update(turn_detection=None)
    talk.rest()
    assert talk.session.view() == talk.conversation.view()
    created = [frame["response"]["id"] for frame in talk.seen if frame["type"] == "response.created"]
    done = [frame["response"]["id"] for frame in talk.seen if frame["type"] == "response.done"]
    assert sorted(created) == sorted(done)
    assert all(frame["response"]["usage"] for frame in talk.seen if frame["type"] == "response.done")


def test_deeply_nested_values_cost_an_error_at_most() -> None:
    for depth in (100, 400, 480, 490, 495, 498, 500, 900, 970, 990, 2_000):
        talk = Talk()
        parameters = '{"a":' * depth + "1" + "}" * depth
        tool = '{"type":"function","name":"x","parameters":' + parameters + "}"
        talk.raw('{"type":"session.update","session":{"type":"realtime","tools":[' + tool + "]}}")
        talk.raw('{"type":"response.create","response":{"metadata":' + parameters + "}}")
        assert talk.seen[-1]["type"] == "error"
