"""An answer without the key of its language model, should that repeat it: clients of `serve` must not read it (G9).

It knows no wire and no language model.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from voicecli.secret import CUT, GONE, Redactor
from voicecli.server.orders import Call, Grew, Over


class Unkeyed:
    """One answer. Words that may be the beginning of a secret wait for what comes next."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, told: Grew | Call | Over) -> Iterator[Grew | Call | Over]:
        """What there is of it now. Nothing waits any more once something else than words has come."""
        if isinstance(told, Grew):
            shown, self._held = self._redactor.parted(self._held + told.text)
            if shown:
                yield Grew(shown)
            return
        held, self._held = ended(self._redactor, self._held), ""
        if held:
            yield Grew(held)
        yield self._call(told) if isinstance(told, Call) else self._over(told)

    def _call(self, call: Call) -> Call:
        return Call(*(ended(self._redactor, text) for text in call))

    def _over(self, over: Over) -> Over:
        if over.error is None:
            return over
        return over._replace(error=replace(over.error, message=ended(self._redactor, over.error.message or "")))


def ended(redactor: Redactor, text: str) -> str:
    """A text on which nothing follows, without secrets, also where it was cut in the midst of one."""
    shown, held = redactor.parted(text)
    return shown + (GONE if len(held) >= CUT else held)
