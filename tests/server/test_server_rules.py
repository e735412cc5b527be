"""The rules of order and behaviour B1 to B14, each by its number, in both spellings; and what client libraries need."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from server_talk import (
    CALL,
    FIVE_SECONDS,
    ONE_SECOND,
    SPOKEN_CALL,
    Talk,
    every,
    kinds,
    only,
    silence,
    speech,
    written,
)

from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, AnswerItem, one_item
from voicecli.server.limits import Limits

BETA, GA = Spelling.BETA, Spelling.GA
BOTH = pytest.mark.parametrize("spelling", list(Spelling))
NEW = {BETA: ("conversation.item.created",), GA: ("conversation.item.added", "conversation.item.done")}
"""How an item of the user's is told."""
OPENED = {BETA: ("conversation.item.created",), GA: ("conversation.item.added",)}
WHOLE = {BETA: (), GA: ("conversation.item.done",)}
"""How one of the assistant's is, and that it is whole."""
AUDIO = {BETA: "response.audio", GA: "response.output_audio"}
TEXT = {BETA: "response.text", GA: "response.output_text"}
OFF: dict[str, Any] = {"turn_detection": None}


def ids(frames: list[dict[str, Any]]) -> set[str]:
    """The user's items that these frames are about."""
    return {frame["item_id"] if "item_id" in frame else frame["item"]["id"] for frame in frames}


def turn(talk: Talk) -> list[dict[str, Any]]:
    """A spoken turn, as it is told."""
    return talk.speak(speech(0.6), silence(0.6))


def b1(spelling: Spelling) -> None:
    assert kinds(Talk(spelling=spelling).seen) == ["session.created", "conversation.created"]


def b2(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    before = talk.seen[0]["session"]
    (told,) = talk.update(instructions="Be short.")
    assert told["type"] == "session.updated"
    assert told["session"] == {**before, "instructions": "Be short."}
    cleared = only(talk.update(instructions=""), "session.updated")["session"]
    assert cleared == before


def b3(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, update=OFF)
    assert talk.send("input_audio_buffer.append", audio=base64.b64encode(speech(0.2)).decode()) == []
    talk.send("response.create")
    talk.rest()
    answer = talk.session.view()[0].id
    others: list[tuple[str, dict[str, Any], str]] = [
        ("session.update", {"session": {"type": "realtime"} if spelling is GA else {}}, "session.updated"),
        ("input_audio_buffer.commit", {}, "input_audio_buffer.committed"),
        ("input_audio_buffer.clear", {}, "input_audio_buffer.cleared"),
        ("conversation.item.create", {"item": {"type": "message", "role": "user", "content": []}}, NEW[spelling][0]),
        (
            "conversation.item.truncate",
            {"item_id": answer, "content_index": 0, "audio_end_ms": 9},
            "conversation.item.truncated",
        ),
        ("conversation.item.retrieve", {"item_id": answer}, "conversation.item.retrieved"),
        ("conversation.item.delete", {"item_id": answer}, "conversation.item.deleted"),
        ("response.create", {}, "response.created"),
        ("response.cancel", {}, "response.done"),
    ]
    for kind, fields, wanted in others:
        assert wanted in kinds(talk.send(kind, **fields)), kind


def b4(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, update={**OFF, "input_audio_transcription": {"model": "whisper-1"}})
    talk.speak(speech(0.4))
    frames = talk.send("input_audio_buffer.commit")
    assert kinds(frames) == ["input_audio_buffer.committed", *NEW[spelling]]
    assert len(ids(frames)) == 1
    late = every(talk.rest(), "conversation.item.input_audio_transcription.completed")
    assert ids(late) == ids(frames)


def b5(spelling: Spelling) -> None:
    frames = turn(Talk(spelling=spelling))
    assert kinds(frames)[: 4 + len(NEW[spelling])] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        *NEW[spelling],
        "response.created",
    ]
    assert len(ids(frames[: 3 + len(NEW[spelling])])) == 1


def b6(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, update=OFF)
    talk.speak(speech(0.4))
    assert "response.created" not in kinds(talk.send("input_audio_buffer.commit") + talk.rest())
    assert "response.created" in kinds(talk.send("response.create"))
    assert "response.created" in kinds(turn(Talk(spelling=spelling)))


def b7(spelling: Spelling) -> None:
    audio, text = AUDIO[spelling], TEXT[spelling]
    begin, end = ["response.content_part.added"], ["response.content_part.done", "response.output_item.done"]
    spoken = [f"{audio}_transcript.delta", f"{audio}.delta", f"{audio}_transcript.done", f"{audio}.done"]
    call = "response.function_call_arguments"
    middles: list[tuple[Answer, list[str]]] = [
        (ONE_SECOND, [*begin, *spoken, *end]),
        (one_item(written("a few words")), [*begin, f"{text}.delta", f"{text}.done", *end]),
        (CALL, [f"{call}.delta", f"{call}.done", "response.output_item.done"]),
    ]
    for answer, middle in middles:
        talk = Talk(answer, spelling=spelling)
        frames = talk.send("response.create") + talk.rest()
        told = list(dict.fromkeys(frame["type"] for frame in frames if frame["type"] != "rate_limits.updated"))
        opened = ["response.created", "response.output_item.added", *OPENED[spelling]]
        assert told == [*opened, *middle, *WHOLE[spelling], "response.done"]
        assert {frame["response_id"] for frame in frames if "response_id" in frame} == {frames[0]["response"]["id"]}


