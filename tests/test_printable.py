"""Text made safe: every code point, every cut."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.printable import MARKS, escaped, one_line, painted, printable

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
DRAWN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
"""Format characters that are drawn: signs before Arabic, Syriac and Kaithi numbers."""
JOINERS = {0x200C, 0x200D}
HIDING = {
    *(0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFFA0),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
    *range(0xFDD0, 0xFDF0),
    *(plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
}


def test_no_control_format_surrogate_or_private_character_comes_out():
    """G17, all categories."""
    for char in EVERY:
        category = unicodedata.category(char)
        if char == "\n" or ord(char) in DRAWN | JOINERS:
            assert printable(char) == char
        elif category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
            assert printable(char) != char, hex(ord(char))
        elif ord(char) in HIDING:
            assert printable(char) == "", hex(ord(char))
        elif category != "Cn":
            assert printable(char) == char, hex(ord(char))


def test_what_comes_out_stays_as_it_is():
    for char in EVERY:
        shown = printable(char)
        assert printable(shown) == shown
        assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Zl", "Zp") for c in shown)


def test_escaped_text_is_ascii_and_json_of_the_same_text():
    """G17, all categories."""
    for char in EVERY:
        shown = escaped(char)
        assert shown.isascii()
        assert shown.isprintable()
        if not 0xD800 <= ord(char) <= 0xDFFF:
            assert json.loads(escaped(json.dumps(char, ensure_ascii=False))) == char
    assert escaped("\ud800\udc00") == "\\ufffd\\ufffd"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b]52;c;SGVsbG8=\x07", "␛]52;c;SGVsbG8=␇"),
        ("\x9b2J", "2J"),
        ("a\tb\r\nc", "a    b\nc"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("abc\u202edef", "abcdef"),
        ("\x7f\x00", "␡␀"),
        ("\ud83d\ue000", "\ufffd\ufffd"),
        ("\U000e0041x", "x"),
    ],
)
def test_escape_sequences_and_direction_marks_are_harmless(raw: str, shown: str):
    assert printable(raw) == shown


@pytest.mark.parametrize(
    "same", ["👨\u200d👩\u200d👧", "\u2764\ufe0f", "می\u200cخ", "हिन्", "a\nb", "naïve – “x”", "日本語"]
)
def test_what_people_write_stays(same: str):
    assert printable(same) == same


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 50))
def test_text_in_pieces_ends_as_the_text_in_one(text: str, cut: int):
    assert printable(text[:cut]) + printable(text[cut:]) == printable(text)


@pytest.mark.parametrize("mark", ["\u0301", "\u0488", "\u0e31", "\u0f71"])
def test_marks_are_capped_where_a_line_is_painted(mark: str):
    assert painted("a" + mark * 300 + "b" + mark) == "a" + mark * MARKS + "b" + mark
    assert painted(mark * 300) == mark * MARKS


def test_one_line_is_one_line_and_short():
    assert one_line("a\n\n  b\tc") == "a b c"
    assert len(one_line("x" * 10**7)) == 200
    assert one_line("x" * 201).endswith("...")
    assert one_line("e" + "\u0301" * 100) == "e" + "\u0301" * MARKS
