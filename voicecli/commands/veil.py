"""The stream of changes without the secrets that are known, also where one comes in pieces; it draws nothing (G9).

For a face that draws text as it grows, and cannot take back what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from voicecli.core.changes import AnyChange, Ended, Foreign, TurnGrew, TurnSet
from voicecli.secret import Redactor


class Veil:
    """Takes each change and gives what may be shown of it: the end of a text waits while a secret may begin there."""

    def __init__(self, redactor: Redactor) -> None:
        self._known, self._parted = redactor.known, redactor.parted
        self._held: dict[str, str] = {}  # item -> the end of its text, which may be the beginning of a secret

    def __call__(self, change: AnyChange) -> Iterator[AnyChange]:
        match change:
            case TurnGrew(item=item, text=text):
                text = self._grown(item, text.raw)
                if text.raw or item not in self._held:
                    yield TurnGrew(item, text)
            case TurnSet(item=item):
                self._held.pop(item, None)
                yield self._set(change)
            case Ended():
                for item, rest in self._held.items():
                    yield TurnGrew(item, Foreign(rest))
                yield change
            case _:
                yield self._clean(change)

    def _grown(self, item: str, text: str) -> Foreign:
        shown, held = self._parted(self._held.pop(item, "") + text)
        if held:
            self._held[item] = held
        return Foreign(shown)

    def _set(self, change: TurnSet) -> TurnSet:
        """A secret may lie across what was heard and what was not: then all of it counts as one."""
        clean: TurnSet = self._clean(change)
        if clean.text == change.text or (change.heard.raw, change.unheard.raw) == ("", ""):
            return clean
        if "".join((clean.heard.raw + clean.unheard.raw).split()) == "".join(clean.text.raw.split()):
            return clean
        nothing = Foreign("")
        whole = (nothing, clean.text) if change.unheard.raw else (clean.text, nothing)
        return replace(clean, heard=whole[0], unheard=whole[1])

    def _clean(self, value: Any) -> Any:
        """The same value, each text in it without secrets. Ids of ours and times are no texts."""
        if isinstance(value, str):
            return self._known(value)
        if isinstance(value, tuple):
            return tuple(map(self._clean, value))
        if not isinstance(value, Struct):
            return value
        old = {field: getattr(value, field) for field in value.__struct_fields__}
        new = {field: self._clean(each) for field, each in old.items()}
        changed = {field: each for field, each in new.items() if each != old[field]}
        return replace(value, **changed) if changed else value