def b8(spelling: Spelling) -> None:
    for answer, opened in ((FIVE_SECONDS, f"{AUDIO[spelling]}.done"), (one_item(written("w " * 99)), None)):
        talk = Talk(answer, spelling=spelling)
        talk.send("response.create")
        talk.wait(0.5)
        told = kinds(talk.send("response.cancel"))
        closed = [opened or f"{TEXT[spelling]}.done", "response.content_part.done", "response.output_item.done"]
        assert told[-len(closed) - len(WHOLE[spelling]) - 1 :] == [*closed, *WHOLE[spelling], "response.done"]


def b9(spelling: Spelling) -> None:
    item = AnswerItem(ONE_SECOND.items[0].parts)  # type: ignore[union-attr]
    endings: dict[str, tuple[Answer, Callable[[Talk], object]]] = {
        "completed": (ONE_SECOND, lambda talk: None),
        "cancelled": (FIVE_SECONDS, lambda talk: talk.send("response.cancel")),
        "incomplete": (Answer((item,), status="incomplete", reason="content_filter"), lambda talk: None),
        "failed": (Answer(status="failed", error=StatusError(code="x")), lambda talk: None),
    }
    for status, (answer, then) in endings.items():
        talk = Talk(answer, spelling=spelling)
        talk.send("response.create")
        then(talk)
        talk.rest()
        assert only(talk.seen, "response.done")["response"]["status"] == status


def b10(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.send("response.create")
    talk.rest()
    (item,) = talk.session.view()
    assert item.parts[0].transcript
    asked = {"item_id": item.id, "content_index": 0, "audio_end_ms": 400}
    (told,) = talk.send("conversation.item.truncate", **asked)
    assert {name: told[name] for name in ("type", *asked)} == {"type": "conversation.item.truncated", **asked}
    (cut,) = talk.session.view()
    assert (cut.samples, cut.parts[0].transcript) == (9_600, "")
    assert talk.conversation.view() == talk.session.view()


def b11(spelling: Spelling) -> None:
    words = "conversation.item.input_audio_transcription.completed"
    for delay_s, early in ((0.0, True), (9.0, False)):
        limits = Limits(transcription_delay_s=delay_s)
        update = {"input_audio_transcription": {"model": "whisper-1"}}
        talk = Talk(spelling=spelling, limits=limits, update=update)
        turn(talk)
        talk.rest()
        told = [frame["type"] for frame in talk.seen]
        assert (told.index(words) < told.index("response.done")) is early
        assert ids([only(talk.seen, words)]) == ids([only(talk.seen, "input_audio_buffer.committed")])


def b12(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    first, second, *_ = talk.send("response.create")
    assert (first["type"], second["type"]) == ("response.created", "rate_limits.updated")
    assert [limit["name"] for limit in second["rate_limits"]] == ["requests", "tokens"]
    for limit in second["rate_limits"]:
        assert 0 <= limit["remaining"] <= limit["limit"]
        assert limit["reset_seconds"] >= 0


def b13(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    spent = []
    for _ in range(2):
        talk.send("response.create")
        spent.append(only(talk.rest(), "response.done")["response"]["usage"])
    before, now = spent
    assert now["input_tokens"] >= before["input_tokens"] + before["output_tokens"]
    assert now["input_token_details"]["cached_tokens"] == before["input_tokens"]
    assert all(usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] for usage in spent)


def b14(spelling: Spelling) -> None:
    """The catalogue of errors is in test_server_errors.py."""
    talk = Talk(spelling=spelling)
    (told,) = talk.send("response.cancel", event_id="mine")
    assert (told["type"], told["error"]["event_id"]) == ("error", "mine")
    assert "response.created" in kinds(talk.send("response.create"))


RULES = {f"B{n}": rule for n, rule in enumerate((b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14), 1)}


@BOTH
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_holds(rule: str, spelling: Spelling) -> None:
    RULES[rule](spelling)


# ---- what client libraries need beyond the types; subprotocols are in test_server_door.py --------------------------


@BOTH
def test_a_response_carries_its_metadata_a_usage_and_the_name_of_its_call(spelling: Spelling) -> None:
    talk = Talk(SPOKEN_CALL, spelling=spelling)
    talk.send("response.create", response={"metadata": {"turn": "7"}})
    talk.rest()
    begun, done = only(talk.seen, "response.created")["response"], only(talk.seen, "response.done")["response"]
    assert begun["metadata"] == done["metadata"] == {"turn": "7"}
    assert done["usage"]["total_tokens"] > 0
    assert only(talk.seen, "response.function_call_arguments.done")["name"] == "weather"


@BOTH
def test_sessions_are_told_whole_and_alike(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    created = talk.seen[0]["session"]
    updated = only(talk.update(), "session.updated")["session"]
    assert created == updated
    assert created["object"] == "realtime.session"
    assert {"id", "model", "instructions", "tools", "tool_choice"} <= created.keys()
    shape = {"modalities", "voice", "turn_detection"} if spelling is BETA else {"type", "audio", "output_modalities"}
    assert shape <= created.keys()


@BOTH
def test_items_of_the_assistant_are_told_of_and_can_be_retrieved(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.send("response.create")
    talk.rest()
    told = only(talk.seen, OPENED[spelling][0])["item"]
    whole = only(talk.send("conversation.item.retrieve", item_id=told["id"]), "conversation.item.retrieved")["item"]
    assert (told["role"], told["status"], whole["status"]) == ("assistant", "in_progress", "completed")
    assert whole["content"][0]["transcript"] == "one two"
    assert whole["object"] == "realtime.item"
