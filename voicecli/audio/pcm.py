"""Small sums over PCM16 that several rooms need: peaks in dBFS, mixing to mono; it knows no file, device or time."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any, Final

from voicecli.ports import PEAK_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENT_DB: Final = -100.0
"""What stands for no sound at all; the quietest sample that is not 0 is at -90.3 dBFS."""

_WORTH_NUMPY: Final = 48_000
"""Shorter sound is not worth loading NumPy for."""


def peak(pcm: bytes) -> int:
    """The largest magnitude of the samples of PCM16, 0..32768; a half sample at the end is left out."""
    whole = memoryview(pcm)[: len(pcm) // 2 * 2].cast("h")
    return max(max(whole), -min(whole)) if whole else 0


def dbfs(magnitude: int) -> float:
    """A magnitude 0..32768 in dB of full scale, at least `SILENT_DB`, at most 0."""
    return 20 * log10(magnitude / 32768) if magnitude else SILENT_DB


def peak_db(pcm: bytes) -> float:
    """The peak of PCM16 in dBFS, `SILENT_DB` for silence and for nothing."""
    return dbfs(peak(pcm))


def peaks(pcm: bytes) -> tuple[float, ...]:
    """dBFS peaks of PCM16 in steps of `PEAK_SAMPLES`; the last step may be shorter."""
    step = 2 * PEAK_SAMPLES
    if len(pcm) <= 2 * _WORTH_NUMPY:
        return tuple(peak_db(pcm[at : at + step]) for at in range(0, len(pcm) // 2 * 2, step))
    import numpy as np

    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.int32)
    starts = range(0, len(samples), PEAK_SAMPLES)
    return tuple(dbfs(int(value)) for value in np.maximum.reduceat(np.abs(samples), starts))


def mono(frames: NDArray[Any]) -> NDArray[Any]:
    """The mean of all channels: (samples, channels) -> (samples,), float32 in, float32 out."""
    import numpy as np

    mixed: NDArray[Any] = frames.mean(axis=1, dtype=np.float32)
    return mixed


def from_float(samples: NDArray[Any]) -> bytes:
    """Floats of -1..1 as PCM16, rounded, what is beyond full scale clipped; what is no number becomes silence."""
    import numpy as np

    clean = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    whole: NDArray[Any] = np.clip(np.rint(clean * 32768), -32768, 32767)
    return whole.astype("<i2").tobytes()
