"""A session in a JSON file, held against the types and limits of the protocol; it knows neither file nor server."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET, inspect

from voicecli.protocol.conversation import Conversation
from voicecli.protocol.events import SessionUpdate
from voicecli.protocol.items import KNOWN_FORMATS, SessionConfig
from voicecli.protocol.profiles import Profile
from voicecli.protocol.rules import check

_ELSEWHERE: Final = {
    "id": "only a server says it",
    "object": "only a server says it",
    "expires_at": "only a server says it",
    "model": "give --model",
}
_CHARS: Final = 60
"""Of a value that is shown."""
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`$")


class BadSession(ValueError):
    """What is wrong: the field, its value and what it may be. Foreign text."""


def read(text: str, profile: Profile) -> SessionConfig:
    """The session that `text` spells, with the names of the contract, for a talk with `profile`. Raises BadSession.

    Nothing passes that the protocol does not have: no unknown name at any depth, no wrong type, nothing outside of
    E5 to E9, no format that is not spoken here; and where its lists of words are closed, no other word. Names of models
    and voices are open.
    """
    try:
        given = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as why:
        raise BadSession(f"it is not JSON ({str(why)[:_CHARS]})") from None
    if not isinstance(given, dict):
        raise BadSession("it must be one JSON object, with the fields of a session")
    for name, because in _ELSEWHERE.items():
        if name in given:
            raise BadSession(f"{name} has no place in it: {because}")
    for path, near in _strangers(given, inspect.type_info(SessionConfig), ""):
        raise BadSession(f"there is no field {path[:_CHARS]}" + (f"; did you mean {near}?" if near else ""))
    try:
        session = msgspec.convert(given, SessionConfig)
    except (msgspec.ValidationError, RecursionError) as wrong:
        words = str(wrong)
        place = _PLACE.search(words)
        path = place[1] if place else ""
        raise BadSession(f"{path} is {_shown(given, path)}; {_PLACE.sub('', words)}") from None
    _fits(session, profile)
    return session


def _fits(session: SessionConfig, profile: Profile) -> None:
    for name in ("input_audio_format", "output_audio_format"):
        value = getattr(session, name)
        if value is not UNSET and value not in KNOWN_FORMATS and value not in profile.names:
            raise BadSession(f'{name} is "{value[:_CHARS]}"; it must be one of {", ".join(KNOWN_FORMATS)}')
    if session.tool_choice is not UNSET and not isinstance(session.tool_choice, str | dict):
        raise BadSession("tool_choice must be auto, none, required, or a function as an object")
    if session.turn_detection is None:
        raise BadSession("turn_detection is null, so nobody would say where your turns end; give --ptt in its place")
    problem = check(SessionUpdate(session=session), Conversation(), profile)
    if problem is not None:
        raise BadSession(problem.message.replace("session.", "").rstrip("."))


def _strangers(given: Any, wanted: inspect.Type, path: str) -> Iterator[tuple[str, str | None]]:
    """Where a name is that the type does not have, and the one that comes near."""
    match wanted:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _strangers(given, each, path)
        case inspect.VarTupleType(item_type=inner) if isinstance(given, list):
            for n, value in enumerate(given):
                yield from _strangers(value, inner, f"{path}[{n}]")
        case inspect.StructType(fields=fields) if isinstance(given, dict):
            known = {field.encode_name: field.type for field in fields}
            for name, value in given.items():
                place = f"{path}.{name}" if path else name
                if name not in known:
                    yield place, next(iter(difflib.get_close_matches(name, known, 1)), None)
                else:
                    yield from _strangers(value, known[name], place)


def _shown(given: Any, path: str) -> str:
    for step in re.findall(r"\w+", path):
        if isinstance(given, dict):
            given = given.get(step)
        elif isinstance(given, list) and step.isdigit() and int(step) < len(given):
            given = given[int(step)]
    text = msgspec.json.encode(given).decode()
    return text if len(text) <= _CHARS else f"{text[: _CHARS - 3]}..."
