"""Notices that say how long still: their words as time goes on, and which are over then. Pure."""

from __future__ import annotations

import math
from typing import Final

from msgspec.structs import replace

from voicecli.core.changes import Told
from voicecli.ui.screen.states import minutes

COUNTED: Final = frozenset({"limit_near", "rate_limit"})
"""The others stand for something that waiting alone does not end."""


def seconds_of(told: Told) -> float | None:
    """After which it is over; None where nobody says, or it is no such notice."""
    return told.wait_s if told.code in COUNTED else None


def with_seconds(told: Told, left: int) -> Told:
    """The same notice when so many seconds are left."""
    said = minutes(left) if told.code == "limit_near" else _words(left)
    return replace(told, hint=told.hint.replace(told.wait, said), wait=said) if told.wait else told


def _words(seconds: int) -> str:
    if seconds >= 120:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
