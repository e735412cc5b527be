"""What comes from the terminal, before anything is understood in it: pastes made harmless and short. Pure."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

BEGIN: Final = "\x1b[200~"
END: Final = "\x1b[201~"
MOST: Final = 1 << 20
"""Characters of one paste that are taken."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_COLOUR: Final = re.compile("\x1b\\]1[01];rgb:[0-9a-fA-F/]{1,20}(?:\x07|\x1b\\\\)")
"""A terminal's word on its colours that comes late must not be typed."""

_WAY_OUT: Final = re.compile("[\x03\x11\x1a]|\x1b\\[(?:27|99|113|122)(?:[;:][0-9:;]*)?u")
"""Ctrl-C, ctrl+q and Ctrl-Z as terminals send them, and escape where it is told from the beginning of a mark."""


class Incoming:
    """Text in, text out, in any pieces.

    What is pasted is taken out from between its two marks and kept in `pasted`, whole, so that nothing of it can be
    understood as a key, and a long one costs little. Of one longer than `MOST` the rest is dropped.
    """

    def __init__(self) -> None:
        self.pasted: deque[tuple[str, int]] = deque()
        """Of each paste that has ended: what was pasted, and how many characters of it were too many."""
        self._pasting = False
        self._tail = ""  # outside of a paste: the last that was let through, which may be the beginning of a mark
        self._held = ""  # inside: what may be the beginning of the mark of its end
        self._pieces: list[str] = []
        self._taken = 0

    def feed(self, text: str, *, alone: bool = False) -> str:
        """What of `text`, and of what waited before it, is let through.

        `alone`: nothing has come for a while before it. A paste whose end was lost would swallow every key for ever:
        one of those that lead out ends it, where it comes so. In what is pasted it comes with the rest.
        """
        out: list[str] = []
        if alone and self._pasting and _WAY_OUT.fullmatch(text):
            out.append(self._paste(END)[0])
        while text:
            piece, text = self._paste(text) if self._pasting else self._keys(text)
            out.append(piece)
        return "".join(out)

    def _keys(self, text: str) -> tuple[str, str]:
        """What is let through up to the beginning of a paste, and the rest."""
        joined = self._tail + text
        at = joined.find(BEGIN)
        if at < 0:
            self._tail = joined[1 - len(BEGIN) :]
            return _COLOUR.sub("", text), ""
        through = at + len(BEGIN) - len(self._tail)
        self._pasting, self._tail, self._taken = True, "", 0
        return text[:through], text[through:]

    def _paste(self, text: str) -> tuple[str, str]:
        """The mark of its end where that has come, and the rest."""
        pasted, end, rest = (self._held + text).partition(END)
        self._held = ""
        if not end and (begun := _begun(pasted, END)):
            pasted, self._held = pasted[:-begun], pasted[-begun:]
        pasted = _CONTROLS.sub("", pasted)
        if room := max(0, MOST - self._taken):
            self._pieces.append(pasted[:room])
        self._taken += len(pasted)
        if end:
            self.pasted.append(("".join(self._pieces), max(0, self._taken - MOST)))
            self._pieces.clear()
            self._pasting = False
        return end, rest


def _begun(text: str, mark: str) -> int:
    """How many characters at the end of `text` are the beginning of `mark`."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if mark.startswith(text[-n:])), 0)
