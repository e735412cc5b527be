"""PortAudio's streams: how a card is fed and listened to. Only the device thread calls it; it knows no item or answer.

Output on ALSA is one deep stream that binds late. PortAudio's ALSA thread calls the callback as long as the buffer of
the device has room. Here the callback *waits* while there is nothing to say, until little is left in the buffer, and
only then gives zeros; when there is speech it returns at once, is called again at once, and the buffer (190 ms) fills
with speech. So speech never queues behind silence, and a late thread finds 190 ms in the device. The device's time is
absolute: the wait does not move it. Other hosts call with a deadline of their own; there it is a plain callback.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any, Final

from voicecli.audio.capture import Raw
from voicecli.audio.playout import Playout
from voicecli.devices.library import Found, listing, load, match_device, translated
from voicecli.devices.stream import Device, Trouble
from voicecli.ports import RATE, Bell, Side, SoundFailure

BLOCK: Final = 240
PERIODS: Final = 20
"""20 x 10 ms. PortAudio's own 4 periods of 60 ms cannot hold anything finer than 60 ms."""
PLAIN_BLOCK: Final = 480
INPUT_BLOCK: Final = 480

FLOOR_S: Final = 0.005
"""What the device keeps beyond the sink's share while there is nothing to say; twice as much after an underrun."""
MOST_FLOOR_S: Final = 0.08

BEAT_S: Final = 0.1
STALL_S: Final = 0.5
"""Without a callback for so long the device is dead, whatever it says: a suspended sink stays `active`."""

_ZEROS: Final = bytes(2 * RATE)


class PortAudio:
    """The library on the device thread. It is loaded with the first stream."""

    def __init__(self) -> None:
        self._sd: Any = None
        self._open: list[Microphone | Speaker] = []

    def microphone(self, device: Device, deliver: Callable[[Raw], None]) -> Microphone:
        """Opened, not started. Raises Trouble."""
        found = self._find(device, Side.MICROPHONE)
        stream = Microphone(self._sd, found, deliver)
        self._open.append(stream)
        return stream

    def speaker(self, device: Device, playout: Playout, bell: Bell) -> Speaker:
        """Opened, not started. Raises Trouble."""
        found = self._find(device, Side.SPEAKER)
        stream = Speaker(self._sd, found, playout, bell)
        self._open.append(stream)
        return stream

    def _find(self, device: Device, side: Side) -> Found:
        self._open = [stream for stream in self._open if not stream.closed]
        if self._sd is None:
            self._sd = load()
        elif not self._open:
            # Devices are listed once, at initialisation, and only without open streams can that be done again.
            with translated(self._sd):
                self._sd._terminate()
                self._sd._initialize()
        found = match_device(device.name, side, listing(self._sd))
        if isinstance(found, str):
            raise Trouble(SoundFailure.NO_DEVICE, found, device.name or "")
        return found


class _Stream:
    """What both directions have in common."""

    def __init__(self, sd: Any, found: Found) -> None:
        self.device = found.name
        self.closed = False
        self._sd = sd
        self._stream: Any = None
        self._came = 0.0
        """When the last callback came: a cell, written by the callback while the stream runs."""
        self._beat = 0.0

    @property
    def latency_s(self) -> float:
        """What PortAudio thinks of its own buffer; the way beyond it is not in it."""
        return float(self._stream.latency)

    def start(self) -> None:
        """See `Stream.start`."""
        self._came = self._beat = perf_counter()
        with translated(self._sd, self.device):
            self._stream.start()

    def beat(self, now: float) -> float:
        """See `Stream.beat`."""
        if now - self._beat > 3 * BEAT_S:
            # It was us who stood still: the callback gets its time to come again.
            self._came = now
        self._beat = now
        with translated(self._sd, self.device):
            active = self._stream.active
        if not active:
            raise Trouble(SoundFailure.LOST, "", self.device)
        if now - self._came > STALL_S:
            raise Trouble(SoundFailure.STALLED, "", self.device)
        return now + BEAT_S

    def close(self) -> None:
        """See `Stream.close`."""
        self.closed = True
        with translated(self._sd, self.device):
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)


class Microphone(_Stream):
    """Delivers blocks of 20 ms with the time of their first sample."""

    def __init__(self, sd: Any, found: Found, deliver: Callable[[Raw], None]) -> None:
        super().__init__(sd, found)
        self._deliver = deliver
        with translated(sd, found.name):
            self._stream = sd.RawInputStream(
                samplerate=RATE,
                channels=1,
                dtype="int16",
                device=found.number,
                blocksize=INPUT_BLOCK,
                latency="low",
                callback=self._callback,
                **_extra(sd, found),
            )

    def _callback(self, data: Any, frames: int, times: Any, _: Any) -> None:
        now = perf_counter()
        self._came = now
        # Differences only: under ALSA these are wall clock times, and an NTP step moves them.
        age = times.currentTime - times.inputBufferAdcTime if times.inputBufferAdcTime else frames / RATE
        self._deliver(Raw(bytes(data), now - age, now))


