"""What comes from the terminal: pastes in any pieces, with anything in them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from voicecli.ui.screen.incoming import BEGIN, END, MOST, Incoming

PIECES = st.sampled_from(
    ["\x1b", "[", "200~", "201~", "\x11", "\x03", "a", "b c", "\n", "é", "\x1b[201", "\x1b[A", "~"]
)
TEXT = st.lists(PIECES, max_size=20).map("".join)


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(edges)]


def messages(pieces: list[str]) -> tuple[list[events.Event], list[str]]:
    """What Textual's parser makes of it, and what was pasted."""
    incoming, parser = Incoming(), XTermParser()
    out: list[events.Event] = []
    for piece in pieces:
        if text := incoming.feed(piece):
            out += parser.feed(text)  # type: ignore[arg-type]
    return out, [text for text, _ in incoming.pasted]


@given(TEXT, st.lists(st.integers(0, 200), max_size=8))
@example("safe text \x1b\x11", [])
def test_nothing_that_is_pasted_is_taken_for_a_key(pasted: str, places: list[int]) -> None:
    pasted = pasted.replace(END, "")
    while END in pasted:
        pasted = pasted.replace(END, "")
    got, pastes = messages(cut(BEGIN + pasted + END, places))
    assert [type(message) for message in got] == [events.Paste]
    (text,) = pastes
    assert text == "".join(char for char in pasted if char == "\n" or char >= " ")


@given(TEXT, st.lists(st.integers(0, 200), max_size=8))
def test_it_does_not_matter_in_which_pieces_it_comes(text: str, places: list[int]) -> None:
    whole, pieces = Incoming(), Incoming()
    assert "".join(pieces.feed(piece) for piece in cut(text, places)) + pieces.feed("") == whole.feed(text)
    assert pieces.pasted == whole.pasted


@given(st.text())
def test_what_is_no_paste_is_let_through_at_once(text: str) -> None:
    text = text.replace(BEGIN, "").replace("\x1b]1", "")
    if BEGIN not in text:
        assert Incoming().feed(text) == text


def test_a_paste_of_two_megabytes_is_cut_and_counted() -> None:
    incoming = Incoming()
    through = "".join(incoming.feed(piece) for piece in (BEGIN, "x" * 1_000_000, "y" * 1_000_000, END, "\x1b[A"))
    assert through == BEGIN + END + "\x1b[A"
    assert list(incoming.pasted) == [(("x" * 1_000_000 + "y" * 1_000_000)[:MOST], 2_000_000 - MOST)]


@pytest.mark.parametrize("key", ["\x03", "\x11", "\x1a", "\x1b[99;5u", "\x1b[113;133u", "\x1b[27u"])
def test_a_key_that_leads_out_ends_a_paste_whose_end_was_lost(key: str) -> None:
    incoming = Incoming()
    assert incoming.feed(BEGIN + "text\x1b[20") == BEGIN
    assert incoming.feed(key) == "", "with the rest of a paste it is no key"
    assert incoming.feed("more", alone=True) == ""
    assert incoming.feed(key, alone=True) == END + key
    (pasted,) = incoming.pasted
    assert pasted[0].startswith("text")
    assert pasted[0].endswith("more")
    assert incoming.feed("a\x03") == "a\x03"


@pytest.mark.parametrize("text", ["\r", "a", "\x1b", "rm -rf\n", "\x03\r", "\x1b[A"])
def test_a_slow_paste_goes_on_being_one(text: str) -> None:
    incoming = Incoming()
    incoming.feed(BEGIN + "text")
    assert incoming.feed(text, alone=True) == ""
    assert incoming.feed(END, alone=True) == END


def test_a_late_word_on_the_background_is_not_typed() -> None:
    assert Incoming().feed("a\x1b]11;rgb:0f0f/1313/1818\x1b\\b\x1b]11;rgb:ff/ff/ff\x07c") == "abc"
