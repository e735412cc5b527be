"""Where long speech is cut, what a loop becomes, how pieces of words are read: the ear without its weights."""

from __future__ import annotations

import numpy as np

from voicecli.ports import RATE
from voicecli.speech.ear import once, pieces, quietest


def test_long_speech_is_cut_in_the_middle_of_its_quietest_place() -> None:
    samples = np.random.default_rng(1).normal(size=20 * RATE) * 0.1
    samples[8 * RATE : 9 * RATE] = 0  # too early
    samples[15 * RATE : 15 * RATE + RATE // 5] *= 0.01
    at = quietest(samples, 12 * RATE)
    assert 15 * RATE < at < 15 * RATE + RATE // 5


def test_silence_is_cut_as_late_as_can_be() -> None:
    assert 19 * RATE < quietest(np.zeros(20 * RATE), 12 * RATE) < 20 * RATE


def test_what_is_said_again_and_again_is_kept_once() -> None:
    assert once([5, 6, 1, 2, 3, 1, 2, 3, 1, 2, 3]) == [5, 6, 1, 2, 3]
    assert once([7, 7, 7, 7]) == [7]
    assert once([1, 2, 3, 1, 2, 3]) == [1, 2, 3, 1, 2, 3]
    assert once([1, 2, 3]) == [1, 2, 3]
    assert once([]) == []


def test_pieces_have_a_length_of_one_byte_or_two() -> None:
    long = bytes(range(200))
    assert pieces(b"\x01a\x00" + bytes([200 - 128 + 128, 1]) + long) == [b"a", b"", long]
