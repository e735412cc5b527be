"""Cuts a text that is still being written into sentences, so that the first can be said while the rest is thought of.

It knows no voice. Nothing of the text is lost or added: the sentences together are the text.
"""

from __future__ import annotations

import re
from typing import Final

LONG: Final = 160
"""Characters after which a sentence is cut at a comma or the like."""
LONGEST: Final = 320
"""Characters after which it is cut at a space, or where there is none, anywhere."""

_CLOSING: Final = r"""["'”’)\]»*_]*"""
_ENDS: Final = re.compile(rf"(?:[.!?…]+{_CLOSING}(?=\s)|[。！？]+{_CLOSING}|\n+)")
_PAUSES: Final = re.compile(r"(?:[,;:–—](?=\s)|[，；：、])")
_SHORT_FORMS: Final = frozenset(
    {
        *("mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc", "approx", "no", "vol", "fig"),
        *("e.g", "i.e", "a.m", "p.m", "u.s"),
    }
)


class Sentences:
    """Takes pieces of a text, gives whole sentences. One is whole once what follows it has begun."""

    def __init__(self) -> None:
        self._text = ""

    def grow(self, text: str) -> list[str]:
        """The sentences that are whole now, each with the space before it."""
        self._text += text
        out: list[str] = []
        while (end := _end(self._text)) is not None:
            sentence, self._text = self._text[:end], self._text[end:]
            if sentence.strip() or not out:
                out.append(sentence)
            else:
                out[-1] += sentence
        return out

    def rest(self) -> str:
        """What is left when nothing follows; may be empty."""
        rest, self._text = self._text, ""
        return rest


def sentences(text: str) -> list[str]:
    """All sentences of a whole text."""
    cut = Sentences()
    whole = cut.grow(text)
    rest = cut.rest()
    return [*whole, rest] if rest else whole


def _end(text: str) -> int | None:
    """Where the first sentence ends; None: it may go on."""
    for match in _ENDS.finditer(text):
        if not _is_short_form(text, match.start()) and text[: match.start()].strip():
            return match.end() if match.end() <= LONGEST else _hard_end(text)
    return _hard_end(text) if len(text) > LONGEST else None


def _hard_end(text: str) -> int:
    """Where a sentence that is too long is cut."""
    pauses = [match.end() for match in _PAUSES.finditer(text, 0, LONGEST)]
    if pauses and pauses[-1] >= LONG // 2:
        return next((end for end in pauses if end >= LONG), pauses[-1])
    space = text.rfind(" ", 1, LONGEST)
    return space if space > 0 else LONGEST


def _is_short_form(text: str, end: int) -> bool:
    """Whether the point at `end` only shortens a word, or numbers something."""
    if text[end] != "." or text[end : end + 2] == "..":
        return False
    word = re.split(r"[\s(\[\"'“]", text[max(0, end - 12) : end])[-1].lower()
    return word in _SHORT_FORMS or (len(word) == 1 and word.isalpha() and word != "i") or _numbers_a_line(text, end)


def _numbers_a_line(text: str, end: int) -> bool:
    line = text[text.rfind("\n", 0, end) + 1 : end].strip()
    return line.isdigit() and len(line) <= 3
