"""Reads the contract's TypeScript and holds parsed JSON against it; it knows the slips, and nothing of ours.

`contract_problems(frame)` is for every client frame that a test sees in the beta spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CONTRACT = Path(__file__).with_name("realtime-beta.d.ts")


class Primitive(NamedTuple):
    name: str


class Literal(NamedTuple):
    value: str


class Array(NamedTuple):
    of: Type


class Union(NamedTuple):
    members: tuple[Type, ...]


class Ref(NamedTuple):
    name: str
    scope: tuple[str, ...]


Type = Primitive | Literal | Array | Union | Ref


class Field(NamedTuple):
    type: Type
    optional: bool


class Contract(NamedTuple):
    interfaces: dict[tuple[str, ...], dict[str, Field]]
    types: dict[str, Type]

    def resolve(self, ref: Ref) -> dict[str, Field] | None:
        """The interface, looked for from the inside out; None for what lies in another file."""
        parts = tuple(ref.name.removeprefix("RealtimeAPI.").split("."))
        for depth in range(len(ref.scope), -1, -1):
            if (found := self.interfaces.get((*ref.scope[:depth], *parts))) is not None:
                return found
        return None

    def events(self, union: str) -> dict[str, dict[str, Field]]:
        """Event type -> its interface, for `RealtimeClientEvent` or `RealtimeServerEvent`."""
        wanted = self.types[union]
        assert isinstance(wanted, Union)
        found = {}
        for member in wanted.members:
            assert isinstance(member, Ref)
            interface = self.interfaces[(member.name,)]
            tag = interface["type"].type
            assert isinstance(tag, Literal)
            found[tag.value] = interface
        return found


TOKEN = re.compile(r"'[^']*'|[A-Za-z_][\w.]*|[{}()<>|&;:?=,]")


class _Parser:
    def __init__(self, text: str) -> None:
        bare = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
        self.tokens = TOKEN.findall(re.sub(r"^import .*?;$", "", bare, flags=re.MULTILINE | re.DOTALL))
        self.at = 0
        self.contract = Contract({}, {})

    def take(self, wanted: str | None = None) -> str:
        token = self.tokens[self.at]
        assert wanted in (None, token), f"{wanted} expected at {self.tokens[self.at - 5 : self.at + 5]}"
        self.at += 1
        return token

    def next_is(self, *wanted: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at] in wanted

    def module(self, scope: tuple[str, ...] = ()) -> None:
        while self.at < len(self.tokens) and not self.next_is("}"):
            match self.take():
                case "export" | "declare" | ";":
                    pass
                case "interface":
                    name = self.take()
                    self.take("{")
                    self.contract.interfaces[*scope, name] = dict(self.fields((*scope, name)))
                    self.take("}")
                case "namespace":
                    inner = self.take()
                    self.take("{")
                    self.module((*scope, inner))
                    self.take("}")
                case "type":
                    name = self.take()
                    self.take("=")
                    self.contract.types[name] = self.type(scope)
                case "class" | "{":
                    self.skip_block()
                case other:
                    raise AssertionError(f"what is {other}?")

    def skip_block(self) -> None:
        """A class, or the braces of a re-export: nothing that is on the wire."""
        depth = 1 if self.tokens[self.at - 1] == "{" else 0
        while True:
            token = self.take()
            depth += (token == "{") - (token == "}")
            if token == "}" and depth == 0:
                return

    def fields(self, scope: tuple[str, ...]) -> Iterator[tuple[str, Field]]:
        while not self.next_is("}"):
            name = self.take()
            optional = self.next_is("?")
            if optional:
                self.take("?")
            self.take(":")
            yield name, Field(self.type(scope), optional)
            self.take(";")

    def type(self, scope: tuple[str, ...]) -> Type:
        members = [self.simple(scope)]
        while self.next_is("|"):
            self.take("|")
            members.append(self.simple(scope))
        return members[0] if len(members) == 1 else Union(tuple(members))

    def simple(self, scope: tuple[str, ...]) -> Type:
        token = self.take()
        if token.startswith("'"):
            return Literal(token[1:-1])
        if token == "(":  # (string & {}): any string, with hints for editors
            for wanted in ("string", "&", "{", "}", ")"):
                self.take(wanted)
            return Primitive("string")
        if token == "Array":
            self.take("<")
            inner = self.type(scope)
            self.take(">")
            return Array(inner)
        if token in ("string", "number", "boolean", "unknown", "null"):
            return Primitive(token)
        return Ref(token, scope)


@cache
def contract() -> Contract:
    parser = _Parser(CONTRACT.read_text())
    parser.module()
    return parser.contract


# ---- the known slips: where the contract is wrong about the wire, or its lists are open ------------------------------

OPEN_LISTS = ("session.model", "session.voice", "response.voice")
"""E1, E3: names of models and voices pass."""

OPTIONAL = ("session.model",)
"""D5."""

NULLABLE = ("session.turn_detection", "session.input_audio_transcription")
"""D6."""

MORE_VALUES = {
    "content[].type": {"audio"},  # D2
    "item.status": {"in_progress"},  # D4
    "input[].status": {"in_progress"},
    "item.type": {"item_reference"},  # D8
    "input[].type": {"item_reference"},
}

OBJECTS_TOO = ("session.tool_choice", "response.tool_choice")
"""E13: a function by name is an object, though the contract types it as a string."""

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def contract_problems(frame: dict[str, Any], asked: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with a client frame in the beta spelling, as sentences; [] when it fits.

    `asked` are the paths (`session.turn_detection.interrupt_response`) of fields newer than the contract that the test
    asked for.
    """
    kind = frame.get("type")
    interface = contract().events("RealtimeClientEvent").get(kind) if isinstance(kind, str) else None
    if interface is None:
        return [f"no client event has the type {kind!r}"]
    return list(_object(frame, interface, "", asked))


