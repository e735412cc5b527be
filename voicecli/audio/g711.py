"""G.711, the sound of telephones: u-law and A-law against PCM16, exact, at one rate; resampling is not its affair."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The tables follow ITU-T G.711 as everybody implements it (14 bits in u-law, 13 in A-law), bit for bit like `audioop`.


@cache
def _ulaw_values() -> NDArray[Any]:
    import numpy as np

    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


@cache
def _alaw_values() -> NDArray[Any]:
    import numpy as np

    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = code >> 4 & 7
    step = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype("<i2")


@cache
def _ulaw_codes() -> NDArray[Any]:
    """The code of each 16 bit sample, indexed by the sample as an unsigned number."""
    import numpy as np

    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2
    # Clamped with the bias on it: without the clamp the loudest 268 samples come out wrong.
    magnitude = np.minimum(np.abs(sample) + 33, 8191)
    segment = np.maximum(np.floor(np.log2(magnitude)).astype(np.int32) - 5, 0)
    code = segment << 4 | magnitude >> (segment + 1) & 0x0F
    codes: NDArray[Any] = code ^ np.where(sample < 0, 0x7F, 0xFF)
    return codes.astype(np.uint8)


@cache
def _alaw_codes() -> NDArray[Any]:
    import numpy as np

    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 3
    magnitude = np.where(sample < 0, -sample - 1, sample)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    code = segment << 4 | magnitude >> np.maximum(segment, 1) & 0x0F
    codes: NDArray[Any] = code ^ np.where(sample < 0, 0x55, 0xD5)
    return codes.astype(np.uint8)


def ulaw_decode(data: bytes) -> bytes:
    """u-law to PCM16: two bytes for one."""
    import numpy as np

    found: NDArray[Any] = _ulaw_values()[np.frombuffer(data, np.uint8)]
    return found.tobytes()


def alaw_decode(data: bytes) -> bytes:
    """A-law to PCM16: two bytes for one."""
    import numpy as np

    found: NDArray[Any] = _alaw_values()[np.frombuffer(data, np.uint8)]
    return found.tobytes()


def ulaw_encode(pcm: bytes) -> bytes:
    """PCM16 to u-law: one byte a sample. Raises ValueError for half a sample."""
    import numpy as np

    found: NDArray[Any] = _ulaw_codes()[np.frombuffer(pcm, "<u2")]
    return found.tobytes()


def alaw_encode(pcm: bytes) -> bytes:
    """PCM16 to A-law: one byte a sample. Raises ValueError for half a sample."""
    import numpy as np

    found: NDArray[Any] = _alaw_codes()[np.frombuffer(pcm, "<u2")]
    return found.tobytes()
