"""What was sent before, to be had again; in memory only, and bounded."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

MOST: Final = 200
MOST_CHARACTERS: Final = 4 << 20
"""Of all that is kept together."""


class Entry(NamedTuple):
    """A text as it stands in the line, and what its marks stand for."""

    text: str
    pasted: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> str:
        """With what was pasted in the place of its marks."""
        text = self.text
        for mark, pasted in self.pasted:
            text = text.replace(mark, pasted, 1)
        return text

    def __len__(self) -> int:
        return len(self.text) + sum(len(pasted) for _, pasted in self.pasted)


class History:
    """What was sent, the newest last, and where one stands in it."""

    def __init__(self) -> None:
        self._sent: deque[Entry] = deque(maxlen=MOST)
        self._at = 0
        """How far back one is; 0 is what is being typed."""
        self._draft = Entry("")

    def add(self, entry: Entry) -> None:
        """It was sent. The same as the one before is kept once."""
        self._at, self._draft = 0, Entry("")
        if not entry.text.strip() or (self._sent and self._sent[-1] == entry):
            return
        self._sent.append(entry)
        while sum(len(kept) for kept in self._sent) > MOST_CHARACTERS:
            self._sent.popleft()

    def back(self, now: Entry) -> Entry | None:
        """The one before; `now` is what stands in the line. None: there is none."""
        if self._at >= len(self._sent):
            return None
        self._keep(now)
        self._at += 1
        return self._sent[-self._at]

    def forward(self, now: Entry) -> Entry | None:
        """The one after, at last what was being typed. None: one is there already."""
        if self._at == 0:
            return None
        self._keep(now)
        self._at -= 1
        return self._sent[-self._at] if self._at else self._draft

    def _keep(self, now: Entry) -> None:
        """What is being typed is there again when one comes back; what was sent stays as it was sent."""
        if self._at == 0:
            self._draft = now
