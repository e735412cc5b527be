"""Copies from the timeline to whoever feeds a speaker, from the playhead on; it knows no device, item or clock."""

from __future__ import annotations

from collections import deque
from typing import Final

from voicecli.ports import RATE, Playhead, Span

BEHIND: Final = RATE
"""Samples that stay behind the playhead: a resume goes back to where the ear is."""

_ZEROS: Final = memoryview(bytes(2 * RATE))
_START: Final = Playhead(0, 0, True)


class Playout:
    """The timeline between two threads, without a lock.

    The session calls `lay` and `move` and drains `spans`; one device side calls `ready` and `pull`. Sound goes in by a
    mailbox, the playhead is a cell (one writer, the latest wins), spans come back by a mailbox.
    """

    def __init__(self) -> None:
        self.spans: deque[Span] = deque()
        """What was handed over, in order, before it was handed over. Whoever drains it only pops."""
        self.playhead = _START
        self._inbox: deque[bytes] = deque()
        # Device side only: the chunks before the one under the playhead, and from it on, each with its position.
        self._behind: deque[tuple[int, memoryview]] = deque()
        self._ahead: deque[tuple[int, memoryview]] = deque()
        self._end = self._at = self._run = 0

    def lay(self, pcm: bytes) -> None:
        """Appends PCM16 to the timeline. Session side."""
        self._inbox.append(pcm)

    def move(self, playhead: Playhead) -> None:
        """Everything from here on is played from `playhead`. Session side."""
        self.playhead = playhead

    @property
    def run(self) -> int:
        """The run of what was last pulled. Device side."""
        return self._run

    def ready(self, run: int | None = None) -> bool:
        """Is there a sample to be played under the playhead, and is it of `run`, if one is named? Device side."""
        # The playhead before the inbox: what was laid before it was moved is in there.
        playhead = self.playhead
        while self._inbox:
            chunk = memoryview(self._inbox.popleft())
            n = len(chunk) // 2
            if n:
                self._ahead.append((self._end, chunk))
                self._end += n
        if playhead.run != self._run:
            self._run = playhead.run
            self._seek(playhead.position)
        while self._ahead and self._ends(self._ahead[0]) <= self._at:
            self._behind.append(self._ahead.popleft())
        return playhead.moving and self._at < self._end and (run is None or run == playhead.run)

    def pull(self, out: bytearray | memoryview, dac_at: float, run: int | None = None) -> int:
        """Fills all of `out` with samples from the playhead on, then zeros; how many samples were real. Device side.

        `out` is of bytes, `dac_at` is when its first sample is heard. Where `run` is named and the playhead is not of
        it (any more), all is zeros: so nothing of a new run goes into a device that is about to be cut. The cost does
        not grow with the length of a chunk, nor with how many are waiting.
        """
        want, done = len(out) // 2, 0
        if self.ready(run):
            while done < want and self._ahead:
                start, chunk = self._ahead[0]
                skip = self._at - start
                left = len(chunk) // 2 - skip
                n = min(want - done, left)
                self.spans.append(Span(self._run, self._at, n, dac_at + done / RATE))
                out[2 * done : 2 * (done + n)] = chunk[2 * skip : 2 * (skip + n)]
                self._at += n
                done += n
                if n == left:
                    self._behind.append(self._ahead.popleft())
        self._forget()
        at = 2 * done
        while at < len(out):
            zeros = _ZEROS[: len(out) - at]
            out[at : at + len(zeros)] = zeros
            at += len(zeros)
        return done

    def _seek(self, position: int) -> None:
        """Puts the cut between `_behind` and `_ahead` where the playhead is. What is forgotten is skipped."""
        while self._behind and self._ends(self._behind[-1]) > position:
            self._ahead.appendleft(self._behind.pop())
        while self._ahead and self._ends(self._ahead[0]) <= position:
            self._behind.append(self._ahead.popleft())
        self._at = max(position, self._ahead[0][0]) if self._ahead else position

    def _forget(self) -> None:
        while self._behind and self._ends(self._behind[0]) <= self._at - BEHIND:
            self._behind.popleft()

    @staticmethod
    def _ends(piece: tuple[int, memoryview]) -> int:
        return piece[0] + len(piece[1]) // 2
