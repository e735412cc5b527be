"""A function that has to be called is called, with arguments that its schema takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from server_talk import LoudnessVad, Talk, only

from voicecli.protocol.dialects import Spelling
from voicecli.server.arguments import DEEPEST, example
from voicecli.server.limits import Limits
from voicecli.server.responder import PracticePartner
from voicecli.server.session import ServerSession

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
NAMED = {
    Spelling.BETA: {"type": "function", "function": {"name": "b"}},
    Spelling.GA: {"type": "function", "name": "b"},
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "name": "a", "parameters": CITY}, {"type": "function", "name": "b"}]


def practice(spelling: Spelling) -> Talk:
    """A talk with the practice partner."""
    talk = Talk(spelling=spelling)
    talk.session = ServerSession(PracticePartner(), LoudnessVad, Limits(), spelling, prefix="p")
    talk.take(talk.session.greeting(talk.at))
    return talk


def output(talk: Talk, **own: Any) -> list[tuple[Any, ...]]:
    frames = talk.send("response.create", response=own) + talk.rest()
    response = only(frames, "response.done")["response"]
    assert response["status"] == "completed"
    return [(item["type"], item.get("name"), item.get("arguments")) for item in response["output"]]


@BOTH
def test_a_function_that_is_required_is_called_and_the_choice_of_a_response_is_its_own(spelling: Spelling) -> None:
    talk = practice(spelling)
    talk.update(tools=TOOLS)
    assert output(talk)[0][0] == "message"
    assert output(talk, tool_choice="required") == [("function_call", "a", '{"city": ""}')]
    assert output(talk, tool_choice=NAMED[spelling]) == [("function_call", "b", "{}")]
    assert output(talk, tool_choice="none")[0][0] == "message"
    talk.update(tool_choice="required")
    assert output(talk)[0][:2] == ("function_call", "a")


@BOTH
def test_what_is_not_there_cannot_be_called(spelling: Spelling) -> None:
    talk = practice(spelling)
    assert output(talk, tool_choice="required")[0][0] == "message"
    assert output(talk, tool_choice=NAMED[spelling], tools=TOOLS[:1])[0][0] == "message"


DEEP: Any = {"type": "string"}
for _ in range(2 * DEEPEST):
    DEEP = {"type": "object", "properties": {"in": DEEP}, "required": ["in"]}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (None, {}),
        (5, {}),
        ([], {}),
        ({}, {}),
        ({"type": "string"}, {}),
        (CITY, {"city": ""}),
        ({"properties": {"a": {}}}, {}),
        ({"properties": {"a": {}}, "required": ["a", "b", [], None]}, {"a": ""}),
        ({"properties": [], "required": ["a"]}, {}),
        (
            {
                "type": ["object", "null"],
                "required": ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
                "properties": {
                    "a": {"enum": ["celsius", "kelvin"]},
                    "b": {"const": 7},
                    "c": {"type": "integer", "minimum": 3},
                    "d": {"type": "array", "items": {"type": "string"}},
                    "e": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
                    "f": {"type": ["number", "null"]},
                    "g": {"type": "object", "properties": {"x": {"default": 1}}, "required": ["x"]},
                    "h": {"type": {}},
                    "i": {"enum": []},
                },
            },
            {"a": "celsius", "b": 7, "c": 3, "d": [], "e": False, "f": 0, "g": {"x": 1}, "h": "", "i": ""},
        ),
    ],
)
def test_arguments_are_what_a_schema_requires(schema: Any, wanted: dict[str, Any]) -> None:
    assert json.loads(example(schema)) == wanted


def test_a_deep_schema_is_followed_only_so_far() -> None:
    assert example(DEEP).count("in") == DEEPEST + 1
