"""A session with an ear, a voice or a language model outside it: what it asks for, and what comes of the answers."""

from __future__ import annotations

import base64

import pytest
from server_talk import Talk, every, kinds, only, silence, sound, speech, spoken

from voicecli.ports import RATE
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, AnswerPart, Sentence, one_item
from voicecli.server.limits import Limits
from voicecli.server.making import LONGEST
from voicecli.server.orders import (
    Call,
    Drop,
    Enough,
    Grew,
    Message,
    Outside,
    Over,
    Recognise,
    Recognised,
    Said,
    Say,
    Think,
    Thought,
    Tokens,
)

EAR = Outside(ear=True)
VOICE = Outside(voice=True)
MIND = Outside(mind=True)
ALL = Outside(True, True, True)
TOLD = {"input_audio_transcription": {"model": "any"}}
TWO = one_item(AnswerPart((Sentence("First one."), Sentence("Second one."))))
TONE = b"\x10\x00" * RATE
DONE = "response.done"


def ask(talk: Talk, text: str = "hello") -> str:
    """Types, wants an answer; the id of the response."""
    talk.type(text)
    return str(only(talk.send("response.create"), "response.created")["response"]["id"])


def a_turn(talk: Talk) -> Recognise:
    """Speaks; what the ear is asked for."""
    talk.speak(silence(0.5), speech(1.0), silence(1.0))
    (order,) = [order for order in talk.session.take_orders() if isinstance(order, Recognise)]
    return order


# ---- an ear ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", Spelling)
def test_an_answer_waits_for_the_words_it_answers(spelling: Spelling) -> None:
    talk = Talk(outside=EAR, update=TOLD, spelling=spelling)
    order = a_turn(talk)
    talk.wait(5.0)
    assert talk.responder.asked == []
    talk.give(Recognised(order.name, "what time is it"))
    new = talk.rest()
    assert [asked.said for asked in talk.responder.asked] == ["what time is it"]
    assert only(talk.seen, "conversation.item.input_audio_transcription.completed")["transcript"] == "what time is it"
    assert only(new, DONE)["response"]["status"] == "completed"


def test_the_words_are_looked_for_in_the_pause_before_anybody_knows_that_the_turn_is_over() -> None:
    talk = Talk(outside=EAR, update=TOLD)
    talk.speak(speech(1.0), silence(0.3))
    (early,) = talk.session.take_orders()
    assert isinstance(early, Recognise)
    assert not every(talk.seen, "input_audio_buffer.speech_stopped")
    talk.give(Recognised(early.name, "hello"))
    assert not every(talk.seen, "conversation.item.input_audio_transcription.completed")
    talk.speak(silence(0.3))
    assert talk.session.take_orders() == []
    assert only(talk.seen, "conversation.item.input_audio_transcription.completed")["transcript"] == "hello"
    assert talk.responder.asked[0].said == "hello"


def test_words_that_were_looked_for_in_a_pause_are_those_of_no_turn_that_went_on() -> None:
    talk = Talk(outside=EAR, update=TOLD)
    talk.speak(speech(1.0), silence(0.3))
    (early,) = talk.session.take_orders()
    talk.speak(speech(1.0))
    assert talk.session.take_orders() == [Drop(early.name)]
    talk.give(Recognised(early.name, "half"))
    talk.speak(silence(1.0))
    (whole,) = talk.session.take_orders()
    assert isinstance(whole, Recognise)
    assert len(whole.pcm) > 2 * 2 * RATE
    talk.give(Recognised(whole.name, "half and half"))
    assert talk.responder.asked[0].said == "half and half"


@pytest.mark.parametrize("name", ["guess_1", "words_1", "words_2", "resp_t0001"])
def test_an_item_may_have_any_name_whatever_is_asked_for_meanwhile(name: str) -> None:
    talk = Talk(outside=EAR)
    talk.speak(speech(1.0), silence(0.3))
    (pause,) = talk.session.take_orders()
    content = [{"type": "input_audio", "audio": base64.b64encode(speech(1.0)).decode()}]
    item = {"type": "message", "role": "user", "id": name, "content": content}
    talk.send("conversation.item.create", item=item)
    (order,) = talk.session.take_orders()
    assert isinstance(pause, Recognise)
    assert isinstance(order, Recognise)
    talk.give(Recognised(pause.name, "spoken"))
    talk.give(Recognised(order.name, "sent"))
    talk.speak(silence(1.0))
    assert talk.responder.asked[0].said == "sent spoken"


