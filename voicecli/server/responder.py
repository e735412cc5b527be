"""What the server answers: answers as values, and the practice partner that gives them. It knows no session, no time.

A `Responder` is handed what was asked and returns the whole `Answer`; when its pieces leave is decided in
`responses.py`. So a test can give an answer of several items or parts, of text only, a slow or a failing one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal, Protocol

from msgspec import Struct

from voicecli.ports import RATE, SAMPLES_PER_MS
from voicecli.protocol.items import StatusError, Tool
from voicecli.server.arguments import example


class Piece(Struct, frozen=True):
    """A word and its sound: the word is sent just before its sound."""

    text: str
    """With the space that parts it from the word before."""
    pcm: bytes = b""
    """PCM16 at `RATE`; empty in a part that is only text."""


class Toned(Struct, frozen=True):
    """Words whose tones are made when they are wanted: all of an answer at once would hold up the other sessions."""

    number: int
    """Of the answer."""
    texts: tuple[str, ...]

    def __iter__(self) -> Iterator[Piece]:
        sounds = tones(self.number, [len(text.strip()) for text in self.texts])
        return (Piece(text, pcm) for text, pcm in zip(self.texts, sounds, strict=True))


class AnswerPart(Struct, frozen=True):
    """One content part: spoken (its words are the transcript) or written."""

    pieces: tuple[Piece, ...] | Toned
    spoken: bool = True

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def samples(self) -> int:
        """The whole sound, in samples at `RATE`."""
        return sum(len(piece.pcm) // 2 for piece in self.pieces)


class AnswerItem(Struct, frozen=True):
    """One assistant message."""

    parts: tuple[AnswerPart, ...]


class AnswerCall(Struct, frozen=True):
    """One function call; `arguments` leaves in pieces of a few characters."""

    name: str
    arguments: str = "{}"
    """JSON, as a model would write it: nobody checks it."""
    call_id: str | None = None
    """None: the session gives one."""


class Answer(Struct, frozen=True):
    """All of one response: what is said, and how it ends when nobody interrupts it."""

    items: tuple[AnswerItem | AnswerCall, ...] = ()
    status: Literal["completed", "incomplete", "failed"] = "completed"
    reason: str | None = None
    """max_output_tokens | content_filter, with `incomplete`."""
    error: StatusError | None = None
    """With `failed`."""
    delay_s: float = 0.0
    """From `response.created` to the first word."""
    text_word_s: float = 0.02
    """How long a written word takes; a spoken one takes as long as the pace of its sound allows."""


class Asked(Struct, frozen=True):
    """What an answer is wanted for."""

    number: int
    """How many answers this session has given before."""
    typed: str
    """The user's last typed text since the last answer; empty when there was none."""
    heard_ms: int
    """How much of the user's speech came since the last answer."""
    spoken: bool
    """Whether sound is wanted, or text only."""
    instructions: str = ""
    tools: tuple[str, ...] = ()
    """Names of the functions that may be called; empty where the client wants no call."""
    outputs: tuple[str, ...] = ()
    """What the client's functions gave back since the last answer."""
    images: int = 0
    """How many images the user sent since the last answer."""
    must_call: Tool | None = None
    """The function that has to be called: `tool_choice` names it, or demands any."""


class Responder(Protocol):
    """Who decides what is answered."""

    def answer(self, asked: Asked) -> Answer:
        """The whole answer. It is called once for each response and must return at once."""


QUOTED_CHARACTERS: Final = 60
TONE_PEAK: Final = 6_500
_TABLE_BITS: Final = 12
_EDGE_MS: Final = 12
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


class PracticePartner:
    """Says honestly that it is no language model, quotes what was typed, tells how long it heard; speaks in tones."""

    def answer(self, asked: Asked) -> Answer:
        """A text of a few sentences; with sound, one tone a word, the sweeps of no two answers alike.

        Where a function has to be called it is, with arguments that its schema takes.
        """
        if (tool := asked.must_call) is not None:
            return Answer((AnswerCall(tool.name or "", example(tool.parameters)),))
        words = practice_text(asked).split(" ")
        texts = tuple(word if n == 0 else f" {word}" for n, word in enumerate(words))
        if asked.spoken:
            return one_item(AnswerPart(Toned(asked.number, texts)))
        return one_item(AnswerPart(tuple(map(Piece, texts)), spoken=False))


def one_item(*parts: AnswerPart) -> Answer:
    """An answer of one item."""
    return Answer((AnswerItem(parts),))


def practice_text(asked: Asked) -> str:
    """What the practice partner says, without its sound."""
    said: list[str] = []
    if asked.heard_ms:
        said.append(f"I heard {asked.heard_ms / 1000:.1f} seconds of speech.")
    if asked.typed:
        said.append(f'You wrote: "{_quotation(asked.typed)}".')
    if asked.images:
        said.append(f"You sent {asked.images} image{'' if asked.images == 1 else 's'}, which I cannot see.")
    if not said:
        said.append("You asked me to speak.")
    match asked.number % 3:
        case 0:
            said.append("I am voicecli's practice partner and not a language model, so I do not understand it.")
        case 1:
            said.append("I am still only a practice partner, not a language model.")
        case _:
            said.append("No language model is behind this; it is practice.")
    if asked.spoken:
        said.append("Each tone stands for a word; interrupt me whenever you like.")
    return " ".join(said)


def _quotation(text: str) -> str:
    short = " ".join(text[: QUOTED_CHARACTERS * 4].split())
    if len(short) <= QUOTED_CHARACTERS:
        return short
    return short[:QUOTED_CHARACTERS].rsplit(" ", 1)[0] + " ..."


def tones(number: int, letters: list[int]) -> Iterator[bytes]:
    """One tone a word, PCM16 at `RATE`, longer for longer words, without silence between them.

    Pitch and sweep of each follow from the number of the answer and of the word, so that a recording of any 50 ms can
    be found in its answer and in no other one.
    """
    table = _sine()
    mask = len(table) - 1
    phase = 0.0
    for word, length in enumerate(letters):
        count = (110 + 22 * min(length, 12)) * SAMPLES_PER_MS
        where = (word * _GOLDEN + number * 0.137) % 1.0
        low, high = 240.0 + 520.0 * where, 240.0 + 520.0 * ((where + 0.31 + number * 0.071) % 1.0)
        step = low * len(table) / RATE
        growth = (high - low) * len(table) / RATE / (2 * count)
        sound = array("h", [table[int(phase + (step + growth * n) * n) & mask] for n in range(count)])
        phase += (step + growth * count) * count
        _soften(sound)
        yield sound.tobytes()


@cache
def _sine() -> list[int]:
    size = 1 << _TABLE_BITS
    return [round(TONE_PEAK * math.sin(2.0 * math.pi * n / size)) for n in range(size)]


def _soften(sound: array[int]) -> None:
    """Lowers both ends to a third, so that words are told apart by ear."""
    edge = min(_EDGE_MS * SAMPLES_PER_MS, len(sound) // 2)
    for n in range(edge):
        gain = (1.0 + 2.0 * n / edge) / 3.0
        sound[n] = int(sound[n] * gain)
        sound[-1 - n] = int(sound[-1 - n] * gain)
