"""The error catalogue: each error a client can cause, with code, words, param and `event_id`, in both spellings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from server_talk import FIVE_SECONDS, ONE_SECOND, Talk, kinds, only, speech, written

from voicecli.protocol.dialects import Spelling
from voicecli.server.answers import one_item

GA, BETA = Spelling.GA, Spelling.BETA
BOTH = (GA, BETA)
OFF: dict[str, Any] = {"turn_detection": None}


class Wrong(NamedTuple):
    """What is sent after `first`, and what it is refused with."""

    name: str
    send: dict[str, Any]
    code: str
    words: str
    param: str | None = None
    spellings: tuple[Spelling, ...] = BOTH
    first: Callable[[Talk], object] = lambda talk: None


def update(spelling: Spelling = GA, **session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session} if spelling is GA else session}


def heard_update(**heard: Any) -> dict[str, Any]:
    return update(GA, audio={"input": heard})


def create(**response: Any) -> dict[str, Any]:
    return {"type": "response.create", "response": response}


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


def message(role: str, **part: Any) -> dict[str, Any]:
    return item(type="message", role=role, content=[part])


def truncate(item_id: str, milliseconds: float, content_index: int = 0) -> dict[str, Any]:
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": content_index,
        "audio_end_ms": milliseconds,
    }


def answered(talk: Talk) -> None:
    talk.send("response.create")
    talk.rest()


def answered_in_text(talk: Talk) -> None:
    talk.responder.answers = [one_item(written("words"))]
    answered(talk)


def answering(talk: Talk) -> None:
    talk.responder.answers = [FIVE_SECONDS]
    talk.send("response.create")


def truncated(talk: Talk) -> None:
    answered(talk)
    item_id = talk.session.view()[0].id
    talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=400)


def committed(talk: Talk) -> None:
    talk.update(**OFF)
    talk.speak(speech(0.4))
    talk.send("input_audio_buffer.commit")


def deaf(talk: Talk) -> None:
    talk.update(**OFF)
    talk.speak(speech(0.05))


SAID = "said"
"""Stands for the id of the first item there is."""

LONG_TOOL = {"type": "function", "name": "b", "description": "x" * 2473}
TOOLS = [{"type": "function", "name": "a"}, LONG_TOOL]

CATALOGUE = [
    Wrong("an unknown event", {"type": "scooby.dooby.doo"}, "invalid_value", "Invalid value: 'scooby.", "type"),
    Wrong("no type", {"no": "type"}, "missing_required_parameter", "no type", "type"),
    Wrong(
        "an unknown session field",
        update(GA, x=1),
        "unknown_parameter",
        "Unknown parameter: 'session.x'",
        "session.x",
        (GA,),
    ),
    Wrong(
        "an unknown session field (beta)",
        update(BETA, modalities=["text"], x=1),
        "unknown_parameter",
        "Unknown parameter: 'session.x'",
        "session.x",
        (BETA,),
    ),
    Wrong(
        "an unknown field deep inside",
        heard_update(turn_detection={"type": "server_vad", "y": 1}),
        "unknown_parameter",
        "Unknown parameter: 'session.audio.input.turn_detection.y'",
        "session.audio.input.turn_detection.y",
        (GA,),
    ),
    Wrong(
        "an unknown field deep inside (beta)",
        update(BETA, turn_detection={"type": "server_vad", "y": 1}),
        "unknown_parameter",
        "Unknown parameter: 'session.turn_detection.y'",
        "session.turn_detection.y",
        (BETA,),
    ),
    Wrong("a beta field", update(GA, voice="ash"), "unknown_parameter", "'session.voice'", "session.voice", (GA,)),
    Wrong(
        "a temperature",
        update(GA, temperature=0.8),
        "unknown_parameter",
        "Unknown parameter: 'session.temperature'",
        "session.temperature",
        (GA,),
    ),
    Wrong(
        "a temperature of one response",
        create(temperature=0.8),
        "unknown_parameter",
        "Unknown parameter: 'response.temperature'",
        "response.temperature",
        (GA,),
    ),
    Wrong("an unknown response field", create(x=1), "unknown_parameter", "'response.x'", "response.x"),
    Wrong(
        "a nested function",
        update(GA, tools=[{"type": "function", "function": {"name": "x"}}]),
        "unknown_parameter",
        "Unknown parameter: 'session.tools[0].function'",
        "session.tools[0].function",
        (GA,),
    ),
    Wrong(
        "a description that is too long",
        update(GA, tools=TOOLS),
        "string_above_max_length",
        "string too long. Expected a string with maximum length 1024, but got a string with length 2473",
        "session.tools[1].description",
        (GA,),
    ),
    Wrong(
        "a description that is too long (beta)",
        update(BETA, tools=TOOLS, voice="ash"),
        "string_above_max_length",
        "string too long",
        "session.tools[1].description",
        (BETA,),
    ),
    Wrong(
        "metadata that is too long",
        create(metadata={"a": "x" * 513}),
        "string_above_max_length",
        "string too long",
        "response.metadata",
    ),
    Wrong(
        "no session.type",
        {"type": "session.update", "session": {"instructions": "x"}},
        "missing_required_parameter",
        "Missing required parameter: 'session.type'",
        "session.type",
        (GA,),
    ),
    Wrong(
        "no session.type beside GA's fields",
        {"type": "session.update", "session": {"output_modalities": ["text"]}},
        "missing_required_parameter",
        "Missing required parameter: 'session.type'",
        "session.type",
        (GA,),
    ),
    Wrong(
        "a session of another type",
        {"type": "session.update", "session": {"type": "transcription"}},
        "invalid_value",
        "Invalid value: 'transcription'",
        "session.type",
        (GA,),
    ),
    Wrong(
        "a cancel of nothing",
        {"type": "response.cancel"},
        "response_cancel_not_active",
        "Cancellation failed: no active response found",
    ),
    Wrong(
        "a cancel of another response",
        {"type": "response.cancel", "response_id": "resp_other"},
        "response_cancel_not_active",
        "no active response found",
        first=answering,
    ),
    Wrong(
        "a second response",
        {"type": "response.create"},
        "conversation_already_has_active_response",
        "already has an active response in progress: resp_",
        first=answering,
    ),
    Wrong(
        "a commit of nothing",
        {"type": "input_audio_buffer.commit"},
        "input_audio_buffer_commit_empty",
        "buffer too small. Expected at least 100ms of audio, but buffer only has 0.00ms of audio.",
    ),
    Wrong(
        "a commit of too little",
        {"type": "input_audio_buffer.commit"},
        "input_audio_buffer_commit_empty",
        "buffer only has 50.00ms of audio.",
        first=deaf,
    ),
    Wrong(
        "another voice after sound",
        update(GA, audio={"output": {"voice": "ash"}}),
        "cannot_update_voice",
        "assistant audio is present",
        "session.audio.output.voice",
        (GA,),
        answered,
    ),
    Wrong(
        "another voice after sound (beta)",
        update(BETA, voice="ash"),
        "cannot_update_voice",
        "assistant audio is present",
        "session.voice",
        (BETA,),
        answered,
    ),
    Wrong(
        "another voice for one response",
        create(voice="ash"),
        "cannot_update_voice",
        "assistant audio is present",
        "response.voice",
        (BETA,),
        answered,
    ),
    Wrong(
        "another voice for one response (GA)",
        create(audio={"output": {"voice": "ash"}}),
        "cannot_update_voice",
        "assistant audio is present",
        "response.audio.output.voice",
        (GA,),
        answered,
    ),
    Wrong(
        "a truncation past an earlier one",
        truncate(SAID, 401),
        "invalid_value",
        "Audio content of 400ms is already shorter than 401ms",
        "audio_end_ms",
        first=truncated,
    ),
    Wrong(
        "a truncation of what the user said",
        truncate(SAID, 0),
        "unsupported_content_type",
        "Only model output audio messages can be truncated",
        "item_id",
        first=lambda talk: talk.type("hello"),
    ),
    Wrong(
        "a cancel of a response that is done",
        {"type": "response.cancel"},
        "response_cancel_not_active",
        "no active response found",
        first=answered,
    ),
    Wrong(
        "sound without its bytes",
        message("user", type="input_audio"),
        "missing_required_parameter",
        "item.content[0].audio",
        "item.content[0].audio",
    ),
    Wrong(
        "a commit of what was taken already",
        {"type": "input_audio_buffer.commit"},
        "input_audio_buffer_commit_empty",
        "buffer only has 0.00ms of audio.",
        first=committed,
    ),
    Wrong(
        "a truncation past the end",
        truncate(SAID, 1001),
        "invalid_value",
        "Audio content of 1000ms is already shorter than 1001ms",
        "audio_end_ms",
        first=answered,
    ),
    Wrong(
        "a truncation of a text",
        truncate(SAID, 0),
        "unsupported_content_type",
        "Only model output audio messages can be truncated",
        "item_id",
        first=answered_in_text,
    ),
    Wrong(
        "a truncation of what is not there",
        truncate("nobody", 0),
        "item_truncate_invalid_item_id",
        "does not exist",
        "item_id",
    ),
    Wrong(
        "a truncation of another part",
        truncate(SAID, 0, 1),
        "invalid_value",
        "content_index",
        "content_index",
        first=answered,
    ),
    Wrong(
        "a deletion of what is not there",
        {"type": "conversation.item.delete", "item_id": "nobody"},
        "item_delete_invalid_item_id",
        "does not exist",
        "item_id",
    ),
    Wrong(
        "a retrieval of what is not there",
        {"type": "conversation.item.retrieve", "item_id": "nobody"},
        "item_retrieve_invalid_item_id",
        "does not exist",
        "item_id",
    ),
    Wrong(
        "the buffer that only WebRTC has",
        {"type": "output_audio_buffer.clear"},
        "invalid_value",
        "",
        "type",
    ),
    Wrong(
        "a timeout in the beta",
        update(BETA, turn_detection={"type": "server_vad", "idle_timeout_ms": 6000}),
        "unknown_parameter",
        "Unknown parameter: 'session.turn_detection.idle_timeout_ms'",
        "session.turn_detection.idle_timeout_ms",
        (BETA,),
    ),
    Wrong(
        "assistant sound without its text",
        message("assistant", type="audio", transcript="x"),
        "missing_required_parameter",
        "item.content[0].text",
        "item.content[0].text",
    ),
    Wrong(
        "content of another role",
        message("system", type="input_audio", audio="AAAA"),
        "invalid_value",
        "Invalid value: 'input_audio'",
        "item.content[0].type",
    ),
    Wrong(
        "an unknown predecessor",
        {**message("user", type="input_text", text="x"), "previous_item_id": "nobody"},
        "item_create_invalid_previous_item_id",
        "does not exist",
        "previous_item_id",
    ),
    Wrong(
        "the output of no call",
        item(type="function_call_output", call_id="call_x", output="1"),
        "invalid_tool_call_id",
        "not found in conversation",
        "item.call_id",
    ),
    Wrong(
        "sound alone",
        create(modalities=["audio"]),
        "invalid_value",
        "Supported combinations are",
        "response.modalities",
        (BETA,),
    ),
    Wrong(
        "sound alone in a session",
        update(BETA, modalities=["audio"]),
        "invalid_value",
        "Supported combinations are: ['text'] and ['audio', 'text'].",
        "session.modalities",
        (BETA,),
    ),
    Wrong(
        "two modalities at once",
        update(GA, output_modalities=["audio", "text"]),
        "invalid_value",
        "Supported combinations are: ['text'] and ['audio'].",
        "session.output_modalities",
        (GA,),
    ),
    Wrong(
        "a threshold out of range",
        heard_update(turn_detection={"type": "server_vad", "threshold": 1.1}),
        "decimal_above_max_value",
        "Invalid 'session.audio.input.turn_detection.threshold'",
        "session.audio.input.turn_detection.threshold",
        (GA,),
    ),
    Wrong(
        "too many tokens",
        update(GA, max_output_tokens=4097),
        "decimal_above_max_value",
        "Invalid 'session.max_output_tokens'",
        "session.max_output_tokens",
        (GA,),
    ),
    Wrong(
        "too many tokens (beta)",
        create(max_response_output_tokens=4097),
        "decimal_above_max_value",
        "Invalid 'response.max_response_output_tokens'",
        "response.max_response_output_tokens",
        (BETA,),
    ),
    Wrong(
        "another conversation",
        create(conversation="mine"),
        "invalid_value",
        "Invalid value: 'mine'",
        "response.conversation",
    ),
    Wrong(
        "a reference to nothing",
        create(conversation="none", input=[{"type": "item_reference", "id": "nobody"}]),
        "invalid_value",
        "Invalid value: 'nobody'",
        "response.input[0].id",
    ),
]
CASES = [
    pytest.param(wrong, spelling, id=f"{wrong.code}: {wrong.name}, {spelling.value}")
    for wrong in CATALOGUE
    for spelling in wrong.spellings
]


ROWS: dict[tuple[str, str], tuple[Spelling, ...]] = {
    ("invalid_value", "Invalid value: 'scooby"): BOTH,
    ("unknown_parameter", "Unknown parameter: 'session.x'"): BOTH,
    ("string_above_max_length", "string too long"): BOTH,
    ("missing_required_parameter", "'session.type'"): (GA,),
    ("response_cancel_not_active", "no active response found"): BOTH,
    ("conversation_already_has_active_response", "already has an active response"): BOTH,
    ("input_audio_buffer_commit_empty", "buffer too small"): BOTH,
    ("cannot_update_voice", "assistant audio is present"): BOTH,
    ("invalid_value", "is already shorter than"): BOTH,
    ("unsupported_content_type", "Only model output audio messages can be truncated"): BOTH,
    ("item_retrieve_invalid_item_id", ""): BOTH,
    ("missing_required_parameter", "item.content[0].text"): BOTH,
    ("invalid_value", "Supported combinations are"): BOTH,
}
"""The catalogue as it was gathered from servers, but for what no client causes here: the beta is not switched off, and
`session_expired` comes by the clock (test_server_cap.py)."""


@pytest.mark.parametrize(("row", "spelling"), [(row, each) for row, where in ROWS.items() for each in where])
def test_each_row_of_the_catalogue_is_caused_in_each_spelling_that_has_it(
    row: tuple[str, str], spelling: Spelling
) -> None:
    code, words = row
    assert [wrong for wrong in CATALOGUE if wrong.code == code and words in wrong.words and spelling in wrong.spellings]


@pytest.mark.parametrize(("wrong", "spelling"), CASES)
def test_b14_an_error_names_its_code_field_and_cause_and_the_session_lives(wrong: Wrong, spelling: Spelling) -> None:
    talk = Talk(ONE_SECOND, spelling=spelling)
    wrong.first(talk)
    before = talk.session.view()
    frame = {**wrong.send, "event_id": "mine"}
    if frame.get("item_id") == SAID:
        frame["item_id"] = before[0].id
    frames = talk.raw(json.dumps(frame))
    told = only(frames, "error")
    assert kinds(frames) == ["error"]
    assert told["event_id"] not in ("", "mine")
    told = told["error"]
    assert told.keys() == {"message", "type", "code", "param", "event_id"}
    assert (told["type"], told["code"], told["event_id"]) == ("invalid_request_error", wrong.code, "mine")
    assert wrong.words in told["message"]
    assert told["param"] == wrong.param
    assert talk.session.view() == before
    talk.rest()
    assert "session.updated" in kinds(talk.update(instructions="still here"))
    assert talk.session.view() == talk.conversation.view()


@pytest.mark.parametrize("spelling", BOTH)
def test_an_error_without_an_event_id_of_the_client_says_null(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    told = only(talk.send("conversation.item.delete", item_id="nobody"), "error")["error"]
    assert told["event_id"] is None


@pytest.mark.parametrize(
    ("spelling", "other", "param"),
    [
        (BETA, update(GA, instructions="x"), "session.type"),
        (BETA, {"type": "session.update", "session": {"output_modalities": ["text"]}}, "session.output_modalities"),
        (GA, update(GA, modalities=["text"]), "session.modalities"),
    ],
)
def test_once_a_client_has_said_how_it_spells_the_other_spelling_is_unknown(
    spelling: Spelling, other: dict[str, Any], param: str
) -> None:
    talk = Talk(spelling=spelling, update={"modalities": ["text"]})
    told = only(talk.raw(json.dumps(other)), "error")["error"]
    assert (told["code"], told["param"]) == ("unknown_parameter", param)


def test_all_that_the_late_beta_and_ga_have_is_known() -> None:
    beta = Talk(spelling=BETA).update(
        modalities=["text", "audio"],
        voice="ash",
        instructions="x",
        temperature=0.7,
        max_response_output_tokens="inf",
        input_audio_transcription={"model": "whisper-1", "language": "en", "prompt": "x"},
        input_audio_noise_reduction={"type": "near_field"},
        turn_detection={"type": "server_vad", "create_response": True, "interrupt_response": True},
        tools=[{"type": "function", "name": "a", "description": "b", "parameters": {"type": "object", "x": 1}}],
        tool_choice="auto",
        speed=1.1,
        tracing="auto",
    )
    assert kinds(beta) == ["session.updated"]
    ga = Talk(spelling=GA).raw(
        json.dumps(
            update(
                GA,
                output_modalities=["audio"],
                instructions="x",
                max_output_tokens=100,
                include=["item.input_audio_transcription.logprobs"],
                prompt={"id": "x"},
                truncation="auto",
                reasoning={"effort": "low"},
                parallel_tool_calls=True,
                tracing=None,
                tools=[{"type": "mcp", "server_label": "x", "server_url": "https://x"}],
                audio={
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "transcription": {"model": "x", "delay": "low", "keywords": ["x"], "languages": ["en"]},
                        "noise_reduction": {"type": "far_field", "strength": 0.5},
                        "turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000},
                    },
                    "output": {"voice": {"id": "voice_x"}, "speed": 1.2, "format": {"type": "audio/pcmu"}},
                },
            )
        )
    )
    assert kinds(ga) == ["session.updated"]


def test_a_bad_update_changes_nothing_of_what_else_it_says() -> None:
    talk = Talk(spelling=GA)
    talk.raw(json.dumps(update(GA, instructions="not taken", x=1)))
    after = only(talk.update(output_modalities=["text"]), "session.updated")["session"]
    assert after["instructions"] == ""
