"""Every row of every table of moves, and which of them the worlds have taken."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from voicecli.core import connection, intake, interruption, responses, sides, uplink
from voicecli.server import buffer
from voicecli.server import responses as served

TABLES: dict[str, Any] = {
    "connection": connection.MOVES,
    "responses": responses.MOVES,
    "uplink": uplink.MOVES,
    "interruption": interruption.MOVES,
    "intake": intake.MOVES,
    "sides": sides.MOVES,
    "the server's buffer": buffer.MOVES,
    "the server's responses": served.MOVES,
}

Row = tuple[Enum, object]


def every() -> dict[Row, str]:
    """Row -> how it is printed."""
    return {
        (state, cue): f"{table}: {_word(state)} + {_word(cue)} -> {_word(to)}"
        for table, moves in TABLES.items()
        for state, row in moves.items()
        for cue, to in row.items()
    }


def _word(of: object) -> str:
    if not isinstance(of, Enum):
        return str(of)
    return of.value if isinstance(of.value, str) else of.name.lower()


def never(taken: Iterable[Row]) -> list[str]:
    """The rows that were never taken, in words."""
    seen = set(taken)
    return [words for row, words in every().items() if row not in seen]
