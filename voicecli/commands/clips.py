"""The clips of speech that come with the package, by name; it plays nothing."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from voicecli.audio.wav import parse

PREFIX: Final = "clip:"


class NoClip(Exception):
    """There is no clip of that name; in words for the user."""


def is_clip(given: str) -> bool:
    """Whether a clip is meant, and not a file."""
    return given.startswith(PREFIX)


def clip(given: str) -> bytes:
    """The clip that `given` ("clip:hello") names, as PCM16 mono at `RATE`. Raises NoClip."""
    name = given.removeprefix(PREFIX)
    if name not in names():
        raise NoClip(f"There is no clip of the name {name!r}." if name else "A clip has a name.")
    return parse((files("voicecli") / "data" / "clips" / f"{name}.wav").read_bytes())


def names() -> tuple[str, ...]:
    """What there is."""
    there = (files("voicecli") / "data" / "clips").iterdir()
    return tuple(sorted(file.name.removesuffix(".wav") for file in there if file.name.endswith(".wav")))
