"""Cutting a text that is still being written into sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.server.sentences import LONGEST, Sentences, sentences


def cut(text: str) -> list[str]:
    return [sentence.strip() for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Who is here. He said hi.", ["Dr. Who is here.", "He said hi."]),
        ("It is 3.5 degrees, e.g. warm. Yes.", ["It is 3.5 degrees, e.g. warm.", "Yes."]),
        ('She said "go." Then she left.', ['She said "go."', "Then she left."]),
        ("Wait... what? Yes", ["Wait...", "what?", "Yes"]),
        ("J. R. Smith came. I did.", ["J. R. Smith came.", "I did."]),
        ("It was I. You know.", ["It was I.", "You know."]),
        ("First\nSecond\n\nThird", ["First", "Second", "Third"]),
        ("1. Take eggs\n2. Beat them", ["1. Take eggs", "2. Beat them"]),
        ("好的。我明白了！", ["好的。", "我明白了！"]),
        ("", []),
        ("   ", [""]),
        (".", ["."]),
    ],
)
def test_a_text_is_cut_where_a_sentence_ends(text: str, wanted: list[str]) -> None:
    assert cut(text) == wanted


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    writing = Sentences()
    assert writing.grow("Hello") == []
    assert writing.grow(" there.") == []
    assert writing.grow(" ") == ["Hello there."]
    assert writing.grow("How") == []
    assert writing.rest() == " How"
    assert writing.rest() == ""


def test_a_sentence_without_an_end_is_cut_at_a_comma_or_a_space() -> None:
    pauses = cut("some words here, " * 60)
    assert all(piece.endswith(",") for piece in pauses)
    for piece in [*pauses, *cut("word " * 400), *cut("x" * 2_000)]:
        assert len(piece) <= LONGEST


@given(st.lists(st.text(alphabet="aI1.!?,\n \"'。e", max_size=12), max_size=40))
def test_the_sentences_together_are_the_text_however_it_comes(pieces: list[str]) -> None:
    writing = Sentences()
    out = [sentence for piece in pieces for sentence in writing.grow(piece)]
    assert "".join([*out, writing.rest()]) == "".join(pieces)


@given(st.text(alphabet="ab. ,", max_size=2_000))
def test_no_sentence_is_longer_than_a_voice_can_be_asked_for(text: str) -> None:
    assert all(len(sentence.strip()) <= LONGEST for sentence in sentences(text))