def test_words_of_an_item_that_is_gone_are_not_those_of_the_next_of_its_name() -> None:
    talk = Talk(outside=EAR)
    orders = []
    content = [{"type": "input_audio", "audio": base64.b64encode(speech(1.0)).decode()}]
    item = {"type": "message", "role": "user", "id": "mine", "content": content}
    for _ in range(2):
        talk.send("conversation.item.create", item=item)
        orders += [order for order in talk.session.take_orders() if isinstance(order, Recognise)]
        if len(orders) == 1:
            talk.send("conversation.item.delete", item_id="mine")
    talk.send("response.create")
    talk.give(Recognised(orders[0].name, "old"))
    assert talk.responder.asked == []
    talk.give(Recognised(orders[1].name, "new"))
    assert talk.responder.asked[0].said == "new"


def test_an_ear_that_failed_in_the_pause_is_asked_again() -> None:
    talk = Talk(outside=EAR)
    talk.speak(speech(1.0), silence(0.3))
    (early,) = talk.session.take_orders()
    talk.give(Recognised(early.name, None, "busy"))
    talk.speak(silence(0.5))
    (again,) = talk.session.take_orders()
    assert isinstance(again, Recognise)
    talk.give(Recognised(again.name, "hello"))
    assert talk.responder.asked[0].said == "hello"


@pytest.mark.parametrize(
    ("words", "ends_after_s"),
    [("What time is it?", 0.5), ("What time is it and", 2.0), ("I was in the.", 2.0), ("Well, I", 2.0), ("", 2.0)],
)
def test_semantic_detection_waits_longer_where_the_words_go_on(words: str, ends_after_s: float) -> None:
    semantic = {"type": "semantic_vad", "eagerness": "auto"}
    talk = Talk(outside=EAR, update={"turn_detection": semantic})
    talk.speak(speech(1.0), silence(0.3))
    (early,) = talk.session.take_orders()
    talk.give(Recognised(early.name, words))
    quiet_s = 0.3
    while not every(talk.seen, "input_audio_buffer.speech_stopped"):
        talk.speak(silence(0.1))
        quiet_s += 0.1
    assert quiet_s == pytest.approx(ends_after_s, abs=0.15)


def test_the_ear_is_given_the_turn_with_what_was_before_it() -> None:
    order = a_turn(Talk(outside=EAR))
    assert len(order.pcm) // 2 >= RATE
    assert speech(0.9) in order.pcm


def test_words_that_nobody_wants_to_read_are_answered_all_the_same() -> None:
    talk = Talk(outside=EAR)
    talk.give(Recognised(a_turn(talk).name, "hello"))
    assert talk.responder.asked[0].said == "hello"
    assert not [frame for frame in talk.seen if "transcription" in frame["type"]]


@pytest.mark.parametrize(("why", "code"), [("busy", "busy"), ("failed", "failed")])
def test_an_ear_that_cannot_is_told_as_a_failed_transcription_and_the_talk_goes_on(why: str, code: str) -> None:
    talk = Talk(outside=EAR, update=TOLD)
    talk.give(Recognised(a_turn(talk).name, None, why))
    talk.rest()
    failed = only(talk.seen, "conversation.item.input_audio_transcription.failed")
    assert failed["error"]["code"] == code
    assert talk.responder.asked[0].said is None
    assert talk.responder.asked[0].heard_ms >= 1000
    assert only(talk.seen, DONE)["response"]["status"] == "completed"


def test_an_ear_that_is_gone_leaves_the_length() -> None:
    talk = Talk(outside=EAR, update=TOLD)
    talk.give(Recognised(a_turn(talk).name, None))
    completed = only(talk.seen, "conversation.item.input_audio_transcription.completed")
    assert completed["transcript"].startswith("(speech, ")


