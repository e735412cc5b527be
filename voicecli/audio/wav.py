"""WAV as bytes: any uncompressed one into PCM16 mono at `RATE`, and the header of ours; it opens no file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from voicecli.audio.pcm import from_float, mono
from voicecli.ports import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_NAMES: Final = {2: "ADPCM", 6: "A-law", 7: "u-law", 17: "IMA ADPCM", 49: "GSM", 80: "MPEG", 85: "MP3", 255: "AAC"}
_GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN_SIZE: Final = 0xFFFFFFFF

LONGEST_S: Final = 2 * 3600
"""More is refused: at a low rate a small file would become gigabytes."""

NOTE_SIZE: Final = 64
HEADER_SIZE: Final = 12 + 24 + 20 + NOTE_SIZE + 8
MOST_SAMPLES: Final = (0xFFFFFFFF - HEADER_SIZE) // 2
"""What the 32 bits of a WAV's size can say: 24 hours and 51 minutes."""


class BadWav(ValueError):
    """Not a WAV that can be played. The text says why in the user's words, without the file's name."""


class _Kind(NamedTuple):
    tag: int
    channels: int
    rate: int
    width: int
    """Bytes of one sample of one channel."""


def parse(data: bytes) -> bytes:
    """All of a WAV as PCM16 mono at `RATE`.

    8, 16, 24 and 32 bit whole numbers, 32 and 64 bit floats, any number of channels (they are mixed), any rate from 1
    to 768 kHz. A file whose header does not know its length (written into a pipe) is read to its end.

    Raises BadWav for what is no WAV, compressed, cut short, empty or longer than `LONGEST_S`.
    """
    if not data:
        raise BadWav("the file is empty")
    if len(data) < 12 or data[:4] not in (b"RIFF", b"RIFX", b"RF64") or data[8:12] != b"WAVE":
        raise BadWav("it is not a WAV file")
    if data[:4] != b"RIFF":
        raise BadWav(f"it is a WAV of the kind {data[:4].decode()}, which voicecli cannot read")
    kind: _Kind | None = None
    for name, start, size in _chunks(data):
        if name == b"fmt ":
            kind = _read_kind(data[start : start + size])
        elif name == b"data":
            if kind is None:
                raise BadWav("its sound comes before the description of its format")
            return _convert(data, start, size, kind)
    raise BadWav("it has no sound in it: the WAV ends before its data")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk, as the file says it."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, at + 8, size
        at += 8 + size + size % 2


def _read_kind(fmt: bytes) -> _Kind:
    if len(fmt) < 16:
        raise BadWav("it is cut short: its header is not whole")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE:
        if len(fmt) < 40 or fmt[26:40] != _GUID_TAIL:
            raise BadWav("its sound is in a format that voicecli does not know; convert it to 16 bit PCM")
        (tag,) = struct.unpack_from("<H", fmt, 24)
    if tag not in (_PCM, _FLOAT):
        what = _NAMES.get(tag, f"format {tag}")
        raise BadWav(f"its sound is compressed ({what}); convert it to 16 bit PCM")
    width = block // channels if channels else 0
    allowed = (1, 2, 3, 4) if tag == _PCM else (4, 8)
    # A container may be wider than the sample in it; the sample then lies in its upper bits.
    if width not in allowed or width * channels != block or not 0 < bits <= 8 * width or not 1_000 <= rate <= 768_000:
        raise BadWav(f"its header makes no sense ({channels} channels, {bits} bits, {rate} Hz)")
    return _Kind(tag, channels, rate, width)


def _convert(data: bytes, start: int, size: int, kind: _Kind) -> bytes:
    there = len(data) - start
    frame = kind.width * kind.channels
    if size == _UNKNOWN_SIZE or (size == 0 and there >= frame):
        size = there
    if size > there:
        said, had = size / frame / kind.rate, there / frame / kind.rate
        raise BadWav(f"it is cut short: its header promises {said:.1f} s of sound, {had:.1f} s are there")
    if size < frame:
        raise BadWav("it is empty: there is no sound in it")
    if size / frame / kind.rate > LONGEST_S:
        raise BadWav(f"it is longer than {LONGEST_S // 3600} hours")
    raw = data[start : start + size // frame * frame]
    if kind == (_PCM, 1, RATE, 2):
        return raw
    pcm = _resample(mono(_floats(raw, kind).reshape(-1, kind.channels)), kind.rate)
    if not pcm:
        raise BadWav("it is empty: there is less than a sample in it")
    return pcm


def _floats(raw: bytes, kind: _Kind) -> NDArray[Any]:
    import numpy as np

    if kind.tag == _FLOAT:
        return np.frombuffer(raw, f"<f{kind.width}").astype(np.float32)
    if kind.width == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float32) - 128) / 128
    if kind.width == 3:
        # Set into the upper three bytes of 32 bits.
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        return wide.view("<i4").ravel().astype(np.float32) / 2**31
    full = 2 ** (8 * kind.width - 1)
    return np.frombuffer(raw, f"<i{kind.width}").astype(np.float32) / np.float32(full)


def _resample(samples: NDArray[Any], rate: int) -> bytes:
    if rate != RATE:
        import soxr

        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    return from_float(samples)


def header(samples: int, note: str) -> bytes:
    """The first `HEADER_SIZE` bytes of our own WAV with `samples` samples behind it.

    `note` (ASCII, `NOTE_SIZE` bytes at most) is the comment in it: it has a fixed place, so that it can be said later
    that the file is not whole, on a full disk too.
    """
    size = 2 * samples
    comment = note.encode("ascii")[:NOTE_SIZE].ljust(NOTE_SIZE, b"\0")
    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", HEADER_SIZE - 8 + size, b"WAVE"),
            struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, 1, RATE, 2 * RATE, 2, 16),
            struct.pack("<4sI4s4sI", b"LIST", 12 + NOTE_SIZE, b"INFO", b"ICMT", NOTE_SIZE),
            comment,
            struct.pack("<4sI", b"data", size),
        )
    )


def note(data: bytes) -> str:
    """The comment of a WAV of ours; "" where there is none."""
    for name, start, size in _chunks(data):
        if name == b"LIST" and data[start : start + 8] == b"INFOICMT":
            return data[start + 12 : start + size].split(b"\0", 1)[0].decode("ascii", "replace")
    return ""
