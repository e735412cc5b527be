"""Answers as values: items, parts, sentences, pieces, calls, and how it ends. It knows no session, no time, no voice.

`Answer.steps` is the same as a run of small steps, which is how an answer is played: one that is still being made (a
language model writes it, a voice speaks it) gives its steps one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Literal, NamedTuple

from msgspec import Struct

from voicecli.protocol.items import StatusError
from voicecli.server.orders import Tokens
from voicecli.server.tones import tones


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
    first: int = 0
    """How many words of the answer came before."""

    def __iter__(self) -> Iterator[Piece]:
        sounds = tones(self.number, [len(text.strip()) for text in self.texts], self.first)
        return (Piece(text, pcm) for text, pcm in zip(self.texts, sounds, strict=True))


class Sentence(Struct, frozen=True):
    """Words to be said by whatever voice there is, or written where no sound is wanted."""

    text: str
    """Whole: parts of one are `Piece`s. What parts two sentences (a space) is added between them."""
    pause_s: float = 0.0
    """Silence after it, where it is spoken."""


class AnswerPart(Struct, frozen=True):
    """One content part: spoken (its words are the transcript) or written."""

    pieces: tuple[Piece | Sentence, ...] | Toned
    spoken: bool = True

    @property
    def text(self) -> str:
        """The whole text."""
        if isinstance(self.pieces, Toned):
            return "".join(self.pieces.texts)
        said = ""
        for n, piece in enumerate(self.pieces):
            said += f" {piece.text}" if n and isinstance(piece, Sentence) else piece.text
        return said

    @property
    def samples(self) -> int:
        """The sound that is known by now, in samples at `RATE`."""
        return sum(len(piece.pcm) // 2 for piece in self.pieces if isinstance(piece, Piece))


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


Status = Literal["completed", "incomplete", "failed", "cancelled"]


class Ending(Struct, frozen=True):
    """How an answer ends when nobody interrupts it."""

    status: Status = "completed"
    reason: str | None = None
    """max_output_tokens | content_filter, with `incomplete`; turn_detected | client_cancelled, with `cancelled`."""
    error: StatusError | None = None
    """With `failed`."""
    tokens: Tokens | None = None
    """What a language model counted; None: the session counts itself."""
    limited_s: float | None = None
    """With it a rate limit is reached, and is so for this many seconds."""
    hang_up: bool = False
    """The connection breaks off instead of `response.done`."""


class NewItem(Enum):
    """The step that begins a message."""

    MESSAGE = "message"


class NewPart(NamedTuple):
    """The step that begins a content part of the message."""

    spoken: bool


Step = NewItem | NewPart | Piece | Toned | Sentence | AnswerCall | Ending


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
    limited_s: float | None = None
    """With it a rate limit is reached, and is so for this many seconds."""
    hang_up: bool = False
    """The connection breaks off instead of `response.done`."""

    def steps(self) -> Iterator[Step]:
        """What is to be played, in order; the last is the `Ending`."""
        for item in self.items:
            if isinstance(item, AnswerCall):
                yield item
                continue
            yield NewItem.MESSAGE
            for part in item.parts:
                yield NewPart(part.spoken)
                if isinstance(part.pieces, Toned):
                    yield part.pieces
                else:
                    yield from part.pieces
        yield Ending(self.status, self.reason, self.error, limited_s=self.limited_s, hang_up=self.hang_up)


def one_item(*parts: AnswerPart) -> Answer:
    """An answer of one item."""
    return Answer((AnswerItem(parts),))
