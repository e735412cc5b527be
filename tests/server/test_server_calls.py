"""Function calls: how an answer asks for one, and what is taken as its output, in both spellings."""

from __future__ import annotations

import pytest
from server_talk import CALL, ONE_SECOND, SPOKEN_CALL, Talk, every, kinds, only

from voicecli.protocol.dialects import Spelling
from voicecli.server.answers import Answer, AnswerCall

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
ARGUMENTS = '{"city": "Oslo", "unit": "celsius"}'
TOOL = {"type": "function", "name": "weather", "description": "Says the weather.", "parameters": {"type": "object"}}


@BOTH
def test_b7_a_call_comes_in_its_order_with_its_name_and_arguments(spelling: Spelling) -> None:
    talk = Talk(CALL, spelling=spelling)
    frames = talk.send("response.create") + talk.rest()
    beta = spelling is Spelling.BETA
    assert kinds(frames) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.created" if beta else "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        *([] if beta else ["conversation.item.done"]),
        "response.done",
    ]
    added = only(frames, "response.output_item.added")["item"]
    assert (added["type"], added["name"], added["call_id"], added["status"], added["arguments"]) == (
        "function_call",
        "weather",
        "call_w",
        "in_progress",
        "",
    )
    deltas = every(frames, "response.function_call_arguments.delta")
    assert len(deltas) > 1
    assert "".join(delta["delta"] for delta in deltas) == ARGUMENTS
    done = only(frames, "response.function_call_arguments.done")
    assert (done["arguments"], done["name"], done["call_id"], done["item_id"]) == (
        ARGUMENTS,
        "weather",
        "call_w",
        added["id"],
    )
    (item,) = only(frames, "response.done")["response"]["output"]
    assert item == only(frames, "response.output_item.done")["item"]
    assert (item["arguments"], item["status"], item["object"]) == (ARGUMENTS, "completed", "realtime.item")
    assert "content" not in item
    assert only(frames, "response.done")["response"]["usage"]["output_tokens"] > 0
    assert talk.session.view() == talk.conversation.view()


@BOTH
def test_a_call_may_follow_what_is_said_in_the_same_response(spelling: Spelling) -> None:
    talk = Talk(SPOKEN_CALL, spelling=spelling)
    output = only(talk.send("response.create") + talk.rest(), "response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]
    assert [item.type for item in talk.session.view()] == ["message", "function_call"]


@BOTH
def test_b8_a_call_that_is_cut_is_incomplete_with_what_was_sent_of_it(spelling: Spelling) -> None:
    talk = Talk(Answer(CALL.items, text_word_s=1.0), spelling=spelling)
    talk.send("response.create")
    before = talk.wait(1.5)
    frames = talk.send("response.cancel")
    said = only(before, "response.function_call_arguments.delta")["delta"]
    assert only(frames, "response.function_call_arguments.done")["arguments"] == said
    (item,) = only(frames, "response.done")["response"]["output"]
    assert (item["status"], item["arguments"]) == ("incomplete", said)
    assert ARGUMENTS.startswith(said)


def test_a_call_spends_tokens_and_ends_incomplete_at_their_limit() -> None:
    talk = Talk(CALL)
    talk.send("response.create", response={"max_output_tokens": 4})
    response = only(talk.rest(), "response.done")["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["arguments"] == ARGUMENTS[:16]


def test_a_call_without_an_id_gets_one_of_the_session() -> None:
    talk = Talk(Answer((AnswerCall("a"), AnswerCall("b"))))
    talk.send("response.create")
    first, second = only(talk.rest(), "response.done")["response"]["output"]
    assert first["call_id"] != second["call_id"]
    assert first["arguments"] == "{}"


@BOTH
def test_the_output_of_a_call_is_taken_and_told_to_the_responder(spelling: Spelling) -> None:
    talk = Talk(CALL, ONE_SECOND, spelling=spelling, update={"tools": [TOOL]})
    talk.send("response.create")
    talk.rest()
    output = {"type": "function_call_output", "call_id": "call_w", "output": '{"degrees": 3}'}
    kind = "conversation.item.created" if spelling is Spelling.BETA else "conversation.item.added"
    item = only(talk.send("conversation.item.create", item=output), kind)["item"]
    assert (item["output"], item["call_id"], item["status"]) == ('{"degrees": 3}', "call_w", "completed")
    talk.send("response.create")
    talk.rest()
    talk.send("response.create", response={"tool_choice": "none"})
    first, second, third = talk.responder.asked
    assert ([tool.name for tool in first.tools], first.outputs) == (["weather"], ())
    assert second.outputs == ('{"degrees": 3}',)
    assert (third.tools, third.outputs) == ((), ())
    assert talk.session.view() == talk.conversation.view()


@BOTH
def test_an_output_of_a_call_that_never_was_is_refused(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    output = {"type": "function_call_output", "call_id": "call_x", "output": "3"}
    told = only(talk.send("conversation.item.create", item=output, event_id="mine"), "error")["error"]
    assert (told["code"], told["param"], told["event_id"]) == ("invalid_tool_call_id", "item.call_id", "mine")
    assert talk.session.view() == ()


@BOTH
def test_without_sound_wanted_spoken_words_are_written(spelling: Spelling) -> None:
    talk = Talk(ONE_SECOND, spelling=spelling)
    name = "modalities" if spelling is Spelling.BETA else "output_modalities"
    frames = talk.send("response.create", response={name: ["text"]}) + talk.rest()
    text = "text" if spelling is Spelling.BETA else "output_text"
    assert "".join(frame["delta"] for frame in every(frames, f"response.{text}.delta")) == "one two"
    assert not any("audio" in kind for kind in kinds(frames))
    (item,) = only(frames, "response.done")["response"]["output"]
    assert item["content"] == [{"type": text, "text": "one two"}]
    talk.send("response.create")
    assert any("audio" in kind for kind in kinds(talk.rest()))
