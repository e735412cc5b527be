"""A scenario written in TOML, held against what a scenario may say; it knows no file and no server.

A scenario is data (G26): it names no file, includes nothing and runs nothing, and what it does not know is refused.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, AnswerCall, AnswerItem, AnswerPart, Sentence
from voicecli.server.exercises import Exercise
from voicecli.server.scenario import EVENTS, Close, Cue, Drop, Frame, Planned, Scenario

LARGEST: Final = 2**20
"""Bytes of a file (G26)."""
MOST: Final = 1_000
"""Answers, and cues, of one scenario."""
LONGEST_REASON: Final = 123
"""Bytes that a close frame has for its reason."""
_SHORT: Final = {"commit": "input_audio_buffer.commit"}


class BadScenario(ValueError):
    """Why a scenario cannot be played. Foreign text."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}" if where else why)
        self.where = where
        """The line, or what it stands in; empty where it is all of it."""
        self.why = why


_Seconds = Annotated[float, Meta(ge=0, le=3_600)]
_Name = Annotated[str, Meta(min_length=1, max_length=1_000)]
_Status = Literal["completed", "incomplete", "failed"]
_Reason = Literal["max_output_tokens", "content_filter"]
_Then = Literal["repeat", "partner"]


class _Sentence(Struct, forbid_unknown_fields=True):
    text: str
    pause_s: Annotated[float, Meta(ge=0, le=10)] = 0.0


_Words = str | list[str | _Sentence]


class _Call(Struct, forbid_unknown_fields=True):
    name: _Name
    arguments: str | dict[str, Any] = {}
    call_id: _Name | None = None


class _Item(Struct, forbid_unknown_fields=True):
    say: _Words | None = None
    write: _Words | None = None
    call: _Call | None = None


class _Error(Struct, forbid_unknown_fields=True):
    code: str | None = None
    type: str | None = None
    message: str | None = None


class _Answer(_Item, forbid_unknown_fields=True):
    item: list[_Item] | None = None
    when: _Name = ""
    exercise: Exercise | None = None
    delay_s: _Seconds = 0.0
    word_s: Annotated[float, Meta(ge=0, le=60)] = 0.02
    status: _Status | None = None
    reason: _Reason | None = None
    error: _Error | None = None
    limited_s: _Seconds | None = None
    hang_up: bool = False


class _Close(Struct, forbid_unknown_fields=True):
    code: int
    reason: str = ""


class _Cue(Struct, forbid_unknown_fields=True):
    on: str
    after_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    nth: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    send: str | dict[str, Any] | None = None
    close: _Close | None = None
    drop: bool = False


class _File(Struct, forbid_unknown_fields=True):
    about: str = ""
    then: _Then = "repeat"
    answer: Annotated[list[_Answer], Meta(max_length=MOST)] = []
    cue: Annotated[list[_Cue], Meta(max_length=MOST)] = []


