"""Text that is not ours (model, server, file, device, exception) made safe to show; the only way for it to get out.

`printable` works character by character, so that printable(a) + printable(b) == printable(a + b): text that comes in
pieces ends as text that comes whole, and an escape sequence cut anywhere is harmless, because its first character is.
Escape sequences are not matched as a whole: one that never ends would take the rest of the answer with it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MARKS: Final = 4
"""Combining marks that stay on one character where a line is painted (G17)."""

_DROPPED: Final[tuple[tuple[int, int], ...]] = (
    (0x0D, 0x0D),
    (0x80, 0x9F),  # C1: terminals that read 8-bit controls
    (0xAD, 0xAD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180E, 0x180E),
    (0x200B, 0x200B),  # the joiners U+200C and U+200D stay: Persian, Hindi and emoji families need them
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFDD0, 0xFDEF),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x13430, 0x13440),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)),
)
"""Invisible, or steering what is beside it: zero-width, bidi, tags, fillers, and what is no character."""

_REPLACED: Final[tuple[tuple[int, int], ...]] = (
    (0xD800, 0xDFFF),
    (0xE000, 0xF8FF),  # private use: means something to one font only
    (0xF0000, 0xFFFFD),
    (0x100000, 0x10FFFD),
)


def _class(*ranges: tuple[int, int]) -> str:
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


UNSAFE: Final = re.compile(f"[{_class((0, 0x9), (0xB, 0x1F), (0x7F, 0x7F), (0x2028, 0x2029), *_DROPPED, *_REPLACED)}]")
"""Every character that no line shown may hold; line feeds are not among them."""
_REPLACE: Final = re.compile(f"[{_class(*_REPLACED)}]")
_NOT_ASCII: Final = re.compile("[^ -~]")


def printable(text: str) -> str:
    """`text` without a character that steers a terminal or hides something. Line feeds stay; tabs become spaces.

    Controls are shown as the symbols for them (U+2400 and on), private use and surrogates as U+FFFD; what is
    invisible is dropped. Idempotent, and it may be applied piece by piece.
    """
    if text.isascii() and text.isprintable():
        return text
    return UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\t":
        return "    "
    if char in "\u2028\u2029":
        return "\n"
    if char == "\x7f":
        return "\u2421"
    if char != "\r" and char < " ":
        return chr(0x2400 + ord(char))
    return "\ufffd" if _REPLACE.match(char) else ""


def painted(line: str) -> str:
    """`line`, printable already, with at most MARKS combining marks on one character: for where a line is drawn."""
    if line.isascii():
        return line
    kept: list[str] = []
    marks = 0
    for char in line:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(char)
    return "".join(kept)


def one_line(text: str, limit: int = 200) -> str:
    """`text` made printable, its white space single spaces, at most `limit` characters; "..." ends what was cut."""
    line = " ".join(printable(text[: limit * 8]).split())
    return painted(line if len(line) <= limit else line[: limit - 3].rstrip() + "...")


def escaped(text: str) -> str:
    r"""`text` in ASCII, everything outside U+0020 to U+007E as \uXXXX, so that JSON stays the same JSON (G17).

    Surrogates, which no UTF-8 has, become U+FFFD. For log lines and JSON lines.
    """
    if text.isascii() and text.isprintable():
        return text
    return _NOT_ASCII.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
