"""The words of a turn while it pauses: found before anybody knows whether it is over, so that the answer is not late.

Also what they say of that (`finished`), simply. It knows no recogniser, no wire and no time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from voicecli.ports import RATE
from voicecli.server.orders import Drop, Order, Recognise

LONGEST_S: Final = 20
"""Of longer turns no words are found in between: that would take longer than what it saves."""

_HANGING: Final = frozenset(
    {
        *("a", "an", "the", "my", "your", "his", "her", "our", "their", "this", "these", "those", "some", "any"),
        *("and", "or", "but", "so", "because", "if", "when", "while", "that", "which", "who", "than", "then"),
        *("to", "of", "in", "on", "at", "for", "with", "from", "by", "about", "into", "like", "as"),
        *("is", "are", "was", "were", "am", "will", "would", "could", "should", "can", "have", "has", "had", "i"),
        *("um", "uh", "er", "hmm", "well", "maybe", "very", "really", "just", "let's", "i'm", "it's"),
    }
)
"""Words after which English goes on."""


def finished(words: str) -> bool:
    """Whether these words sound like a whole turn: a sentence's end that no hanging word stands before."""
    text = words.rstrip("\"'”’) ")
    if not text.endswith((".", "!", "?", "。", "！", "？")) or text.endswith(("...", "…")):
        return False
    last = text.rstrip(".!?。！？").rsplit(maxsplit=1)
    return bool(last) and last[-1].strip(",;:\"'").lower() not in _HANGING


class Guess(NamedTuple):
    """What is being found out about a pause."""

    id: str
    quiet_from: int
    words: str | None = None
    known: bool = False


class Guessing:
    """Owns the guess about the pause that there is now."""

    def __init__(self, ear: bool, order: Callable[[Order], None]) -> None:
        self._ear = ear
        self._order = order
        self._count = 0
        self._guess: Guess | None = None

    def heard(self, lull: int | None, so_far: Callable[[], bytes]) -> None:
        """Where the pause began, None: there is none now. The words are asked for once for each pause."""
        if not self._ear or (None if self._guess is None else self._guess.quiet_from) == lull:
            return
        self.drop()
        if lull is not None and len(pcm := so_far()) <= LONGEST_S * 2 * RATE:
            self._count += 1
            self._guess = Guess(f"guess_{self._count}", lull)
            self._order(Recognise(self._guess.id, pcm))

    def recognised(self, name: str, words: str | None) -> bool:
        """The words are there; False where they are of no pause that there is."""
        if self._guess is None or self._guess.id != name:
            return False
        self._guess = self._guess._replace(words=words, known=True)
        return True

    def take(self, quiet_from: int) -> Guess | None:
        """The guess about the pause that has ended the turn; from now on it is another's. None: none of use."""
        guess, self._guess = self._guess, None
        if guess is None or (guess.known and guess.words is None):
            return None
        if guess.quiet_from != quiet_from:
            self._order(Drop(guess.id))
            return None
        return guess

    def drop(self) -> None:
        """The turn goes on, or never was."""
        if self._guess is not None:
            self._order(Drop(self._guess.id))
            self._guess = None
