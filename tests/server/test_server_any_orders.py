"""Whatever is asked in whatever order, the frames keep to the rules of order and both ends agree; so does the order of
the answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server_grammar import Grammar
from server_talk import CALL, FIVE_SECONDS, ONE_SECOND, SPOKEN_CALL, TWO_ITEMS, Talk, silence, speech, written

from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, one_item
from voicecli.server.limits import Limits

ANSWERS = [
    ONE_SECOND,
    FIVE_SECONDS,
    TWO_ITEMS,
    CALL,
    SPOKEN_CALL,
    one_item(written("words " * 12)),
    Answer(ONE_SECOND.items, delay_s=0.7),
    Answer(status="failed", error=StatusError(code="x")),
    Answer(TWO_ITEMS.items, status="incomplete", reason="content_filter"),
    Answer(),
]
SOUND = {"speech": speech(0.3), "silence": silence(0.6), "a word": speech(0.2) + silence(0.7)}
VAD = {"type": "server_vad", "silence_duration_ms": 300}
UPDATES: list[dict[str, Any]] = [
    {"turn_detection": None},
    {"turn_detection": VAD},
    {"turn_detection": {**VAD, "create_response": False}},
    {"turn_detection": {**VAD, "interrupt_response": False}},
    {"input_audio_transcription": {"model": "whisper-1"}},
    {"input_audio_transcription": None},
    {"modalities": ["text"]},
    {"modalities": ["text", "audio"]},
    {"voice": "ash"},
]
TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
RESPONSES: list[dict[str, Any]] = [
    {},
    {"conversation": "none"},
    {"conversation": "none", "input": [TEXT]},
    {"input": []},
    {"metadata": {"a": "b"}, "instructions": "x"},
]
WHICH = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.0, 1.5)),
    st.tuples(st.just("speak"), st.sampled_from(sorted(SOUND))),
    st.tuples(st.just("update"), st.sampled_from(UPDATES)),
    st.tuples(st.just("respond"), st.sampled_from(RESPONSES)),
    st.tuples(st.sampled_from(["commit", "clear", "cancel", "say", "say first"]), st.just(0)),
    st.tuples(st.sampled_from(["cancel one", "say after", "truncate", "delete", "retrieve", "output"]), WHICH),
)


def take(talk: Talk, step: str, value: Any) -> None:
    """One command of a client; `value` picks an item or a response there is, or was."""
    made = [
        frame["item"]["id"] for frame in talk.seen if frame["type"].startswith("conversation.item.") and "item" in frame
    ]
    begun = [frame["response"]["id"] for frame in talk.seen if frame["type"] == "response.created"]
    item = made[-1 - value] if step in ("say after", "truncate", "delete", "retrieve") and value < len(made) else "no"
    match step:
        case "wait":
            talk.wait(value)
        case "speak":
            talk.speak(SOUND[value])
        case "update":
            talk.update(**value)
        case "respond":
            talk.send("response.create", response=value)
        case "commit" | "clear":
            talk.send(f"input_audio_buffer.{step}")
        case "cancel":
            talk.send("response.cancel")
        case "cancel one":
            talk.send("response.cancel", response_id=begun[-1 - value] if value < len(begun) else "no")
        case "say":
            talk.type("hello")
        case "say first":
            talk.type("hello", previous_item_id="root")
        case "say after":
            talk.type("hello", previous_item_id=item)
        case "truncate":
            talk.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
        case "delete" | "retrieve":
            talk.send(f"conversation.item.{step}", item_id=item)
        case "output":
            output = {"type": "function_call_output", "call_id": "call_w", "output": "{}"}
            talk.send("conversation.item.create", item=output)
        case _:
            raise AssertionError(step)


@pytest.mark.parametrize("spelling", list(Spelling))
@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(STEPS, max_size=25),
    answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4),
    delay_s=st.sampled_from([0.0, 0.15, 3.0]),
)
def test_any_order_of_commands_gets_frames_that_keep_the_rules(
    spelling: Spelling, steps: list[tuple[str, Any]], answers: list[Answer], delay_s: float
) -> None:
    limits = Limits(transcription_delay_s=delay_s)
    talk = Talk(
        *answers, spelling=spelling, limits=limits, update={"input_audio_transcription": {"model": "whisper-1"}}
    )
    for step, value in steps:
        take(talk, step, value)
    talk.rest()
    grammar = Grammar()
    grammar.read(talk.seen)
    grammar.at_rest(spelling is Spelling.GA)
    assert [item.id for item in talk.session.view()] == grammar.order
    if not any(step == "say first" for step, _ in steps):  # a null may mean the end to a client, until it knows better
        assert talk.session.view() == talk.conversation.view()