class Speaker(_Stream):
    """Plays what lies under the playhead; its spans' `dac_at` is true within 2 ms where the host tells its times."""

    def __init__(self, sd: Any, found: Found, playout: Playout, bell: Bell) -> None:
        super().__init__(sd, found)
        self._playout, self._bell = playout, bell
        self._floor_s = FLOOR_S
        self._beyond_s: float | None = None
        """The way to the ear behind the buffer, known once the buffer was full."""
        self._leaving = False
        self._inside = False
        self._index = 0
        """Samples handed over since the last start."""
        self._seen, self._base = 0.0, 0.0
        self._until = 0.0
        """When the last real sample that was handed over has been heard."""
        self._run = playout.playhead.run
        """The run that may be played. The device thread moves it on once what is older is gone."""
        self._binds_late = found.host == "ALSA" and _set_periods(sd, PERIODS)
        how: dict[str, Any] = {"blocksize": PLAIN_BLOCK, "latency": "low"}
        if self._binds_late:
            how = {"blocksize": BLOCK, "latency": BLOCK * (PERIODS - 1) / RATE}
        try:
            with translated(sd, found.name):
                self._stream = sd.RawOutputStream(
                    samplerate=RATE,
                    channels=1,
                    dtype="int16",
                    device=found.number,
                    callback=self._callback,
                    **how,
                    **_extra(sd, found),
                )
        finally:
            if self._binds_late:
                # One number for the whole process, and the microphone wants PortAudio's own back.
                _set_periods(sd, 4)

    @property
    def latency_s(self) -> float:
        """See `Stream.latency_s`: for a first sound. A stream that binds late is not as late as it is deep."""
        return 2 * BLOCK / RATE if self._binds_late else super().latency_s

    def silence(self, run: int, at: float) -> float:
        """See `Player.silence`. Only where something older is still to be heard is the stream cut."""
        now = perf_counter()
        if not self._inside and self._until <= now:
            self._run = run
            self._bell.ring()
            return max(at, min(now, self._until))
        self._leaving = True
        self._bell.ring()
        with translated(self._sd, self.device):
            self._stream.abort()
        # Once abort has returned no callback runs: what is the callback's is ours until the start.
        gone = perf_counter()
        silent_at = max(gone, min(gone + (self._beyond_s or 0.0), self._until))
        self._leaving, self._index, self._until, self._run = False, 0, 0.0, run
        self.start()
        return silent_at

    def close(self) -> None:
        """See `Stream.close`."""
        self._leaving = True
        self._bell.ring()
        super().close()

    def _callback(self, out: Any, frames: int, times: Any, status: Any) -> None:
        now = perf_counter()
        if times.currentTime != self._seen:
            # Wall clock on ALSA, so only its differences count.
            self._seen, self._base = times.currentTime, now - times.currentTime
        dac_at = self._base + (times.outputBufferDacTime or times.currentTime + self._stream.latency)
        self._learn(now, dac_at, status.output_underflow)
        self._came = now
        if self._binds_late and self._index and self._beyond_s is not None:
            last = dac_at - self._beyond_s - self._floor_s
            while not self._leaving and not self._playout.ready(self._run) and (left := last - perf_counter()) > 0:
                self._bell.wait(left)
        if self._index and not self._leaving:
            self._inside = True
            # Woken too late it is heard later than the device thinks, and never before now.
            dac_at = max(dac_at, perf_counter())
            real = self._playout.pull(memoryview(out), dac_at, self._run)
            if real:
                self._until = dac_at + frames / RATE
            self._inside = False
        else:
            # The first time after a start says "now", which is wrong: no speech goes with it.
            out[:] = _ZEROS[: 2 * frames] if frames <= RATE else bytes(2 * frames)
        self._index += frames

    def _learn(self, now: float, dac_at: float, underflow: bool) -> None:
        if underflow:
            self._floor_s = min(MOST_FLOOR_S, 2 * self._floor_s)
        full = self._index > BLOCK * PERIODS and now - self._came > 0.5 * BLOCK / RATE
        if self._binds_late and self._beyond_s is None and full:
            self._beyond_s = max(0.0, dac_at - now - self._stream.latency)


def _set_periods(sd: Any, n: int) -> bool:
    """Into how many pieces PortAudio cuts an ALSA buffer; False where this PortAudio cannot be told."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(sd._libname).PaAlsa_SetNumPeriods(n)
        return True
    return False


def _extra(sd: Any, found: Found) -> dict[str, Any]:
    # Shared mode refuses a foreign rate unless Windows is asked to convert.
    return {"extra_settings": sd.WasapiSettings(auto_convert=True)} if found.host == "Windows WASAPI" else {}
