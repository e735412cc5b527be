import struct

import numpy as np
import pytest

from voicecli.audio import pcm
from voicecli.ports import PEAK_SAMPLES


def sound(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def test_peaks_are_in_dbfs_and_both_signs_count() -> None:
    assert pcm.peak_db(sound(0, 16384, 3)) == pytest.approx(-6.02, abs=0.01)
    assert pcm.peak_db(sound(1, -32768)) == 0
    assert pcm.peak_db(sound(0, 0)) == pcm.peak_db(b"") == pcm.SILENT_DB
    assert pcm.peak_db(sound(1)) > pcm.SILENT_DB


def test_half_a_sample_at_the_end_does_not_count() -> None:
    assert pcm.peak(sound(100) + b"\x7f") == 100


def test_peaks_of_long_sound_are_those_of_its_pieces() -> None:
    loud = np.random.default_rng(1).integers(-20_000, 20_000, 40 * PEAK_SAMPLES + 7).astype("<i2").tobytes()
    assert len(loud) > 96_000
    short = tuple(x for at in range(0, len(loud), 24_000) for x in pcm.peaks(loud[at : at + 24_000]))
    assert pcm.peaks(loud) == short
    assert len(pcm.peaks(loud)) == 41
    assert pcm.peaks(b"") == ()


def test_floats_are_rounded_clipped_and_never_nonsense() -> None:
    values = np.array([0, 0.5, 1.0, -1.0, 2.0, -2.0, np.nan, np.inf, 0.4 / 32768], np.float32)
    assert struct.unpack("<9h", pcm.from_float(values)) == (0, 16384, 32767, -32768, 32767, -32768, 0, 32767, 0)
