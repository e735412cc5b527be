"""The lines between a talk and the child that is its server: what it is to be, and its news. It starts nothing.

Both are one line of JSON each, in ASCII. What the child is to be has keys in it, so it goes by standard input and by
nothing else, behind the line of the token (G19).
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from msgspec import Struct

from voicecli.core.stimuli import PartnerNews
from voicecli.secret import Secret

LONGEST: Final = 16 * 1024
"""Bytes of one line, either way."""
LONGEST_WORDS: Final = 300
"""Characters of an engine's words."""


class Llm(Struct, frozen=True):
    """A language model, the key that goes to it, and how freely it is to pick its words."""

    url: str
    model: str
    key: Secret | None = None
    temperature: float | None = None
    """None: as its server has it."""


class Wanted(Struct, frozen=True):
    """What the child is to be, besides the practice partner. Safe to print."""

    llm: Llm | None = None
    tones: bool = False
    """Whether it loads nothing to hear and speak with."""


class BadLine(ValueError):
    """The line says nothing that the child could be. Nothing of it is in the text."""


def wanted_line(wanted: Wanted) -> bytes:
    """The second line of the child's standard input, with the end of the line. Reveals keys."""
    said: dict[str, Any] = {"tones": True} if wanted.tones else {}
    if (llm := wanted.llm) is not None:
        key = llm.key.reveal() if llm.key else None
        said["llm"] = {"url": llm.url, "model": llm.model, "key": key, "temperature": llm.temperature}
    return _line(said)


def read_wanted(line: bytes) -> Wanted:
    """What the line says; an empty one is of nobody who wants anything. Raises BadLine."""
    if not line.strip():
        return Wanted()
    try:
        said = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise BadLine("it is no JSON") from None
    if not isinstance(said, dict):
        raise BadLine("it is no object")
    tones = said.get("tones") is True
    match said.get("llm"):
        case None:
            return Wanted(tones=tones)
        case {
            "url": str(url),
            "model": str(model),
            "key": str() | None as key,
            "temperature": float() | int() | None as temperature,
        } if not isinstance(temperature, bool):
            return Wanted(Llm(url, model, Secret(key) if key else None, temperature), tones)
        case _:
            raise BadLine("its language model is none")


class _Line(Struct):
    news: PartnerNews


_NEWS: Final = msgspec.json.Decoder(_Line)


def news_line(news: PartnerNews) -> str:
    """A line of the child's standard output, without the end of the line."""
    said = {"part": news.part, "state": news.state, "words": news.words[:LONGEST_WORDS], "code": news.code}
    return _line({"news": {name: value for name, value in said.items() if value}}).decode().rstrip("\n")


def read_news(line: bytes) -> PartnerNews | None:
    """What a line of the child's says; None where it is no news."""
    try:
        news = _NEWS.decode(line).news
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return msgspec.structs.replace(news, words=news.words[:LONGEST_WORDS], code=news.code[:LONGEST_WORDS])


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"
