"""Arguments for a tool: the smallest value that satisfies a JSON Schema. It knows no tool and no talk.

It is for schemas as tools have them. Two keywords are not looked at: `pattern`, because running a stranger's regular
expression may take for ever, and `not`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

DEEPEST: Final = 12
"""Schemas in schemas; what is deeper is null, and so is a schema that asks for itself without end."""
MOST_VALUES: Final = 1_000
"""Of one sample: a schema may ask for more than anybody wants to make."""
LONGEST: Final = 4_096
"""Characters of one string."""
PLACES: Final = ("city", "location", "place", "town")
"""A property whose name has one of these in it, or that is called so, wants a place."""
SOMEWHERE: Final = "Oslo"

_FORMATS: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_SAY_ARRAY: Final = frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems"})
_SAY_OBJECT: Final = frozenset({"properties", "required", "additionalProperties", "minProperties"})
_SAY_NUMBER: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_LARGER_HOLDS: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_SMALLER_HOLDS: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems"})


def arguments(parameters: Any, place: str = "") -> dict[str, Any]:
    """An object that satisfies `parameters`; `place` goes where it asks for one, and SOMEWHERE without it.

    What an object does not require is left out, but not what wants the place that was named.
    """
    made = _Sampler(parameters, place).make(parameters, "", 0)
    return made if isinstance(made, dict) else {}


class _Sampler:
    """One sample in the making."""

    def __init__(self, root: Any, place: str) -> None:
        self._root = root
        self._place = place
        self._left = MOST_VALUES

    def make(self, schema: Any, name: str, depth: int, turn: int = 0) -> Any:
        """A value; `name` is the property's, `turn` tells apart the values of one array."""
        self._left -= 1
        if not isinstance(schema, dict) or depth > DEEPEST or self._left < 0:
            return "" if schema is True else None
        schema = self._flat(schema, depth)
        wants_place = _wants_place(name)
        given = list(_given(schema))
        if given:
            named = [value for value in given if isinstance(value, str) and value.lower() == self._place.lower()]
            return named[0] if wants_place and named else given[turn % len(given)]
        match _kind(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number" as kind:
                return _number(schema, kind == "integer", turn)
            case "boolean":
                return turn % 2 == 1
            case "null":
                return None
            case _:
                return _text(schema, (self._place or SOMEWHERE) if wants_place else "", turn)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = _dict(schema.get("properties"))
        wanted = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        if self._place:
            wanted += [name for name in properties if name not in wanted and _wants_place(name)]
        least = _whole(schema.get("minProperties"))
        wanted += [name for name in properties if name not in wanted][: max(0, least - len(wanted))]
        others = schema.get("additionalProperties", True)
        return {name: self.make(properties.get(name, others), name, depth + 1) for name in wanted[:MOST_VALUES]}

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        first = _list(schema.get("prefixItems"))
        items = schema.get("items", True)
        count = min(_whole(schema.get("minItems")), MOST_VALUES)
        made = []
        for n in range(count):
            if self._left < 0:
                break
            inner = first[n] if n < len(first) else items
            made.append(self.make(inner, name, depth + 1, n if schema.get("uniqueItems") is True else 0))
        return made

    def _flat(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """The schema with what it refers to, all of `allOf` and the first of a choice put into it."""
        for _ in range(DEEPEST - min(depth, DEEPEST) + 1):
            inner: list[Any] = []
            if "$ref" in schema:
                inner.append(self._found(schema["$ref"]))
            inner += _list(schema.get("allOf"))
            for choice in ("anyOf", "oneOf"):
                options = [one for one in _list(schema.get(choice)) if isinstance(one, dict)]
                inner += sorted(options, key=lambda one: one.get("type") == "null")[:1]
            if not inner:
                break
            schema = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
            for one in inner:
                if isinstance(one, dict):
                    schema = _both(schema, one)
        return schema

    def _found(self, reference: Any) -> Any:
        """What a reference inside of the same schema means; None where there is nothing, or it lies elsewhere."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = self._root
        for step in reference[1:].split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(found):
                found = found[int(key[:9])]
            elif isinstance(found, dict):
                found = found.get(key)
            else:
                return None
        return found


def _wants_place(name: str) -> bool:
    return any(word in name.lower() for word in PLACES)


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A schema that asks for what both ask for."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        mine, theirs = one[key], other[key]
        match mine, theirs:
            case dict(), dict():
                both[key] = {**mine, **theirs}
                for name in mine.keys() & theirs.keys() if key == "properties" else ():
                    both[key][name] = {"allOf": [mine[name], theirs[name]]}
            case list(), list() if key == "required":
                both[key] = mine + [name for name in theirs if name not in mine]
            case list(), list() if key == "enum":
                both[key] = [value for value in theirs if value in mine]
            case list(), list():
                both[key] = mine + theirs
            case ((int() | float()), (int() | float())) if key in _LARGER_HOLDS:
                both[key] = max(mine, theirs)
            case ((int() | float()), (int() | float())) if key in _SMALLER_HOLDS:
                both[key] = min(mine, theirs)
            case _ if key in ("default", "examples", "title", "description"):
                both[key] = mine
    return both


def _given(schema: dict[str, Any]) -> Iterator[Any]:
    """The values that the schema itself names, those that it recommends first."""
    if "const" in schema:
        yield schema["const"]
        return
    listed = _list(schema.get("enum"))
    if listed:
        if "default" in schema and schema["default"] in listed:
            yield schema["default"]
        yield from (value for value in listed if "default" not in schema or value != schema["default"])
        return
    if "default" in schema and schema["default"] is not None:
        yield schema["default"]
    elif examples := _list(schema.get("examples")):
        yield examples[0]


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    for says, meant in ((_SAY_OBJECT, "object"), (_SAY_ARRAY, "array"), (_SAY_NUMBER, "number")):
        if says & schema.keys():
            return meant
    return "string"


def _text(schema: dict[str, Any], wished: str, turn: int) -> str:
    text = wished or _FORMATS.get(str(schema.get("format")), "")
    if turn:
        text += str(turn)
    least = min(_whole(schema.get("minLength")), LONGEST)
    most = min(_whole(schema.get("maxLength", LONGEST)), LONGEST)
    return (text + "x" * (least - len(text)))[:most]


def _number(schema: dict[str, Any], whole: bool, turn: int) -> int | float:
    """Zero where it may be that, else what is next to it."""
    low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
    step = _figure(schema.get("multipleOf")) or 1
    if whole and step != int(step):
        step = 1
    first = 0 if low is None else _next(low[0], step, low[1])
    if first < 0 and (high is None or high[0] > 0 or (high[0] == 0 and not high[1])):
        first = 0
    if high is not None and low is None and first >= high[0]:
        first = -_next(-high[0], step, high[1])
    number = first + turn * step
    if high is not None and (number > high[0] or (number == high[0] and high[1])) and low is not None and not whole:
        number = (low[0] + high[0]) / 2  # no step between them
    return int(number) if whole or number == int(number) else number


def _next(low: float, step: float, without: bool) -> float:
    """The first multiple of `step` from `low` on."""
    count = math.ceil(low / step)
    return count * step + (step if without and count * step == low else 0)


def _bound(schema: dict[str, Any], name: str) -> tuple[float, bool] | None:
    """The bound, and whether it is itself left out. The older drafts say that by true."""
    at, beside = _figure(schema.get(name)), schema.get(f"exclusive{name.capitalize()}")
    if beside is True:
        return None if at is None else (at, True)
    apart = _figure(beside)
    if apart is None:
        return None if at is None else (at, False)
    if at is not None and ((at > apart) if name == "minimum" else (at < apart)):
        return at, False
    return apart, True


def _figure(value: Any) -> float | None:
    """A number that can be counted with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e15 else None


def _whole(value: Any) -> int:
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
