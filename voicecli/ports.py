"""The values that core and devices both name, and the two doors between them; it imports nothing of ours.

Everything here is frozen, so it may cross threads. Times are seconds of `time.perf_counter()`, sound is counted in
samples at `RATE`; milliseconds are for the wire and for people.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from math import gcd
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

RATE: Final = 24_000
"""Inside the house sound is PCM16 mono, little-endian, at this rate."""

SAMPLES_PER_MS: Final = RATE // 1000

PEAK_SAMPLES: Final = RATE // 20
"""Levels of laid sound are told in steps of this many samples (50 ms) of the timeline."""


class Side(Enum):
    """Which way sound goes."""

    MICROPHONE = "input"
    SPEAKER = "output"


class SoundFailure(Enum):
    """Why a side of the sound does not work: the closed list that `core/notices.py` has words for."""

    NO_LIBRARY = "no_library"
    NO_DEVICE = "no_device"
    IN_USE = "in_use"
    REFUSED_FORMAT = "refused_format"
    NO_PERMISSION = "no_permission"
    LOST = "lost"
    STALLED = "stalled"
    BAD_FILE = "bad_file"
    DISK = "disk"
    OTHER = "other"


class LinkFailure(Enum):
    """Why there is no link: the closed list that `core/notices.py` has words for."""

    DNS = "dns"
    REFUSED_TCP = "refused_tcp"
    TLS = "tls"
    PROXY = "proxy"
    REDIRECT = "redirect"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    NO_CREDIT = "insufficient_quota"
    SERVER_FAILED = "server_failed"
    REFUSED_HTTP = "refused_http"
    """A server of an API refused it, and says why."""
    NOT_REALTIME = "not_realtime"
    TOO_BIG = "too_big"
    TIMEOUT = "timeout"
    DROPPED = "dropped"
    CLOSED = "closed"
    FLOOD = "flood"
    """It sent so many frames that we cut it off."""


class Format(NamedTuple):
    """How sound is spelled on the wire: pcm16 24000 2 | g711_ulaw 8000 1 | g711_alaw 8000 1."""

    name: str
    rate: int
    width: int
    """Bytes a sample."""

    @property
    def unit(self) -> int:
        """The fewest bytes that are whole samples at `RATE` too; streams are cut there."""
        return self.width * (self.rate // gcd(self.rate, RATE))

    def samples(self, size: int) -> int:
        """How many whole samples at `RATE` the whole units in `size` bytes of this format are."""
        return size // self.unit * (RATE // gcd(self.rate, RATE))


PCM16: Final = Format("pcm16", RATE, 2)


class Playhead(NamedTuple):
    """The whole truth about what is to play. A cell: one writer, the latest wins."""

    run: int
    """Grows with every order; a span of an older run counts nothing."""
    position: int
    """On the timeline, in samples."""
    moving: bool


class Span(NamedTuple):
    """`n` samples from `position` on were handed over; the first of them is heard at `dac_at`."""

    run: int
    position: int
    n: int
    dac_at: float


class In(Struct, frozen=True, tag=True):
    """The base of every stimulus: loggable as JSON, without secrets."""


class MicBlock(In, frozen=True):
    """Recorded sound at `RATE`, PCM16."""

    pcm: bytes
    adc_at: float
    """When its first sample was at the converter."""
    level_db: float = -100.0
    """Its peak in dBFS, at least -100."""


class Passed(In, frozen=True):
    """What was handed to the speaker since the last time."""

    spans: tuple[Span, ...]


class SoundOpened(In, frozen=True):
    """A side is open and runs."""

    side: Side
    device: str
    """The device's name: foreign text."""
    rate: int
    latency_s: float
    stop_lag_s: float = 0.0
    """The least time seen from an order to silence; 0 where it is not known."""


class SoundClosed(In, frozen=True):
    """A side was closed because we asked for it."""

    side: Side


class SoundFailed(In, frozen=True):
    """A side could not be opened, or was lost while it ran."""

    side: Side
    failure: SoundFailure
    device: str
    detail: str
    """The library's own words: foreign text, may be empty."""


class Silent(In, frozen=True):
    """The speaker gives nothing of an older run any more; `at` is when that was so."""

    run: int
    at: float


class Stale(In, frozen=True):
    """Recorded blocks that were thrown away because they are from while the process stood still (G27)."""

    blocks: int
    gap_s: float


class InputSpent(In, frozen=True):
    """The file that speaks for the user is at its end; what comes after it is silence."""


SoundEvent = MicBlock | Passed | SoundOpened | SoundClosed | SoundFailed | Silent | Stale | InputSpent


class Bell:
    """Rung by one thread, waited for by another. It guards no state: whoever wakes looks for himself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """Wakes whoever waits, or the next who will."""
        with suppress(RuntimeError):  # it is rung already
            self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Waits for a ring, `seconds` at most; whether it was rung."""
        return self._lock.acquire(timeout=max(0.0, seconds))


class Sound(Protocol):
    """PortAudio, WAV files in their place, the simulated card of the pair test. Every method returns at once."""

    def open(self, side: Side) -> None:
        """Opens the device or file that was configured for this side; `take` tells how it went."""

    def close(self, side: Side) -> None:
        """Closes it; `take` gives `SoundClosed` once it is closed."""

    def lay(self, pcm: bytes) -> None:
        """Appends PCM16 at `RATE` to the timeline. Never full, never dropped."""

    def move(self, playhead: Playhead) -> None:
        """Cut, hold, resume, reopen: all are a new playhead. `take` gives `Silent` when the old run is silent."""

    def take(self) -> Iterable[SoundEvent]:
        """Drains what happened, spans first. On the session thread only."""


class Link(Protocol):
    """websockets, or the simulated network of the pair test. Every method returns at once."""

    def open(self, url: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Dials. The link adds the key by itself; what comes of it arrives as stimuli."""

    def send(self, text: str) -> None:
        """Queues a frame that is never dropped while the link is up."""

    def send_audio(self, text: str, samples: int) -> None:
        """Queues a frame of microphone sound; the oldest are dropped past 2 s, which `AudioDropped` tells."""

    def read(self, on: bool) -> None:
        """Off: what the server sends is left where it is, so that it has to wait; the pings rest meanwhile."""

    def close(self, code: int) -> None:
        """Hangs up; `LinkEnded` follows."""
