"""What is too long or too many is an error and the session goes on (G22)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from server_talk import Talk, kinds, only, silence

from voicecli.protocol.dialects import Spelling
from voicecli.server.limits import Limits

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
SMALL = Limits(items=3, append_bytes=4_800, text_bytes=100, instructions_bytes=50, tools=2)


def refused(talk: Talk, frames: list[dict[str, Any]], code: str, param: str | None) -> None:
    error = only(frames, "error")["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert kinds(talk.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": more}


@BOTH
def test_g22_a_long_text_is_no_item(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=SMALL)
    refused(talk, talk.type("x" * 101), "string_above_max_length", "item")
    refused(talk, talk.type("\u00e9" * 51), "string_above_max_length", "item")
    assert "error" not in kinds(talk.type("x" * 100))
    assert len(talk.session.view()) == 1


@BOTH
def test_g22_many_short_parts_are_a_long_text(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=SMALL)
    content = [{"type": "input_text", "text": "x" * 40}] * 3
    item = {"type": "message", "role": "user", "content": content}
    refused(talk, talk.send("conversation.item.create", item=item), "string_above_max_length", "item")


@BOTH
def test_g22_items_over_the_limit_are_refused_however_they_come(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=SMALL)
    for n in range(3):
        talk.type(f"{n}")
    refused(talk, talk.type("one more"), "too_many_items", None)
    refused(talk, talk.send("response.create"), "too_many_items", None)
    refused(talk, talk.send("response.create", response={}), "too_many_items", None)
    refused(talk, talk.send("input_audio_buffer.commit"), "too_many_items", None)
    audio = base64.b64encode(silence(0.05)).decode()
    refused(talk, talk.send("input_audio_buffer.append", audio=audio), "too_many_items", None)
    aside = talk.send("response.create", response={"conversation": "none"})
    assert "error" not in kinds(aside)
    talk.send("conversation.item.delete", item_id=talk.session.view()[0].id)
    assert "error" not in kinds(talk.type("instead"))


@BOTH
def test_g22_a_long_append_is_refused_and_the_buffer_kept(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=SMALL, update={"turn_detection": None})
    for pcm in (silence(0.1), silence(0.1) + b"\0\0", silence(0.1)):
        frames = talk.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
        if len(pcm) > 4_800:
            assert only(frames, "error")["error"]["code"] == "string_above_max_length"
    talk.send("input_audio_buffer.commit")
    talk.rest()
    assert len(talk.session.view()) == 1


@BOTH
def test_g22_long_instructions_and_many_tools_change_nothing(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=SMALL)
    refused(talk, talk.update(instructions="x" * 51), "string_above_max_length", "session.instructions")
    refused(talk, talk.update(tools=[tool(f"t{n}") for n in range(3)]), "array_above_max_length", "session.tools")
    refused(talk, talk.update(tools=[tool("t", big="x" * 100)]), "string_above_max_length", "session.tools")
    assert "session.updated" in kinds(talk.update(instructions="x" * 50, tools=[tool("t")]))


@BOTH
def test_g22_a_response_has_the_same_limits(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling, limits=SMALL)
    many = {"conversation": "none", "input": [{"type": "message", "role": "user", "content": []}] * 4}
    long = {"conversation": "none", "input": [{"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "x" * 101}]}]}  # fmt: skip
    for asked, code, param in (
        ({"instructions": "x" * 51}, "string_above_max_length", "response.instructions"),
        ({"tools": [tool(f"t{n}") for n in range(3)]}, "array_above_max_length", "response.tools"),
        (many, "array_above_max_length", "response.input"),
        (long, "string_above_max_length", "response.input[0]"),
    ):
        refused(talk, talk.send("response.create", response=asked), code, param)


def test_the_defaults_are_generous() -> None:
    talk = Talk()
    most = 2**20 + 2**16
    assert "error" not in kinds(talk.type("x" * most))
    assert "error" in kinds(talk.type("x" * (most + 1)))
    assert "error" not in kinds(talk.update(instructions="x" * 65_536, tools=[tool(f"t{n}") for n in range(128)]))
    assert json.dumps(talk.seen[-1]).count('"function"') == 128