def test_speech_that_a_client_sends_as_an_item_is_recognised_too() -> None:

    talk = Talk(outside=EAR)
    content = [{"type": "input_audio", "audio": base64.b64encode(speech(1.0)).decode()}]
    talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    (order,) = talk.session.take_orders()
    assert isinstance(order, Recognise)
    assert order.pcm == speech(1.0)
    talk.send("response.create")
    talk.give(Recognised(order.name, "one two"))
    assert talk.responder.asked[0].said == "one two"


def test_an_item_that_is_deleted_is_waited_for_no_longer() -> None:
    talk = Talk(outside=EAR)
    order = a_turn(talk)
    talk.send("conversation.item.delete", item_id=only(talk.seen, "input_audio_buffer.committed")["item_id"])
    assert Drop(order.name) in talk.session.take_orders()
    assert len(talk.responder.asked) == 1
    talk.give(Recognised(order.name, "too late"))
    assert talk.responder.asked[0].said is None


def test_a_response_that_waits_for_words_can_be_cancelled() -> None:
    talk = Talk(outside=EAR)
    order = a_turn(talk)
    new = talk.send("response.cancel")
    assert only(new, DONE)["response"]["status"] == "cancelled"
    assert only(new, DONE)["response"]["usage"] is not None
    talk.give(Recognised(order.name, "late"))
    assert talk.responder.asked == []


# ---- a voice ---------------------------------------------------------------------------------------------------------


def test_the_first_sentence_is_heard_while_the_second_is_still_being_said() -> None:
    talk = Talk(TWO, outside=VOICE)
    response = ask(talk)
    assert [order for order in talk.session.take_orders() if isinstance(order, Say)] == [
        Say(response, 0, "First one."),
        Say(response, 1, "Second one."),
    ]
    talk.give(Said(response, 0, TONE))
    talk.wait(10.0)
    assert sound(talk.seen) == TONE
    assert not every(talk.seen, DONE)
    talk.give(Said(response, 1, TONE))
    talk.rest()
    assert sound(talk.seen) == 2 * TONE
    (item,) = only(talk.seen, DONE)["response"]["output"]
    assert item["content"][0]["transcript"] == "First one. Second one."
    assert item["status"] == "completed"


def test_the_order_of_events_is_the_same_with_a_voice_outside() -> None:
    inside, outside = Talk(one_item(spoken(("one", 0.5), (" two", 0.5)))), Talk(TWO, outside=VOICE)
    ask(inside)
    inside.rest()
    response = ask(outside)
    outside.give(Said(response, 0, TONE))
    outside.give(Said(response, 1, TONE))
    outside.rest()
    assert set(kinds(outside.seen)) == set(kinds(inside.seen))
    closing = ["response.output_audio_transcript.done", "response.output_audio.done", "response.content_part.done"]
    for talk in (inside, outside):
        assert [kind for kind in kinds(talk.seen) if kind in closing] == closing


def test_interrupting_drops_what_is_being_said() -> None:
    talk = Talk(TWO, outside=VOICE)
    response = ask(talk)
    talk.session.take_orders()
    talk.give(Said(response, 0, TONE))
    new = talk.send("response.cancel")
    assert talk.session.take_orders() == [Drop(response)]
    assert only(new, DONE)["response"]["output"][0]["status"] == "incomplete"
    assert talk.give(Said(response, 1, TONE)) == []


def test_a_voice_that_fails_in_mid_answer_leaves_tones_for_the_rest() -> None:
    talk = Talk(TWO, outside=VOICE)
    response = ask(talk)
    talk.give(Said(response, 0, TONE))
    talk.give(Said(response, 1, None))
    talk.rest()
    assert len(sound(talk.seen)) > len(TONE)
    (item,) = only(talk.seen, DONE)["response"]["output"]
    assert item["content"][0]["transcript"] == "First one. Second one."


def test_where_only_text_is_wanted_no_voice_is_asked() -> None:
    talk = Talk(TWO, outside=VOICE, update={"modalities": ["text"]})
    ask(talk)
    talk.rest()
    assert talk.session.take_orders() == []
    assert only(talk.seen, "response.output_text.done")["text"] == "First one. Second one."


