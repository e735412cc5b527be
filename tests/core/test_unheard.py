"""Sound that is no speech is told, once."""

from __future__ import annotations

import pytest

from voicecli.core.unheard import LOUD_DB, NOISE_S, NOTHING_DB, NOTHING_S, Unheard


def told(unheard: Unheard, db: float, seconds: float) -> list[tuple[str, float]]:
    """What is told, and after how long."""
    blocks = round(seconds * 100)
    found = ((unheard.recorded(db, 0.01), n / 100) for n in range(1, blocks + 1))
    return [(code, at) for code, at in found if code]


def test_noise_is_told_once_however_long_it_lasts() -> None:
    assert told(Unheard(), LOUD_DB, 60.0) == [("only_noise", pytest.approx(NOISE_S, abs=0.02))]


def test_noise_with_speech_in_it_is_none() -> None:
    unheard = Unheard()
    for _ in range(10):
        assert told(unheard, LOUD_DB, NOISE_S - 0.1) == []
        unheard.speech()


def test_a_quiet_room_is_neither_noise_nor_silence() -> None:
    assert told(Unheard(), (LOUD_DB + NOTHING_DB) / 2, 300.0) == []


def test_a_microphone_that_gives_nothing_is_told_once() -> None:
    assert told(Unheard(), -100.0, 120.0) == [("only_silence", pytest.approx(NOTHING_S, abs=0.02))]


def test_silence_after_a_sound_is_only_silence() -> None:
    unheard = Unheard()
    unheard.recorded(-50.0, 0.01)
    assert told(unheard, -100.0, 120.0) == []
