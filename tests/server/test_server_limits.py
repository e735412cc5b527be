"""Counting: tokens of text and sound, rate limits that fill up again."""

from __future__ import annotations

import pytest

from voicecli.ports import RATE
from voicecli.server.limits import (
    INPUT_TOKEN_SAMPLES,
    OUTPUT_TOKEN_SAMPLES,
    Allowance,
    Limits,
    RateLimits,
    Spent,
    sound_tokens,
    text_tokens,
    usage,
)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("x" * 400, 100)])
def test_text_costs_a_token_for_four_characters(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


def test_sound_costs_by_its_length_and_twice_as_much_when_the_assistant_speaks() -> None:
    assert sound_tokens(RATE, INPUT_TOKEN_SAMPLES) == 10
    assert sound_tokens(RATE, OUTPUT_TOKEN_SAMPLES) == 20
    assert sound_tokens(1, INPUT_TOKEN_SAMPLES) == 1
    assert sound_tokens(0, INPUT_TOKEN_SAMPLES) == 0


def test_usage_adds_up_and_never_has_more_cached_than_heard() -> None:
    told = usage(Spent(3, 4), Spent(5, 6), cached=100)
    assert (told.input_tokens, told.output_tokens, told.total_tokens) == (7, 11, 18)
    assert told.input_token_details is not None
    assert told.input_token_details.cached_tokens == 7


def test_an_allowance_fills_up_evenly_within_a_minute() -> None:
    allowance = Allowance("requests", 60)
    allowance.take(30, 100.0)
    assert (allowance.now(100.0).remaining, allowance.now(100.0).reset_seconds) == (30, 30.0)
    assert (allowance.now(110.0).remaining, allowance.now(110.0).reset_seconds) == (40, 20.0)
    assert (allowance.now(1_000.0).remaining, allowance.now(1_000.0).reset_seconds) == (60, 0.0)


def test_an_allowance_is_never_more_than_whole_or_less_than_nothing() -> None:
    allowance = Allowance("tokens", 100)
    allowance.take(-50, 0.0)
    assert allowance.now(0.0).remaining == 100
    allowance.take(1_000, 0.0)
    assert allowance.now(0.0).remaining == 0


def test_tokens_are_reserved_at_the_start_and_settled_at_the_end() -> None:
    rates = RateLimits(Limits(tokens_per_minute=6_000))
    assert rates.start(0.0)
    assert rates.now(0.0)[1].remaining == 6_000 - RateLimits.RESERVE
    rates.settle(200, 0.0)
    assert rates.now(0.0)[1].remaining == 5_800


def test_what_is_used_up_is_not_given_out() -> None:
    rates = RateLimits(Limits(requests_per_minute=2))
    assert [rates.start(0.0) for _ in range(3)] == [True, True, False]
    assert rates.start(31.0)
