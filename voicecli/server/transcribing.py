"""The transcripts of what the user said: when they come, in which events. It knows no recogniser and no wire.

A transcript comes some time after its commit, before, between or after the events of the answer (B11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from voicecli.ports import RATE
from voicecli.protocol import events as e
from voicecli.protocol.items import TranscriptionError

Transcribe = Callable[[float], str | TranscriptionError]
"""From the seconds of speech that were committed to their words, or why there are none. It must return at once."""


def length_only(seconds: float) -> str:
    """What is told of speech by who understands none of it."""
    return f"(speech, {seconds:.1f} s)"


class _Late(NamedTuple):
    """A transcript that is to come."""

    at: float
    item_id: str
    samples: int


class Transcribing:
    """Owns the transcripts that are still to come."""

    def __init__(self, transcribe: Transcribe, delay_s: float) -> None:
        self._transcribe = transcribe
        self._delay_s = delay_s
        self._late: list[_Late] = []

    @property
    def deadline(self) -> float | None:
        """When the next one comes."""
        return min((late.at for late in self._late), default=None)

    def wait_for(self, item_id: str, samples: int, at: float) -> None:
        """The item was committed now, with `samples` of speech in it."""
        self._late.append(_Late(at + self._delay_s, item_id, samples))

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        self._late = [late for late in self._late if late.item_id != item_id]

    def due(self, at: float) -> Iterator[e.ServerEvent]:
        """The events of all that have come by now: words one by one, then the whole; or why there are none."""
        due = [late for late in self._late if late.at <= at]
        self._late = [late for late in self._late if late.at > at]
        for late in due:
            seconds = late.samples / RATE
            said = self._transcribe(seconds)
            if isinstance(said, TranscriptionError):
                yield e.TranscriptionFailed(item_id=late.item_id, error=said)
                continue
            for n, word in enumerate(said.split(" ")):
                yield e.TranscriptionDelta(item_id=late.item_id, delta=word if n == 0 else f" {word}")
            yield e.TranscriptionCompleted(
                item_id=late.item_id,
                transcript=said,
                usage={"type": "duration", "seconds": round(seconds, 3)},  # beta frames go without it
            )
