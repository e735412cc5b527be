"""The server's ear: the input buffer with turn detection over it, a piece at a time. It knows no time and no wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from voicecli.audio.vad import FRAME, Vad
from voicecli.audio.wire import FromWire
from voicecli.ports import Format
from voicecli.protocol.items import TurnDetection
from voicecli.server.buffer import SILENCE_KEPT_SAMPLES, Edge, Floor, InputBuffer, TurnDetector
from voicecli.server.rows import Rows


class Listening:
    """Takes the user's sound; tells where turns begin and end while there is turn detection."""

    def __init__(self, open_vad: Callable[[], Vad], capacity_samples: int, piece_samples: int, rows: Rows) -> None:
        """The detector of speech is opened with the first sound that needs it; `piece_samples` are heard in one go."""
        self._open_vad = open_vad
        self._capacity = capacity_samples
        self._piece = max(FRAME, piece_samples)
        self._wire = FromWire()
        self._buffer = InputBuffer(capacity_samples)
        self._vad: Vad | None = None
        self._rows = rows
        self._detector: TurnDetector | None = None
        self._turn_from = 0
        self._fed = 0
        """Position up to which the detector of speech was given sound."""
        self._judged = 0
        """Position up to which it has judged."""

    @property
    def samples(self) -> int:
        """What a commit would take now."""
        return self._buffer.samples

    @property
    def end(self) -> int:
        """Position after all sound that was received."""
        return self._buffer.end

    @property
    def busy(self) -> bool:
        """Whether received sound waits to be heard."""
        return self._detector is not None and self._fed < self._buffer.end

    def configure(self, config: TurnDetection | None) -> None:
        """Turns turn detection on, off, or gives it other parameters. What was received before is not heard again."""
        if config is None:
            self._detector = None
        elif self._detector is not None:
            self._detector.configure(config)
        else:
            self._detector = TurnDetector(config, self._rows)
            self._restart()

    def append(self, data: bytes, form: Format) -> bool:
        """Takes sound as it came, cut anywhere; False where the buffer was full and is now empty."""
        if self._buffer.samples + form.samples(len(data)) > self._capacity:
            # A byte of G.711 becomes six: nobody waits for that where it is thrown away. The odd bytes still meet.
            self._wire.read(data[len(data) // form.unit * form.unit :], form)
        elif self._buffer.append(self._wire.read(data, form)):
            return True
        self._buffer.clear()
        self._restart()
        return False

    def listen(self) -> Iterator[Edge]:
        """Hears the next piece of what waits. Take the sound of a turn (`take_turn`) before going on after its end."""
        if self._detector is None or not self.busy:
            return
        if self._vad is None:
            self._vad = self._open_vad()
        piece = self._buffer.peek(self._fed, self._fed + self._piece)
        self._fed += len(piece) // 2
        for probability in self._vad.feed(piece):
            start, self._judged = self._judged, self._judged + FRAME
            for edge in self._detector.hear(probability, start, self._judged):
                if edge.began:
                    self._turn_from = edge.position
                yield edge
        if self._detector is not None and self._detector.floor is Floor.QUIET:
            self._buffer.forget(self._judged - SILENCE_KEPT_SAMPLES)

    @property
    def lull(self) -> int | None:
        """Where the pause began that may be the end of the turn; None: there is none."""
        return None if self._detector is None else self._detector.lull

    def so_far(self) -> bytes:
        """The sound of the turn up to now; it stays where it is."""
        return self._buffer.peek(self._turn_from, self._judged)

    def judge(self, finished: bool) -> None:
        """What the words before the pause sound like."""
        if self._detector is not None:
            self._detector.judge(finished)

    def take_turn(self, end: int) -> bytes:
        """The sound of the turn that has ended at `end`; what lies before it leaves the buffer too."""
        return self._buffer.take(self._turn_from, end)

    def take_all(self) -> bytes:
        """All that is in the buffer; a turn that had begun is over."""
        pcm = self._buffer.take(self._buffer.start, self._buffer.end)
        self._restart()
        return pcm

    def clear(self) -> None:
        """Empties the buffer; a turn that had begun never was."""
        self._buffer.clear()
        self._wire.restart()
        self._restart()

    def _restart(self) -> None:
        self._fed = self._judged = self._turn_from = self._buffer.end
        if self._vad is not None:
            self._vad.reset()
        if self._detector is not None:
            self._detector.restart(self._buffer.end)
