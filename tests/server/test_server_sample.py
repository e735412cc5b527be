"""Arguments for tools: each satisfies its schema, whatever that asks for, by checks written here."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.server.sample import SOMEWHERE, arguments

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def problems(value: Any, schema: Any, root: Any, path: str = "$") -> list[str]:
    """What is wrong with `value` by the keywords that tools use; enough of JSON Schema to judge samples by."""
    if schema is True or schema == {}:
        return []
    found = []
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].split("/")[1:]:
            target = target[step]
        found += problems(value, target, root, path)
    for one in schema.get("allOf", []):
        found += problems(value, one, root, path)
    for choice in ("anyOf", "oneOf"):
        fitting = [one for one in schema.get(choice, []) if not problems(value, one, root, path)]
        if choice in schema and (not fitting or (choice == "oneOf" and len(fitting) > 1)):
            found.append(f"{path}: {choice}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: const")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: enum")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, kind) for kind in kinds):
        return [*found, f"{path}: {value!r} is not {kinds}"]
    match value:
        case dict():
            found += [f"{path}: no {name}" for name in schema.get("required", []) if name not in value]
            known = schema.get("properties", {})
            for name, inner in value.items():
                found += problems(
                    inner, known.get(name, schema.get("additionalProperties", True)), root, f"{path}.{name}"
                )
            if len(value) < schema.get("minProperties", 0):
                found.append(f"{path}: minProperties")
        case list():
            for n, inner in enumerate(value):
                first = schema.get("prefixItems", [])
                found += problems(
                    inner, first[n] if n < len(first) else schema.get("items", True), root, f"{path}[{n}]"
                )
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                found.append(f"{path}: items")
            if schema.get("uniqueItems") and len({json.dumps(inner) for inner in value}) < len(value):
                found.append(f"{path}: uniqueItems")
        case str():
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                found.append(f"{path}: length")
        case int() | float() if not isinstance(value, bool):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                found.append(f"{path}: bounds")
            if not schema.get("exclusiveMinimum", value - 1) < value < schema.get("exclusiveMaximum", value + 1):
                found.append(f"{path}: exclusive bounds")
            if (
                "multipleOf" in schema
                and abs(value / schema["multipleOf"] - round(value / schema["multipleOf"])) > 1e-9
            ):
                found.append(f"{path}: multipleOf")
    return found


def is_a(value: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind]) and (kind != "integer" or not isinstance(value, bool))


def tool(**properties: Any) -> dict[str, Any]:
    """Parameters that require each of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
