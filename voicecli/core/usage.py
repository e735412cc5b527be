"""Tokens and limits, as the server tells them. Money comes later."""

from __future__ import annotations

from voicecli.core.changes import Foreign, LimitNow, LimitsNow, Tokens, UsageNow
from voicecli.protocol.items import CachedTokens, InputTokens, Number, OutputTokens, RateLimit, Usage


def _int(value: Number | None) -> int:
    return int(value or 0)


def tokens(usage: Usage) -> Tokens:
    """A response's usage by kind. Cached tokens are counted in text and audio as well, as the server does."""
    given, made = usage.input_token_details or InputTokens(), usage.output_token_details or OutputTokens()
    cached = given.cached_tokens_details or CachedTokens()
    return Tokens(
        input_text=_int(given.text_tokens),
        input_audio=_int(given.audio_tokens),
        input_image=_int(given.image_tokens),
        cached=_int(given.cached_tokens),
        cached_text=None if cached.text_tokens is None else int(cached.text_tokens),
        cached_audio=None if cached.audio_tokens is None else int(cached.audio_tokens),
        output_text=_int(made.text_tokens),
        output_audio=_int(made.audio_tokens),
    )


def plus(a: Tokens, b: Tokens) -> Tokens:
    return Tokens(
        input_text=a.input_text + b.input_text,
        input_audio=a.input_audio + b.input_audio,
        input_image=a.input_image + b.input_image,
        cached=a.cached + b.cached,
        cached_text=_plus(a.cached_text, b.cached_text),
        cached_audio=_plus(a.cached_audio, b.cached_audio),
        output_text=a.output_text + b.output_text,
        output_audio=a.output_audio + b.output_audio,
    )


def _plus(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else a + b


class Counted:
    """The talk's total."""

    def __init__(self) -> None:
        self.total = Tokens()

    def add(self, usage: Usage, item: str | None) -> UsageNow:
        turn = tokens(usage)
        self.total = plus(self.total, turn)
        return UsageNow(item=item, turn=turn, total=self.total)


def limits(told: tuple[RateLimit, ...]) -> LimitsNow:
    return LimitsNow(
        tuple(
            LimitNow(
                name=Foreign(limit.name or ""),
                limit=limit.limit,
                remaining=limit.remaining,
                reset_seconds=limit.reset_seconds,
            )
            for limit in told
        )
    )
