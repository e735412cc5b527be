"""What a session may use and how it is counted: bounds, tokens, rate limits. Pure; time is an argument."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from voicecli.ports import RATE
from voicecli.protocol.conversation import ItemView
from voicecli.protocol.items import InputTokens, OutputTokens, RateLimit, Usage
from voicecli.server.orders import Prompt, Tokens

INPUT_TOKEN_SAMPLES: Final = RATE // 10
"""The user's sound costs a token for each 100 ms."""
OUTPUT_TOKEN_SAMPLES: Final = RATE // 20
"""The assistant's sound costs a token for each 50 ms."""
CHARACTERS_PER_TOKEN: Final = 4
ITEM_TOKENS: Final = 3
"""What an item costs whatever is in it."""


class Limits(Struct, frozen=True):
    """The bounds of one session. What goes over them gets an `error`, or is paced."""

    ahead_s: float | None = 10.0
    """How far the sound sent may be ahead of an ear that listens in real time; None is unbounded."""
    burst_s: float = 0.2
    """How much sound leaves at once."""
    speed: float = 3.0
    """How many times faster than real time sound leaves after that."""
    delta_samples: int = RATE // 10
    """The most sound in one delta."""
    buffer_samples: int = 600 * RATE
    """What the input buffer holds."""
    commit_samples: int = RATE // 10
    """The least that can be committed."""
    listen_samples: int = RATE // 2
    """How much received sound is listened to in one go; the rest waits for the next tick."""
    transcription_delay_s: float = 0.15
    """From the commit to the transcript."""
    cap_s: float | None = None
    """How long a session may last (4.9); None: as long as it likes."""
    items: int = 10_000
    append_bytes: int = 15 * 2**20
    """Sound in one append; the protocol has no more (E8)."""
    text_bytes: int = 2**20 + 2**16
    """Text of one item, and what all tools together are spelled with: a MiB, and what is asked about it."""
    instructions_bytes: int = 64 * 2**10
    tools: int = 128
    responses: int = 8
    """Running at the same time, out-of-band ones included."""
    requests_per_minute: int = 500
    tokens_per_minute: int = 200_000


def text_tokens(text: str) -> int:
    """What a text costs, roughly as a model would count it."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def sound_tokens(samples: int, token_samples: int) -> int:
    """What sound costs; a begun token counts."""
    return math.ceil(samples / token_samples)


class Spent(Struct, frozen=True):
    """Tokens of text and of sound."""

    text: int = 0
    sound: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.text + other.text, self.sound + other.sound)

    @property
    def total(self) -> int:
        """Both together."""
        return self.text + self.sound


def usage(heard: Spent, said: Spent, cached: int) -> Usage:
    """The `usage` of a response (T6); `heard` counts earlier turns again (B13), `cached` of them were known before."""
    return Usage(
        total_tokens=heard.total + said.total,
        input_tokens=heard.total,
        output_tokens=said.total,
        input_token_details=InputTokens(
            cached_tokens=min(cached, heard.total), text_tokens=heard.text, audio_tokens=heard.sound
        ),
        output_token_details=OutputTokens(text_tokens=said.text, audio_tokens=said.sound),
    )


def reckoned(prompt: Prompt | None, letters: int) -> Tokens:
    """About what a language model would count that was interrupted before it said so."""
    if prompt is None:
        return Tokens(0, 0)
    told = text_tokens(prompt.instructions)
    for message in prompt.messages:
        told += ITEM_TOKENS + text_tokens(message.text) + sum(text_tokens(call.arguments) for call in message.calls)
    return Tokens(told, math.ceil(letters / CHARACTERS_PER_TOKEN))


def counted(tokens: Tokens) -> Usage:
    """The `usage` of a response whose language model has counted by itself."""
    return Usage(
        total_tokens=tokens.heard + tokens.said,
        input_tokens=tokens.heard,
        output_tokens=tokens.said,
        input_token_details=InputTokens(cached_tokens=tokens.cached, text_tokens=tokens.heard, audio_tokens=0),
        output_token_details=OutputTokens(text_tokens=tokens.said, audio_tokens=0),
    )


def heard_before(instructions: str, history: Iterable[ItemView], sound_of: Mapping[str, int]) -> Spent:
    """What a response has to hear before it speaks; `sound_of` has the samples of what the user said."""
    text = text_tokens(instructions)
    sound = 0
    for item in history:
        text += ITEM_TOKENS + text_tokens(item.arguments) + text_tokens(item.output or "")
        # A transcript of the user's is for people; what the assistant said counts as sound and not again as words.
        text += sum(text_tokens(part.text) for part in item.parts)
        sound += sound_tokens(item.samples, OUTPUT_TOKEN_SAMPLES)
        sound += sound_tokens(sound_of.get(item.id, 0), INPUT_TOKEN_SAMPLES)
    return Spent(text, sound)


class Allowance:
    """One limit a minute that fills up again evenly: what is left, and when it is whole."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self._used = 0.0
        self._at: float | None = None

    def take(self, amount: float, at: float) -> None:
        """Counts an amount as used; a negative one gives back what was reserved too much."""
        self._used = max(0.0, self._used_at(at) + amount)
        self._at = at

    def now(self, at: float) -> RateLimit:
        """As the wire tells it."""
        used = self._used_at(at)
        return RateLimit(
            name=self.name,
            limit=self.limit,
            remaining=max(0, math.floor(self.limit - used)),
            reset_seconds=round(used * 60.0 / self.limit, 3),
        )

    def _used_at(self, at: float) -> float:
        if self._at is None:
            return self._used
        return max(0.0, self._used - max(0.0, at - self._at) * self.limit / 60.0)


class RateLimits:
    """Requests and tokens. A response reserves tokens when it starts and settles them when it is done (S28)."""

    RESERVE: Final = 1_000

    def __init__(self, limits: Limits) -> None:
        self._requests = Allowance("requests", limits.requests_per_minute)
        self._tokens = Allowance("tokens", limits.tokens_per_minute)
        self._exhausted_until = float("-inf")

    def start(self, at: float) -> bool:
        """Reserves for a response; False, and nothing reserved, where a limit is reached."""
        if any(limit.remaining == 0 for limit in self.now(at)):
            return False
        self._requests.take(1, at)
        self._tokens.take(self.RESERVE, at)
        return True

    def exhaust(self, until: float) -> None:
        """Up to then no request is left, whatever was used."""
        self._exhausted_until = until

    def settle(self, tokens: int, at: float) -> None:
        """Puts what was used in the place of what was reserved."""
        self._tokens.take(tokens - self.RESERVE, at)

    def now(self, at: float) -> tuple[RateLimit, ...]:
        """Both, as the wire tells them."""
        requests = self._requests.now(at)
        if at < self._exhausted_until:
            requests = replace(requests, remaining=0, reset_seconds=round(self._exhausted_until - at, 3))
        return (requests, self._tokens.now(at))
