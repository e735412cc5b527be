"""Every event of the contract, field by field, against our Structs; the known slips are in `check.py`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.check import Array, Field, Literal, Primitive, Ref, Type, Union, contract, contract_problems
from voicecli.protocol import events
from voicecli.protocol.codec import decode_client, decode_server, encode, encode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import Malformed, Unknown
from voicecli.protocol.profiles import GENERIC_BETA

SESSION: dict[str, Field] = {
    "id": Field(Primitive("string"), True),
    "input_audio_format": Field(Primitive("string"), True),
    "input_audio_transcription": Field(Ref("SessionUpdateEvent.Session.InputAudioTranscription", ()), True),
    "instructions": Field(Primitive("string"), True),
    "max_response_output_tokens": Field(Union((Primitive("number"), Literal("inf"))), True),
    "modalities": Field(Array(Union((Literal("text"), Literal("audio")))), True),
    "model": Field(Primitive("string"), True),
    "output_audio_format": Field(Primitive("string"), True),
    "temperature": Field(Primitive("number"), True),
    "tool_choice": Field(Primitive("string"), True),
    "tools": Field(Array(Ref("SessionUpdateEvent.Session.Tool", ())), True),
    "turn_detection": Field(Ref("SessionUpdateEvent.Session.TurnDetection", ()), True),
    "voice": Field(Primitive("string"), True),
}
"""`SessionsAPI.Session`, which the contract takes from a file beside it."""

CLIENT = contract().events("RealtimeClientEvent")
SERVER = contract().events("RealtimeServerEvent")


def fields(ref: Ref) -> dict[str, Field]:
    if ref.name == "SessionsAPI.Session":
        return SESSION
    found = contract().resolve(ref)
    assert found is not None, ref
    return found


def examples(kind: Type, name: str = "") -> Iterator[Any]:
    """Values that between them take every branch of the type; the first one has every field."""
    match kind:
        case Primitive("string"):
            yield base64.b64encode(b"\0\1").decode() if name in ("audio", "delta") else f"a {name}"
        case Primitive("number"):
            yield 1
        case Primitive("boolean"):
            yield True
        case Primitive("null"):
            yield None
        case Primitive("unknown"):
            yield {"a": {"b": "c"}}
        case Literal(text):
            yield text
        case Array(inner):
            yield list(examples(inner, name))
            yield []
        case Union(members):
            for member in members:
                yield from examples(member, name)
        case Ref():
            yield from variants(fields(kind))


def variants(interface: dict[str, Field]) -> Iterator[dict[str, Any]]:
    """Whole, then with each other value of one field, then with only what is required."""
    values = {name: list(examples(field.type, name)) for name, field in interface.items()}
    whole = {name: found[0] for name, found in values.items()}
    yield whole
    for name, found in values.items():
        for other in found[1:]:
            yield {**whole, name: other}
    yield {name: value for name, value in whole.items() if not interface[name].optional}


def fits(wanted: Any, got: Any) -> bool:
    """Everything that was said is there; the writer may say more (`object`, empty lists)."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(name in got and fits(value, got[name]) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(fits, wanted, got))
    return bool(wanted == got)


def without_empty(value: Any) -> Any:
    """Absent and empty are the same inside for content and output, and so are null and absent for metadata."""
    if isinstance(value, dict):
        dropped = {"content": [], "output": [], "metadata": None}
        return {
            name: without_empty(inner) for name, inner in value.items() if name not in dropped or inner != dropped[name]
        }
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


def test_the_contract_has_9_client_and_28_server_events_and_we_have_a_struct_for_each() -> None:
    assert (len(CLIENT), len(SERVER)) == (9, 28)
    ours = {cls.__struct_config__.tag: cls for cls in (*events.ClientEvent.__args__, *events.ServerEvent.__args__)}
    for kind, interface in {**CLIENT, **SERVER}.items():
        assert set(interface) - {"type"} <= set(ours[kind].__struct_fields__), kind