def _object(value: dict[str, Any], interface: dict[str, Field], path: str, asked: frozenset[str]) -> Iterator[str]:
    for name, field in interface.items():
        place = f"{path}.{name}" if path else name
        if name in value:
            yield from _value(value[name], field.type, place, asked)
        elif not field.optional and place not in OPTIONAL:
            yield f"{place} is missing"
    for name in value.keys() - interface.keys():
        place = f"{path}.{name}" if path else name
        if place not in asked:
            yield f"{place} is not in the contract"


def _value(value: Any, wanted: Type, path: str, asked: frozenset[str]) -> Iterator[str]:
    general = re.sub(r"\[\d+\]", "[]", path)
    if general in NULLABLE and value is None:
        return
    if general in OPEN_LISTS and isinstance(value, str):
        return
    if general in OBJECTS_TOO and isinstance(value, dict):
        return
    if any(general.endswith(end) and value in more for end, more in MORE_VALUES.items() if isinstance(value, str)):
        return
    match wanted:
        case Primitive("unknown"):
            return
        case Primitive(name):
            if not isinstance(value, _KINDS[name]) or (isinstance(value, bool) and name == "number"):
                yield f"{path} is no {name}: {value!r:.80}"
        case Literal(text):
            if value != text:
                yield f"{path} is not {text!r}: {value!r:.80}"
        case Array(inner):
            if not isinstance(value, list):
                yield f"{path} is no array: {value!r:.80}"
                return
            for n, one in enumerate(value):
                yield from _value(one, inner, f"{path}[{n}]", asked)
        case Union(members):
            if all(any(_value(value, member, path, asked)) for member in members):
                yield f"{path} is none of {len(members)} allowed kinds: {value!r:.80}"
        case Ref():
            interface = contract().resolve(wanted)
            if interface is None:
                return
            if not isinstance(value, dict):
                yield f"{path} is no object: {value!r:.80}"
                return
            yield from _object(value, interface, path, asked)
