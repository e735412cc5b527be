"""In which order items stand, told by their predecessors and not by their arrival. It knows ids, and nothing of items.

A linked list in dicts: the work for one item does not grow with the list. An item whose place is not known yet stands
at the end and is *loose*: what is inserted after it stands with it as one run, and the whole run moves once its place
is told. So any order of arrival ends in the same list, as long as each predecessor is named once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ROOT: Final = "root"
"""The predecessor that means "first" (D9)."""

_FIXED: Final = 0
"""The run of everything whose place is known."""

_WAITING: Final = 1_000
"""Predecessors that are waited for; past that the oldest is given up, and its items stay where they are (G11)."""


_JOINED: Final = 4_096
"""So many runs that have become part of others are borne before they are tidied up."""


class Order:
    """Ids in order. `None` stands for the place before the first and behind the last one."""

    def __init__(self) -> None:
        self._next: dict[str | None, str | None] = {None: None}
        self._before: dict[str | None, str | None] = {None: None}
        self._run: dict[str, int] = {}
        self._joined: dict[int, int] = {}
        self._ends: dict[int, tuple[str, str]] = {}
        self._waiting: dict[str, dict[int, None]] = {}
        self._runs = _FIXED

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._run

    def __len__(self) -> int:
        return len(self._run)

    def __iter__(self) -> Iterator[str]:
        item_id = self._next[None]
        while item_id is not None:
            yield item_id
            item_id = self._next[item_id]

    def before(self, item_id: str) -> str | None:
        """Its predecessor now; None: it is the first, or not there."""
        return self._before.get(item_id)

    def after(self, item_id: str) -> str | None:
        """Its successor now; None: it is the last, or not there."""
        return self._next.get(item_id)

    def last(self) -> str | None:
        """The id at the end; None: there is none."""
        return self._before[None]

    def open(self, item_id: str) -> None:
        """Puts an unknown id at the end, loose. A known one stays."""
        if item_id not in self._run:
            self._append_loose(item_id)
            self._gather(item_id)

    def place(self, item_id: str, previous: str | None) -> None:
        """Puts it after `previous`: None is the end, ROOT the beginning, an unknown id is waited for at the end.

        An id whose place is known already stays where it is.
        """
        known = item_id in self._run
        if known and (previous is None or not self._is_loose(item_id)):
            return
        if not known and (previous is None or previous == ROOT or previous in self._run):
            self._insert(item_id, previous)
        else:
            if not known:
                self._append_loose(item_id)
            self._settle(self._find(self._run[item_id]), previous)
        self._gather(item_id)

    def remove(self, item_id: str) -> None:
        """Takes it out; an unknown id changes nothing."""
        if item_id not in self._run:
            return
        run = self._find(self._run.pop(item_id))
        if len(self._joined) > _JOINED + 2 * len(self._run):
            self._tidy()
        before, after = self._before.pop(item_id), self._next.pop(item_id)
        self._link(before, after)
        if ends := self._ends.get(run):
            head, tail = ends
            if head == tail:
                del self._ends[run]
            elif head == item_id and after is not None:
                self._ends[run] = (after, tail)
            elif tail == item_id and before is not None:
                self._ends[run] = (head, before)

    def _tidy(self) -> None:
        """Forgets runs that nothing stands in any more, once there are many of them."""
        self._run = {item_id: self._find(run) for item_id, run in self._run.items()}
        self._joined.clear()
        waiting = {item_id: {run: None for run in runs if run in self._ends} for item_id, runs in self._waiting.items()}
        self._waiting = {item_id: runs for item_id, runs in waiting.items() if runs}

    def _is_loose(self, item_id: str) -> bool:
        ends = self._ends.get(self._find(self._run[item_id]))
        return ends is not None and ends[0] == item_id

    def _append_loose(self, item_id: str) -> None:
        self._runs += 1
        self._run[item_id] = self._runs
        self._ends[self._runs] = (item_id, item_id)
        self._weave(item_id, item_id, self._before[None])

    def _insert(self, item_id: str, previous: str | None) -> None:
        """Puts an unknown id at a place that is there."""
        if previous is None or previous == ROOT:
            self._run[item_id] = _FIXED
            self._weave(item_id, item_id, self._before[None] if previous is None else None)
            return
        run = self._run[item_id] = self._find(self._run[previous])
        self._weave(item_id, item_id, previous)
        self._grow(run, previous, item_id)

    def _settle(self, run: int, previous: str | None) -> None:
        """Moves a loose run to its place, or lets it wait."""
        if previous == ROOT:
            self._move(run, None, _FIXED)
        elif previous is not None and previous in self._run:
            target = self._find(self._run[previous])
            if target == run:  # it is said to stand after its own successor: it stays
                self._joined[run] = _FIXED
                del self._ends[run]
            else:
                self._move(run, previous, target)
        elif previous is not None:
            self._waiting.setdefault(previous, {})[run] = None
            if len(self._waiting) > _WAITING:
                del self._waiting[next(iter(self._waiting))]

    def _gather(self, item_id: str) -> None:
        """Moves the runs that waited for this id to it."""
        for waiting in self._waiting.pop(item_id, ()):
            target = self._find(self._run[item_id])
            if waiting in self._ends and waiting != target:  # it was not placed otherwise meanwhile
                self._move(waiting, item_id, target)

    def _move(self, run: int, previous: str | None, target: int) -> None:
        head, tail = self._ends.pop(run)
        self._joined[run] = target
        if self._before[head] != previous:
            self._link(self._before[head], self._next[tail])
            self._weave(head, tail, previous)
        if previous is not None:
            self._grow(target, previous, tail)

    def _grow(self, run: int, previous: str, tail: str) -> None:
        if (ends := self._ends.get(run)) and ends[1] == previous:
            self._ends[run] = (ends[0], tail)

    def _weave(self, head: str, tail: str, previous: str | None) -> None:
        after = self._next[previous]
        self._link(previous, head)
        self._link(tail, after)

    def _link(self, before: str | None, after: str | None) -> None:
        self._next[before] = after
        self._before[after] = before

    def _find(self, run: int) -> int:
        """The run that this one has become part of; each look shortens the way for the next."""
        while (joined := self._joined.get(run)) is not None:
            further = self._joined.get(joined)
            if further is None:
                return joined
            self._joined[run] = further
            run = further
        return run
