"""Things of some height above each other, and which of them stands at a line, however many there are.

They are kept in blocks, so that what happens to one costs the same among ten and among ten thousand. It draws nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

_FULL: Final = 256
"""A block with as many is halved."""
_APART: Final = 1 << 64
_NEAR: Final = 1 << 24
"""Labels nearer than that leave no room for the lines of what lies between."""


class Placed:
    """What a stack holds. Only the stack sets the fields."""

    __slots__ = ("height", "label")

    def __init__(self) -> None:
        self.height = 0
        self.label = 0
        """Larger than that of whatever stands above it by more than that is high, and always the same, but where very
        many were put in one place: then all labels are given out anew."""


T = TypeVar("T", bound=Placed)


class Stack(Generic[T]):
    def __init__(self) -> None:
        self._blocks: list[list[T]] = [[]]
        self._heights: list[int] = [0]
        self.height = 0
        """Of all."""

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks:
            yield from block

    def __reversed__(self) -> Iterator[T]:
        for block in reversed(self._blocks):
            yield from reversed(block)

    @property
    def first(self) -> T | None:
        return self._blocks[0][0] if self._blocks[0] else None

    @property
    def last(self) -> T | None:
        return self._blocks[-1][-1] if self._blocks[-1] else None

    def put(self, new: T, below: T | None) -> None:
        """Puts `new` right below another; above all where that is None."""
        number, place = (0, 0) if below is None else self._place(below)
        place += below is not None
        block = self._blocks[number]
        above, under = below.label if below is not None else None, self._under(number, place)
        if above is None:
            new.label = 0 if under is None else under - _APART
        elif under is None:
            new.label = above + _APART
        else:
            new.label = (above + under) // 2
        block.insert(place, new)
        self._grow(number, new.height)
        if above is not None and new.label - above < _NEAR:
            for n, one in enumerate(self):
                one.label = n * _APART
        if len(block) >= _FULL:
            self._halve(number)

    def take(self, old: T) -> None:
        number, place = self._place(old)
        del self._blocks[number][place]
        self._grow(number, -old.height)
        if not self._blocks[number] and len(self._blocks) > 1:
            del self._blocks[number], self._heights[number]

    def resize(self, one: T, height: int) -> None:
        if height != one.height:
            number, _ = self._place(one)
            self._grow(number, height - one.height)
            one.height = height

    def measure(self, height: Callable[[T], int]) -> None:
        """Gives every one another height."""
        for number, block in enumerate(self._blocks):
            for one in block:
                one.height = height(one)
            self._heights[number] = sum(one.height for one in block)
        self.height = sum(self._heights)

    def above(self, one: T) -> T | None:
        number, place = self._place(one)
        if place:
            return self._blocks[number][place - 1]
        return self._blocks[number - 1][-1] if number else None

    def below(self, one: T) -> T | None:
        number, place = self._place(one)
        return self._at(number, place + 1)

    def holds(self, one: T) -> bool:
        number, place = self._place(one)
        return self._at(number, place) is one

    def top(self, one: T) -> int:
        """The line at which it begins."""
        number, place = self._place(one)
        return sum(self._heights[:number]) + sum(other.height for other in self._blocks[number][:place])

    def at(self, line: int) -> tuple[T, int] | None:
        """What stands at `line`, and the line within it; None outside."""
        if not 0 <= line < self.height:
            return None
        for block, height in zip(self._blocks, self._heights, strict=True):
            if line < height:
                for one in block:
                    if line < one.height:
                        return one, line
                    line -= one.height
            line -= height
        raise AssertionError("the heights do not add up")

    def labelled(self, label: int) -> T | None:
        """The first one whose label is `label` or larger."""
        number = bisect_left(self._blocks, label, hi=len(self._blocks) - 1, key=lambda block: block[-1].label)
        return self._at(number, bisect_left(self._blocks[number], label, key=lambda one: one.label))

    # ---- blocks

    def _place(self, one: T) -> tuple[int, int]:
        blocks = self._blocks
        number = bisect_left(blocks, one.label, hi=len(blocks) - 1, key=lambda block: block[-1].label)
        return number, bisect_left(blocks[number], one.label, key=lambda other: other.label)

    def _at(self, number: int, place: int) -> T | None:
        if place < len(self._blocks[number]):
            return self._blocks[number][place]
        return self._blocks[number + 1][0] if number + 1 < len(self._blocks) else None

    def _under(self, number: int, place: int) -> int | None:
        under = self._at(number, place)
        return None if under is None else under.label

    def _grow(self, number: int, height: int) -> None:
        self._heights[number] += height
        self.height += height

    def _halve(self, number: int) -> None:
        block = self._blocks[number]
        halves = [block[: _FULL // 2], block[_FULL // 2 :]]
        self._blocks[number : number + 1] = halves
        self._heights[number : number + 1] = [sum(one.height for one in half) for half in halves]
