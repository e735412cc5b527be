"""The formats of the wire: exact counts for every piece of a stream, and the same sound at both ends."""

import itertools

import numpy as np
import pytest

from voicecli.audio.wire import FromWire, ToWire
from voicecli.ports import PCM16, RATE, SAMPLES_PER_MS, Format

ULAW = Format("g711_ulaw", 8_000, 1)
ALAW = Format("g711_alaw", 8_000, 1)
WIDE = Format("pcm16", 16_000, 2)
ALL = [PCM16, ULAW, ALAW, WIDE]


def name(form: Format) -> str:
    return f"{form.name} {form.rate}"


every_format = pytest.mark.parametrize("form", ALL, ids=name)


def tone(hz: float, seconds: float = 1.0, peak: int = 8_000) -> bytes:
    return np.rint(peak * np.sin(2 * np.pi * hz / RATE * np.arange(round(RATE * seconds)))).astype("<i2").tobytes()


def level_db(pcm: bytes, hz: int) -> float:
    """Of one tone in it, beside a peak of 8,000."""
    samples = np.frombuffer(pcm, "<i2").astype(float)[RATE // 10 :][: RATE // 2]
    window = np.hanning(len(samples))
    return float(20 * np.log10(np.abs(np.fft.rfft(samples * window)[hz // 2]) / (len(samples) / 4) / 8_000))


def test_pcm16_goes_over_the_wire_as_it_is() -> None:
    assert ToWire().spell(b"\1\0\2\0", PCM16) == FromWire().read(b"\1\0\2\0", PCM16) == b"\1\0\2\0"


@pytest.mark.parametrize(
    ("form", "size"), [(PCM16, 48), (ULAW, 8), (ALAW, 8), (WIDE, 32)], ids=["pcm16", "u-law", "A-law", "16 kHz"]
)
def test_a_millisecond_is_a_millisecond_in_each_format(form: Format, size: int) -> None:
    assert form.samples(size) == SAMPLES_PER_MS
    assert size % form.unit == 0
    assert len(ToWire().spell(bytes(2 * SAMPLES_PER_MS), form)) == size
    assert len(FromWire().read(bytes(size), form)) == 2 * SAMPLES_PER_MS


@every_format
def test_each_piece_that_comes_gives_exactly_its_samples(form: Format) -> None:
    stream = FromWire()
    for units in (1, 0, 7, 160, 800, 3):
        data = bytes(form.unit * units)
        assert len(stream.read(data, form)) == 2 * form.samples(len(data))


@every_format
def test_a_stream_that_is_cut_anywhere_gives_the_samples_of_the_whole(form: Format) -> None:
    stream, size, got = FromWire(), 0, 0
    for piece in itertools.islice(itertools.cycle((1, 3, 161, 2, 7)), 60):
        size += piece
        got += len(stream.read(bytes(piece), form)) // 2
        assert got == form.samples(size)


@every_format
def test_what_is_sent_and_comes_back_is_as_long_as_it_was(form: Format) -> None:
    out, back, sent = ToWire(), FromWire(), 0
    got = 0
    for samples in (480, 480, 441, 1, 2, 3, 241, 480):
        sent += samples
        got += len(back.read(out.spell(bytes(2 * samples), form), form)) // 2
        assert 0 <= sent - got < form.samples(form.unit)
    assert sent - got == sent % form.samples(form.unit)


@every_format
@pytest.mark.parametrize("hz", [100, 440, 1_000, 2_500, 3_400])
def test_a_tone_comes_back_as_loud_and_alone(form: Format, hz: int) -> None:
    back = FromWire().read(ToWire().spell(tone(hz), form), form)
    assert abs(level_db(back, hz)) < 1
    assert level_db(back, 8_000 - hz) < -40, "an image"
    assert level_db(back, 8_000 + hz) < -40, "an image"


def test_the_two_laws_are_not_taken_for_each_other() -> None:
    loud = tone(1_000)
    assert ToWire().spell(loud, ULAW) != ToWire().spell(loud, ALAW)
    mistaken = FromWire().read(ToWire().spell(loud, ULAW), ALAW)
    assert abs(level_db(mistaken, 1_000)) > 6


@pytest.mark.parametrize("form", [ULAW, ALAW, WIDE], ids=name)
def test_a_restart_and_another_format_forget_what_was_before(form: Format) -> None:
    fresh = ToWire().spell(tone(300), form)
    used = ToWire()
    used.spell(tone(440) + b"\0\0", form)
    used.restart()
    assert used.spell(tone(300), form) == fresh
    used.spell(tone(440), PCM16)
    assert used.spell(tone(300), form) == fresh
    reader = FromWire()
    reader.read(fresh + b"\x7f" * (form.width - 1), form)
    reader.restart()
    assert reader.read(fresh, form) == FromWire().read(fresh, form)


@pytest.mark.parametrize("form", [Format("mp3", 24_000, 1), Format("g711_ulaw", 44_100, 1), Format("pcm16", 11_025, 2)])
def test_a_format_that_is_not_spoken_is_refused_and_not_passed_on_as_noise(form: Format) -> None:
    with pytest.raises(ValueError, match=r"not spoken|no short way"):
        ToWire().spell(b"\0\0", form)
    with pytest.raises(ValueError, match=r"not spoken|no short way"):
        FromWire().read(b"\0\0", form)
