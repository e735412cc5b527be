"""What was said, as a language model may know it."""

from __future__ import annotations

from typing import Any

from voicecli.ports import PCM16, RATE
from voicecli.protocol import events as e
from voicecli.protocol.conversation import ItemView, PartView
from voicecli.server.memory import Memory
from voicecli.server.orders import Call, Message


def item(item_id: str, role: str | None = None, /, *parts: PartView, kind: str = "message", **fields: Any) -> ItemView:
    plain = ItemView(item_id, kind, role, "completed", parts, 0, None, None, "", None)
    return plain._replace(**fields)


def say(memory: Memory, name: str, *spoken: tuple[str, float]) -> None:
    for text, seconds in spoken:
        place = {"response_id": "r", "item_id": name, "output_index": 0, "content_index": 0}
        memory.note(e.AudioTranscriptDelta(**place, delta=text), PCM16)
        memory.note(e.AudioDelta(**place, delta=bytes(2 * round(seconds * RATE))), PCM16)


ANSWER = item("a", "assistant", PartView("audio", "", "never asked"))


def test_an_answer_that_was_cut_ends_at_the_last_word_that_was_heard_whole() -> None:
    memory = Memory()
    say(memory, "a", ("One", 0.5), (" two", 0.5), (" three", 0.5))
    assert memory.messages([ANSWER]) == (Message("assistant", "One two three"),)
    memory.truncate("a", round(1.2 * RATE))
    assert memory.messages([ANSWER]) == (Message("assistant", "One two"),)
    memory.truncate("a", RATE // 2)
    assert memory.messages([ANSWER]) == (Message("assistant", "One"),)


def test_an_answer_that_nobody_heard_was_never_said() -> None:
    memory = Memory()
    say(memory, "a", ("One", 0.5))
    memory.truncate("a", 0)
    assert memory.messages([ANSWER]) == ()


def test_what_was_understood_is_what_the_user_said() -> None:
    memory = Memory()
    memory.speech("u", 2 * RATE)
    memory.understand("u", "what time is it")
    heard = item("u", "user", PartView("input_audio", "", "(speech, 2.0 s)"))
    assert memory.messages([heard]) == (Message("user", "what time is it"),)
    assert memory.understood(["u"]) == "what time is it"


def test_speech_without_words_is_told_by_its_length() -> None:
    memory = Memory()
    memory.speech("u", 2 * RATE)
    heard = item("u", "user", PartView("input_audio", "", ""))
    assert memory.messages([heard]) == (Message("user", "(speech, 2.0 s, not understood)"),)
    memory.understand("u", "")
    assert memory.messages([heard]) == (Message("user", "(speech, 2.0 s, not understood)"),)
    assert memory.understood(["u"]) == ""
    assert memory.understood(["other"]) is None


def test_calls_that_follow_each_other_are_one_message_and_their_outputs_answer_them() -> None:
    calls = [
        item("c1", kind="function_call", call_id="k1", name="a", arguments="{}"),
        item("c2", kind="function_call", call_id="k2", name="b", arguments='{"x":1}'),
        item("o1", kind="function_call_output", call_id="k1", output="one"),
    ]
    assert Memory().messages(calls) == (
        Message("assistant", calls=(Call("k1", "a", "{}"), Call("k2", "b", '{"x":1}'))),
        Message("tool", "one", call_id="k1"),
    )


def test_the_roles_that_a_client_gives_are_kept() -> None:
    given = [
        item("s", "system", PartView("input_text", "Be brief.", "")),
        item("u", "user", PartView("input_text", "Hi", "")),
        item("b", "assistant", PartView("text", "Hello", "")),
    ]
    assert Memory().messages(given) == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
    )


def test_what_is_deleted_is_forgotten() -> None:
    memory = Memory()
    memory.speech("u", RATE)
    memory.understand("u", "hello")
    memory.forget("u")
    assert memory.understood(["u"]) is None
