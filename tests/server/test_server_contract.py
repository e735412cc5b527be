"""What the server sends in the beta spelling has every field that the contract requires, of the kind it requires."""

from __future__ import annotations

from typing import Any

from server_talk import FIVE_SECONDS, SPOKEN_CALL, TWO_ITEMS, Talk, silence, speech

from tests.contract.check import Array, Primitive, Ref, contract
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import TranscriptionError

KINDS: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float)}
NULLABLE = {"previous_item_id"}
"""D3."""
NEWER = {"response.function_call_arguments.done": {"name"}}
"""What client libraries want beyond the contract."""


def problems(frame: dict[str, Any]) -> list[str]:
    interface = contract().events("RealtimeServerEvent").get(frame["type"])
    if interface is None:
        return [f"{frame['type']} is no event of the contract"]
    newer = NEWER.get(frame["type"], set())
    found = [f"{frame['type']}: {name} is not in the contract" for name in frame.keys() - interface.keys() - newer]
    for name, field in interface.items():
        value = frame.get(name)
        if value is None:
            if not (field.optional or (name in NULLABLE and name in frame)):
                found.append(f"{frame['type']}: {name} is missing")
            continue
        match field.type:
            case Primitive(kind) if kind in KINDS:
                fits = isinstance(value, KINDS[kind])
            case Ref():
                fits = isinstance(value, dict)
            case Array():
                fits = isinstance(value, list)
            case _:
                fits = True
        if not fits:
            found.append(f"{frame['type']}: {name} is {value!r:.60}")
    return found


def test_every_beta_frame_has_what_the_contract_requires_of_it() -> None:
    talk = Talk(FIVE_SECONDS, TWO_ITEMS, spelling=Spelling.BETA)
    talk.update(input_audio_transcription={"model": "whisper-1"})
    talk.type("hello")
    talk.send("response.create")
    talk.send("response.create", event_id="refused")
    talk.wait(0.5)
    talk.speak(silence(0.5), speech(1.0), silence(1.0))
    talk.rest()
    spoken = [item.id for item in talk.session.view() if item.samples]
    talk.send("conversation.item.truncate", item_id=spoken[0], content_index=0, audio_end_ms=100)
    talk.send("conversation.item.delete", item_id=spoken[1])
    talk.send("input_audio_buffer.clear")
    talk.responder.answers = [SPOKEN_CALL]
    talk.send("response.create")
    talk.rest()
    why = TranscriptionError(type="server_error", message="no")
    other = Talk(spelling=Spelling.BETA, update={"input_audio_transcription": {}}, transcribe=lambda _: why)
    other.speak(speech(1.0), silence(1.0))
    other.rest()
    seen = talk.seen + other.seen
    assert [wrong for frame in seen for wrong in problems(frame)] == []
    assert contract().events("RealtimeServerEvent").keys() == {frame["type"] for frame in seen}
