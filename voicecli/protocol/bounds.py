"""What a frame may cost before and after it is decoded (G10). It knows no event."""

from __future__ import annotations

import re
from typing import Final

COUNTED: Final = 256 * 1024
"""Frames past this many bytes are looked at before they are decoded."""
_OPENINGS: Final = 8_192
_BYTES_A_COMMA: Final = 16
DEEPEST: Final = 100
"""Objects in objects: whatever is written again must not come near the interpreter's own bound."""

_MARKS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|[\]}]', re.DOTALL)


def costly(raw: bytes | str) -> bool:
    """So many values that decoding would hold the interpreter for long and take many times its size.

    Counting is cheap, also in 16 MiB. Sound is one long value.
    """
    if len(raw) <= COUNTED:
        return False
    if isinstance(raw, str):
        openings, commas = raw.count("{") + raw.count("["), raw.count(",")
    else:
        openings, commas = raw.count(b"{") + raw.count(b"["), raw.count(b",")
    return openings > _OPENINGS or commas * _BYTES_A_COMMA > len(raw)


def deep(raw: bytes | str) -> bool:
    """Whether this JSON nests deeper than anything on this wire does."""
    data = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    if data.count(b"{") + data.count(b"[") <= DEEPEST:
        return False
    depth = 0
    for mark in _MARKS.finditer(data):
        if mark[1]:
            depth += 1
            if depth > DEEPEST:
                return True
        elif mark[0] in (b"]", b"}"):
            depth -= 1
    return False
