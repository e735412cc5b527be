"""What of a written text can be said aloud, and in pieces of what length. Pure; it knows no voice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from voicecli.printable import printable

LONGEST: Final = 400
"""Characters said in one go: about 25 s. The voice's time grows faster than a sentence."""

_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]{0,40}[A-Za-z]")
_FENCE: Final = re.compile(r"^\s*(```|~~~).*$", re.MULTILINE)
_LINE_START: Final = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|[-*+•]\s+)", re.MULTILINE)
_RULE: Final = re.compile(r"^\s*(?:[-*_=|:]\s*){3,}$", re.MULTILINE)
_LINK: Final = re.compile(r"!?\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)")
_URL: Final = re.compile(
    r"\b(?:https?|wss?|ftp)://([^\s/?#<>\"']{1,253})[^\s<>\"']*?(?=[.,;:!?)]*(?:\s|$))", re.IGNORECASE
)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_EMPHASIS: Final = re.compile(r"(?<!\w)[*_~`]+(?=\S)|(?<=\S)[*_~`]+(?!\w)|\*\*|``")
_DIGITS: Final = re.compile(r"\d{13,}")
_AGAIN: Final = re.compile(r"([^\w\s.])\1{2,}")
_DOTS: Final = re.compile(r"\.{4,}")
_LONG_WORD: Final = re.compile(r"\S{60,}")
_CLAUSE: Final = re.compile(r"[.!?…;:,—]\s")


def spoken(text: str) -> str:
    """`text` as it is to be read aloud; empty where nothing in it can be said.

    Markdown, addresses (only the host is left), emoji, controls and scripts other than Latin are taken out, long runs
    of digits are said one by one. Times, dates, money and units are the voice's own affair.
    """
    text = unicodedata.normalize("NFKC", printable(_ESCAPE.sub("", text)))
    text = _FENCE.sub("", text)
    text = _RULE.sub("", text)
    text = _LINE_START.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(lambda match: _host(match[1]), text)
    text = _TAG.sub(" ", text)
    text = _EMPHASIS.sub("", text)
    text = _AGAIN.sub(r"\1", text)
    text = _DOTS.sub("...", text)
    text = _DIGITS.sub(lambda match: " ".join(match[0]), text)
    text = _LONG_WORD.sub(lambda match: " ".join(re.findall(".{1,40}", match[0])), text)
    text = "".join(char if _sayable(char) else " " for char in text)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    said = "\n".join(line for line in lines if line)
    return said if any(char.isalnum() for char in said) else ""


def cut(text: str, longest: int = LONGEST) -> Iterator[str]:
    """`text` in pieces of at most `longest` characters, cut behind a clause where there is one, else between words."""
    while len(text) > longest:
        window = text[:longest]
        ends = [match.end() for match in _CLAUSE.finditer(window)]
        at = max((end for end in ends if end >= longest // 3), default=0) or window.rfind(" ") + 1 or longest
        yield text[:at]
        text = text[at:]
    if text:
        yield text


def _host(host: str) -> str:
    name = host.rpartition("@")[2].partition(":")[0].removeprefix("www.")
    return name.replace(".", " dot ")


def _sayable(char: str) -> bool:
    if char.isascii():
        return char in "\n" or char.isprintable()
    if char.isalpha():
        return unicodedata.name(char, "").startswith("LATIN")
    # Digits of other scripts, symbols and emoji go; currencies, dashes, quotes and dots stay.
    return unicodedata.category(char) in ("Sc", "Pd", "Pi", "Pf", "Po", "Mn", "Zs") or char in "°×÷±√≈≤≥"
