"""Reading any WAV, and a clear word for each file that is none."""

from __future__ import annotations

import io
import struct
import wave
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecli.audio import wav
from voicecli.audio.wav import BadWav
from voicecli.ports import RATE

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, extra: bytes = b"") -> bytes:
    block = channels * ((bits + 7) // 8)
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + extra)


def extensible(tag: int, bits: int, valid: int, channels: int = 1) -> bytes:
    guid = struct.pack("<H", tag) + GUID_TAIL
    return fmt(0xFFFE, channels, RATE, bits, struct.pack("<HHI", 22, valid, 4) + guid)


def samples(pcm: bytes) -> list[int]:
    return np.frombuffer(pcm, "<i2").tolist()


def pcm(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def test_16_bit_mono_at_24_khz_is_taken_as_it_is() -> None:
    assert wav.parse(riff(fmt(), chunk(b"data", pcm(1, -2, 3)))) == pcm(1, -2, 3)


@pytest.mark.parametrize(
    ("name", "head", "data", "expected"),
    [
        ("8 bit", fmt(bits=8), bytes([128, 0, 255, 192]), [0, -32768, 32512, 16384]),
        ("24 bit", fmt(bits=24), b"\0\0\x40\0\0\xc0\xff\xff\x7f", [16384, -16384, 32767]),
        ("32 bit", fmt(bits=32), struct.pack("<3i", 1 << 30, -(1 << 31), 65536), [16384, -32768, 1]),
        ("float", fmt(3, bits=32), struct.pack("<3f", 0.5, -1.0, 7.0), [16384, -32768, 32767]),
        ("double", fmt(3, bits=64), struct.pack("<2d", 0.5, -0.25), [16384, -8192]),
        ("stereo", fmt(channels=2), pcm(100, 300, -8, 8), [200, 0]),
        ("extensible 16", extensible(1, 16, 16), pcm(5, 6), [5, 6]),
        ("extensible 20 in 24", extensible(1, 24, 20), b"\0\0\x40", [16384]),
        ("extensible float", extensible(3, 32, 32), struct.pack("<f", 0.5), [16384]),
    ],
)
def test_each_kind_of_uncompressed_wav_is_read(name: str, head: bytes, data: bytes, expected: list[int]) -> None:
    assert samples(wav.parse(riff(head, chunk(b"data", data)))) == expected, name


def test_chunks_before_and_behind_the_sound_are_passed_over() -> None:
    data = riff(chunk(b"LIST", b"odd"), fmt(), chunk(b"fact", b"1234"), chunk(b"data", pcm(7)), chunk(b"id3 ", b"x"))
    assert samples(wav.parse(data)) == [7]


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_is_brought_to_24_khz_with_its_length_and_pitch(rate: int) -> None:
    t = np.arange(rate) / rate
    tone = (np.sin(2 * np.pi * 1000 * t) * 16_000).astype("<i2").tobytes()
    out = np.frombuffer(wav.parse(riff(fmt(rate=rate), chunk(b"data", tone))), "<i2").astype(float)
    assert abs(len(out) - RATE) <= 1
    middle = out[2400:21_600]
    assert np.fft.rfftfreq(len(middle), 1 / RATE)[np.abs(np.fft.rfft(middle)).argmax()] == pytest.approx(1000, abs=2)
    assert np.abs(middle).max() == pytest.approx(16_000, rel=0.01)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_file_that_does_not_know_its_length_is_read_to_its_end(size: int) -> None:
    assert samples(wav.parse(riff(fmt()) + b"data" + struct.pack("<I", size) + pcm(1, 2, 3))) == [1, 2, 3]


BAD = {
    "the file is empty": b"",
    "not a WAV": b"ID3\x03" + bytes(400),
    "not a WAV file": b"RIFF\0\0\0\0AVI " + bytes(40),
    "it is not a WAV": b"RIFF",
    "kind RF64": b"RF64\xff\xff\xff\xffWAVE" + bytes(40),
    "ends before its data": riff(fmt()),
    "before the description": riff(chunk(b"data", pcm(1)), fmt()),
    "header is not whole": riff(chunk(b"fmt ", b"\1\0\1\0")),
    r"compressed \(u-law\)": riff(fmt(7, bits=8), chunk(b"data", b"123")),
    r"compressed \(MP3\)": riff(fmt(85, bits=16), chunk(b"data", b"1234")),
    r"compressed \(format 4660\)": riff(fmt(0x1234), chunk(b"data", b"1234")),
    "does not know": riff(fmt(0xFFFE, extra=b"\0" * 24), chunk(b"data", b"1234")),
    r"promises 1\.0 s of sound, 0\.5 s": riff(fmt(), b"data" + struct.pack("<I", 48_000) + bytes(24_000)),
    "there is no sound in it": riff(fmt(), chunk(b"data", b"")),
    "no sound in it": riff(fmt(channels=2), chunk(b"data", b"\1\2")),
    r"0 channels": riff(fmt(channels=0), chunk(b"data", b"1234")),
    r"12 bits": riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, RATE, 0, 3, 12)), chunk(b"data", b"1234")),
    r"0 Hz": riff(fmt(rate=0), chunk(b"data", b"1234")),
    "less than a sample": riff(fmt(rate=220_000), chunk(b"data", pcm(1, 2))),
    "longer than 2 hours": riff(fmt(rate=1_000, bits=8), chunk(b"data", bytes(7_201_000))),
    r"5 bits|64 bits": riff(fmt(1, bits=64), chunk(b"data", bytes(16))),
}


@pytest.mark.parametrize("words", BAD)
def test_each_bad_wav_is_told_in_its_own_words(words: str) -> None:
    with pytest.raises(BadWav, match=words):
        wav.parse(BAD[words])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 60))
def test_any_bytes_give_sound_or_bad_wav_and_nothing_else(noise: bytes, at: int) -> None:
    good = riff(fmt(), chunk(b"data", pcm(1, 2, 3, 4)))
    for data in (noise, good[:at] + noise, good[:at] + noise + good[at + len(noise) :]):
        with suppress(BadWav):
            assert len(wav.parse(data)) >= 2


@pytest.mark.parametrize("n", [0, 1, 24_000])
def test_our_own_header_is_read_by_us_and_by_the_standard_library(n: int) -> None:
    data = wav.header(n, "voicecli: in progress") + bytes(2 * n)
    assert len(wav.header(n, "")) == wav.HEADER_SIZE
    assert wav.note(data) == "voicecli: in progress"
    with wave.open(io.BytesIO(data)) as read:
        assert (read.getnframes(), read.getframerate(), read.getnchannels(), read.getsampwidth()) == (n, RATE, 1, 2)
    if n:
        assert wav.parse(data) == bytes(2 * n)


def test_sound_behind_what_the_header_counts_is_no_harm() -> None:
    """A program that is killed between writing sound and counting it leaves this."""
    assert wav.parse(wav.header(2, "") + pcm(1, 2, 3)) == pcm(1, 2)


def test_a_wav_of_others_has_no_note_of_ours() -> None:
    assert wav.note(riff(fmt(), chunk(b"data", pcm(1)))) == ""
