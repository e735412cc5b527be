"""English text to sound: hibari, a small neural voice. It knows no process, no pipe and no session.

Its package has code of its own that has to run (G29): only in a process that holds no key and no sound device.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from voicecli.audio.pcm import from_float
from voicecli.ports import RATE
from voicecli.speech.weights import HIBARI, Lack, check
from voicecli.speech.wording import cut, spoken

UNSAID: Final = bytes(2 * RATE // 5)
"""200 ms of silence for what cannot be said."""
_SEED: Final = 1
"""The noise in the voice is always the same: a sentence said twice is the same sound."""
_LOUDER: Final = 1.5
"""It speaks at -27 dBFS (RMS), softer than people and other services do."""
_PEAK: Final = 0.95
"""Its own peaks are 0.2 to 0.7."""
LONGEST: Final = 60 * RATE
"""Samples; what is asked for at once is normally up to 25 s, but digits and capitals are long to say."""


class Voice:
    """Says one sentence after the other."""

    def __init__(self) -> None:
        """Raises what the package raises, ImportError included. 0.3 s."""
        from hibari import SAMPLE_RATE, Hibari

        if SAMPLE_RATE != RATE:
            raise ValueError(f"the voice speaks at {SAMPLE_RATE} Hz")
        self._engine: Any = Hibari(voice="heart", threads=1)

    @classmethod
    def load(cls, folder: Path) -> Voice | Lack:
        """After the check of its files (G29): the package reads them itself."""
        return check(HIBARI, folder) or cls()

    def warm(self) -> None:
        """Says a known and an unknown word and a number, so that the first real ones are not the slow ones."""
        self.say("Ready, voicecli 12.")

    def say(self, text: str) -> bytes:
        """PCM16 at 24 kHz; `UNSAID` where nothing in `text` can be said. Never raises for a text. Ends at `LONGEST`."""
        sounds: list[bytes] = []
        left = 2 * LONGEST
        for sound in self._sounds(spoken(text)):
            sounds.append(sound[:left])
            left -= len(sounds[-1])
            if not left:
                break
        return b"".join(sounds) or UNSAID

    def _sounds(self, text: str) -> Iterator[bytes]:
        for piece in cut(text):
            try:
                for sound in self._engine.stream(piece, seed=_SEED):
                    yield from_float(sound * min(_LOUDER, _PEAK / max(float(abs(sound).max(initial=0.0)), 0.1)))
            except Exception as error:  # another's rules for reading: IndexError, ValueError, whatever comes
                print(f"not said, {len(piece)} characters: {type(error).__name__}", file=sys.stderr)  # noqa: T201
