"""The two sides of the sound as the core sees them: off, opening, running, lost."""

from __future__ import annotations

from enum import Enum

from voicecli.core.machine import Machine, Rows
from voicecli.ports import Side, SoundFailed

WAIT_FOR_OTHER_S = 1.0
"""A missing device is told so much later at most, so that two missing ones are one notice."""


class Device(Enum):
    OFF = "off"
    OPENING = "opening"
    RUNNING = "running"
    LOST = "lost"


class Cue(Enum):
    OPEN = "open"
    OPENED = "opened"
    FAILED = "failed"
    CLOSE = "close"


MOVES: dict[Device, dict[Cue, Device]] = {
    Device.OFF: {Cue.OPEN: Device.OPENING},
    Device.OPENING: {Cue.OPENED: Device.RUNNING, Cue.FAILED: Device.LOST, Cue.CLOSE: Device.OFF},
    Device.RUNNING: {Cue.FAILED: Device.LOST, Cue.CLOSE: Device.OFF},
    Device.LOST: {Cue.OPEN: Device.OPENING, Cue.CLOSE: Device.OFF},
}


class DeviceSide:
    """One side. Only our own orders turn it off: an answer to an older order must not undo a newer one."""

    def __init__(self, rows: Rows, wanted: bool) -> None:
        self._machine = Machine(MOVES, Device.OFF, rows)
        self.wanted = wanted
        """There is a device or file for this side at all."""

    @property
    def state(self) -> Device:
        return self._machine.state

    @property
    def there(self) -> bool:
        """It works, or will in a moment, as far as is known."""
        return self.wanted and self.state is not Device.LOST

    def move(self, cue: Cue) -> bool:
        return self._machine.move(cue)


class Absences:
    """Missing devices: where both sides have none, that is one notice and not two. Methods give what to tell now."""

    def __init__(self) -> None:
        self._held: SoundFailed | None = None
        self.deadline: float | None = None

    def failed(self, failed: SoundFailed, other_opens: bool, at: float) -> tuple[SoundFailed, ...]:
        """A side has no device; `other_opens`: the other side is about to say how it went."""
        if self._held is not None and self._held.side is not failed.side:
            return (*self._drop(), failed)
        if not other_opens:
            return (failed,)
        self._held, self.deadline = failed, at + WAIT_FOR_OTHER_S
        return ()

    def opened(self, side: Side) -> tuple[SoundFailed, ...]:
        return self._drop() if self._held is not None and self._held.side is not side else ()

    def tick(self, at: float) -> tuple[SoundFailed, ...]:
        return self._drop() if self.deadline is not None and at >= self.deadline else ()

    def flush(self) -> tuple[SoundFailed, ...]:
        """The talk ends: nothing is waited for any more."""
        return self._drop()

    def _drop(self) -> tuple[SoundFailed, ...]:
        held, self._held, self.deadline = self._held, None, None
        return (held,) if held is not None else ()