@pytest.mark.parametrize("kind", SERVER)
def test_every_field_and_value_of_a_server_event_is_read_and_written(kind: str) -> None:
    for frame in variants(SERVER[kind]):
        event = decode_server(json.dumps(frame))
        assert not isinstance(event, Unknown | Malformed), (frame, event)
        written = encode_server(event, Spelling.BETA)
        assert written is not None
        assert fits(without_empty(frame), json.loads(written)), (frame, written)


@pytest.mark.parametrize("kind", CLIENT)
def test_every_field_and_value_of_a_client_event_is_read_and_written(kind: str) -> None:
    for frame in variants(CLIENT[kind]):
        assert contract_problems(frame) == []
        event = decode_client(json.dumps(frame))
        assert not isinstance(event, Unknown | Malformed), (frame, event)
        written, lost = encode(event, GENERIC_BETA)
        assert lost == ()
        assert written is not None
        assert contract_problems(json.loads(written)) == []
        assert fits(without_empty(frame), json.loads(written)), (frame, written)


@pytest.mark.parametrize("kind", CLIENT)
def test_a_client_event_without_a_required_field_is_malformed_and_the_field_is_named(kind: str) -> None:
    whole = next(variants(CLIENT[kind]))
    for name, field in CLIENT[kind].items():
        if not field.optional:
            event = decode_client(json.dumps({key: value for key, value in whole.items() if key != name}))
            assert isinstance(event, Malformed)
            assert (event.code, event.param) == ("missing_required_parameter", name)
            assert event.event_id == whole["event_id"]


@pytest.mark.parametrize("kind", SERVER)
def test_a_server_event_needs_nothing_but_what_it_is_about(kind: str) -> None:
    for name in SERVER[kind]:
        whole = next(variants(SERVER[kind]))
        del whole[name]
        event = decode_server(json.dumps(whole))
        assert isinstance(event, Malformed) == (name in ("item", "type")), name


def test_a_server_frame_carries_every_field_the_contract_requires() -> None:
    for kind, interface in SERVER.items():
        bare = decode_server(json.dumps({"type": kind, "item": {}, "error": {}}))
        assert not isinstance(bare, Unknown | Malformed)
        written = json.loads(encode_server(bare, Spelling.BETA) or "{}")
        assert {name for name, field in interface.items() if not field.optional} <= set(written), kind


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"type": "response.cancelled"}, "no client event has the type 'response.cancelled'"),
        ({"type": "input_audio_buffer.append"}, "audio is missing"),
        ({"type": "input_audio_buffer.append", "audio": 5}, "audio is no string: 5"),
        ({"type": "session.update", "session": {"speed": 1}}, "session.speed is not in the contract"),
        ({"type": "session.update", "session": {"temperature": True}}, "session.temperature is no number: True"),
        ({"type": "session.update", "session": {"modalities": ["sound"]}}, "session.modalities[0] is none of 2"),
        ({"type": "session.update", "session": {"tools": None}}, "session.tools is no array: None"),
        ({"type": "conversation.item.create", "item": {"role": "tool"}}, "item.role is none of 3 allowed kinds"),
        (
            {"type": "session.update", "session": {"turn_detection": {"interrupt_response": True}}},
            "session.turn_detection.interrupt_response is not in the contract",
        ),
    ],
)
def test_the_check_finds_what_is_not_in_the_contract(frame: dict[str, Any], said: str) -> None:
    (problem,) = contract_problems(frame)
    assert problem.startswith(said)


def test_the_check_lets_the_known_slips_pass() -> None:
    session = {
        "turn_detection": None,
        "input_audio_transcription": None,
        "voice": "marin",
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    }
    assert contract_problems({"type": "session.update", "session": session}) == []
    item = {"type": "message", "role": "assistant", "status": "in_progress", "content": [{"type": "audio"}]}
    assert contract_problems({"type": "conversation.item.create", "previous_item_id": "root", "item": item}) == []
    reference = {"input": [{"type": "item_reference", "id": "a"}]}
    assert contract_problems({"type": "response.create", "response": reference}) == []
    asked = frozenset({"session.turn_detection.interrupt_response"})
    newer = {"turn_detection": {"interrupt_response": False}}
    assert contract_problems({"type": "session.update", "session": newer}, asked) == []
