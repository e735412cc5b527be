"""Between the wire's formats and PCM16 at `RATE`, with exact sample counts; it knows no event, item or connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voicecli.audio.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from voicecli.audio.pcm import peaks as peaks
from voicecli.audio.resample import Resampler
from voicecli.ports import RATE, Format

# The one thing of this folder that the runtime may know, so the levels of laid sound are told through here too.

Spell = Callable[[bytes], bytes]

_G711: Final[dict[str, tuple[Spell, Spell]]] = {
    "g711_ulaw": (ulaw_encode, ulaw_decode),
    "g711_alaw": (alaw_encode, alaw_decode),
}


class ToWire:
    """One stream of sound on its way out. Another format begins another stream."""

    def __init__(self) -> None:
        self._form: Format | None = None
        self._change: Resampler | None = None

    def spell(self, pcm: bytes, form: Format) -> bytes:
        """PCM16 at `RATE`, whole samples, as `form` spells it.

        Over a stream exactly `form.unit` bytes for each `form.samples(form.unit)` samples: of those that are not
        enough for a unit, two at most in G.711, the next piece makes one. Raises ValueError for a format that is not
        spoken here.
        """
        if form != self._form:
            self._change = _resampler(form, RATE, form.rate)
            self._form = form
        if self._change is not None:
            pcm = self._change.feed(pcm)
        return _G711[form.name][0](pcm) if form.width == 1 else pcm

    def restart(self) -> None:
        """What comes next has nothing to do with what was before."""
        self._form = None


class FromWire:
    """One stream of sound on its way in. Another format begins another stream."""

    def __init__(self) -> None:
        self._form: Format | None = None
        self._change: Resampler | None = None
        self._rest = b""

    def read(self, data: bytes, form: Format) -> bytes:
        """What came in `form` as PCM16 at `RATE`: exactly `form.samples(n)` samples for the n bytes of a stream.

        What is less than `form.unit` waits for the next piece. Raises ValueError for a format that is not spoken here.
        """
        if form != self._form:
            self._change = _resampler(form, form.rate, RATE)
            self._form, self._rest = form, b""
        if self._rest:
            data, self._rest = self._rest + data, b""
        if rest := len(data) % form.unit:
            data, self._rest = data[:-rest], data[-rest:]
        pcm = _G711[form.name][1](data) if form.width == 1 else data
        return pcm if self._change is None else self._change.feed(pcm)

    def restart(self) -> None:
        """What comes next has nothing to do with what was before."""
        self._form = None


def _resampler(form: Format, rate: int, to_rate: int) -> Resampler | None:
    if form.width != 2 and form.name not in _G711:
        raise ValueError(f"sound in {form.name} is not spoken here")
    return None if rate == to_rate else Resampler(rate, to_rate)
