"""Whether the speaker's spans have to be fetched, since its callback rings no bell; it knows no device and no clock."""

from __future__ import annotations

from typing import Final

from voicecli.core.stimuli import Stimulus
from voicecli.ports import Passed, Playhead, Side, Silent, SoundClosed, SoundFailed, SoundOpened

POLL_S: Final = 0.010
"""The output callback rings no bell, so its spans are fetched this often while something plays."""
SILENT_WAIT_S: Final = 1.0
"""How long after an order the device is asked whether it is silent yet."""


class Fetching:
    """Follows what was laid, ordered and handed over; `end` is where the next sample will be laid."""

    def __init__(self) -> None:
        self.end = 0
        self._head = Playhead(0, 0, True)
        self._given = 0
        self._runs = False
        self._silence_by: float | None = None

    def move(self, playhead: Playhead, at: float) -> None:
        self._head = playhead
        self._given = playhead.position
        self._silence_by = at + SILENT_WAIT_S

    def note(self, event: Stimulus) -> None:
        match event:
            case Passed(spans):
                for span in spans:
                    if span.run == self._head.run:
                        self._given = max(self._given, span.position + span.n)
            case SoundOpened(side=Side.SPEAKER):
                self._runs = True
            case SoundClosed(side=Side.SPEAKER) | SoundFailed(side=Side.SPEAKER):
                self._runs = False
            case Silent(run) if run == self._head.run:
                self._silence_by = None

    @property
    def playing(self) -> bool:
        return self._runs and self._head.moving and self._given < self.end

    def to_be_fetched(self, at: float) -> bool:
        return self.playing or (self._runs and self._silence_by is not None and at < self._silence_by)
