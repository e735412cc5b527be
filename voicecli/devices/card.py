"""The sound of a talk: devices or WAV files behind the port `Sound`; it decides nothing about what is played."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from voicecli.audio.capture import Capture, Heard, Raw
from voicecli.audio.playout import Playout
from voicecli.devices.files import FileMicrophone, FileSpeaker
from voicecli.devices.stream import Device, File, Player, SoundSetup, Stream, Trouble
from voicecli.devices.worker import LIMIT_S, Close, Leave, Moved, Open, Watch, Worker
from voicecli.ports import (
    Bell,
    Passed,
    Playhead,
    Side,
    SoundEvent,
    SoundFailed,
    SoundFailure,
    SoundOpened,
    Span,
)

if TYPE_CHECKING:
    from voicecli.devices.portaudio import PortAudio


class Card:
    """`ports.Sound` over what `setup` names. All methods are for the session thread and return at once, save `end`.

    `ring` is called from other threads when `take` has something; it may raise RuntimeError once nobody listens.
    Real devices share one thread that owns every PortAudio handle; files have one of their own, so that a hanging
    sound card does not stop them.
    """

    def __init__(self, setup: SoundSetup, ring: Callable[[], None]) -> None:
        self._setup, self._wake = setup, ring
        self._playout = Playout()
        self._bell = Bell()
        # One mailbox a side. The microphone's is written by its callback while it runs, else by the device thread.
        self._mail: dict[Side, deque[Raw | SoundEvent]] = {side: deque() for side in Side}
        self._late: deque[SoundEvent] = deque()
        self._capture = Capture()
        self._zeros_told = False
        self._sounded = False  # an earlier opening delivered sound: what is missing now is no permission
        self._device = ""
        self._portaudio: PortAudio | None = None
        self._file_microphone: FileMicrophone | None = None
        self._file_speaker: FileSpeaker | None = None
        self._devices = Worker("voicecli-devices", self._microphone, self._speaker, self._tell)
        self._files = Worker("voicecli-files", self._microphone, self._speaker, self._tell)
        self._watch = Watch(self._devices, self._tell_late)

    def open(self, side: Side) -> None:
        """See `ports.Sound`. A file goes on where it was closed: while it is closed, its time stands still."""
        worker = self._worker(side)
        if worker is self._devices:
            self._watch.start()
        worker.order(Open(side))

    def close(self, side: Side) -> None:
        """See `ports.Sound`. What the speaker still had to play is not played."""
        self._worker(side).order(Close(side))

    def lay(self, pcm: bytes) -> None:
        """See `ports.Sound`."""
        self._playout.lay(pcm)
        self._bell.ring()

    def move(self, playhead: Playhead) -> None:
        """See `ports.Sound`."""
        self._playout.move(playhead)
        self._worker(Side.SPEAKER).order(Moved(playhead.run, perf_counter()))
        self._bell.ring()

    def take(self) -> list[SoundEvent]:
        """See `ports.Sound`: spans first, then the microphone in order, then the speaker."""
        events: list[SoundEvent] = []
        spans: list[Span] = []
        while self._playout.spans:
            spans.append(self._playout.spans.popleft())
        if spans:
            events.append(Passed(tuple(spans)))
        now = perf_counter()
        microphone, speaker = self._mail[Side.MICROPHONE], self._mail[Side.SPEAKER]
        while microphone:
            self._take(microphone.popleft(), now, events)
        while speaker:
            self._take(speaker.popleft(), now, events)
        while self._late:
            events.append(self._late.popleft())
        return events

    def end(self, limit_s: float = LIMIT_S) -> bool:
        """Closes everything and waits for it, `limit_s` at most (G15); False where a device did not let go of us."""
        until = perf_counter() + limit_s
        workers = [worker for worker in (self._devices, self._files) if not worker.ended(0)]
        for worker in workers:
            worker.order(Leave())
        self._bell.ring()
        done = [worker.ended(until - perf_counter()) for worker in workers]
        self._watch.stop()
        return all(done)

    def _take(self, mail: Raw | SoundEvent, now: float, events: list[SoundEvent]) -> None:
        match mail:
            case Raw():
                events.extend(self._capture.take(mail, now))
                if self._capture.heard is Heard.ZEROS and not (self._zeros_told or self._sounded):
                    self._zeros_told = True
                    events.append(SoundFailed(Side.MICROPHONE, SoundFailure.NO_PERMISSION, self._device, ""))
            case SoundOpened(Side.MICROPHONE):
                self._sounded = self._sounded or self._capture.heard is Heard.SOUND
                self._capture = Capture(live=not isinstance(self._setup.input, File))
                self._device = mail.device
                events.append(mail)
            case _:
                events.append(mail)

    # ---- on the threads of the workers -------------------------------------------------------------------------------

    def _tell(self, side: Side, mail: Raw | SoundEvent) -> None:
        self._mail[side].append(mail)
        with suppress(RuntimeError):
            self._wake()

    def _tell_late(self, side: Side, event: SoundEvent) -> None:
        what = self._setup.input if side is Side.MICROPHONE else self._setup.output
        name = what.name if isinstance(what, Device) else None
        if isinstance(event, SoundFailed):
            event = SoundFailed(side, event.failure, name or "default", event.detail)
        self._late.append(event)
        with suppress(RuntimeError):
            self._wake()

    def _deliver(self, mail: Raw | SoundEvent) -> None:
        self._tell(Side.MICROPHONE, mail)

    def _worker(self, side: Side) -> Worker:
        what = self._setup.input if side is Side.MICROPHONE else self._setup.output
        return self._files if isinstance(what, File) else self._devices

    def _microphone(self) -> Stream:
        match self._setup.input:
            case Device() as device:
                return self._library().microphone(device, self._deliver)
            case File() as file:
                if self._file_microphone is None:
                    self._file_microphone = FileMicrophone(file, self._deliver)
                return self._file_microphone
            case None:
                raise Trouble(SoundFailure.NO_DEVICE, "none was asked for")

    def _speaker(self) -> Player:
        match self._setup.output:
            case Device() as device:
                return self._library().speaker(device, self._playout, self._bell)
            case File(path):
                if self._file_speaker is None:
                    self._file_speaker = FileSpeaker(path, self._playout, lambda event: self._tell(Side.SPEAKER, event))
                return self._file_speaker
            case None:
                raise Trouble(SoundFailure.NO_DEVICE, "none was asked for")

    def _library(self) -> PortAudio:
        if self._portaudio is None:
            from voicecli.devices.portaudio import PortAudio

            self._portaudio = PortAudio()
        return self._portaudio