# ---- a language model ------------------------------------------------------------------------------------------------


def prompt_of(talk: Talk) -> Think:
    (order,) = [order for order in talk.session.take_orders() if isinstance(order, Think)]
    return order


def test_what_a_language_model_writes_is_said_sentence_by_sentence() -> None:
    talk = Talk(outside=Outside(voice=True, mind=True))
    response = ask(talk)
    talk.session.take_orders()
    talk.give(Thought(response, Grew("Hello the")))
    assert talk.session.take_orders() == []
    talk.give(Thought(response, Grew("re. How")))
    assert talk.session.take_orders() == [Say(response, 0, "Hello there.")]
    talk.give(Said(response, 0, TONE))
    talk.wait(1.0)
    assert sound(talk.seen)
    talk.give(Thought(response, Grew(" are you?")))
    talk.give(Thought(response, Over(tokens=Tokens(heard=40, said=6, cached=30))))
    assert talk.session.take_orders() == [Say(response, 1, "How are you?")]
    talk.give(Said(response, 1, TONE))
    talk.rest()
    done = only(talk.seen, DONE)["response"]
    assert done["output"][0]["content"][0]["transcript"] == "Hello there. How are you?"
    assert (done["usage"]["input_tokens"], done["usage"]["output_tokens"]) == (40, 6)
    assert done["usage"]["input_token_details"]["cached_tokens"] == 30


def test_written_answers_grow_as_they_are_thought_of() -> None:
    talk = Talk(outside=MIND, update={"modalities": ["text"]})
    response = ask(talk)
    for text in (" Hel", "lo", ",\nyou"):
        talk.give(Thought(response, Grew(text)))
    assert [frame["delta"] for frame in every(talk.seen, "response.output_text.delta")] == ["Hel", "lo", ",\nyou"]


def test_the_model_is_told_the_instructions_the_settings_and_what_was_heard_of_its_answers() -> None:
    talk = Talk(outside=MIND)
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    talk.update(instructions="Be brief.", tools=[tool], max_output_tokens=50)
    response = ask(talk, "tell me")
    prompt = prompt_of(talk).prompt
    assert (prompt.instructions, prompt.max_tokens, prompt.spoken) == ("Be brief.", 50, True)
    assert [one.name for one in prompt.tools] == ["weather"]
    assert prompt.messages == (Message("user", "tell me"),)
    talk.give(Thought(response, Grew("One two three four five six seven.")))
    talk.give(Thought(response, Over()))
    talk.wait(0.5)
    item = every(talk.seen, "response.output_item.added")[0]["item"]["id"]
    talk.send("response.cancel")
    talk.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=400)
    ask(talk, "go on")
    first, middle, last = prompt_of(talk).prompt.messages
    assert (first.text, last.text) == ("tell me", "go on")
    assert middle.role == "assistant"
    assert middle.text
    assert "One two three four five six seven.".startswith(middle.text)
    assert len(middle.text) < len("One two three four")


def test_an_interruption_ends_the_thinking() -> None:
    talk = Talk(outside=MIND)
    response = ask(talk)
    talk.session.take_orders()
    talk.give(Thought(response, Grew("One. Two. ")))
    talk.speak(speech(0.5))
    assert Drop(response) in talk.session.take_orders()
    assert only(talk.seen, DONE)["response"]["status_details"]["reason"] == "turn_detected"
    assert talk.give(Thought(response, Grew("Three."))) == []


def test_a_call_goes_to_the_client_and_its_output_back_to_the_model() -> None:
    talk = Talk(outside=MIND)
    response = ask(talk)
    prompt_of(talk)
    talk.give(Thought(response, Grew("Let me look. ")))
    talk.give(Thought(response, Call("call_9", "weather", '{"city": "Oslo"}')))
    talk.give(Thought(response, Over()))
    talk.rest()
    message, call = only(talk.seen, DONE)["response"]["output"]
    assert (message["type"], call["type"], call["call_id"]) == ("message", "function_call", "call_9")
    assert call["arguments"] == '{"city": "Oslo"}'
    output = {"type": "function_call_output", "call_id": "call_9", "output": '{"sky": "blue"}'}
    talk.send("conversation.item.create", item=output)
    talk.send("response.create")
    messages = prompt_of(talk).prompt.messages
    assert messages[1:] == (
        Message("assistant", "Let me look. ".rstrip(), (Call("call_9", "weather", '{"city": "Oslo"}'),)),
        Message("tool", '{"sky": "blue"}', call_id="call_9"),
    )


