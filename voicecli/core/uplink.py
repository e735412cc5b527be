"""The microphone's gate: sound leaves only while the link is ready, not muted, and not shut by half-duplex.

With push-to-talk it leaves only while the talk key says so; which samples those are is the recorder's.
"""

from __future__ import annotations

from enum import Enum

from voicecli.core.machine import Machine, Rows
from voicecli.ports import RATE

LINK_DOWN_LIMIT_S = 10.0
"""After so long without a link the microphone is closed (G28)."""
DROPPED_EVERY_S = 10.0
"""A slow link drops sound many times a second; it is told so often at most."""
TAIL_S = 0.3
"""Half-duplex: the room rings on for so long after the last sample was heard."""


class Gate(Enum):
    CLOSED = "closed"
    """No link that takes sound, or no microphone."""
    OPEN = "open"
    MUTED = "muted"
    SHUT = "half-duplex shut"
    """The assistant is to be heard: silence goes in the place of what is recorded."""
    KEY_UP = "key up"
    """Push-to-talk, and nobody talks."""
    HELD = "key held"
    LATCHED = "latched"
    """Recording without a key that is held, until the next press."""
    FULL = "full"
    """The longest recording is there; the microphone is off, and somebody has to say whether it is to be sent."""
    RELEASED = "key released"
    """The sound up to the release is still on its way from the device."""


RECORDING = frozenset({Gate.HELD, Gate.LATCHED, Gate.FULL, Gate.RELEASED})


class Cue(Enum):
    READY = "ready"
    READY_FOR_KEY = "ready for the key"
    UNREADY = "unready"
    MUTE = "mute"
    UNMUTE = "unmute"
    SHUT = "shut"
    REOPEN = "reopen"
    HOLD = "hold"
    """The key is pressed, and its release will be told."""
    TOGGLE = "toggle"
    """The key is pressed where releases are not told, or a command says the same."""
    TAP = "tap"
    """The key is released so soon that it was a tap."""
    RELEASE = "release"
    FILL = "fill"
    DONE = "done"
    """All of the recording is there, or no more of it will come: it is to be taken."""
    DISCARD = "discard"
    """It is thrown away, or lost."""


MOVES: dict[Gate, dict[Cue, Gate]] = {
    Gate.CLOSED: {Cue.READY: Gate.OPEN, Cue.READY_FOR_KEY: Gate.KEY_UP, Cue.MUTE: Gate.MUTED},
    Gate.OPEN: {Cue.UNREADY: Gate.CLOSED, Cue.MUTE: Gate.MUTED, Cue.SHUT: Gate.SHUT},
    Gate.SHUT: {Cue.UNREADY: Gate.CLOSED, Cue.MUTE: Gate.MUTED, Cue.REOPEN: Gate.OPEN},
    Gate.MUTED: {Cue.UNMUTE: Gate.CLOSED},
    Gate.KEY_UP: {
        Cue.HOLD: Gate.HELD,
        Cue.TOGGLE: Gate.LATCHED,
        Cue.UNREADY: Gate.CLOSED,
        Cue.MUTE: Gate.MUTED,
    },
    Gate.HELD: {
        Cue.TAP: Gate.LATCHED,
        Cue.RELEASE: Gate.RELEASED,
        Cue.TOGGLE: Gate.RELEASED,
        Cue.FILL: Gate.FULL,
        Cue.DONE: Gate.KEY_UP,
        Cue.DISCARD: Gate.KEY_UP,
    },
    Gate.LATCHED: {
        Cue.HOLD: Gate.RELEASED,
        Cue.TOGGLE: Gate.RELEASED,
        Cue.FILL: Gate.FULL,
        Cue.DONE: Gate.KEY_UP,
        Cue.DISCARD: Gate.KEY_UP,
    },
    Gate.FULL: {Cue.DONE: Gate.KEY_UP, Cue.DISCARD: Gate.KEY_UP},
    Gate.RELEASED: {
        Cue.HOLD: Gate.HELD,  # some keyboards repeat by letting go and pressing again: such a release was none
        Cue.TOGGLE: Gate.LATCHED,
        Cue.DONE: Gate.KEY_UP,
        Cue.DISCARD: Gate.KEY_UP,
    },
}


