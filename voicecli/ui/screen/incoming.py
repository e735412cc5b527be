"""What comes from the terminal, before anything is understood in it: pastes made harmless and short. Pure."""

from __future__ import annotations

import re
from typing import Final

BEGIN: Final = "\x1b[200~"
END: Final = "\x1b[201~"
MOST: Final = 100_000
"""Characters of one paste that are taken."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_COLOUR: Final = re.compile("\x1b\\]1[01];rgb:[0-9a-fA-F/]{1,20}(?:\x07|\x1b\\\\)")
"""A terminal's word on its colours that comes late must not be typed."""


class Incoming:
    """Text in, text out, in any pieces.

    Inside a bracketed paste no escape character is let through but that of its end, so that nothing pasted is taken
    for a key; and of a paste longer than `MOST` the rest is dropped, which `cut` counts.
    """

    def __init__(self) -> None:
        self.pasting = False
        """Whether what comes next is still a part of a paste."""
        self._tail = ""  # outside of a paste: the last that was let through, which may be the beginning of a mark
        self._held = ""  # inside: what may be the beginning of the mark of its end
        self._taken = 0
        self.cut = 0
        """Characters of the last paste that were dropped; to be set back by whoever tells it."""

    def feed(self, text: str) -> str:
        """What of `text`, and of what waited before it, is let through."""
        out: list[str] = []
        while text:
            piece, text = self._paste(text) if self.pasting else self._keys(text)
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
        self.pasting, self._tail, self._taken = True, "", 0
        return text[:through], text[through:]

    def _paste(self, text: str) -> tuple[str, str]:
        pasted, end, rest = (self._held + text).partition(END)
        self._held = ""
        if end:
            self.pasting = False
        elif begun := _begun(pasted, END):
            pasted, self._held = pasted[:-begun], pasted[-begun:]
        pasted = _CONTROLS.sub("", pasted)
        kept = pasted[: max(0, MOST - self._taken)]
        self._taken += len(pasted)
        self.cut += len(pasted) - len(kept)
        return kept + end, rest


def _begun(text: str, mark: str) -> int:
    """How many characters at the end of `text` are the beginning of `mark`."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if mark.startswith(text[-n:])), 0)