@pytest.mark.parametrize(
    ("over", "status", "reason", "code"),
    [
        (Over("incomplete", "max_output_tokens"), "incomplete", "max_output_tokens", None),
        (Over("incomplete", "content_filter"), "incomplete", "content_filter", None),
        (Over("failed", error=StatusError("llm_error", "llm_cut", "It broke off.")), "failed", None, "llm_cut"),
    ],
)
def test_how_the_model_ends_is_how_the_response_ends(
    over: Over, status: str, reason: str | None, code: str | None
) -> None:
    talk = Talk(outside=MIND)
    response = ask(talk)
    talk.give(Thought(response, Grew("Some words. And")))
    talk.give(Thought(response, over))
    talk.rest()
    done = only(talk.seen, DONE)["response"]
    details = done["status_details"]
    assert done["status"] == status
    assert details.get("reason") == reason
    assert (details.get("error") or {}).get("code") == code
    assert done["output"][0]["content"][0]["transcript"] == "Some words. And"
    assert done["usage"]["output_tokens"] > 0


def test_a_model_that_never_ends_is_ended() -> None:
    talk = Talk(outside=MIND, update={"modalities": ["text"]})
    response = ask(talk)
    talk.session.take_orders()
    for _ in range(LONGEST // 1_000 + 1):
        talk.give(Thought(response, Grew("x" * 1_000)))
    talk.rest()
    assert [order.response_id for order in talk.session.take_orders() if isinstance(order, Enough)] == [response]
    assert only(talk.seen, DONE)["response"]["status_details"]["error"]["code"] == "llm_endless"


def test_a_spoken_answer_without_an_end_is_ended_behind_what_is_still_to_be_said() -> None:
    talk = Talk(outside=Outside(voice=True, mind=True))
    response = ask(talk)
    for _ in range(LONGEST // 1_000 + 1):
        talk.give(Thought(response, Grew("Some words, and others. " * 42)))
    number = 0
    while not every(talk.seen, DONE):
        orders = talk.session.take_orders()
        assert not [order for order in orders if isinstance(order, Drop)], (
            "what is being said would be lost, and the end wait for it"
        )
        for order in orders:
            if isinstance(order, Say):
                talk.give(Said(response, order.number, b"\x10\x00" * 4_800))
                number += 1
        talk.wait(1.0)
    assert number > 100
    assert only(talk.seen, DONE)["response"]["status_details"]["error"]["code"] == "llm_endless"


def test_a_model_that_answers_without_a_word_has_failed() -> None:
    talk = Talk(outside=MIND)
    response = ask(talk)
    talk.give(Thought(response, Grew("  ")))
    talk.give(Thought(response, Over()))
    talk.rest()
    assert only(talk.seen, DONE)["response"]["status_details"]["error"]["code"] == "llm_empty"


def test_a_language_model_has_no_limits_of_ours_and_what_it_did_not_count_is_reckoned_as_text() -> None:
    talk = Talk(outside=MIND)
    for _ in range(3):
        response = ask(talk, "tell me something")
        talk.give(Thought(response, Grew("One. Two.")))
        talk.give(Thought(response, Over(tokens=Tokens(heard=190_000, said=10))))
        talk.rest()
    assert [done["response"]["status"] for done in every(talk.seen, DONE)] == ["completed"] * 3
    assert not every(talk.seen, "rate_limits.updated")
    response = ask(talk)
    talk.give(Thought(response, Grew("One two three. Four")))
    talk.wait(1.0)
    talk.send("response.cancel")
    usage = every(talk.seen, DONE)[-1]["response"]["usage"]
    assert usage["output_token_details"]["audio_tokens"] == 0
    assert 0 < usage["output_tokens"] < 10
    assert usage["input_tokens"] > 10


def test_the_model_is_shown_the_images() -> None:
    talk = Talk(outside=MIND)
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_text", "text": "what is this?"},
    ]
    talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    talk.send("response.create")
    assert prompt_of(talk).prompt.messages == (
        Message("user", "what is this?", images=("data:image/png;base64,AAAA",)),
    )


def test_an_answer_beside_the_conversation_takes_nothing_from_the_next() -> None:
    talk = Talk()
    talk.type("count to twenty")
    talk.send("response.create", response={"conversation": "none"})
    talk.rest()
    talk.send("response.create")
    assert [asked.typed for asked in talk.responder.asked] == ["count to twenty"] * 2


def test_what_was_deleted_is_answered_by_nobody() -> None:
    talk = Talk()
    talk.type("secret")
    talk.send("conversation.item.delete", item_id=only(talk.seen, "conversation.item.added")["item"]["id"])
    talk.send("response.create")
    assert talk.responder.asked[0].typed == ""


def test_an_answer_that_points_to_what_was_said_waits_for_its_words() -> None:
    talk = Talk(outside=EAR, update={"turn_detection": {"type": "server_vad", "create_response": False}})
    order = a_turn(talk)
    item = only(talk.seen, "input_audio_buffer.committed")["item_id"]
    given = [{"type": "item_reference", "id": item}]
    talk.send("response.create", response={"conversation": "none", "input": given})
    assert talk.responder.asked == []
    talk.give(Recognised(order.name, "hello"))
    assert talk.responder.asked[0].said == "hello"


def test_sound_in_an_item_is_bounded_as_that_of_the_buffer_is() -> None:
    talk = Talk(outside=EAR, limits=Limits(buffer_samples=RATE))
    content = [{"type": "input_audio", "audio": base64.b64encode(speech(1.1)).decode()}]
    new = talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    assert only(new, "error")["error"]["code"] == "input_audio_too_long"
    assert talk.session.take_orders() == []


def test_an_answer_beside_the_conversation_is_told_only_what_it_was_given() -> None:
    talk = Talk(outside=MIND)
    talk.type("secret")
    given = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "only this"}]}]
    talk.send("response.create", response={"conversation": "none", "input": given})
    assert prompt_of(talk).prompt.messages == (Message("user", "only this"),)