class Uplink:
    def __init__(self, rows: Rows, keyed: bool = False) -> None:
        """`keyed`: push-to-talk."""
        self._machine = Machine(MOVES, Gate.CLOSED, rows)
        self._keyed = keyed
        self.sent = 0
        """Samples that left, silence in their place included."""
        self.withheld = 0
        """Samples that were recorded while the gate was not open."""
        self.speaking: str | None = None
        """The item of the turn that the server's VAD hears at the moment."""
        self.spoke_from_ms = 0.0
        self._spoken_ms: dict[str, int] = {}
        self.down_since: float | None = None
        self._audible = False
        self.rings = False
        """Half-duplex: the assistant is to be heard, or the room rings on."""
        self._quiet_from: float | None = None
        self._dropped = 0
        self._told_dropped_at = -DROPPED_EVERY_S

    @property
    def gate(self) -> Gate:
        return self._machine.state

    @property
    def muted(self) -> bool:
        return self.gate is Gate.MUTED

    @property
    def recording(self) -> bool:
        """The person says something by push-to-talk that is not sent or thrown away yet."""
        return self.gate in RECORDING

    @property
    def deadline(self) -> float | None:
        times = [self.down_since + LINK_DOWN_LIMIT_S] if self.down_since is not None else []
        if self._quiet_from is not None and self.gate is Gate.SHUT:
            times.append(self._quiet_from + TAIL_S)
        if self._dropped:
            times.append(self._told_dropped_at + DROPPED_EVERY_S)
        return min(times, default=None)

    def down_too_long(self, at: float) -> bool:
        """Whether the link has been down so long that the microphone is closed; said once."""
        if self.down_since is None or at < self.down_since + LINK_DOWN_LIMIT_S:
            return False
        self.down_since = None
        return True

    def lost(self, samples: int) -> None:
        """The link dropped so much."""
        self._dropped += samples

    def to_tell(self, at: float, *, now: bool = False) -> int:
        """Samples that were dropped and are to be told now; 0: nothing, or not yet."""
        if not self._dropped or (at < self._told_dropped_at + DROPPED_EVERY_S and not now):
            return 0
        samples, self._dropped, self._told_dropped_at = self._dropped, 0, at
        return samples

    def move(self, cue: Cue) -> bool:
        return self._machine.move(cue)

    def ready(self) -> bool:
        """There is a link that takes sound."""
        return self.move(Cue.READY_FOR_KEY if self._keyed else Cue.READY)

    def count(self, sent: int, recorded: int) -> None:
        """So many samples of so many that were recorded left, by push-to-talk."""
        self.sent += sent
        self.withheld += max(0, recorded - sent)

    def block(self, pcm: bytes) -> bytes:
        """What goes to the server for a recorded block: it, silence of its length, or nothing."""
        n = len(pcm) // 2
        if self.gate is Gate.OPEN:
            self.sent += n
            return pcm
        self.withheld += n
        if self.gate is Gate.SHUT:  # the server counts time in samples; without them its turn would never end
            self.sent += n
            return bytes(len(pcm))
        return b""

    def speaks(self, item: str, from_ms: float) -> None:
        """The server's VAD hears a turn begin."""
        self.speaking, self.spoke_from_ms = item, from_ms

    def committed(self, item: str) -> None:
        """The turn is taken, whether its end was told or not."""
        if self.speaking in (item, ""):  # servers may leave the id out
            self.speaking = None

    def spoken(self, item: str, end_ms: float) -> None:
        """The server's VAD says that the turn is over."""
        if self.speaking == item:
            self._spoken_ms = {item: max(0, round(end_ms - self.spoke_from_ms))}
        self.speaking = None

    def take_spoken(self, item: str) -> int | None:
        """How long the person spoke in this turn, in milliseconds, as far as the server said."""
        return self._spoken_ms.pop(item, None)

    def silence(self, seconds: float) -> bytes:
        """Silence that ends a turn for the server's VAD."""
        n = int(seconds * RATE)
        self.sent += n
        return bytes(2 * n)

    def audible(self, audible: bool, at: float) -> None:
        """Half-duplex: shut while the assistant is to be heard and `TAIL_S` after, also where it opens in between."""
        if audible:
            self._quiet_from = None
        elif self._audible:
            self._quiet_from = at
        self._audible = audible
        self.rings = rings = audible or (self._quiet_from is not None and at < self._quiet_from + TAIL_S)
        if rings and self.gate is Gate.OPEN:
            self.move(Cue.SHUT)
        elif not rings and self.gate is Gate.SHUT:
            self.move(Cue.REOPEN)
