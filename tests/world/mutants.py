"""Ledgers that are wrong in one way each: a pair test that lets one of them pass holds nothing.

`python -m tests.world.mutants` says which invariant catches which. They are broken from outside, by what the ledger
promises in public, so that they stay broken whatever is inside.
"""

from __future__ import annotations

import sys

from voicecli.core.heard import Fate, Ledger, Verdict
from voicecli.ports import SAMPLES_PER_MS, Format, Playhead, Span

from .clock import Stuck
from .ear import Broken
from .pair import World
from .recipe import draw


class CountsArrivals(Ledger):
    """What was handed to the device is taken for heard, whatever its DAC time."""

    def passed(self, span: Span) -> None:
        super().passed(span._replace(dac_at=-1e6))


class IgnoresRun(Ledger):
    """Spans of a run that was cut count as well."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        playhead, verdicts = super().cut(at)
        self._now = self._now if playhead is None else playhead.run
        return playhead, verdicts

    def read(self, at: float) -> tuple[Verdict, ...]:
        self._now += 1
        return super().read(at)

    def passed(self, span: Span) -> None:
        super().passed(span._replace(run=self._now))


class ForgetsTheEnd(Ledger):
    """That an item has its end is forgotten: it is never whole."""

    def finish(self, item: str) -> None:
        pass


class SettlesTwice(Ledger):
    """What was heard whole is given a second time, at the next cut."""

    def __init__(self) -> None:
        super().__init__()
        self._before: tuple[Verdict, ...] = ()

    def settle(self, at: float) -> tuple[Verdict, ...]:
        verdicts = super().settle(at)
        self._before += verdicts
        return verdicts

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        playhead, verdicts = super().cut(at)
        again, self._before = self._before, ()
        return playhead, verdicts + again


class WrongItem(Ledger):
    """The item that came last is named, not the one that is heard."""

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        playhead, verdicts = super().cut(at)
        names = [verdict.item for verdict in verdicts]
        moved = zip(verdicts, names[-1:] + names[:-1], strict=True)
        return playhead, tuple(verdict._replace(item=name) for verdict, name in moved)


class ClaimsPastTheEnd(Ledger):
    """What is heard is counted from where the item begins to the ear, also behind the item's end."""

    def __init__(self) -> None:
        super().__init__()
        self._begins: dict[str, int] = {}

    def lay(self, item: str, samples: int) -> int:
        position = super().lay(item, samples)
        self._begins.setdefault(item, position)
        return position

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        ear = self.ear(at)
        playhead, verdicts = super().cut(at)
        return playhead, tuple(
            verdict._replace(heard=max(0, ear - self._begins[verdict.item]))
            if verdict.item in self._begins and verdict.fate is Fate.CUT
            else verdict
            for verdict in verdicts
        )


class ClaimsWhatCame(Ledger):
    """What was received is claimed as heard."""

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        playhead, verdicts = super().cut(at)
        return playhead, tuple(
            verdict._replace(heard=verdict.received) if verdict.fate is Fate.CUT else verdict for verdict in verdicts
        )


class ClaimsTooLittle(Ledger):
    """Twenty milliseconds are taken off, to be on the safe side."""

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        playhead, verdicts = super().cut(at)
        return playhead, tuple(
            verdict._replace(heard=max(SAMPLES_PER_MS, verdict.heard - 20 * SAMPLES_PER_MS))
            if verdict.fate is Fate.CUT
            else verdict
            for verdict in verdicts
        )


class KeepsOldSpans(Ledger):
    """After a cut the playhead has the old run."""

    def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
        playhead, verdicts = super().cut(at)
        return playhead if playhead is None else playhead._replace(run=max(0, playhead.run - 1)), verdicts


class LosesHalves(Ledger):
    """An odd byte is thrown away and not kept for the next delta."""

    def whole(self, item: str, part: int | float, data: bytes, form: Format) -> bytes:
        return data[: len(data) // form.width * form.width]


FIVE: tuple[type[Ledger], ...] = (CountsArrivals, IgnoresRun, ForgetsTheEnd, SettlesTwice, WrongItem)
MORE: tuple[type[Ledger], ...] = (ClaimsPastTheEnd, ClaimsWhatCame, ClaimsTooLittle, KeepsOldSpans, LosesHalves)


def caught(mutant: type[Ledger], worlds: int) -> tuple[int, str] | None:
    """The first seed in which it is caught, and the invariant that does; None: it got through all of them.

    Of the drawn worlds only the storms: a wrong ledger shows where answers are cut.
    """
    for seed in range(3, 4 * worlds, 4):
        try:
            World(draw(seed), mutant).run()
        except Broken as why:
            return seed, why.invariant
        except Stuck:
            return seed, "the talk comes to rest"
    return None


def main() -> int:
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    missed = 0
    for mutant in (*FIVE, *MORE):
        found = caught(mutant, worlds)
        missed += found is None
        words = f"caught in seed {found[0]} by: {found[1]}" if found else f"NOT CAUGHT in {worlds} worlds"
        print(f"{mutant.__name__:16} {words}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
