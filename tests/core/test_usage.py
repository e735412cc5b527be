"""Tokens and limits, as servers tell them: whole, in part, or not at all."""

from voicecli.core.changes import Foreign, LimitNow, LimitsNow, Tokens
from voicecli.core.usage import Counted, limits, plus, tokens
from voicecli.protocol.items import CachedTokens, InputTokens, OutputTokens, RateLimit, Usage

FULL = Usage(
    total_tokens=253,
    input_tokens=132,
    output_tokens=121,
    input_token_details=InputTokens(cached_tokens=64, text_tokens=119, audio_tokens=13),
    output_token_details=OutputTokens(text_tokens=30, audio_tokens=91),
)


def test_tokens_are_counted_by_kind():
    assert tokens(FULL) == Tokens(input_text=119, input_audio=13, cached=64, output_text=30, output_audio=91)


def test_what_the_server_does_not_say_is_nothing():
    assert tokens(Usage()) == Tokens()
    cached = InputTokens(image_tokens=7, cached_tokens=5, cached_tokens_details=CachedTokens(text_tokens=3))
    assert tokens(Usage(input_token_details=cached)) == Tokens(input_image=7, cached=5, cached_text=3)
    assert tokens(Usage(input_token_details=InputTokens(text_tokens=5.0))) == Tokens(input_text=5)


def test_the_total_is_the_sum_of_the_turns():
    counted = Counted()
    first, second = counted.add(FULL, "a1"), counted.add(FULL, None)
    assert (first.item, first.turn, first.total) == ("a1", tokens(FULL), tokens(FULL))
    assert (second.item, second.turn, second.total) == (None, tokens(FULL), plus(tokens(FULL), tokens(FULL)))


def test_what_is_cached_is_summed_by_kind_where_it_is_said():
    said = Tokens(cached=3, cached_text=1, cached_audio=2, input_image=4)
    assert plus(said, Tokens(cached=5, cached_text=5)) == Tokens(cached=8, cached_text=6, cached_audio=2, input_image=4)
    assert plus(Tokens(), said) == said
    assert plus(Tokens(), Tokens()).cached_text is None


def test_limits_keep_free_names_and_what_is_missing():
    told = (RateLimit(name="tokens", limit=100, remaining=7.5, reset_seconds=1.5), RateLimit())
    assert limits(told) == LimitsNow(
        (LimitNow(Foreign("tokens"), 100, 7.5, 1.5), LimitNow(Foreign(""), None, None, None))
    )


def test_no_limits_are_no_limits():
    assert limits(()) == LimitsNow(())
