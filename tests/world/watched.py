"""A ledger that is watched: the same as the one given, and each verdict is written down."""

from __future__ import annotations

from voicecli.core.heard import Ledger, Verdict
from voicecli.ports import Playhead


class Watched(Ledger):
    """`given` has the verdicts of the last stimulus; whoever looks empties it."""

    given: list[Verdict]
    renamed: dict[str, str]
    """The names of the last stimulus, old -> new."""


def watched(kind: type[Ledger]) -> Watched:
    class _Watched(kind):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__()
            self.given: list[Verdict] = []
            self.renamed: dict[str, str] = {}

        def rename(self, names: dict[str, str]) -> None:
            self.renamed.update(names)
            super().rename(names)

        def settle(self, at: float) -> tuple[Verdict, ...]:
            return self._note(super().settle(at))

        def read(self, at: float) -> tuple[Verdict, ...]:
            return self._note(super().read(at))

        def cut(self, at: float) -> tuple[Playhead | None, tuple[Verdict, ...]]:
            playhead, verdicts = super().cut(at)
            return playhead, self._note(verdicts)

        def _note(self, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
            self.given += verdicts
            return verdicts

    return _Watched()  # type: ignore[return-value]
