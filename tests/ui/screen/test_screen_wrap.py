"""Where lines begin: any text, any width, in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from voicecli.printable import MARKS, painted, printable
from voicecli.ui.screen.wrap import drawn, joined, line_starts, line_text, whole_cluster

CHARACTERS = st.one_of(
    st.sampled_from("ab   \n-é漢字。「e\u0301\u0308\u200d👩👧🏽❤\ufe0f🇩🇪שלום\u200cक्ष—…”\u3000\U0001d11e"),
    st.characters(),
)
PIECES = st.lists(st.text(CHARACTERS, max_size=60), max_size=6)
WIDTHS = st.integers(2, 20)


def lines_of(text: str, width: int) -> list[str]:
    starts = line_starts(text, width)
    return [text[slice(*line_text(text, starts, number))] for number in range(len(starts))]


@given(PIECES, WIDTHS)
def test_no_line_is_wider_than_its_column(pieces: list[str], width: int) -> None:
    text = joined(printable("".join(pieces)))
    assert all(cell_len(drawn(line)) <= width for line in lines_of(text, width))


@given(PIECES, WIDTHS)
def test_nothing_but_blanks_and_line_ends_is_lost_between_lines(pieces: list[str], width: int) -> None:
    text = joined(printable("".join(pieces)))
    starts = line_starts(text, width)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    ends = [line_text(text, starts, number)[1] for number in range(len(starts))]
    assert not "".join(text[end:begin] for end, begin in zip(ends, [*starts[1:], len(text)], strict=True)).strip(" \n")
    assert not any("\n" in line for line in lines_of(text, width))


@given(PIECES, WIDTHS)
def test_text_in_pieces_has_the_lines_of_the_whole(pieces: list[str], width: int) -> None:
    raw = text = ""
    starts = [0]
    for piece in pieces:
        raw += piece
        before, text = text, joined(printable(raw))
        assert text.startswith(before)
        starts += line_starts(text, width, starts.pop())
    assert starts == line_starts(text, width)


@given(PIECES, WIDTHS)
def test_no_line_begins_inside_a_cluster(pieces: list[str], width: int) -> None:
    text = joined(printable("".join(pieces)))
    for start in line_starts(text, width):
        if start and text[start - 1] not in " \n":
            assert whole_cluster(text, start) == start


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("one     two", 5, ["one", "two"]),
        ("trailing   ", 8, ["trailing"]),
        ("a\n\nb", 5, ["a", "", "b"]),
        ("  indented", 10, ["  indented"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("at https://example.org", 8, ["at", "https://", "example.", "org"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("say 漢字漢字", 8, ["say 漢字", "漢字"]),
        ("漢字。漢", 4, ["漢", "字。", "漢"]),
        ("ab👩\u200d👧\u200d👦cd", 4, ["ab👩\u200d👧\u200d👦", "cd"]),
        ("שלום עולם", 5, ["שלום", "עולם"]),
        ("“one” — two…", 7, ["“one” —", "two…"]),
    ],
)
def test_where_a_line_is_broken(text: str, width: int, lines: list[str]) -> None:
    assert lines_of(text, width) == lines


def test_a_character_wider_than_the_column_has_a_line_of_its_own() -> None:
    assert lines_of("漢a字", 1) == ["漢", "a", "字"]


def test_a_joiner_stays_between_pictures_and_nowhere_else() -> None:
    assert joined("👩\u200d👧 漢\u200d漢 क्\u200dष") == "👩\u200d👧 漢漢 क्ष"


def test_joiners_cannot_hide_how_much_is_drawn() -> None:
    """Of a chain without end, which a terminal that joins nothing would draw in full, a family at a time is joined."""
    assert cell_len(joined("\u200d".join("👩" * 50))) >= 2 * 50 // 5


@given(st.text(st.sampled_from("e\u0301\u0302\u0303"), max_size=40))
def test_a_character_is_drawn_with_few_marks(text: str) -> None:
    assert drawn(text) == painted(text)
    assert "\u0301" * (MARKS + 1) not in drawn("e" + "\u0301" * 40)
