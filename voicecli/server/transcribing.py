"""The transcripts of what the user said: when they come, in which events. It knows no recogniser and no wire.

A transcript comes some time after its commit, before, between or after the events of the answer (B11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from voicecli.ports import RATE
from voicecli.protocol import events as e
from voicecli.protocol.items import TranscriptionError
from voicecli.server.orders import Drop, Order, Recognise, Recognised

Transcribe = Callable[[float], str | TranscriptionError]
"""From the seconds of speech that were committed to their words, or why there are none. It must return at once."""

WRONG: Final = {
    "busy": "Speech recognition is busy with what was said before.",
    "failed": "Speech recognition failed.",
}
"""Why there are no words, by its code."""


def length_only(seconds: float) -> str:
    """What is told of speech by who understands none of it."""
    return f"(speech, {seconds:.1f} s)"


class _Late(NamedTuple):
    """A transcript that is to come."""

    at: float
    item_id: str
    samples: int
    said: str | TranscriptionError


class _Heard(NamedTuple):
    """Speech whose words are being found."""

    item_id: str
    samples: int
    told: bool
    """Whether the client wants to know them."""


class Transcribing:
    """Owns the transcripts that are still to come."""

    def __init__(
        self, transcribe: Transcribe, delay_s: float, ear: bool = False, order: Callable[[Order], None] = lambda _: None
    ) -> None:
        """With an `ear` outside that is asked; without, or once it is gone, `transcribe` says what is told instead."""
        self._transcribe = transcribe
        self._delay_s = delay_s
        self._ear = ear
        self._order = order
        self._count = 0
        self._heard: dict[str, _Heard] = {}
        """By the name of the order."""
        self._late: list[_Late] = []

    @property
    def deadline(self) -> float | None:
        """When the next one comes."""
        return min((late.at for late in self._late), default=None)

    @property
    def pending(self) -> frozenset[str]:
        """The items whose words are being found."""
        return frozenset(heard.item_id for heard in self._heard.values())

    def begin(self, item_id: str, pcm: bytes, samples: int, told: bool, at: float, guess: str | None = None) -> None:
        """The item is there now, with `samples` of speech in its sound; `told`: the client wants the words.

        They are being found already under the name of `guess`, if there is one.
        """
        if self._ear:
            name = guess
            if name is None:
                self._count += 1
                name = f"words_{self._count}"
                self._order(Recognise(name, pcm))
            self._heard[name] = _Heard(item_id, samples, told)
        elif told:
            self._late.append(_Late(at + self._delay_s, item_id, samples, self._transcribe(samples / RATE)))

    def recognised(self, result: Recognised, at: float) -> str | None:
        """The words, or that there are none; the item that they are of, None where nobody waits for them."""
        heard = self._heard.pop(result.name, None)
        if heard is None:
            return None
        if heard.told:
            said: str | TranscriptionError
            if result.words is not None:
                said = result.words
            elif result.why:
                said = TranscriptionError(
                    type="transcription_error", code=result.why, message=WRONG.get(result.why, WRONG["failed"])
                )
            else:
                said = self._transcribe(heard.samples / RATE)
            self._late.append(_Late(at, heard.item_id, heard.samples, said))
        return heard.item_id

    def forget(self, item_id: str) -> None:
        """The item is gone."""
        self._late = [late for late in self._late if late.item_id != item_id]
        for name in [name for name, heard in self._heard.items() if heard.item_id == item_id]:
            del self._heard[name]
            self._order(Drop(name))

    def due(self, at: float) -> Iterator[e.ServerEvent]:
        """The events of all that have come by now: words one by one, then the whole; or why there are none."""
        due = [late for late in self._late if late.at <= at]
        self._late = [late for late in self._late if late.at > at]
        for late in due:
            if isinstance(late.said, TranscriptionError):
                yield e.TranscriptionFailed(item_id=late.item_id, error=late.said)
                continue
            for n, word in enumerate(late.said.split(" ") if late.said else ()):
                yield e.TranscriptionDelta(item_id=late.item_id, delta=word if n == 0 else f" {word}")
            yield e.TranscriptionCompleted(
                item_id=late.item_id,
                transcript=late.said,
                # beta frames go without it
                usage={"type": "duration", "seconds": round(late.samples / RATE, 3)},
            )
