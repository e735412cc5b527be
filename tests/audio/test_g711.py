"""G.711 against figures of the recommendation, and against `audioop` where Python still has it."""

import struct
import sys
import warnings

import numpy as np
import pytest

from voicecli.audio import g711

ALL_SAMPLES = np.arange(65_536, dtype=np.uint16).tobytes()
ALL_CODES = bytes(range(256))


def pcm(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="audioop left the standard library with 3.13")
def test_both_laws_are_bit_identical_to_audioop_over_all_samples_and_codes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    assert g711.ulaw_encode(ALL_SAMPLES) == audioop.lin2ulaw(ALL_SAMPLES, 2)
    assert g711.alaw_encode(ALL_SAMPLES) == audioop.lin2alaw(ALL_SAMPLES, 2)
    assert g711.ulaw_decode(ALL_CODES) == audioop.ulaw2lin(ALL_CODES, 2)
    assert g711.alaw_decode(ALL_CODES) == audioop.alaw2lin(ALL_CODES, 2)


def test_known_values_of_both_laws() -> None:
    assert g711.ulaw_encode(pcm(0, 32767, -32768, 1000, -1000)) == bytes([0xFF, 0x80, 0x00, 0xCE, 0x4E])
    assert g711.ulaw_decode(bytes([0xFF, 0x80, 0x00])) == pcm(0, 32124, -32124)
    assert g711.alaw_encode(pcm(0, 32767, -32768)) == bytes([0xD5, 0xAA, 0x2A])
    assert g711.alaw_decode(bytes([0xD5, 0xAA, 0x2A])) == pcm(8, 32256, -32256)


def test_the_loudest_samples_do_not_wrap_around() -> None:
    loudest = pcm(*range(32_500, 32_768))
    assert set(g711.ulaw_encode(loudest)) == {0x80}


@pytest.mark.parametrize(
    ("encode", "decode"), [(g711.ulaw_encode, g711.ulaw_decode), (g711.alaw_encode, g711.alaw_decode)]
)
def test_every_code_comes_back_as_a_sample_of_the_same_value(encode, decode) -> None:
    assert decode(encode(decode(ALL_CODES))) == decode(ALL_CODES)


@pytest.mark.parametrize("encode", [g711.ulaw_encode, g711.alaw_encode])
def test_half_a_sample_is_refused(encode) -> None:
    with pytest.raises(ValueError, match="size"):
        encode(b"\0\0\0")
    assert encode(b"") == b""
