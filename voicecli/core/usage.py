"""Tokens and limits, as the server tells them. Money comes later."""

from __future__ import annotations

from voicecli.core.changes import Foreign, LimitNow, LimitsNow, Tokens, UsageNow
from voicecli.protocol.items import InputTokens, Number, OutputTokens, RateLimit, Usage


def _int(value: Number | None) -> int:
    return int(value or 0)


def tokens(usage: Usage) -> Tokens:
    """A response's usage by kind. Cached tokens are counted in text and audio as well, as the server does."""
    given, made = usage.input_token_details or InputTokens(), usage.output_token_details or OutputTokens()
    return Tokens(
        input_text=_int(given.text_tokens),
        input_audio=_int(given.audio_tokens),
        cached=_int(given.cached_tokens),
        output_text=_int(made.text_tokens),
        output_audio=_int(made.audio_tokens),
    )


def plus(a: Tokens, b: Tokens) -> Tokens:
    return Tokens(
        input_text=a.input_text + b.input_text,
        input_audio=a.input_audio + b.input_audio,
        cached=a.cached + b.cached,
        output_text=a.output_text + b.output_text,
        output_audio=a.output_audio + b.output_audio,
    )


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
