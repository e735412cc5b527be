"""Reading and writing, in both spellings, and whatever else may come."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

import voicecli
from tests.contract.check import contract_problems
from tests.protocol.strategies import CLIENT_EVENTS, SERVER_CLASSES, SERVER_EVENTS, SESSIONS
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_client, decode_server, encode, encode_server, spelling_of
from voicecli.protocol.dialects import GA_NAMES, Lossy, Spelling
from voicecli.protocol.events import Malformed, Unknown
from voicecli.protocol.items import (
    ContentPart,
    CustomVoice,
    Item,
    NoiseReduction,
    Response,
    ResponseConfig,
    SessionConfig,
    Tool,
    Transcription,
    TurnDetection,
)
from voicecli.protocol.profiles import EMBEDDED_BETA, EMBEDDED_GA, GENERIC_BETA, GENERIC_GA, OPENAI, Profile

PROFILES = (OPENAI, GENERIC_GA, GENERIC_BETA, EMBEDDED_GA, EMBEDDED_BETA)
IN_BETA_ONLY = {"conversation.item.created"}
IN_GA_ONLY = {
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.timeout_triggered",
    "input_audio_buffer.dtmf_event_received",
    "mcp_list_tools.in_progress",
    "mcp_list_tools.completed",
    "mcp_list_tools.failed",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
}


def sent(event: e.ClientEvent, profile: Profile) -> tuple[dict[str, Any], tuple[Lossy, ...]]:
    text, lost = encode(event, profile)
    assert text is not None
    return json.loads(text), lost


def carried(event: object, lost: Iterable[Lossy] = (), *more: str) -> Any:
    """The event as plain values, without what could not be carried. An item without parts is as good as a bare one."""
    plain = json.loads(msgspec.json.encode(event))
    for path in (*reversed([one.path for one in lost]), *more):  # from the end, so that places stay true
        *way, last = re.findall(r"\w+", path)
        place = plain
        for step in way:
            place = place[int(step) if step.isdigit() else step] if place is not None else None
        if isinstance(place, list):
            del place[int(last)]
        elif not way:
            plain[last] = None
        elif place:
            place.pop(last, None)
    return without_empty(plain)


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        default = (("content", []), ("type", "function"))  # which msgspec leaves out, or not
        return {name: without_empty(inner) for name, inner in value.items() if (name, inner) not in default}
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


# ---- round trips -----------------------------------------------------------------------------------------------------


@given(CLIENT_EVENTS, st.sampled_from(PROFILES))
def test_a_client_event_comes_back_as_it_was_or_lost_names_the_difference(
    event: e.ClientEvent, profile: Profile
) -> None:
    text, lost = encode(event, profile)
    assert all(one.why for one in lost)
    if text is None:
        assert lost
        return
    connect_only = profile.spelling is Spelling.GA and isinstance(event, e.SessionUpdate)  # the URL has the model
    assert carried(decode_client(text)) == carried(event, lost, *(("session.model",) if connect_only else ()))


@given(CLIENT_EVENTS)
def test_ga_loses_nothing_but_the_temperature(event: e.ClientEvent) -> None:
    text, lost = encode(event, OPENAI)
    assert text is not None
    assert {one.path for one in lost} <= {"session.temperature", "response.temperature"}


@given(SERVER_EVENTS, st.sampled_from(Spelling))
def test_a_server_event_comes_back_as_it_was_or_lost_names_the_difference(
    event: e.ServerEvent, spelling: Spelling
) -> None:
    lost: list[Lossy] = []
    text = encode_server(event, spelling, lost)
    kind = str(type(event).__struct_config__.tag)
    absent = kind in (IN_GA_ONLY if spelling is Spelling.BETA else IN_BETA_ONLY)
    assert (text is None) == absent
    assert text == encode_server(event, spelling)
    if text is None:
        return
    frame = json.loads(text)
    assert frame["event_id"] == event.event_id
    assert frame["type"] == (GA_NAMES.get(kind, kind) if spelling is Spelling.GA else kind)
    back = decode_server(text)
    assert type(back) is type(event)
    assert carried(back) == carried(event, lost)
    assert lost or back == event
    assert decode_server(text.encode()) == back


@pytest.mark.parametrize("cls", SERVER_CLASSES)
def test_the_two_spellings_of_an_event_are_one_event_inside(cls: type[e.ServerBase]) -> None:
    kind = str(cls.__struct_config__.tag)
    frame = {"type": kind, "event_id": "e", "item_id": "i", "item": {"id": "i"}, "error": {}, "delta": "AAAA"}
    inside = decode_server(json.dumps(frame))
    assert type(inside) is cls
    assert decode_server(json.dumps({**frame, "type": GA_NAMES.get(kind, kind)})) == inside


# ---- GA's shapes -----------------------------------------------------------------------------------------------------


def test_a_session_update_in_ga_has_its_type_and_nested_audio() -> None:
    session = SessionConfig(
        model="gpt-realtime-2.1",
        modalities=("text", "audio"),
        instructions="",
        voice="marin",
        input_audio_format="g711_ulaw",
        output_audio_format="pcm16",
        turn_detection=None,
        tools=(),
        tool_choice={"type": "function", "function": {"name": "f"}},
        temperature=0.8,
        max_response_output_tokens="inf",
    )
    frame, lost = sent(e.SessionUpdate(session=session), OPENAI)
    assert frame == {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "instructions": "",
            "audio": {
                "input": {"format": {"type": "audio/pcmu"}, "turn_detection": None},
                "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
            },
            "tools": [],
            "tool_choice": {"type": "function", "name": "f"},
            "max_output_tokens": "inf",
        },
    }
    assert [one.path for one in lost] == ["session.temperature"]


def test_an_explicit_null_turn_detection_is_on_the_wire_in_both_spellings() -> None:
    """Trap of section 7: explicit null `turn_detection`."""
    event = e.SessionUpdate(session=SessionConfig(turn_detection=None))
    assert sent(event, GENERIC_BETA)[0]["session"] == {"turn_detection": None}
    assert sent(event, OPENAI)[0]["session"] == {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


def test_in_beta_nothing_outside_the_contract_is_sent_unless_it_is_asked_for() -> None:
    plain = SessionConfig(turn_detection=TurnDetection(type="server_vad", threshold=0.5), tools=(Tool(name="f"),))
    frame, _ = sent(e.SessionUpdate(session=plain), GENERIC_BETA)
    assert contract_problems(frame) == []
    assert frame["session"]["tools"] == [{"type": "function", "name": "f"}]
    asked = SessionConfig(turn_detection=TurnDetection(type="server_vad", interrupt_response=False))
    frame, _ = sent(e.SessionUpdate(session=asked), GENERIC_BETA)
    assert frame["session"]["turn_detection"] == {"type": "server_vad", "interrupt_response": False}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_only_a_server_says_is_never_sent_in_an_update(profile: Profile) -> None:
    session = SessionConfig(id="sess_1", object="realtime.session", expires_at=5, instructions="x")
    frame, lost = sent(e.SessionUpdate(session=session), profile)
    assert {one.path for one in lost} == {"session.id", "session.object", "session.expires_at"}
    assert frame["session"].keys() <= {"instructions", "type"}


def test_a_value_that_ga_would_bring_back_otherwise_is_told() -> None:
    for session in (SessionConfig(modalities=("audio",)), SessionConfig(output_audio_format="opus")):
        _, lost = sent(e.SessionUpdate(session=session), OPENAI)
        assert len(lost) == 1


def test_assistant_words_are_output_text_in_ga_and_text_in_beta() -> None:
    item = Item(type="message", role="assistant", content=(ContentPart(type="text", text="hello"),))
    for event in (e.ConversationItemCreate(item=item), e.ResponseCreate(response=ResponseConfig(input=(item,)))):
        assert '"output_text"' in json.dumps(sent(event, OPENAI)[0])
        assert '"output_text"' not in json.dumps(sent(event, GENERIC_BETA)[0])


def test_a_ga_session_is_complete_and_marked_as_realtime() -> None:
    session = SessionConfig(id="sess_1", model="practice", expires_at=9, modalities=("text", "audio"), temperature=0.8)
    frame = json.loads(encode_server(e.SessionCreated(event_id="e", session=session), Spelling.GA) or "")
    assert frame["session"] == {
        "object": "realtime.session",
        "id": "sess_1",
        "expires_at": 9,
        "model": "practice",
        "type": "realtime",
        "output_modalities": ["audio"],
    }


def test_a_server_frame_names_its_objects_and_says_index_0() -> None:
    frame = json.loads(encode_server(e.AudioDelta(item_id="i"), Spelling.GA) or "")
    assert (frame["content_index"], frame["output_index"], frame["event_id"]) == (0, 0, "")
    added = e.OutputItemAdded(item=Item(id="i", type="message"))
    assert json.loads(encode_server(added, Spelling.BETA) or "")["item"] == {
        "id": "i",
        "type": "message",
        "object": "realtime.item",
        "content": [],
    }
    created = e.ResponseCreated(response=Response(id="r", status="in_progress"))
    assert json.loads(encode_server(created, Spelling.BETA) or "")["response"] == {
        "id": "r",
        "status": "in_progress",
        "object": "realtime.response",
        "output": [],
    }


def test_a_ga_session_is_flat_inside() -> None:
    session = {
        "type": "realtime",
        "object": "realtime.session",
        "output_modalities": ["audio"],
        "max_output_tokens": 4096.0,
        "tool_choice": {"type": "function", "name": "f"},
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000.0},
                "transcription": None,
                "noise_reduction": {"type": "near_field"},
                "turn_detection": {"type": "semantic_vad", "eagerness": "low", "interrupt_response": True},
            },
            "output": {"format": {"type": "audio/pcma"}, "voice": {"id": "voice_7"}, "speed": 1.0},
        },
        "truncation": "auto",
        "prompt": None,
    }
    event = decode_server(json.dumps({"type": "session.created", "session": session}))
    assert event == e.SessionCreated(
        session=SessionConfig(
            object="realtime.session",
            modalities=("text", "audio"),
            max_response_output_tokens=4096,
            tool_choice={"type": "function", "function": {"name": "f"}},
            input_audio_format="pcm16",
            input_audio_transcription=None,
            turn_detection=TurnDetection(type="semantic_vad", interrupt_response=True, eagerness="low"),
            output_audio_format="g711_alaw",
            voice=CustomVoice("voice_7"),
            input_audio_noise_reduction=NoiseReduction("near_field"),
            speed=1.0,
            truncation="auto",
            prompt=None,
        )
    )


NEWER = SessionConfig(
    voice=CustomVoice("voice_1"),
    input_audio_transcription=Transcription(model="m", language="de", prompt="p", delay="low", keywords=("a",)),
    input_audio_noise_reduction=NoiseReduction("far_field", strength=0.5),
    turn_detection=TurnDetection(
        type="semantic_vad", eagerness="low", interrupt_response=False, create_response=True, idle_timeout_ms=5000
    ),
    speed=1.25,
    tracing="auto",
    include=("item.input_audio_transcription.logprobs",),
    prompt={"id": "pmpt_1"},
    truncation="disabled",
    reasoning={"effort": "low"},
    parallel_tool_calls=False,
    tools=(Tool(type="mcp", server_label="docs", server_url="https://x"), Tool(name="f")),
)


def test_what_the_late_beta_gained_is_sent_in_it_and_what_came_with_ga_is_told() -> None:
    frame, lost = sent(e.SessionUpdate(session=NEWER), GENERIC_BETA)
    assert frame["session"] == {
        "input_audio_transcription": {"model": "m", "language": "de", "prompt": "p"},
        "input_audio_noise_reduction": {"type": "far_field"},
        "turn_detection": {
            "type": "semantic_vad",
            "eagerness": "low",
            "interrupt_response": False,
            "create_response": True,
        },
        "speed": 1.25,
        "tracing": "auto",
        "tools": [{"type": "function", "name": "f"}],
    }
    assert {one.path for one in lost} == {
        "session.voice",
        "session.input_audio_transcription.delay",
        "session.input_audio_transcription.keywords",
        "session.input_audio_noise_reduction.strength",
        "session.turn_detection.idle_timeout_ms",
        "session.include",
        "session.prompt",
        "session.truncation",
        "session.reasoning",
        "session.parallel_tool_calls",
        "session.tools[0]",
    }


def test_ga_has_a_place_for_all_of_it() -> None:
    frame, lost = sent(e.SessionUpdate(session=NEWER), OPENAI)
    assert lost == ()
    assert frame["session"]["audio"] == {
        "input": {
            "transcription": {"model": "m", "language": "de", "prompt": "p", "delay": "low", "keywords": ["a"]},
            "turn_detection": {
                "type": "semantic_vad",
                "create_response": True,
                "interrupt_response": False,
                "eagerness": "low",
                "idle_timeout_ms": 5000,
            },
            "noise_reduction": {"type": "far_field", "strength": 0.5},
        },
        "output": {"voice": {"id": "voice_1"}, "speed": 1.25},
    }
    assert frame["session"]["tools"][0] == {"type": "mcp", "server_label": "docs", "server_url": "https://x"}


IMAGE = ContentPart(type="input_image", image_url="data:image/png;base64,AAAA", detail="low")


def test_an_image_goes_in_ga_and_beta_says_that_it_has_no_place_for_it() -> None:
    words = ContentPart(type="input_text", text="what is this?")
    both = e.ConversationItemCreate(item=Item(type="message", role="user", content=(words, IMAGE)))
    alone = e.ConversationItemCreate(item=Item(type="message", role="user", content=(IMAGE,)))
    frame, lost = sent(both, OPENAI)
    assert frame["item"]["content"][1] == {"type": "input_image", "image_url": IMAGE.image_url, "detail": "low"}
    assert lost == ()
    frame, lost = sent(both, GENERIC_BETA)
    assert [part["type"] for part in frame["item"]["content"]] == ["input_text"]
    assert [one.path for one in lost] == ["item.content[1]"]
    text, lost = encode(alone, GENERIC_BETA)
    assert (text, [one.path for one in lost]) == (None, ["item"])


def test_the_first_place_is_root_in_both_spellings() -> None:
    """D9."""
    event = e.ConversationItemCreate(item=Item(type="message", role="user"), previous_item_id="root")
    for profile in (OPENAI, GENERIC_BETA):
        assert sent(event, profile)[0]["previous_item_id"] == "root"


def test_a_response_is_flat_inside_whichever_way_it_came() -> None:
    ga = {
        "id": "r",
        "conversation_id": None,
        "output_modalities": ["audio"],
        "max_output_tokens": 100.0,
        "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "marin"}},
        "status_details": {"type": "failed", "error": {"type": "server_error", "code": "x", "message": "tired"}},
        "usage": {"input_token_details": {"image_tokens": 1, "cached_tokens_details": {"audio_tokens": 2}}},
        "output": [{"id": "a", "type": "message", "phase": "final_answer", "content": [{"type": "output_audio"}]}],
    }
    beta = {
        **ga,
        "modalities": ["text", "audio"],
        "output_audio_format": "g711_ulaw",
        "voice": "marin",
        "output": [{**ga["output"][0], "content": [{"type": "audio"}]}],  # type: ignore[index]
    }
    del beta["output_modalities"], beta["audio"]
    inside = decode_server(json.dumps({"type": "response.done", "response": ga}))
    assert isinstance(inside, e.ResponseDone)
    assert inside == decode_server(json.dumps({"type": "response.done", "response": beta}))
    response = inside.response
    assert (response.conversation_id, response.modalities, response.voice) == (None, ("text", "audio"), "marin")
    assert (response.output_audio_format, response.max_output_tokens) == ("g711_ulaw", 100)
    assert response.output[0].phase == "final_answer"
    assert response.status_details is not None
    assert response.status_details.error is not None
    assert response.status_details.error.message == "tired"
    absent = decode_server('{"type":"response.done","response":{"id":"r"}}')
    assert isinstance(absent, e.ResponseDone)
    assert absent.response.conversation_id is UNSET


def test_no_key_of_an_mcp_server_stands_in_an_event() -> None:
    tool = {"type": "mcp", "server_label": "s", "authorization": "sk-CANARY", "headers": {"Authorization": "sk-CANARY"}}
    event = decode_client(json.dumps({"type": "session.update", "session": {"tools": [tool]}}))
    assert isinstance(event, e.SessionUpdate)
    assert "CANARY" not in repr(event)


@pytest.mark.parametrize("kind", ["text", "audio", "output_text", "output_audio"])
def test_all_four_names_of_a_content_part_are_read(kind: str) -> None:
    event = decode_server(json.dumps({"type": "response.content_part.added", "part": {"type": kind}}))
    assert isinstance(event, e.ContentPartAdded)
    assert event.part.type == kind.removeprefix("output_")


# ---- which spelling --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "spelling"),
    [
        ({"type": "realtime"}, Spelling.GA),
        ({"audio": {}, "voice": "x", "turn_detection": None}, Spelling.GA),
        ({"modalities": ["text"]}, Spelling.BETA),
        ({"turn_detection": None}, Spelling.BETA),
        ({"instructions": "x"}, None),
        ({}, None),
    ],
)
def test_the_shape_of_a_session_tells_its_spelling(session: dict[str, Any], spelling: Spelling | None) -> None:
    frame = json.dumps({"session": session, "type": "session.update"})
    assert spelling_of(frame) is spelling
    assert spelling_of(frame.encode()) is spelling


def test_a_frame_without_a_session_tells_no_spelling() -> None:
    for raw in ("", "{", "[]", '{"session":5}', b"\xff", b"[" * 1_000_000, '{"type":"error"}'):
        assert spelling_of(raw) is None


@given(SESSIONS, st.sampled_from(PROFILES))
def test_our_own_updates_tell_their_spelling_or_nothing(session: SessionConfig, profile: Profile) -> None:
    text, _ = encode(e.SessionUpdate(session=session), profile)
    assert text is not None
    assert spelling_of(text) in (profile.spelling, None)


# ---- anything at all -------------------------------------------------------------------------------------------------

FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from([*(str(cls.__struct_config__.tag) for cls in SERVER_CLASSES), *GA_NAMES.values()])},
    optional={
        name: st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["id", "type", "content", "status", "audio", "output"]), inner, max_size=3
                )
            ),
        )
        for name in ("item", "session", "response", "delta", "error", "part", "item_id", "content_index", "event_id")
    },
)


@given(st.binary(max_size=200) | st.text(max_size=200) | st.text(max_size=50).map(lambda text: '{"type":"' + text))
def test_any_bytes_are_an_event_or_unknown_or_malformed(raw: bytes | str) -> None:
    for decode in (decode_server, decode_client):
        event = decode(raw)
        assert isinstance(event, Unknown | Malformed)
        assert isinstance(event.raw, bytes)


@given(FRAMES, st.integers(0, 400))
@settings(max_examples=200)
def test_any_json_of_a_known_type_and_any_piece_of_it_is_read_without_an_exception(frame: Any, cut: int) -> None:
    text = json.dumps(frame)
    for raw in (text, text.encode(), text[:cut], text[:cut].encode() + b"\xff" + text[cut:].encode()):
        assert isinstance(decode_server(raw), e.Event | Unknown | Malformed)
        assert isinstance(decode_client(raw), e.Event | Unknown | Malformed)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 10_000_000,
        b'{"type":"error","x":' + b"[" * 1_000_000,
        b'{"type":"response.done","response":{"metadata":' + b'{"a":' * 100_000,
        b'{"a":' * 1_000_000,
        b'{"type":"session.updated","session":{"tool_choice":' + b"[" * 60_000 + b"]" * 60_000 + b"}}",
    ],
)
def test_nested_beyond_measure_is_malformed(raw: bytes) -> None:
    """G10, F14: `RecursionError` is no `MsgspecError`."""
    assert isinstance(decode_server(raw), Malformed | e.SessionUpdated)
    assert isinstance(decode_client(raw), Malformed | Unknown)


def test_what_is_not_ours_is_unknown_and_keeps_its_bytes() -> None:
    raw = b'{"event_id":"event_9","type":"scooby.dooby.doo","x":{"y":[1]}}'
    for decode in (decode_server, decode_client):
        assert decode(raw) == Unknown("scooby.dooby.doo", raw, "event_9")
    assert decode_server('{"type":"ping"}') == Unknown("ping", b'{"type":"ping"}')
    long = decode_server(json.dumps({"type": "x" * 5000}))
    assert isinstance(long, Unknown)
    assert len(long.type) == 200


def test_a_server_event_is_none_of_a_clients_and_the_other_way_round() -> None:
    assert isinstance(decode_client('{"type":"response.done"}'), Unknown)
    assert isinstance(decode_server('{"type":"response.create"}'), Unknown)


def test_a_binary_frame_is_unknown_and_bad_text_is_malformed() -> None:
    assert decode_server(b"\x00\xff\xfe\x80") == Unknown("binary", b"\x00\xff\xfe\x80")
    for raw in (b"", b"hello", b"5", b"null", b'"text"', b'{"type":"error"', b'{"type":"err\xffor"}', "{", "\ud83d"):
        event = decode_server(raw)
        assert isinstance(event, Malformed), raw
        assert event.why


@pytest.mark.parametrize(
    ("raw", "code", "param"),
    [
        ("{}", "missing_required_parameter", "type"),
        ('{"type":5}', "invalid_type", "type"),
        ("no", "invalid_json", None),
        ('{"type":"session.update"}', "missing_required_parameter", "session"),
        ('{"type":"session.update","session":{"voice":5}}', "invalid_type", "session.voice"),
        ('{"type":"session.update","session":{"max_response_output_tokens":"lots"}}', None, None),
        ('{"type":"session.update","session":{"audio":{}}}', "missing_required_parameter", "session.type"),
        ('{"type":"session.update","session":{"output_modalities":[]}}', "missing_required_parameter", "session.type"),
        ('{"type":"input_audio_buffer.append","audio":"?"}', "invalid_value", "audio"),
        ('{"type":"input_audio_buffer.append","audio":"YQ"}', "invalid_value", "audio"),
        (
            '{"type":"conversation.item.create","item":{"content":[{},{"text":5}]}}',
            "invalid_type",
            "item.content[1].text",
        ),
        ('{"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":1e300}', None, None),
    ],
)
def test_a_bad_client_frame_says_what_is_wrong_with_which_field(raw: str, code: str | None, param: str | None) -> None:
    event = decode_client(raw)
    assert isinstance(event, Malformed), event
    if code is not None:
        assert (event.code, event.param) == (code, param)


def test_a_malformed_client_frame_keeps_its_event_id_for_the_error() -> None:
    event = decode_client('{"type":"conversation.item.delete","event_id":"mine"}')
    assert isinstance(event, Malformed)
    assert event.event_id == "mine"


def test_a_null_in_an_optional_field_of_a_client_frame_is_as_good_as_absent() -> None:
    item = {"id": None, "type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}
    frame = {"type": "conversation.item.create", "event_id": None, "previous_item_id": None, "item": item}
    event = decode_client(json.dumps(frame))
    content = (ContentPart(type="input_text", text="a"),)
    assert event == e.ConversationItemCreate(item=Item(type="message", role="user", content=content))
    assert decode_client('{"type":"response.create","response":null}') == e.ResponseCreate()


def test_what_the_person_typed_can_always_be_written() -> None:
    """A lone surrogate comes from a terminal with another encoding."""
    part = ContentPart(type="input_text", text="a\udcffb")
    event = e.ConversationItemCreate(item=Item(type="message", role="user", content=(part,)))
    for profile in PROFILES:
        assert sent(event, profile)[0]["item"]["content"][0]["text"] == "a\ufffdb"


def test_an_append_is_base64_in_one_line() -> None:
    frame, _ = sent(e.InputAudioBufferAppend(audio=bytes(range(256))), OPENAI)
    assert base64.b64decode(frame["audio"], validate=True) == bytes(range(256))


def test_text_on_the_wire_is_compact_and_utf_8() -> None:
    text = encode_server(e.TextDelta(delta="é—😀"), Spelling.BETA)
    assert text is not None
    assert "é—😀" in text
    assert '": ' not in text


# ---- the house rule --------------------------------------------------------------------------------------------------


def test_nobody_outside_dialects_asks_which_spelling_or_provider_it_is() -> None:
    which = r"(Spelling\.\w+|OPENAI|GENERIC_\w+|EMBEDDED_\w+)"
    asked = r"(spelling(\.value|\.name)?|dialect|profile\.name|profile)"
    same = r"(==|!=|is not|is|not in|in)"
    asks = re.compile(rf"{same} *\(?{which}\b|\bcase {which}\b|\b{asked} *{same} +(?!(not +)?None\b)")
    root = Path(voicecli.__file__).parent
    found = [
        f"{path.relative_to(root)}:{n}: {line.strip()}"
        for path in root.rglob("*.py")
        if path.name not in ("dialects.py", "unflatten.py")
        for n, line in enumerate(path.read_text().splitlines(), 1)
        if asks.search(line.split("#")[0]) and not line.lstrip().startswith(('"', "#"))
    ]
    assert found == []
