"""Between two sample rates by a short filter that goes on from piece to piece; it knows no format of the wire.

The filter is of minimum phase: it waits for nothing that is still to come, and between 8 and 24 kHz speech is about
0.2 ms late behind it (0.5 at 3.4 kHz). So every piece gives its own samples at once, and none is owed at the end.
"""

from __future__ import annotations

from functools import cache
from math import gcd
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEEP: Final = 22
"""Taps for each sample of the lower rate: flat to 0.85 of what it can carry, 50 dB down from 1.15 of it on."""
_BETA: Final = 5.0
_COARSEST: Final = 6
_PIECE: Final = 4_800
"""Samples in one go: a minute at once would take gigabytes on its way, and ten times as long."""


class Resampler:
    """One stream of PCM16, mono, from one rate to another.

    Over a stream exactly `down` samples in are `up` out, to be had with the last of the `down`; up to `down - 1` wait
    for the next piece. Raises ValueError for rates that have no small ratio.
    """

    def __init__(self, rate: int, to_rate: int) -> None:
        import numpy as np

        shared = gcd(rate, to_rate)
        self.up, self.down = to_rate // shared, rate // shared
        if not 1 <= max(self.up, self.down) <= _COARSEST:
            raise ValueError(f"there is no short way from {rate} to {to_rate} Hz")
        self._taps = _matrix(self.up, self.down)
        self._past = len(self._taps) - self.down
        self._line: NDArray[Any] = np.zeros(self._past, np.float32)
        """What the filter still looks back at, and the samples that wait."""

    def feed(self, pcm: bytes) -> bytes:
        """PCM16 in, of whole samples; PCM16 out, rounded and clipped."""
        import numpy as np

        samples = np.frombuffer(pcm, "<i2")
        return b"".join(self._feed(samples[at : at + _PIECE]) for at in range(0, len(samples), _PIECE))

    def _feed(self, samples: NDArray[Any]) -> bytes:
        import numpy as np
        from numpy.lib.stride_tricks import sliding_window_view

        line = np.concatenate((self._line, samples), dtype=np.float32)
        groups = (len(line) - self._past) // self.down
        self._line = line[groups * self.down :]
        if not groups:
            return b""
        seen = np.ascontiguousarray(sliding_window_view(line, len(self._taps))[:: self.down][:groups])
        out: NDArray[Any] = np.clip(np.rint(seen @ self._taps), -32768, 32767)
        return out.astype("<i2").tobytes()


@cache
def _matrix(up: int, down: int) -> NDArray[Any]:
    """(what a group looks at, `up`): each column gives one of the samples of a group, newest input last."""
    import numpy as np

    taps = _prototype(max(up, down)) * up
    length = -(-len(taps) // up)
    matrix = np.zeros((length + down - 1, up), np.float32)
    for n in range(up):
        newest, phase = divmod(n * down, up)
        own = taps[phase::up]
        matrix[length - 1 + newest - np.arange(len(own)), n] = own
    return matrix


def _prototype(ratio: int) -> NDArray[Any]:
    """A low pass of minimum phase that leaves the `ratio`-th part of the spectrum."""
    import numpy as np

    size = 16_384
    count = STEEP * ratio
    at = np.arange(count) - (count - 1) / 2
    taps = np.sinc(at / ratio) * np.kaiser(count, _BETA)
    # The same magnitudes with the least delay, by way of the cepstrum.
    magnitude = np.abs(np.fft.fft(taps / taps.sum(), size))
    cepstrum = np.fft.ifft(np.log(np.maximum(magnitude, 1e-6))).real
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    least = np.fft.ifft(np.exp(np.fft.fft(cepstrum))).real[:count]
    unity: NDArray[Any] = least / least.sum()
    return unity
