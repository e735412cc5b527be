"""What is newer than the contract: semantic VAD, the idle timeout, retrieval, and settings that are told back."""

from __future__ import annotations

from typing import Any

import pytest
from server_talk import FIVE_SECONDS, ONE_SECOND, Talk, every, kinds, only, silence, speech

from voicecli.protocol.dialects import Spelling

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
GA, BETA = Spelling.GA, Spelling.BETA
IDLE: dict[str, Any] = {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000}}
TIMEOUT = "input_audio_buffer.timeout_triggered"


def detection_of(frame: dict[str, Any], spelling: Spelling) -> dict[str, Any]:
    session = frame["session"] if spelling is BETA else frame["session"]["audio"]["input"]
    found: dict[str, Any] = session["turn_detection"]
    return found


@BOTH
def test_semantic_vad_is_told_back_without_what_only_server_vad_has(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    updated = only(talk.update(turn_detection={"type": "semantic_vad"}), "session.updated")
    assert detection_of(updated, spelling) == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


@BOTH
@pytest.mark.parametrize(("eagerness", "pause_s"), [("low", 2.0), ("medium", 1.0), ("auto", 1.0), ("high", 0.5)])
def test_the_less_eager_semantic_vad_is_the_longer_a_turn_may_pause(
    spelling: Spelling, eagerness: str, pause_s: float
) -> None:
    talk = Talk(spelling=spelling, update={"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}})
    assert kinds(talk.speak(speech(0.5), silence(pause_s - 0.1), speech(0.5))) == ["input_audio_buffer.speech_started"]
    assert "response.created" in kinds(talk.speak(silence(pause_s + 0.1)))


def test_after_the_idle_timeout_the_silence_is_a_turn_and_is_answered() -> None:
    talk = Talk(ONE_SECOND, FIVE_SECONDS, update=IDLE | {"input_audio_transcription": {"model": "whisper-1"}})
    talk.send("response.create")
    frames = talk.wait(1.0 + 5.9)
    assert TIMEOUT not in kinds(frames)
    talk.speak(silence(8.0))
    frames = talk.wait(0.2)
    assert kinds(frames)[:5] == [
        TIMEOUT,
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    timeout = only(frames, TIMEOUT)
    assert (timeout["audio_start_ms"], timeout["audio_end_ms"]) == (2000, 8000)
    assert timeout["item_id"] == only(frames, "input_audio_buffer.committed")["item_id"]
    assert talk.responder.asked[1].heard_ms == 0
    assert not [kind for kind in kinds(talk.wait(1.0)) if "transcription" in kind]
    assert talk.session.view() == talk.conversation.view()


def test_the_idle_timeout_counts_from_when_the_answer_was_heard_and_again_after_each() -> None:
    talk = Talk(FIVE_SECONDS, ONE_SECOND, update=IDLE)
    talk.send("response.create")
    at = []
    while len(at) < 3:
        talk.wait(0.1)
        at += [talk.at] * len(every(talk.seen, TIMEOUT)[len(at) :])
    assert at == [pytest.approx(11.0, abs=0.2), pytest.approx(18.0, abs=0.3), pytest.approx(25.0, abs=0.4)]


def test_who_stopped_the_answer_waits_from_then_on() -> None:
    talk = Talk(FIVE_SECONDS, update=IDLE)
    talk.send("response.create")
    talk.wait(1.0)
    talk.send("response.cancel")
    assert TIMEOUT not in kinds(talk.wait(5.9))
    assert TIMEOUT in kinds(talk.wait(0.2))


def test_speech_ends_the_wait_and_so_does_a_new_answer() -> None:
    talk = Talk(ONE_SECOND, update=IDLE)
    talk.send("response.create")
    talk.wait(6.5)
    talk.speak(speech(0.3))
    assert talk.wait(20.0) == []
    talk.speak(silence(1.0))
    assert TIMEOUT not in kinds(talk.wait(6.9))
    assert TIMEOUT in kinds(talk.wait(0.2))
    talk.update(turn_detection=None)
    assert TIMEOUT not in kinds(talk.rest())


def test_speech_ends_the_wait_where_it_interrupts_nothing_too() -> None:
    quiet = {"create_response": False, "interrupt_response": False}
    talk = Talk(ONE_SECOND, update={"turn_detection": {**IDLE["turn_detection"], **quiet}})
    talk.send("response.create")
    talk.wait(2.0)
    talk.speak(speech(0.5), silence(1.0))
    assert TIMEOUT not in kinds(talk.wait(20.0))


def test_before_the_first_answer_and_without_a_timeout_nobody_waits() -> None:
    assert Talk(update=IDLE).wait(100.0) == []
    talk = Talk()
    talk.send("response.create")
    talk.rest()
    assert talk.wait(100.0) == []


def test_a_timeout_without_create_response_only_commits() -> None:
    talk = Talk(update={"turn_detection": {**IDLE["turn_detection"], "create_response": False}})
    talk.send("response.create")
    frames = talk.rest()
    assert len(every(frames, TIMEOUT)) == 1
    assert len(every(talk.seen, "response.created")) == 1


@BOTH
def test_an_item_is_retrieved_as_it_is_now(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.send("response.create")
    talk.rest()
    item_id = talk.session.view()[0].id
    got = only(talk.send("conversation.item.retrieve", item_id=item_id), "conversation.item.retrieved")["item"]
    kind = "audio" if spelling is BETA else "output_audio"
    assert (got["id"], got["role"], got["status"]) == (item_id, "assistant", "completed")
    assert got["content"] == [{"type": kind, "transcript": "one two"}]
    talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
    got = only(talk.send("conversation.item.retrieve", item_id=item_id), "conversation.item.retrieved")["item"]
    assert got["content"] == [{"type": kind}]
    assert talk.session.view() == talk.conversation.view()


def test_noise_reduction_and_speed_are_told_back_in_the_beta() -> None:
    talk = Talk(spelling=BETA)
    session = only(
        talk.update(input_audio_noise_reduction={"type": "near_field"}, speed=1.25, tracing="auto"), "session.updated"
    )["session"]
    assert session["input_audio_noise_reduction"] == {"type": "near_field"}
    assert (session["speed"], session["tracing"]) == (1.25, "auto")
    off = only(talk.update(input_audio_noise_reduction=None), "session.updated")["session"]
    assert off["input_audio_noise_reduction"] is None


def test_noise_reduction_speed_and_all_else_are_told_back_in_ga() -> None:
    talk = Talk(spelling=GA)
    audio = {
        "input": {"noise_reduction": {"type": "far_field"}, "transcription": {"model": "x", "languages": ["en"]}},
        "output": {"speed": 0.5, "voice": {"id": "voice_mine"}},
    }
    wire = {"type": "realtime", "audio": audio, "truncation": "disabled", "reasoning": {"effort": "low"}}
    session = only(talk.send("session.update", session=wire), "session.updated")["session"]
    assert session["audio"]["input"]["noise_reduction"] == {"type": "far_field"}
    assert session["audio"]["input"]["transcription"] == {"model": "x", "languages": ["en"]}
    assert (session["audio"]["output"]["speed"], session["audio"]["output"]["voice"]) == (0.5, {"id": "voice_mine"})
    assert (session["truncation"], session["reasoning"]) == ("disabled", {"effort": "low"})


@BOTH
def test_a_response_tells_what_it_was_made_with(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    own: dict[str, Any] = (
        {"voice": "ash", "modalities": ["text"], "temperature": 1.0, "max_response_output_tokens": 100}
        if spelling is BETA
        else {"audio": {"output": {"voice": "ash"}}, "output_modalities": ["text"], "max_output_tokens": 100}
    )
    frames = talk.send("response.create", response=own) + talk.rest()
    for kind in ("response.created", "response.done"):
        response = only(frames, kind)["response"]
        assert response["max_output_tokens"] == 100
        if spelling is BETA:
            assert (response["voice"], response["modalities"], response["temperature"]) == ("ash", ["text"], 1.0)
        else:
            assert (response["audio"]["output"]["voice"], response["output_modalities"]) == ("ash", ["text"])


def test_g711_is_committed_in_real_milliseconds_by_the_idle_timeout_too() -> None:
    talk = Talk(update=IDLE)
    audio = {"input": {"format": {"type": "audio/pcmu"}, **IDLE}}
    talk.send("session.update", session={"type": "realtime", "audio": audio})
    talk.send("response.create")
    talk.wait(6.0)
    talk.speak(b"\xff" * 8_000 * 3)
    timeout = only(talk.wait(1.2), TIMEOUT)
    assert timeout["audio_end_ms"] == pytest.approx(3000, abs=2)


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}


def test_an_image_is_taken_in_ga_and_the_next_answer_knows_of_it() -> None:
    talk = Talk()
    words = {"type": "input_text", "text": "what is this?"}
    frames = talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": [IMAGE, words]})
    assert only(frames, "conversation.item.added")["item"]["content"] == [{"type": "input_image"}, words]
    for _ in range(2):
        talk.send("response.create")
        talk.rest()
    talk.send(
        "response.create",
        response={"conversation": "none", "input": [{"type": "message", "role": "user", "content": [IMAGE]}]},
    )
    assert [asked.images for asked in talk.responder.asked] == [1, 0, 1]


def test_an_image_is_refused_in_the_beta() -> None:
    talk = Talk(spelling=BETA)
    frames = talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": [IMAGE]})
    wrong = only(frames, "error")["error"]
    assert (wrong["code"], wrong["param"]) == ("invalid_value", "item.content[0].type")
    assert talk.session.view() == ()
