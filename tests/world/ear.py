"""The oracle: which samples of the timeline really left the speaker, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from voicecli.ports import RATE

EPSILON_S = 2e-6


class Broken(AssertionError):
    """An invariant does not hold; `invariant` is its name."""

    def __init__(self, invariant: str, *what: object) -> None:
        super().__init__(f"{invariant}: {' '.join(map(str, what))}")
        self.invariant = invariant


def hold(invariant: str, fact: object, *what: object) -> None:
    if not fact:
        raise Broken(invariant, *what)


class Sounding(NamedTuple):
    """`n` samples from `position` on; the first leaves the speaker at `at`."""

    at: float
    position: int
    n: int

    def gone(self, at: float) -> int:
        """How many of them have left by `at`."""
        return max(0, min(self.n, int((at - self.at + EPSILON_S) * RATE)))


class Ear:
    def __init__(self) -> None:
        self.timeline = bytearray()
        """All that was laid: what the core says must be at each position."""
        self.sounded: list[Sounding] = []
        """What left the speaker, or is about to."""

    def lay(self, pcm: bytes) -> None:
        self.timeline += pcm

    def give(self, sounding: Sounding, pcm: bytes | bytearray) -> None:
        """A block of the device holds it now."""
        start = 2 * sounding.position
        laid = self.timeline[start : start + 2 * sounding.n]
        hold("a block holds what its spans say", laid == pcm, sounding)
        self.sounded.append(sounding)

    def cut(self, at: float) -> None:
        """The device is silent from `at` on; what it still held is never heard."""
        kept: list[Sounding] = []
        while self.sounded and self.sounded[-1].at + self.sounded[-1].n / RATE > at:
            last = self.sounded.pop()
            if gone := last.gone(at):
                kept.append(last._replace(n=gone))
        self.sounded += reversed(kept)

    def heard(self, pieces: Iterable[tuple[int, int]], at: float = float("inf")) -> int:
        """How many samples of these pieces of the timeline had left the speaker by `at`."""
        total = 0
        for start, n in pieces:
            for sounding in self.sounded:
                gone = sounding.n if at == float("inf") else sounding.gone(at)
                total += max(0, min(start + n, sounding.position + gone) - max(start, sounding.position))
        return total

    def first(self, position: int) -> float | None:
        """When the sample at `position` left the speaker; None: it never did."""
        for sounding in self.sounded:
            if sounding.position <= position < sounding.position + sounding.n:
                return sounding.at + (position - sounding.position) / RATE
        return None

    def quiet_since(self, at: float) -> float:
        """When the last sample before `at` had left."""
        for sounding in reversed(self.sounded):
            if sounding.at < at:
                return min(at, sounding.at + sounding.n / RATE)
        return float("-inf")

    def check(self) -> None:
        """One sample at a time, none twice, and always forwards."""
        for one, two in zip(self.sounded, self.sounded[1:], strict=False):
            hold("nothing is heard twice", one.position + one.n <= two.position, one, two)
            hold("one sample at a time", one.at + one.n / RATE <= two.at + EPSILON_S, one, two)
