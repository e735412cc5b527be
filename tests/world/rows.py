"""Every row of every table of moves, and which of them the worlds have taken."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from voicecli.core import connection, interruption, responses, sides, uplink

TABLES: dict[str, Any] = {
    "connection": connection.MOVES,
    "responses": responses.MOVES,
    "uplink": uplink.MOVES,
    "interruption": interruption.MOVES,
    "sides": sides.MOVES,
}

Row = tuple[Enum, Enum]


def every() -> dict[Row, str]:
    """Row -> how it is printed."""
    return {
        (state, cue): f"{table}: {state.value} + {cue.value} -> {to.value}"
        for table, moves in TABLES.items()
        for state, row in moves.items()
        for cue, to in row.items()
    }


def never(taken: Iterable[Row]) -> list[str]:
    """The rows that were never taken, in words."""
    seen = set(taken)
    return [words for row, words in every().items() if row not in seen]