_NAMES: Final = {
    name for cls in (_File, _Answer, _Call, _Sentence, _Error, _Cue, _Close) for name in cls.__struct_fields__
}
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "exercise": tuple(exercise.value for exercise in Exercise),
    "status": get_args(_Status),
    "reason": get_args(_Reason),
    "then": get_args(_Then),
}
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)
_LINE: Final = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def read(text: str) -> Scenario:
    """The scenario that `text` spells. Raises BadScenario."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        words = str(wrong)
        line = _LINE.search(words)
        raise BadScenario(line[1] if line else "", f"it is not TOML: {_LINE.sub('', words)}") from None
    except (RecursionError, ValueError):  # brackets in brackets; numbers of thousands of digits
        raise BadScenario("", "it is not TOML that anybody can read") from None
    try:
        file = msgspec.convert(given, _File)
    except (msgspec.ValidationError, RecursionError) as wrong:
        words = str(wrong)
        place = _PLACE.search(words)
        path = place[1] if place else ""
        raise BadScenario(_where(path), _why(_PLACE.sub("", words), path)) from None
    if not file.answer and not file.cue:
        raise BadScenario("", "it has neither an [[answer]] nor a [[cue]]")
    return Scenario(
        answers=tuple(_planned(answer, f"answer {n}") for n, answer in enumerate(file.answer, 1)),
        cues=tuple(_cue(cue, f"cue {n}") for n, cue in enumerate(file.cue, 1)),
        then_partner=file.then == "partner",
    )


def _planned(told: _Answer, where: str) -> Planned:
    if told.exercise is not None:
        beside = replace(told, exercise=None, when="")
        if beside != _Answer():
            raise BadScenario(where, "an exercise has nothing beside it but `when`")
        return Planned(told.when, told.exercise)
    short = _Item(told.say, told.write, told.call)
    if told.item is not None and short != _Item():
        raise BadScenario(where, "say, write and call stand in the answer or in its items, not in both")
    meant = {"reason": "incomplete", "error": "failed"}
    for name, status in meant.items():
        if getattr(told, name) is not None and told.status not in (None, status):
            raise BadScenario(where, f'`{name}` goes with status = "{status}"')
    if told.reason is not None and told.error is not None:
        raise BadScenario(where, "`reason` and `error` exclude each other")
    status = told.status or next((meant[name] for name in meant if getattr(told, name) is not None), "completed")
    error = None if told.error is None else StatusError(told.error.type, told.error.code, told.error.message)
    items = told.item if told.item is not None else [short]
    return Planned(
        told.when,
        Answer(
            items=tuple(made for n, item in enumerate(items, 1) for made in _items(item, where, n)),
            status=status,  # type: ignore[arg-type]
            reason=told.reason,
            error=error,
            delay_s=told.delay_s,
            text_word_s=told.word_s,
            limited_s=told.limited_s,
            hang_up=told.hang_up,
        ),
    )


def _items(told: _Item, where: str, number: int) -> Iterator[AnswerItem | AnswerCall]:
    """What is said and what is written are two parts of one message; a call is an item of its own behind it."""
    parts = tuple(
        AnswerPart(tuple(_sentences(words, f"{where}, item {number}")), spoken)
        for words, spoken in ((told.say, True), (told.write, False))
        if words is not None
    )
    if parts:
        yield AnswerItem(parts)
    if told.call is not None:
        given = told.call.arguments
        arguments = given if isinstance(given, str) else msgspec.json.encode(given).decode()
        yield AnswerCall(told.call.name, arguments, told.call.call_id)


def _sentences(words: _Words, where: str) -> Iterator[Sentence]:
    for each in [words] if isinstance(words, str) else words:
        sentence = Sentence(each) if isinstance(each, str) else Sentence(each.text, each.pause_s)
        if not sentence.text.strip():
            raise BadScenario(where, "a sentence is empty")
        yield sentence


def _cue(told: _Cue, where: str) -> Cue:
    on = _SHORT.get(told.on, told.on)
    if on not in EVENTS:
        near = difflib.get_close_matches(told.on, (*EVENTS, *_SHORT), 1)
        raise BadScenario(
            where,
            f"nothing is called {told.on[:60]!r} that it could wait for"
            + (f"; did you mean {near[0]}?" if near else ""),
        )
    acts: list[Frame | Close | Drop] = []
    if told.send is not None:
        acts.append(Frame(told.send if isinstance(told.send, str) else msgspec.json.encode(told.send).decode()))
    if told.close is not None:
        acts.append(_close(told.close, where))
    if told.drop:
        acts.append(Drop())
    if len(acts) != 1:
        raise BadScenario(where, "it needs one of `send`, `close` and `drop = true`")
    return Cue(on, told.after_ms / 1000, told.nth, acts[0])


def _close(told: _Close, where: str) -> Close:
    if not (told.code in {*range(1000, 1004), *range(1007, 1015)} or 3000 <= told.code < 5000):
        raise BadScenario(where, f"{told.code} is no code that a connection is closed with; 1000, 1011 and 4000 are")
    if len(told.reason.encode("utf-8", "replace")) > LONGEST_REASON:
        raise BadScenario(where, f"the reason of a close has {LONGEST_REASON} bytes at most")
    return Close(told.code, told.reason)


def _where(path: str) -> str:
    """A path as people count: `answer[0].say[1]` is answer 1, say 2."""
    return ", ".join(re.sub(r"\[(\d+)\]", lambda n: f" {int(n[1]) + 1}", path).split("."))


def _why(words: str, path: str) -> str:
    choices = _CHOICES.get(path.rpartition(".")[2])
    if choices is not None and words.startswith("Invalid enum value"):
        return f"it is{words.removeprefix('Invalid enum value')}; it must be one of {', '.join(choices)}"
    unknown = _UNKNOWN.fullmatch(words)
    if unknown is None:
        return words
    near = difflib.get_close_matches(unknown[1], _NAMES, 1)
    return f"there is no field {unknown[1][:60]!r}" + (f"; did you mean {near[0]}?" if near else "")
