"""What a side of the sound is set up as, and what an open one owes the device thread; it opens nothing itself."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from voicecli.ports import SoundFailure


class Device(NamedTuple):
    """A real device."""

    name: str | None = None
    """Its index as digits, or a part of its name; None is the system's default."""


class File(NamedTuple):
    """A WAV in the place of a device."""

    path: str
    pcm: bytes | None = None
    """For the microphone: what was read of it already (`files.load`), PCM16 at `RATE`."""


class SoundSetup(NamedTuple):
    """What each side is; None is a side that the talk does without."""

    input: Device | File | None = None
    output: Device | File | None = None


class Trouble(Exception):
    """Why a side cannot be opened, or does not go on. It stays on the device thread."""

    def __init__(self, failure: SoundFailure, detail: str = "", device: str = "") -> None:
        super().__init__(failure, detail, device)
        self.failure, self.detail, self.device = failure, detail, device


class Stream(Protocol):
    """An open side. The device thread calls everything; `Trouble` may come out of each of them."""

    @property
    def device(self) -> str:
        """Its name, foreign text."""

    @property
    def latency_s(self) -> float: ...

    def start(self) -> None:
        """From here on it delivers or plays."""

    def beat(self, now: float) -> float:
        """Looks after itself; when it wants to do so again. Raises Trouble for a device that is gone."""

    def close(self) -> None:
        """Once this has returned nothing is delivered or pulled any more."""


class Player(Stream, Protocol):
    """An open speaker."""

    def silence(self, run: int, at: float) -> float:
        """The playhead has been of `run` since `at`: stops what is older. When there was nothing older to be heard."""
