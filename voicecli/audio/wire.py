"""Between the wire's formats and PCM16 at `RATE`, with exact sample counts; it knows no event, item or connection."""

from __future__ import annotations

from voicecli.audio.pcm import peaks as peaks
from voicecli.ports import RATE, Format

# The one thing of this folder that the runtime may know, so the levels of laid sound are told through here too.


def to_wire(pcm: bytes, form: Format) -> bytes:
    """PCM16 at `RATE` as `form` spells it. Raises ValueError for a format that is not spoken yet."""
    _known(form)
    return pcm


def from_wire(data: bytes, form: Format) -> bytes:
    """What came in `form` as PCM16 at `RATE`: exactly `form.samples(len(data))` samples, so half a sample is left out.

    Raises ValueError for a format that is not spoken yet.
    """
    _known(form)
    size = 2 * form.samples(len(data))
    return data if len(data) == size else data[:size]


def _known(form: Format) -> None:
    # G.711 comes with the wire issue: `g711.py` is exact already, the change of 8 to 24 kHz is missing.
    if form.rate != RATE or form.width != 2:
        raise ValueError(f"sound in {form.name} at {form.rate} Hz is not spoken yet")
