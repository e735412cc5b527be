"""What an engine is asked for a session, step by step: an utterance window by window, a sentence piece by piece. Pure.

So what is long holds up nobody else for long, and each step has a bound in bytes and in time.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voicecli.ports import RATE
from voicecli.speech.frames import Heard, Listen, Request, Speak, Spoken
from voicecli.speech.wording import cut

WINDOW: Final = 2 * 30 * RATE
"""Bytes of an utterance that the ear is shown at once; it takes up to 24 s of them."""


class WrongAnswer(Exception):
    """It answered something else than it was asked."""


class Hearing:
    """An utterance, done window by window: a long one holds up nobody else for long."""

    def __init__(self, pcm: bytes) -> None:
        self.size = len(pcm)
        self._rest = memoryview(pcm)
        self.words: list[str] = []

    def request(self, number: int) -> Request:
        """The next step."""
        return Listen(number, bytes(self._rest[:WINDOW]), len(self._rest) <= WINDOW)

    @property
    def shown_s(self) -> float:
        """How much sound the next request has."""
        return min(len(self._rest), WINDOW) / 2 / RATE

    @property
    def begun(self) -> bool:
        """Whether a part of it is done."""
        return bool(self.words)

    def take(self, answer: Heard | Spoken) -> bool:
        """Whether that was all. Raises WrongAnswer."""
        if not isinstance(answer, Heard) or not 0 < answer.taken <= min(len(self._rest), WINDOW):
            raise WrongAnswer
        self._rest = self._rest[answer.taken :]
        self.words.append(answer.words)
        return not self._rest


class Saying:
    """A sentence, done in pieces where it is very long."""

    def __init__(self, sentence: str) -> None:
        self.size = len(sentence)
        whole = sentence.encode("utf-8", "replace").decode()  # half a surrogate pair fits in no frame
        self._rest = deque(cut(whole) if whole else [""])
        self.sounds: list[bytes] = []

    def request(self, number: int) -> Request:
        """The next step."""
        return Speak(number, self._rest[0])

    @property
    def begun(self) -> bool:
        """Whether a part of it is done."""
        return bool(self.sounds)

    def take(self, answer: Heard | Spoken) -> bool:
        """Whether that was all. Raises WrongAnswer."""
        if not isinstance(answer, Spoken):
            raise WrongAnswer
        self._rest.popleft()
        self.sounds.append(answer.pcm)
        return not self._rest
