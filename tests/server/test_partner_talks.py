"""Exercises in whole sessions: what the session tells the practice partner is enough for them."""

from __future__ import annotations

from typing import Any

from server_talk import LoudnessVad, Talk, every, only, silence, sound, speech

from voicecli.ports import RATE
from voicecli.protocol.dialects import Spelling
from voicecli.server.limits import Limits
from voicecli.server.orders import Outside, Recognise, Recognised
from voicecli.server.partner import HONEST, PracticePartner
from voicecli.server.session import ServerSession

TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
}


def talking(*, outside: Outside = Outside(), **update: Any) -> Talk:  # noqa: B008 (frozen)
    talk = Talk()
    talk.session = ServerSession(PracticePartner(), LoudnessVad, Limits(), Spelling.GA, prefix="p", outside=outside)
    talk.take(talk.session.greeting(talk.at))
    talk.update(**update)
    return talk


def answered(talk: Talk, text: str = "") -> list[dict[str, Any]]:
    """Everything that comes of asking for an answer, to `text` where there is one."""
    if text:
        talk.type(text)
    return talk.send("response.create") + talk.rest()


def words(frames: list[dict[str, Any]]) -> str:
    (item,) = only(frames, "response.done")["response"]["output"]
    return str(item["content"][0].get("text") or item["content"][0]["transcript"])


def test_what_was_typed_before_is_repeated() -> None:
    talk = talking(modalities=["text"])
    assert HONEST in words(answered(talk, "The sky is blue."))
    assert words(answered(talk, "Repeat what I said.")) == "The sky is blue."
    assert words(answered(talk, "say that again, please")) == "The sky is blue."


def test_what_was_said_before_is_repeated_where_there_is_an_ear() -> None:
    talk = talking(outside=Outside(ear=True), modalities=["text"])
    found = []
    for told in ("Good morning.", "Repeat what I said."):
        frames = talk.speak(speech(1.0), silence(1.0))
        (order,) = [order for order in talk.session.take_orders() if isinstance(order, Recognise)]
        frames += talk.take(talk.session.give(Recognised(order.name, told), talk.at)) + talk.rest()
        found.append(words(frames))
    assert found[0].startswith(f'You said: "Good morning." {HONEST}')
    assert found[1] == "Good morning."


def test_a_tool_is_called_and_its_output_told() -> None:
    talk = talking(modalities=["text"], tools=[TOOL])
    answered(talk, "hello")
    (call,) = only(answered(talk, "What is the weather in Rome?"), "response.done")["response"]["output"]
    assert (call["name"], call["arguments"]) == ("get_weather", '{"city": "Rome"}')
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"sky": "clear"}'}
    talk.send("conversation.item.create", item=output)
    assert words(answered(talk)) == "The tool says: sky clear."


def test_a_count_has_its_pauses_and_a_story_is_long_also_in_tones() -> None:
    talk = talking()
    answered(talk, "hello")
    counted = sound(answered(talk, "count to twenty"))
    assert counted.count(bytes(2 * int(0.6 * RATE))) >= 20
    assert len(sound(answered(talk, "tell me a long story"))) > 2 * 30 * RATE


def test_a_slow_answer_begins_after_six_seconds_and_a_connection_breaks_off_in_mid_sentence() -> None:
    talk = talking(modalities=["text"])
    talk.type("be slow")
    talk.send("response.create")
    assert not every(talk.wait(5.9), "response.output_text.delta")
    assert every(talk.wait(0.5), "response.output_text.delta")
    talk.rest()
    talk.type("hang up")
    talk.send("response.create")
    frames = talk.rest()
    assert every(frames, "response.output_text.delta")
    assert not every(frames, "response.done")
    assert talk.session.broken
