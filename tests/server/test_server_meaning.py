"""What the events mean beyond their order: whose context, what is counted, where items and indices stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from server_talk import (
    CALL,
    FIVE_SECONDS,
    ONE_SECOND,
    SPOKEN_CALL,
    TWO_ITEMS,
    Talk,
    every,
    kinds,
    only,
    silence,
    sound,
    speech,
    written,
)

from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, AnswerCall, AnswerItem, one_item
from voicecli.server.limits import Limits, RateLimits

BETA, GA = Spelling.BETA, Spelling.GA
BOTH = pytest.mark.parametrize("spelling", list(Spelling))
ITEM = {BETA: "conversation.item.created", GA: "conversation.item.added"}
MOST = {BETA: "max_response_output_tokens", GA: "max_output_tokens"}
OFF: dict[str, Any] = {"turn_detection": None}


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def answered(talk: Talk, **own: Any) -> dict[str, Any]:
    """The response that comes of it, as it is done."""
    frames = talk.send("response.create", response=own) + talk.rest()
    return only(frames, "response.done")["response"]


# ---- where speech begins and ends ------------------------------------------------------------------------------------


@BOTH
def test_times_of_speech_go_on_after_a_clear_and_a_commit_by_hand(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.speak(silence(1.0))
    talk.send("input_audio_buffer.clear")
    talk.speak(silence(1.0))
    talk.send("input_audio_buffer.commit")
    frames = talk.speak(silence(1.0), speech(1.0), silence(1.0))
    started = only(frames, "input_audio_buffer.speech_started")["audio_start_ms"]
    stopped = only(frames, "input_audio_buffer.speech_stopped")["audio_end_ms"]
    assert 3_000 - 300 - 32 <= started <= 3_000 - 300
    assert 4_000 + 500 <= stopped <= 4_000 + 500 + 64


@BOTH
def test_the_prefix_reaches_no_further_back_than_a_clear(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.speak(silence(1.0))
    talk.send("input_audio_buffer.clear")
    assert only(talk.speak(speech(0.5)), "input_audio_buffer.speech_started")["audio_start_ms"] == 1_000


@BOTH
def test_without_create_response_a_turn_interrupts_all_the_same(spelling: Spelling) -> None:
    update = {"turn_detection": {"type": "server_vad", "create_response": False}}
    talk = Talk(FIVE_SECONDS, spelling=spelling, update=update)
    talk.send("response.create")
    frames = talk.speak(speech(0.5), silence(1.0)) + talk.rest()
    assert only(frames, "response.done")["response"]["status_details"]["reason"] == "turn_detected"
    assert "response.created" not in kinds(frames)


@BOTH
def test_speech_and_a_cancel_leave_a_response_aside_alone(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling, update={"turn_detection": {"type": "server_vad"}})
    aside = only(talk.send("response.create", response={"conversation": "none"}), "response.created")["response"]["id"]
    talk.send("response.create")
    talk.speak(speech(0.5))
    assert "error" in kinds(talk.send("response.cancel"))
    done = {frame["response"]["id"]: frame["response"]["status"] for frame in every(talk.seen, "response.done")}
    assert list(done.values()) == ["cancelled"]
    talk.send("input_audio_buffer.clear")
    last = only(talk.rest(), "response.done")["response"]
    assert (last["id"], last["status"]) == (aside, "completed")


# ---- the context of a response ---------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("conversation", ["auto", "none"])
def test_an_input_of_its_own_is_all_that_a_response_hears(spelling: Spelling, conversation: str) -> None:
    talk = Talk(spelling=spelling)
    known = only(talk.type("in the talk"), ITEM[spelling])["item"]["id"]
    answered(talk, conversation=conversation, input=[said("classify this")])
    answered(talk, conversation=conversation, input=[{"type": "item_reference", "id": known}])
    answered(talk, conversation=conversation, input=[])
    answered(talk)
    assert [asked.typed for asked in talk.responder.asked] == ["classify this", "in the talk", "", "in the talk"]


@BOTH
@pytest.mark.parametrize("conversation", ["auto", "none"])
def test_an_input_of_its_own_is_what_is_counted_and_none_of_it_was_known(spelling: Spelling, conversation: str) -> None:
    talk = Talk(one_item(written("well")), spelling=spelling)
    known = only(talk.type("x" * 400), ITEM[spelling])["item"]["id"]
    whole = answered(talk)["usage"]["input_tokens"]
    counts = [
        answered(talk, conversation=conversation, input=given)["usage"]
        for given in ([], [said("y" * 40)], [{"type": "item_reference", "id": known}])
    ]
    assert [usage["input_tokens"] for usage in counts] == [0, 13, whole]
    assert [usage["input_token_details"]["cached_tokens"] for usage in counts] == [0, 0, 0]


@BOTH
def test_the_answer_to_an_input_of_its_own_joins_the_conversation_unless_it_is_aside(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    answered(talk, conversation="none", input=[said("x")])
    assert talk.session.view() == ()
    answered(talk, input=[said("x")])
    assert [item.role for item in talk.session.view()] == ["assistant"]


@BOTH
def test_a_response_aside_says_so_from_its_start(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    talk.send("response.create", response={"conversation": "none", "metadata": {"a": "b"}})
    talk.rest()
    for kind in ("response.created", "response.done"):
        response = only(talk.seen, kind)["response"]
        assert response["metadata"] == {"a": "b"}
        assert response["conversation_id"] is None
    answered(talk)
    mine = every(talk.seen, "response.done")[-1]["response"]
    assert mine["conversation_id"] == only(talk.seen, "conversation.created")["conversation"]["id"]


# ---- what is counted -------------------------------------------------------------------------------------------------

ENDINGS: dict[str, tuple[Answer, Callable[[Talk], object]]] = {
    "completed": (ONE_SECOND, lambda talk: None),
    "cancelled": (FIVE_SECONDS, lambda talk: talk.send("response.cancel")),
    "cancelled before its first word": (
        Answer(ONE_SECOND.items, delay_s=9.0),
        lambda talk: talk.send("response.cancel"),
    ),
    "interrupted": (FIVE_SECONDS, lambda talk: talk.speak(speech(0.5))),
    "incomplete": (Answer(ONE_SECOND.items, status="incomplete", reason="content_filter"), lambda talk: None),
    "failed": (Answer(status="failed", error=StatusError(code="x")), lambda talk: None),
    "empty": (Answer(), lambda talk: None),
}


@BOTH
@pytest.mark.parametrize("ending", ENDINGS)
def test_however_a_response_ends_its_usage_is_told_and_adds_up(spelling: Spelling, ending: str) -> None:
    answer, then = ENDINGS[ending]
    talk = Talk(answer, spelling=spelling)
    talk.type("hello")
    talk.send("response.create")
    then(talk)
    talk.rest()
    usage = only(talk.seen, "response.done")["response"]["usage"]
    heard, spent = usage["input_token_details"], usage["output_token_details"]
    assert usage["input_tokens"] == heard["text_tokens"] + heard["audio_tokens"] > 0
    assert usage["output_tokens"] == spent["text_tokens"] + spent["audio_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert heard["cached_tokens"] == 0
    assert every(talk.seen, "response.done")[0]["response"]["usage"] == usage


@BOTH
def test_usage_grows_from_turn_to_turn_over_cancelled_ones_too(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling)
    told = []
    for _ in range(4):
        talk.speak(silence(0.3), speech(1.0), silence(0.6))
        talk.wait(0.3)
        told.append(only(talk.speak(speech(0.1)), "response.done")["response"]["usage"])
        talk.send("input_audio_buffer.clear")
    for before, now in pairwise(told):
        assert now["input_tokens"] > before["input_tokens"]
        assert now["input_token_details"]["audio_tokens"] > before["input_token_details"]["audio_tokens"] > 0
        assert now["input_token_details"]["cached_tokens"] == before["input_tokens"]


@BOTH
@pytest.mark.parametrize("most", [1, 7, 30])
@pytest.mark.parametrize("answer", [FIVE_SECONDS, one_item(written("many words " * 20)), CALL, SPOKEN_CALL])
def test_no_more_tokens_are_spent_than_were_allowed(spelling: Spelling, most: int, answer: Answer) -> None:
    response = answered(Talk(answer, spelling=spelling), **{MOST[spelling]: most})
    if response["status"] == "completed":
        assert answer in (CALL, SPOKEN_CALL)
    else:
        assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
        assert [item["status"] for item in response["output"]][-1:] in ([], ["incomplete"])
    assert response["usage"]["output_tokens"] <= most


@BOTH
def test_the_tokens_that_a_session_allows_hold_for_each_response(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling, update={MOST[spelling]: 20, **OFF})
    assert [answered(talk)["status"] for _ in range(2)] == ["incomplete", "incomplete"]
    assert answered(talk, **{MOST[spelling]: "inf"})["status"] == "completed"


# ---- rate limits -----------------------------------------------------------------------------------------------------


def left(frames: list[dict[str, Any]]) -> list[int]:
    """Tokens that remain, as they were told."""
    told = every(frames, "rate_limits.updated")
    return [limit["remaining"] for frame in told for limit in frame["rate_limits"] if limit["name"] == "tokens"]


@BOTH
@pytest.mark.parametrize("ending", ENDINGS)
def test_b12_tokens_are_reserved_at_the_start_and_put_right_at_the_end(spelling: Spelling, ending: str) -> None:
    answer, then = ENDINGS[ending]
    talk = Talk(answer, spelling=spelling, limits=Limits(tokens_per_minute=6_000))
    first = talk.send("response.create")
    then(talk)
    talk.rest()
    start, end = left(talk.seen)
    used = only(talk.seen, "response.done")["response"]["usage"]["total_tokens"]
    assert left(first)[0] == start == 6_000 - RateLimits.RESERVE
    assert start < end
    assert 6_000 - used <= end <= 6_000
    assert [frame["type"] for frame in talk.seen].index("rate_limits.updated") > 2


@BOTH
def test_what_was_never_reserved_is_not_given_back(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling, limits=Limits(tokens_per_minute=1_000))
    talk.send("response.create")
    for _ in range(3):
        refused = talk.send("response.create", response={"conversation": "none"})
        assert only(refused, "response.done")["response"]["status"] == "failed"
        assert left(refused) == [0, 0]


# ---- places ----------------------------------------------------------------------------------------------------------


@BOTH
def test_what_is_committed_comes_after_the_answer_that_it_interrupts(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling)
    talk.send("response.create")
    talk.wait(0.5)
    frames = talk.speak(speech(0.5), silence(1.0))
    (answer, *_) = [item.id for item in talk.session.view()]
    committed = only(frames, "input_audio_buffer.committed")
    assert committed["previous_item_id"] == answer
    item = next(frame for frame in every(frames, ITEM[spelling]) if frame["item"]["role"] == "user")
    assert (item["item"]["id"], item["previous_item_id"]) == (committed["item_id"], answer)


@BOTH
def test_items_of_a_response_are_appended_behind_what_came_meanwhile(spelling: Spelling) -> None:
    talk = Talk(TWO_ITEMS, spelling=spelling)
    talk.send("response.create")
    first = talk.session.view()[0].id
    between = only(talk.type("meanwhile"), ITEM[spelling])
    before = only(talk.type("first of all", previous_item_id="root"), ITEM[spelling])
    assert between["previous_item_id"] == first
    second = only(talk.rest(), ITEM[spelling])
    assert second["previous_item_id"] == between["item"]["id"]
    order = [before["item"]["id"], first, between["item"]["id"], second["item"]["id"]]
    assert [item.id for item in talk.session.view()] == order
    assert talk.conversation.view() == talk.session.view()


SPLIT = Answer((AnswerItem((*TWO_ITEMS.items[0].parts, written("x"))), *TWO_ITEMS.items, *SPOKEN_CALL.items))  # type: ignore[union-attr]


@BOTH
@pytest.mark.parametrize("cut_after_s", [None, 0.0, 0.25, 0.4, 0.6, 1.0])
def test_indices_begin_at_0_and_have_no_gaps(spelling: Spelling, cut_after_s: float | None) -> None:
    talk = Talk(SPLIT, spelling=spelling)
    talk.send("response.create")
    if cut_after_s is not None:
        talk.wait(cut_after_s)
        talk.send("response.cancel")
    talk.rest()
    output = only(talk.seen, "response.done")["response"]["output"]
    for kind in ("response.output_item.added", "response.output_item.done"):
        told = every(talk.seen, kind)
        assert [frame["output_index"] for frame in told] == list(range(len(output)))
        assert [frame["item"]["id"] for frame in told] == [item["id"] for item in output]
    for n, item in enumerate(output):
        for kind in ("response.content_part.added", "response.content_part.done"):
            parts = [frame for frame in every(talk.seen, kind) if frame["output_index"] == n]
            assert [frame["content_index"] for frame in parts] == list(range(len(item.get("content", ()))))
            assert {frame["item_id"] for frame in parts} <= {item["id"]}


@BOTH
def test_parts_and_calls_have_their_words_even_where_there_are_none_yet(spelling: Spelling) -> None:
    """One client library for JavaScript ends with an exception where `transcript` is absent and not null."""
    talk = Talk(one_item(written("x")), Answer((AnswerCall("f", ""),)), spelling=spelling)
    talk.speak(speech(0.4), silence(0.6))
    talk.rest()
    talk.send("response.create")
    talk.rest()
    empty = [{"type": "input_text", "text": ""}]
    talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": empty})
    for item in talk.session.view():
        talk.send("conversation.item.retrieve", item_id=item.id)
    items = [frame["item"] for frame in talk.seen if "item" in frame]
    parts = [part for item in items for part in item.get("content", ())]
    assert {part["type"] for part in parts} == {
        "input_audio",
        "input_text",
        "text" if spelling is BETA else "output_text",
    }
    assert all(part["transcript"] is None for part in parts if part["type"] == "input_audio")
    assert all(isinstance(part["text"], str) for part in parts if part["type"].endswith("text"))
    assert all(isinstance(item["arguments"], str) for item in items if item["type"] == "function_call")


# ---- order and what stays --------------------------------------------------------------------------------------------


@BOTH
def test_commands_are_answered_in_the_order_in_which_they_were_sent(spelling: Spelling) -> None:
    """While an answer runs, sound waits to be heard, and no time goes by."""
    talk = Talk(FIVE_SECONDS, spelling=spelling, update=OFF)
    talk.send("response.create")
    talk.send("input_audio_buffer.append", audio="AAAA" * 20_000)
    session = {"type": "realtime"} if spelling is GA else {}
    sent: list[tuple[dict[str, Any], str]] = [
        ({"type": "conversation.item.create", "item": {**said("a"), "id": "a"}}, ITEM[spelling]),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer.committed"),
        ({"type": "session.update", "session": {**session, "instructions": "x"}}, "session.updated"),
        ({"type": "nonsense"}, "error"),
        ({"type": "conversation.item.delete", "item_id": "a"}, "conversation.item.deleted"),
        ({"type": "conversation.item.delete", "item_id": "a"}, "error"),
        ({"type": "input_audio_buffer.clear"}, "input_audio_buffer.cleared"),
        ({"type": "response.cancel"}, "response.done"),
        ({"type": "response.create"}, "response.created"),
        ({"type": "response.create"}, "error"),
    ]
    frames = [frame for event, _ in sent for frame in talk.raw(json.dumps(event))]
    answers = [frame["type"] for frame in frames if frame["type"] in {answer for _, answer in sent}]
    committed = answers.index("input_audio_buffer.committed")
    assert answers.pop(committed + 1) == ITEM[spelling]
    assert [kind for kind in answers if kind != ITEM[spelling]] == [kind for _, kind in sent if kind != ITEM[spelling]]
    assert answers[0] == ITEM[spelling]


@pytest.mark.parametrize(
    "audio",
    [
        {"input": {"transcription": {"model": "whisper-1"}}},
        {"input": {"format": {"type": "audio/pcmu"}}},
        {"input": {"turn_detection": None}},
        {"output": {"voice": "ash"}},
        {"output": {"speed": 1.2}},
        {"output": {"format": {"type": "audio/pcma"}}},
        {"input": {}, "output": {}},
        {},
    ],
)
def test_what_a_nested_update_does_not_name_stays(audio: dict[str, Any]) -> None:
    detection = {"type": "server_vad", "threshold": 0.7, "prefix_padding_ms": 100, "silence_duration_ms": 900}
    talk = Talk()
    first = {
        "input": {"turn_detection": detection, "transcription": {"model": "x", "language": "de"}},
        "output": {"voice": "sage", "speed": 0.9},
    }
    told = talk.send("session.update", session={"type": "realtime", "instructions": "be", "audio": first})
    before = only(told, "session.updated")["session"]
    after = only(talk.send("session.update", session={"type": "realtime", "audio": audio}), "session.updated")[
        "session"
    ]
    wanted = json.loads(json.dumps(before))
    for side, fields in audio.items():
        wanted["audio"][side] |= fields
    assert after == wanted
    assert (
        after["audio"]["input"]["turn_detection"] is None
        or after["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    )


@BOTH
def test_text_only_has_no_sound_and_another_modality_for_one_response_does(spelling: Spelling) -> None:
    talk = Talk(ONE_SECOND, spelling=spelling, update={"modalities": ["text"]})
    answered(talk)
    assert sound(talk.seen) == b""
    own = {"modalities": ["text", "audio"]} if spelling is BETA else {"output_modalities": ["audio"]}
    answered(talk, **own)
    assert sound(talk.seen)
    assert {kind.split(".")[1] for kind in kinds(talk.seen) if kind.endswith(".delta")} == (
        {"text", "audio", "audio_transcript"}
        if spelling is BETA
        else {"output_text", "output_audio", "output_audio_transcript"}
    )


@BOTH
def test_the_voice_may_change_until_the_first_sound(spelling: Spelling) -> None:
    talk = Talk(one_item(written("no sound")), ONE_SECOND, spelling=spelling)
    answered(talk)
    assert "session.updated" in kinds(talk.update(voice="ash"))
    answered(talk)
    assert only(talk.update(voice="sage"), "error")["error"]["code"] == "cannot_update_voice"
