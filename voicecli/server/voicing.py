"""Gives the sentences of an answer their sound, in order: by a voice outside, by tones, or none. It knows no time.

What comes after a sentence whose sound is not there yet waits behind it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from voicecli.ports import RATE
from voicecli.server.answers import NewPart, Piece, Sentence, Step, Toned
from voicecli.server.orders import Say

AT_ONCE: Final = 2
"""Sentences that are with the voice at the same time: one is said while the other waits for it."""
ENOUGH_SAMPLES: Final = 20 * RATE
"""With so much sound waiting to leave no more is made: an answer may be interrupted, or have no end."""
MOST_PAUSE_S: Final = 10.0

_WORD: Final = re.compile(r"\s*\S+\s*\Z|\s*\S+|\s+")


class _Asked:
    """A sentence that a voice outside says."""

    def __init__(self, sentence: Sentence, text: str) -> None:
        self.sentence = sentence
        self.text = text
        self.number: int | None = None
        """None: not asked for yet."""
        self.steps: list[Step] | None = None


class Voicing:
    """What of an answer was thought of and is not fed to be played."""

    def __init__(self, response_id: str, answer: int, spoken: bool, voice: bool, order: Callable[[Say], None]) -> None:
        """`answer` is its number in the session; without `voice` it speaks in tones, without `spoken` it is written."""
        self._response_id = response_id
        self._answer = answer
        self._spoken = spoken
        self._voice = voice
        self._order = order
        self._waiting: deque[Step | _Asked] = deque()
        self._asked: dict[int, _Asked] = {}
        self._numbers = 0
        self._words = 0
        self._part_spoken = spoken
        self._part_begun = False

    def take(self, steps: Iterable[Step]) -> None:
        """More of the answer."""
        for step in steps:
            match step:
                case NewPart():
                    self._part_spoken, self._part_begun = step.spoken and self._spoken, False
                    self._waiting.append(step)
                case Sentence():
                    self._take_sentence(step)
                case _:
                    self._part_begun = self._part_begun or isinstance(step, Piece | Toned)
                    self._waiting.append(step)

    def said(self, number: int, pcm: bytes | None) -> None:
        """The voice has said it; None: there is no voice any more, and tones take its place."""
        asked = self._asked.pop(number, None)
        if asked is None:
            return
        self._voice = self._voice and pcm is not None
        if pcm is None or pcm.count(0) == len(pcm):  # a language that this voice does not speak
            asked.steps = list(self._tones(asked.text, asked.sentence.pause_s))
        else:
            asked.steps = list(spread(asked.text, pcm + _silence(asked.sentence.pause_s)))

    def ready(self, backlog_samples: int) -> list[Step]:
        """What can be played next; asks the voice for more where less than enough waits to leave."""
        out: list[Step] = []
        while self._waiting:
            step = self._waiting[0]
            if isinstance(step, _Asked):
                if step.number is None and not self._voice:
                    step.steps = list(self._tones(step.text, step.sentence.pause_s))
                if step.steps is None:
                    break
                out += step.steps
                backlog_samples += sum(len(each.pcm) // 2 for each in step.steps if isinstance(each, Piece))
            else:
                out.append(step)
            self._waiting.popleft()
        if backlog_samples < ENOUGH_SAMPLES:
            self._ask()
        return out

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def _take_sentence(self, sentence: Sentence) -> None:
        text = sentence.text
        if self._part_begun and not text[:1].isspace():
            text = f" {text}"
        self._part_begun = True
        if not self._part_spoken:
            self._waiting.extend(Piece(word) for word in words(text))
        elif self._voice:
            self._waiting.append(_Asked(sentence, text))
        else:
            self._waiting.extend(self._tones(text, sentence.pause_s))

    def _ask(self) -> None:
        for step in self._waiting:
            if len(self._asked) >= AT_ONCE:
                return
            if isinstance(step, _Asked) and step.number is None:
                step.number, self._numbers = self._numbers, self._numbers + 1
                self._asked[step.number] = step
                self._order(Say(self._response_id, step.number, step.text.strip()))

    def _tones(self, text: str, pause_s: float) -> Iterator[Step]:
        texts = tuple(words(text))
        yield Toned(self._answer, texts, self._words)
        self._words += len(texts)
        if pause_s:
            yield Piece("", _silence(pause_s))


def words(text: str) -> list[str]:
    """The words of a text, each with the space before it; together they are the text."""
    return _WORD.findall(text)


def spread(text: str, pcm: bytes) -> Iterator[Piece]:
    """The words of a sentence over its sound, each as long as it has letters: where they really are nobody says."""
    parts = words(text) or [""]
    weights = [len(part.strip()) + 1 for part in parts]
    total, before, start = sum(weights), 0, 0
    for part, weight in zip(parts, weights, strict=True):
        before += weight
        end = len(pcm) // 2 * before // total * 2
        yield Piece(part, pcm[start:end])
        start = end


def _silence(seconds: float) -> bytes:
    return bytes(2 * round(RATE * min(max(seconds, 0.0), MOST_PAUSE_S)))