SCHEMAS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (tool(city={"type": "string"}), {"city": SOMEWHERE}),
    (tool(unit={"type": "string", "enum": ["celsius", "fahrenheit"]}), {"unit": "celsius"}),
    (tool(unit={"enum": ["c", "f"], "default": "f"}), {"unit": "f"}),
    (tool(version={"const": 3}), {"version": 3}),
    (tool(days={"type": "integer", "minimum": 1, "maximum": 7}), {"days": 1}),
    (tool(days={"type": "integer", "default": 5}), {"days": 5}),
    (tool(days={"type": "integer", "examples": [4, 5]}), {"days": 4}),
    (tool(depth={"type": "number", "exclusiveMaximum": 0}), {"depth": -1}),
    (tool(n={"type": "integer", "exclusiveMinimum": 4, "multipleOf": 5}), {"n": 5}),
    (tool(p={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}), {"p": 0.5}),
    (tool(n={"type": "integer", "minimum": -9, "maximum": -3}), {"n": -9}),
    (tool(n={"type": "integer", "maximum": -3}), {"n": -3}),
    (tool(on={"type": "boolean"}), {"on": False}),
    (tool(nothing={"type": "null"}), {"nothing": None}),
    (tool(day={"type": "string", "format": "date"}), {"day": "2026-01-31"}),
    (tool(code={"type": "string", "minLength": 3, "maxLength": 3}), {"code": "xxx"}),
    (tool(name={"type": "string", "maxLength": 2, "format": "email"}), {"name": "so"}),
    (tool(tags={"type": "array", "items": {"type": "string"}}), {"tags": []}),
    (tool(tags={"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 2}}), {"tags": [2, 2]}),
    (tool(tags={"minItems": 2, "uniqueItems": True, "items": {"enum": ["a", "b", "c"]}}), {"tags": ["a", "b"]}),
    (tool(tags={"minItems": 3, "uniqueItems": True, "items": {"type": "string"}}), {"tags": ["", "1", "2"]}),
    (tool(pair={"prefixItems": [{"const": 1}, {"const": "x"}], "minItems": 2}), {"pair": [1, "x"]}),
    (tool(maybe={"type": ["null", "integer"], "minimum": 2}), {"maybe": 2}),
    (tool(maybe={"anyOf": [{"type": "null"}, {"type": "string", "minLength": 1}]}), {"maybe": "x"}),
    (tool(one={"oneOf": [{"const": "a"}, {"const": "b"}]}), {"one": "a"}),
    (tool(n={"allOf": [{"type": "integer", "minimum": 3}, {"minimum": 5, "maximum": 9}]}), {"n": 5}),
    (
        tool(o={"allOf": [tool(a={"type": "string"}), tool(a={"minLength": 2}, b={"type": "boolean"})]}),
        {"o": {"a": "xx", "b": False}},
    ),
    (
        {**tool(place={"$ref": "#/$defs/place"}), "$defs": {"place": {"type": "string", "minLength": 6}}},
        {"place": "Osloxx"},
    ),
    ({**tool(head={"$ref": "#/$defs/node"}), "$defs": {"node": NODE}}, {"head": {}}),
    ({"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}}, {}),
    ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "minProperties": 1}, {"a": 0}),
    ({"type": "object", "required": ["unknown"]}, {"unknown": ""}),
    ({"type": "object", "required": ["n"], "additionalProperties": {"type": "integer"}}, {"n": 0}),
    ({"anyOf": [tool(a={"const": 1}), tool(b={"const": 2})]}, {"a": 1}),
)


@pytest.mark.parametrize(("schema", "wanted"), SCHEMAS)
def test_the_smallest_arguments_that_satisfy_a_schema(schema: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert arguments(schema) == wanted
    assert problems(wanted, schema, schema) == []


def test_a_place_goes_where_a_place_is_wanted_also_where_it_is_not_required() -> None:
    schema = {
        "type": "object",
        "properties": {"location": {"type": "string"}, "unit": {"enum": ["c"]}},
        "required": ["unit"],
    }
    assert arguments(schema, "Rome") == {"unit": "c", "location": "Rome"}
    assert arguments(tool(query=tool(homeCity={"type": "string"})), "Rome") == {"query": {"homeCity": "Rome"}}
    assert arguments(tool(city={"enum": ["Oslo", "Rome"]}), "rome") == {"city": "Rome"}
    assert arguments(tool(city={"enum": ["Oslo", "Rome"]}), "Bergen") == {"city": "Oslo"}


@pytest.mark.parametrize("schema", [None, True, [], "x", 3, {"type": "string"}, {"type": "object", "properties": 7}])
def test_what_is_no_schema_of_an_object_gets_an_empty_one(schema: Any) -> None:
    assert arguments(schema) == {}


def test_a_schema_that_asks_for_no_end_of_things_is_answered_at_once() -> None:
    began = time.perf_counter()
    itself: dict[str, Any] = {**tool(a={"$ref": "#"}, b={"$ref": "#"}, c={"$ref": "#"})}
    many = tool(a={"minItems": 10**9, "items": {"minItems": 10**9, "items": {"minLength": 10**9}}})
    loop = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
    huge = tool(n={"type": "number", "minimum": 10**400, "multipleOf": 1e-300})
    for schema in (itself, many, loop, huge):
        assert len(json.dumps(arguments(schema))) < 5_000_000
    assert time.perf_counter() - began < 1.0


KEYWORDS = (
    *("type", "properties", "required", "items", "minItems", "enum", "const", "anyOf", "allOf", "oneOf", "$ref"),
    *(
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "multipleOf",
        "minLength",
        "maxLength",
        "format",
        "default",
        "examples",
    ),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([*TYPES, "number", "#", "#/properties/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYWORDS, "a"]), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_in_the_place_of_a_schema_gives_an_object(schema: Any) -> None:
    assert isinstance(arguments(schema, "Rome"), dict)