def test_ear_voice_and_model_together_make_a_spoken_turn() -> None:
    talk = Talk(outside=ALL)
    order = a_turn(talk)
    talk.give(Recognised(order.name, "how are you"))
    think = prompt_of(talk)
    assert think.prompt.messages == (Message("user", "how are you"),)
    talk.give(Thought(think.response_id, Grew("Fine. ")))
    talk.give(Thought(think.response_id, Over()))
    talk.give(Said(think.response_id, 0, TONE))
    talk.rest()
    assert sound(talk.seen) == TONE
    assert talk.session.view() == talk.conversation.view()


# ---- endings ---------------------------------------------------------------------------------------------------------


def test_a_rate_limit_that_an_answer_reaches_holds_for_its_time() -> None:
    error = StatusError("rate_limit_exceeded", "rate_limit_exceeded", "Rate limit reached.")
    talk = Talk(Answer(status="failed", error=error, limited_s=20.0), TWO)
    ask(talk)
    talk.rest()
    seen = [frame["type"] for frame in talk.seen]
    assert seen.index(DONE) > seen.index("rate_limits.updated", seen.index("response.created") + 2), (
        "told before the end"
    )
    requests = every(talk.seen, "rate_limits.updated")[-1]["rate_limits"][0]
    assert (requests["remaining"], requests["reset_seconds"]) == (0, pytest.approx(20.0))
    ask(talk)
    talk.rest()
    assert [done["response"]["status"] for done in every(talk.seen, DONE)] == ["failed", "failed"]
    talk.wait(20.0)
    ask(talk)
    talk.rest()
    assert every(talk.seen, DONE)[-1]["response"]["status"] == "completed"


def test_an_answer_can_break_off_the_connection() -> None:
    talk = Talk(Answer(TWO.items, hang_up=True))
    ask(talk)
    assert not talk.session.broken
    talk.rest()
    assert talk.session.broken
    assert not every(talk.seen, DONE)
