"""Whatever a client sends, a session answers with events and never raises; both ends agree afterwards."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from server_talk import FIVE_SECONDS, TWO_ITEMS, Talk, silence, speech

from voicecli.protocol.dialects import Spelling

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


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200) | frames.map(json.dumps))
def test_any_frame_is_answered_or_carried_out(frame: str | bytes) -> None:
    talk = Talk(TWO_ITEMS)
    talk.raw(frame)
    talk.rest()
    assert talk.update(instructions="still here")[-1]["type"] in ("session.updated", "error")


def message(text: str, item_id: str | None) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return {"type": "conversation.item.create", "item": item if item_id is None else {**item, "id": item_id}}


ids = st.sampled_from([f"item_t{n:04}" for n in range(4, 40)] + ["mine", "other"])
steps = st.one_of(
    st.just({"type": "response.create"}),
    st.just({"type": "response.cancel"}),
    st.just({"type": "input_audio_buffer.commit"}),
    st.just({"type": "input_audio_buffer.clear"}),
    st.builds(message, st.text(max_size=5), st.none() | st.sampled_from(["mine", "other"])),
    ids.map(lambda name: {"type": "conversation.item.delete", "item_id": name}),
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
        FIVE_SECONDS, TWO_ITEMS, spelling=spelling, update={"input_audio_transcription": {"model": "whisper-1"}}
    )
    for step in taken:
        if isinstance(step, float):
            talk.wait(step)
        else:
            talk.raw(json.dumps(step))
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
