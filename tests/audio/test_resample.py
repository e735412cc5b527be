"""The change of rates: as many samples as there should be, the same sound, and nothing that was not there."""

import itertools

import numpy as np
import pytest

from voicecli.audio.resample import Resampler

PAIRS = [(8_000, 24_000), (24_000, 8_000), (16_000, 24_000), (24_000, 16_000), (48_000, 24_000)]


def tone(hz: float, rate: int, seconds: float = 1.0, peak: int = 8_000) -> bytes:
    return np.rint(peak * np.sin(2 * np.pi * hz / rate * np.arange(round(rate * seconds)))).astype("<i2").tobytes()


def spectrum_db(pcm: bytes, rate: int, peak: int = 8_000) -> np.ndarray:
    """dB beside a tone of `peak`, a bin for every 2 Hz, from half a second in which nothing begins."""
    half = rate // 2
    samples = np.frombuffer(pcm, "<i2").astype(float)[rate // 10 :][:half]
    return 20 * np.log10(np.maximum(np.abs(np.fft.rfft(samples * np.hanning(half))) / (half / 4) / peak, 1e-9))


@pytest.mark.parametrize(("rate", "to_rate"), PAIRS)
@pytest.mark.parametrize("part", [0.03, 0.25, 0.5, 0.75, 0.85])
def test_a_tone_stays_as_loud_and_has_no_images(rate: int, to_rate: int, part: float) -> None:
    """Of the half of the lower rate: 0.85 of it is 3.4 kHz in G.711."""
    hz = round(part * min(rate, to_rate) / 2) // 2 * 2
    found = spectrum_db(Resampler(rate, to_rate).feed(tone(hz, rate)), to_rate)
    place = hz // 2
    assert abs(found[place]) < 0.1
    found[place - 3 : place + 4] = -200
    assert found.max() < -50


@pytest.mark.parametrize("hz", [4_600, 5_000, 7_000, 8_000, 11_000])
def test_what_the_lower_rate_cannot_carry_does_not_come_back_as_something_else(hz: int) -> None:
    assert spectrum_db(Resampler(24_000, 8_000).feed(tone(hz, 24_000)), 8_000).max() < -50


@pytest.mark.parametrize(("rate", "to_rate"), PAIRS)
def test_the_count_is_exact_whatever_the_pieces(rate: int, to_rate: int) -> None:
    rng = np.random.default_rng(5)
    whole = rng.integers(-9_000, 9_000, 3_001).astype("<i2").tobytes()
    at_once = Resampler(rate, to_rate).feed(whole)
    stream = Resampler(rate, to_rate)
    out, fed = b"", 0
    for size in itertools.cycle((1, 2, 0, 480, 7, 241)):
        out += stream.feed(whole[2 * fed : 2 * (fed + size)])
        fed = min(fed + size, 3_001)
        assert len(out) // 2 == fed // stream.down * stream.up
        if fed == 3_001:
            break
    assert np.abs(np.frombuffer(out, "<i2").astype(int) - np.frombuffer(at_once, "<i2")).max() <= 1


def test_a_long_piece_is_no_other_sound_than_its_pieces() -> None:
    pcm = tone(440, 8_000, 3.0)
    stream = Resampler(8_000, 24_000)
    pieces = b"".join(stream.feed(pcm[at : at + 320]) for at in range(0, len(pcm), 320))
    at_once = Resampler(8_000, 24_000).feed(pcm)
    assert np.abs(np.frombuffer(pieces, "<i2").astype(int) - np.frombuffer(at_once, "<i2")).max() <= 1


@pytest.mark.parametrize(("rate", "to_rate"), [(8_000, 24_000), (24_000, 8_000)])
def test_a_click_is_late_by_less_than_half_a_millisecond(rate: int, to_rate: int) -> None:
    """So little that no claim of what was heard has to know of it."""
    pcm = np.zeros(rate // 10, "<i2")
    pcm[rate // 20] = 20_000
    out = np.abs(np.frombuffer(Resampler(rate, to_rate).feed(pcm.tobytes()), "<i2").astype(int))
    loudest_s, first_s = int(out.argmax()) / to_rate, int((out > 200).argmax()) / to_rate
    assert 0.05 <= first_s <= loudest_s < 0.0505


def test_full_scale_is_clipped_and_never_wraps() -> None:
    square = np.where(np.arange(8_000) // 20 % 2, -32768, 32767).astype("<i2")
    out = np.frombuffer(Resampler(8_000, 24_000).feed(square.tobytes()), "<i2").astype(int)
    middle = out.reshape(-1, 60)[5:, 30:]  # the latter half of each half wave
    assert (np.abs(middle) > 30_000).all()
    assert (np.sign(middle) == np.where(np.arange(5, 5 + len(middle)) % 2, -1, 1)[:, None]).all()


def test_silence_stays_silence() -> None:
    assert Resampler(24_000, 8_000).feed(bytes(4_800)) == bytes(1_600)


@pytest.mark.parametrize("rate", [44_100, 11_025, 1, 8_001])
def test_rates_without_a_small_ratio_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="no short way"):
        Resampler(rate, 24_000)
