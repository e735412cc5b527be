"""What of a text is said aloud, and in pieces of what length."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.speech.wording import LONGEST, cut, spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It is 14:05 and 12°C; that is $4.50.", "It is 14:05 and 12°C; that is $4.50."),
        ("**Bold**, _slanted_, `code`\n# Head\n- one\n> two", "Bold, slanted, code\nHead\none\ntwo"),
        ("snake_case and 2*3*4 and a * b", "snake_case and 2*3*4 and a * b"),
        ("See https://me:pw@www.example.com:80/a?b=c, or [this](http://x.y).", "See example dot com, or this."),
        ("```python\nx = 1\n```\nDone.", "x = 1\nDone."),
        ("<b>Hi</b> is a < b?", "Hi is a < b?"),
        ("Hello 😀 there 🎉", "Hello there"),
        ("\x1b[31mred\x07\u202e!", "red !"),
        ("café naïve Zoë “yes”", "café naïve Zoë “yes”"),
        ("\ufb01ne", "fine"),
        ("1234567890123", "1 2 3 4 5 6 7 8 9 0 1 2 3"),
        ("no!!!!!! way.......", "no! way..."),
    ],
)
def test_what_is_written_becomes_what_can_be_said(written: str, said: str) -> None:
    assert spoken(written) == said


@pytest.mark.parametrize(
    "text", ["", " \n", "😀🎉", "日本語です", "Привет", "...", "!?", "---\n***", "\ud800", "\x00\x1b"]
)
def test_where_nothing_can_be_said_nothing_is_left(text: str) -> None:
    assert spoken(text) == ""


@given(st.text())
def test_any_text_becomes_printable_text_or_none(text: str) -> None:
    said = spoken(text)
    assert said == "" or any(char.isalnum() for char in said)
    assert all(char == "\n" or char.isprintable() for char in said)


@given(st.text(), st.integers(3, 40))
def test_pieces_are_short_and_together_the_text(text: str, longest: int) -> None:
    pieces = list(cut(text, longest))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= longest for piece in pieces)


def test_a_cut_is_behind_a_clause_or_else_between_words() -> None:
    assert [*cut("one two, three four five", 12)] == ["one two, ", "three four ", "five"]
    assert [len(piece) for piece in cut("x" * (2 * LONGEST + 1))] == [LONGEST, LONGEST, 1]


@pytest.mark.parametrize(
    "mean", ["[" * 4000, "*" * 4000, "<a" * 2000, "http://" * 600, "- " * 2000, "[x](" * 1000, "`_" * 2000]
)
def test_mean_texts_take_no_longer_than_others(mean: str) -> None:
    began = time.perf_counter()
    spoken(mean)
    assert time.perf_counter() - began < 1.0
