"""The shapes that are drawn, in Unicode and in ASCII, each beside a word.

Each is one cell wide but `cut_text` (two) and `more`.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Glyphs(NamedTuple):
    listening: str
    """Also: ready to be talked to."""
    you: str
    """Also: recording."""
    thinking: str
    speaks: str
    off: str
    """Muted, not connected."""
    reconnecting: str
    """Also: connecting."""
    waits: str
    """Something waits for the person."""
    levels: str
    """Eight of them, the loudest last: meters, sparkline."""
    silence: str
    gap: str
    """A silence on the tape that was left out."""
    now: str
    to_come: str
    """Sound to come where there is no colour to say so; "": its levels are drawn."""
    bar_used: str
    bar_free: str
    cut_lane: str
    cut_text: str
    needle: str
    cursor: str
    prompt: str
    dot: str
    """Between two things in one line."""
    more: str
    """Something was left out here."""
    rule: str
    """The line of the rail."""


UNICODE: Final = Glyphs(
    listening="○",
    you="●",
    thinking="◆",
    speaks="▶",
    off="×",
    reconnecting="↻",
    waits="?",
    levels="▁▂▃▄▅▆▇█",
    silence="·",
    gap="┊",
    now="│",
    to_come="░",
    bar_used="▰",
    bar_free="▱",
    cut_lane="╱",
    cut_text="╱╱",
    needle="▏",
    cursor="▏",
    prompt="›",
    dot="·",
    more="…",
    rule="│",
)
ASCII: Final = Glyphs(
    listening="o",
    you="*",
    thinking=".",
    speaks=">",
    off="x",
    reconnecting="~",
    waits="?",
    levels=".:-=+*##",
    silence=" ",
    gap="!",
    now="|",
    to_come="-",
    bar_used="#",
    bar_free="-",
    cut_lane="/",
    cut_text="//",
    needle="|",
    cursor="_",
    prompt=">",
    dot="-",
    more="...",
    rule="|",
)
"""Where Unicode cannot be shown, or takes two cells. Silence is a blank: the lowest level is a dot already."""
