"""Notices that say how long still: their words as time goes on, and when they are over. Pure."""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from voicecli.core.changes import Told
from voicecli.ui.screen.states import minutes

COUNTED: Final = frozenset({"limit_near", "rate_limit"})
_CLOCK: Final = re.compile(r"(?<=Full again in )(?:(\d+):)?(\d+):(\d\d)(?=\.)")
_WAIT: Final = re.compile(r"(?<=Wait )(\d+) seconds?(?=,)")


def seconds_of(told: Told) -> int | None:
    """The time that its hint names; None where it names none, or is no such notice."""
    if told.code not in COUNTED:
        return None
    if clock := _CLOCK.search(told.hint):
        hours, whole, rest = (int(part or 0) for part in clock.groups())
        return hours * 3600 + whole * 60 + rest
    wait = _WAIT.search(told.hint)
    return int(wait[1]) if wait else None


def with_seconds(told: Told, left: int) -> Told:
    """The same notice when so many seconds are left."""
    hint = _CLOCK.sub(minutes(left), told.hint)
    return replace(told, hint=_WAIT.sub(f"{left} second{'' if left == 1 else 's'}", hint))
