"""Arguments of a function call that its JSON Schema takes, as plain as they can be. It knows no session, no answer."""

from __future__ import annotations

import json
from typing import Any, Final

DEEPEST: Final = 8

_PLAIN: Final[dict[object, Any]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "null": None,
    "array": [],
    "object": {},
}


def example(schema: object) -> str:
    """A JSON object with the fields that the schema requires: the first value that it lists for each, or an empty one.

    It follows type, properties, required, const, enum, default, minimum, and the first of anyOf and oneOf; what a
    schema says in other words is not kept. What comes out is no larger than the schema.
    """
    value = _value(schema, 0)
    return json.dumps(value if isinstance(value, dict) else {})


def _value(schema: object, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return ""
    match schema:
        case {"const": value} | {"enum": [value, *_]} | {"default": value}:
            return value
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]}:
            return _value(first, depth + 1)
        case {"properties": dict(properties), "required": list(names)}:
            wanted = (name for name in names if isinstance(name, str) and name in properties)
            return {name: _value(properties[name], depth + 1) for name in wanted}
        case {"type": "integer" | "number", "minimum": int() | float() as least}:
            return least
        case {"type": [kind, *_]} | {"type": kind}:
            return _PLAIN.get(kind, "") if isinstance(kind, str) else ""
    return {} if "properties" in schema else ""
