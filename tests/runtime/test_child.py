"""The lines between a talk and the child that is its server: read back as they were written, and never trusted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.core.stimuli import PartnerNews
from voicecli.runtime.child import (
    LONGEST,
    LONGEST_WORDS,
    BadLine,
    Llm,
    Wanted,
    news_line,
    read_news,
    read_wanted,
    wanted_line,
)
from voicecli.secret import Secret

KEY = Secret("sk-CANARY0123456789")


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(Llm("http://127.0.0.1:1/v1", "m", KEY, 0.9)),
        Wanted(Llm("http://127.0.0.1:1/v1", "m", KEY, 0)),
        Wanted(Llm("https://é/\n", '"m"', None), tones=True),
    ],
)
def test_what_is_wanted_is_one_line_that_is_read_back(wanted: Wanted):
    line = wanted_line(wanted)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert line.isascii()
    assert read_wanted(line) == wanted


def test_what_is_wanted_prints_without_its_key():
    assert "CANARY" not in repr(Wanted(Llm("http://x/v1", "m", KEY)))


@pytest.mark.parametrize("line", [b"", b"\n", b"{}", b'{"later": 1}', b'{"llm": null}'])
def test_what_says_nothing_of_a_language_model_wants_none(line: bytes):
    assert read_wanted(line) == Wanted()


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"3",
        b"\xff",
        b"[" * LONGEST,
        b'{"llm": 3}',
        b'{"llm": {"url": "sk-CANARY0123456789", "model": 3, "key": null}}',
        b'{"llm": {"url": "u", "model": "m", "key": 3}}',
        b'{"llm": {"url": "u", "model": "m"}}',
        b'{"llm": {"url": "u", "model": "m", "key": null, "temperature": "warm"}}',
        b'{"llm": {"url": "u", "model": "m", "key": null, "temperature": true}}',
    ],
)
def test_a_line_that_says_something_else_is_refused_without_being_quoted(line: bytes):
    with pytest.raises(BadLine) as bad:
        read_wanted(line)
    assert "CANARY" not in str(bad.value)


@given(
    st.builds(
        PartnerNews,
        st.sampled_from(["ear", "voice", "mind"]),
        st.sampled_from(["loading", "ready", "absent", "broken"]),
        st.text(max_size=LONGEST_WORDS),
        st.sampled_from(["", "llm_unreachable"]),
    )
)
def test_news_is_one_line_that_is_read_back(news: PartnerNews):
    line = news_line(news)
    assert "\n" not in line
    assert line.isascii()
    assert len(line) < LONGEST
    assert read_news(line.encode()) == news


def test_the_words_of_news_are_short():
    long = PartnerNews("ear", "broken", "x" * 100_000)
    assert len(news_line(long)) < LONGEST
    raw = json.dumps({"news": {"part": "ear", "state": "broken", "words": "x" * 10_000}}).encode()
    read = read_news(raw)
    assert read is not None
    assert len(read.words) == LONGEST_WORDS


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        {"news": None},
        {"news": {"part": "ear"}},
        {"news": {"part": "nose", "state": "ready"}},
        {"news": {"part": "ear", "state": "gone"}},
        {"news": {"part": "ear", "state": "ready", "words": 3}},
        {"url": "ws://127.0.0.1:1/"},
    ],
)
def test_what_is_no_news_is_none(said: Any):
    assert read_news(json.dumps(said).encode()) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_news_or_none(line: bytes):
    read_news(line)
    read_news(b"[" * 5000 + line)
