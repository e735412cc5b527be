"""The practice partner: what voicecli says when no language model is behind it. It knows no session and no time."""

from __future__ import annotations

from typing import Final

from voicecli.server.answers import Answer, AnswerPart, Piece, Toned, one_item
from voicecli.server.responder import Asked

QUOTED_CHARACTERS: Final = 60


class PracticePartner:
    """Says honestly that it is no language model, quotes what was typed, tells how long it heard; speaks in tones."""

    def answer(self, asked: Asked) -> Answer:
        """A text of a few sentences; with sound, one tone a word, the sweeps of no two answers alike."""
        words = practice_text(asked).split(" ")
        texts = tuple(word if n == 0 else f" {word}" for n, word in enumerate(words))
        if asked.spoken:
            return one_item(AnswerPart(Toned(asked.number, texts)))
        return one_item(AnswerPart(tuple(map(Piece, texts)), spoken=False))


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
