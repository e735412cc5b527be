"""The two spellings of one protocol, as renames and pure functions; nothing else asks which one is spoken."""

from __future__ import annotations

from enum import Enum


class Spelling(Enum):
    """How a server spells the protocol: the user's word for it is dialect."""

    BETA = "beta"
    GA = "ga"
