"""The ledger of what was heard: samples laid on a timeline, spans handed to the speaker, verdicts about items.

Heard is what left the DAC by its own time, never what arrived or was handed over. It is told what was laid and what
was handed over, and asked with a time; it never asks the device.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from voicecli.ports import RATE, SAMPLES_PER_MS, Format, Playhead, Span

EPSILON_S = 1e-6
"""Times are floats: a sample counts as heard from a millionth of a second before its end."""


class Fate(Enum):
    WHOLE = "whole"
    """All of it was heard, and nothing more will come."""
    CUT = "cut"
    UNHEARD = "unheard"
    """Less than a millisecond was heard."""
    READ = "read"
    """There was no speaker; the text was the answer."""


class Verdict(NamedTuple):
    item: str
    fate: Fate
    heard: int
    received: int

    @property
    def audio_end_ms(self) -> int:
        """What `conversation.item.truncate` claims: never above what was heard, nor what was received."""
        return self.heard // SAMPLES_PER_MS


MOST_OPEN = 4_096
"""Items that are not settled; past that the oldest gets no more sound (G11)."""
MOST_ODD = 1_000
"""Parts of which an odd byte is kept."""


class _Open:
    """An item whose sound is not settled yet."""

    def __init__(self) -> None:
        self.pieces: deque[tuple[int, int]] = deque()  # position, n; neighbours are joined, what is behind the ear goes
        self.start: int | None = None
        """The position of its first sample."""
        self.end = 0
        self.received = 0
        self.finished = False
        self.complete = False
        """The server says that all of its sound is here; more text may come."""
        self._behind = 0

    def heard(self, ear: int) -> int:
        while self.pieces and sum(self.pieces[0]) <= ear:
            self._behind += self.pieces.popleft()[1]
        return self._behind + sum(max(0, min(n, ear - start)) for start, n in self.pieces)


class Ledger:
    def __init__(self) -> None:
        self.end = 0
        """Where the next sample will be laid."""
        self._run = 0
        self._ear = 0
        self._spans: deque[Span] = deque()
        self._dry_at: float | None = None
        self._open: dict[str, _Open] = {}
        self._odd: dict[tuple[str, int | float], bytes] = {}
        self.dropped_bytes = 0
        """Odd bytes that were left at the end of a part."""

    # ---- laying

    def whole(self, item: str, part: int | float, data: bytes, form: Format) -> bytes:
        """The bytes of whole samples; odd ones wait for the next delta of their part."""
        data = self._odd.pop((item, part), b"") + data
        if rest := len(data) % form.unit:
            self._odd[item, part] = data[-rest:]
            data = data[:-rest]
            while len(self._odd) > MOST_ODD:
                self.dropped_bytes += len(self._odd.pop(next(iter(self._odd))))
        return data

    def lay(self, item: str, samples: int) -> int:
        """Lays `samples` of the item at the end of the timeline; gives their position."""
        sound = self._opened(item)
        position = self.end
        if not samples:
            return position
        if sound.pieces and sound.end == position:
            start, n = sound.pieces[-1]
            sound.pieces[-1] = (start, n + samples)
        else:
            sound.pieces.append((position, samples))
        if sound.start is None:
            sound.start = position
        sound.complete = False
        sound.received += samples
        self.end = sound.end = position + samples
        self._dry_at = None
        return position

    def _opened(self, item: str) -> _Open:
        if item not in self._open:
            if len(self._open) >= MOST_OPEN and (oldest := self._oldest()) is not None:
                self.finish(oldest)
            self._open[item] = _Open()
        return self._open[item]

    def _oldest(self) -> str | None:
        """The first one of which more is expected."""
        return next((item for item, sound in self._open.items() if not sound.finished), None)

    def complete(self, item: str) -> None:
        """The server has given all sound of a part; the item goes on."""
        if item in self._open:
            self._open[item].complete = True

    def finish(self, item: str) -> None:
        """No more sound of this item will come."""
        for key in [key for key in self._odd if key[0] == item]:
            self.dropped_bytes += len(self._odd.pop(key))
        if item in self._open:
            self._open[item].finished = True

    # ---- hearing

    def passed(self, span: Span) -> None:
        if span.run == self._run:
            self._spans.append(span)
            if span.position + span.n >= self.end:
                self._dry_at = span.dac_at + span.n / RATE

    def ear(self, at: float) -> int:
        """The position that is reaching the ear at `at`."""
        while self._spans:
            span = self._spans[0]
            n = min(span.n, int((at - span.dac_at + EPSILON_S) * RATE))
            if n > 0:
                self._ear = max(self._ear, span.position + n)
            if n < span.n:
                break
            self._spans.popleft()
        return self._ear

    def heard_at(self, position: int) -> float | None:
        """When the sample at `position` reaches the ear; None where it was not handed over, or is long over."""
        for span in self._spans:
            if span.position <= position < span.position + span.n:
                return span.dac_at + (position - span.position) / RATE
        return None

    def queued(self, at: float) -> int:
        """Samples that are laid and not heard yet."""
        return self.end - self.ear(at)

    def pieces(self) -> int:
        """How many stretches of sound wait: one for each item, more where items take turns."""
        return sum(len(sound.pieces) for sound in self._open.values())

    @property
    def dry_at(self) -> float | None:
        """When the last sample that is there reaches the ear, or did, while more of its item is to come."""
        if self._dry_at is None:
            return None
        waits = any(sound.received and not (sound.finished or sound.complete) for sound in self._open.values())
        return self._dry_at if waits else None

    def received(self, item: str) -> int:
        return self._open[item].received if item in self._open else 0

    def heard(self, item: str, at: float) -> int:
        """Samples of an item that is not settled yet."""
        return self._open[item].heard(self.ear(at)) if item in self._open else 0

    def hearing(self, at: float) -> str | None:
        """The item that is reaching the ear, or was the last to."""
        ear = self.ear(at)
        found = None
        for item, sound in self._open.items():
            if sound.start is not None and sound.start < ear:
                found = item
        return found

    @property
    def items(self) -> tuple[str, ...]:
        """The items that are not settled yet."""
        return tuple(self._open)

    def rename(self, names: dict[str, str]) -> None:
        """Other names for items that are not settled yet: a new connection may give the old ones again."""
        self._open = {names.get(item, item): sound for item, sound in self._open.items()}
        self._odd.clear()

    @property
    def rest(self) -> bool:
        """Nothing is waiting to be heard."""
        return not self._open

    def unsettled(self, item: str) -> bool:
        return item in self._open

    @property
    def deadline(self) -> float | None:
        """When the next item will have been heard to its end, as far as the spans tell."""
        ends = [sound.end for sound in self._open.values() if sound.finished and sound.received]
        if not ends:
            return None
        end = min(ends)
        for span in self._spans:
            if span.position < end <= span.position + span.n:
                return span.dac_at + (end - span.position) / RATE
        return None

    # ---- settling: every sample once

    def settle(self, at: float) -> tuple[Verdict, ...]:
        """The items that are finished and have been heard to their end."""
        ear = self.ear(at)
        done = [item for item, sound in self._open.items() if sound.finished and sound.end <= ear]
        return tuple(self._give(item, Fate.WHOLE, ear) for item in done)

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        """Nothing that lies ahead will be heard: a verdict for each item, and a new playhead where sound must stop."""
        ear = self.ear(at)
        verdicts = []
        for item, sound in list(self._open.items()):
            heard = sound.heard(ear)
            if sound.finished and heard == sound.received:
                fate = Fate.WHOLE
            else:
                fate = Fate.CUT if heard >= SAMPLES_PER_MS else Fate.UNHEARD
            verdicts.append(self._give(item, fate, ear))
        playhead = None
        if self.end > ear:
            playhead = self._restart()
        return playhead, tuple(verdicts)

    def read(self, at: float) -> tuple[Verdict, ...]:
        """The speaker is gone: what lies ahead will be read. No playhead is needed, nothing runs."""
        ear = self.ear(at)
        verdicts = tuple(self._give(item, Fate.READ, ear) for item in list(self._open))
        self._restart()
        return verdicts

    def _restart(self) -> Playhead:
        self._run += 1
        self._dry_at = None
        self._spans.clear()
        self._ear = self.end
        return Playhead(self._run, self.end, True)

    def _give(self, item: str, fate: Fate, ear: int) -> Verdict:
        sound = self._open.pop(item)
        for key in [key for key in self._odd if key[0] == item]:
            self.dropped_bytes += len(self._odd.pop(key))
        return Verdict(item, fate, sound.heard(ear), sound.received)
