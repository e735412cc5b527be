"""The voice of who has none: one tone a word. It knows no words, only how long they are."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import cache
from typing import Final

from voicecli.ports import RATE, SAMPLES_PER_MS

TONE_PEAK: Final = 6_500
_TABLE_BITS: Final = 12
_EDGE_MS: Final = 12
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


def tones(number: int, letters: list[int], first: int = 0) -> Iterator[bytes]:
    """One tone a word, PCM16 at `RATE`, longer for longer words, without silence between them.

    Pitch and sweep of each follow from the number of the answer and of the word, so that a recording of any 50 ms can
    be found in its answer and in no other one; `first` words of the answer came before.
    """
    table = _sine()
    mask = len(table) - 1
    phase = 0.0
    for word, length in enumerate(letters, first):
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
