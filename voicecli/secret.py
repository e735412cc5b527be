"""A secret that prints as ***, and the words that sinks put in its place; it must not know where secrets come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Final, NoReturn
from urllib.parse import quote

GONE: Final = "[key]"

SHORTEST: Final = 8
"""A shorter secret is too common a word to be looked for in all output."""

CUT: Final = 12
"""So much of a secret is too much to be shown."""

PUBLIC_QUERY: Final = frozenset({"model", "api-version", "deployment", "intent"})
"""Names of URL parameters whose values may be shown; those of all others may be keys."""

_BETWEEN: Final = r"[\s:='\"\\,(]{1,12}"
_VALUE: Final = r"[^\s\"'\\,;)}&]+"
_SHAPES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (r"\b(?:ek|sk)[_-][^\s\"'<>,;&]{4,}", GONE),
        (rf"(openai-insecure-api-key\.){_VALUE}", rf"\1{GONE}"),
        (rf"(client_secret[^{{}}]{{0,40}}{{[^{{}}]*?\bvalue\b{_BETWEEN}){_VALUE}", rf"\1{GONE}"),
        (rf"((?:proxy-)?authorization{_BETWEEN}(?:(?:bearer|basic|token)\s+)?){_VALUE}", rf"\1{GONE}"),
        (r"(\bbearer\s+)[^\s\"'\\,;)}]{4,}", rf"\1{GONE}"),
        (rf"(\b(?:x-)?api[-_]key{_BETWEEN}){_VALUE}", rf"\1{GONE}"),
        (r"(\w://)[^\s/?#\"'<>@]*@", rf"\1{GONE}@"),
    )
)
_QUERY: Final = re.compile(r"(\b(?:wss?|https?)://[^\s?\"'<>]*\?)([^\s\"'<>#]*)", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"([^=&;]*)=([^&;]*)")


class Secret:
    """Text that neither repr, str, format nor pickle give away."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself: for the link that dials, and the start of the server's child."""
        return self.__text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, ("***",))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__text == other.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    @staticmethod
    def finder(secrets: Iterable[Secret]) -> Callable[[str], str]:
        """A function that puts [key] in the place of each of `secrets`, also where JSON or a URL has escaped it."""
        texts = {secret.__text for secret in secrets if len(secret.__text) >= SHORTEST}
        texts |= {json.dumps(text)[1:-1] for text in texts}
        texts |= {repr(text)[1:-1] for text in texts} | {quote(text, safe="") for text in texts}
        if not texts:
            return lambda text: text
        found = re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)))
        return lambda text: found.sub(GONE, text)

    @staticmethod
    def cutter(secrets: Iterable[Secret]) -> Callable[[str], str]:
        """A function that puts [key] in the place of secrets, also of one whose end is cut off: for quoted values."""
        texts = [secret.__text for secret in secrets if len(secret.__text) >= SHORTEST]

        def clean(text: str) -> str:
            for known in texts:
                for size in range(len(known), min(len(known), CUT) - 1, -1):
                    text = text.replace(known[:size], GONE)
            return text

        return clean

    @staticmethod
    def begins(secrets: Iterable[Secret]) -> Callable[[str], int]:
        """A function that says how many characters at the end of a text may be the beginning of one of `secrets`."""
        texts = {secret.__text for secret in secrets if len(secret.__text) >= SHORTEST}
        longest = max(map(len, texts), default=1) - 1

        def begun(text: str) -> int:
            lengths = range(min(longest, len(text)), 0, -1)
            return next((n for n in lengths if any(known.startswith(text[-n:]) for known in texts)), 0)

        return begun


class Redactor:
    """What every sink does to what it writes (G9)."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        secrets = tuple(secrets)
        self.known: Callable[[str], str] = Secret.finder(secrets)
        """Replaces the secrets that are known: for the words of a talk, which may name any URL."""
        self.begun: Callable[[str], int] = Secret.begins(secrets)
        """How much of the end of a text must be held back, because a known secret may begin there."""

    def __call__(self, text: str) -> str:
        """Replaces the known secrets and whatever looks like one: for logs, notices and exceptions.

        Their texts are often cut, so the end may be no beginning of a secret either.
        """
        text = self.known(text)
        if (begun := self.begun(text)) >= CUT:
            text = text[:-begun] + GONE
        text = _QUERY.sub(_redact_query, text)
        for pattern, put in _SHAPES:
            text = pattern.sub(put, text)
        return text

    def parted(self, text: str) -> tuple[str, str]:
        """`text` without the known secrets, as what may be shown of it, and the end that waits for what comes next."""
        text = self.known(text)
        shown = len(text) - self.begun(text)
        return text[:shown], text[shown:]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a redactor knows secrets and does not travel")


def _redact_query(match: re.Match[str]) -> str:
    def each(parameter: re.Match[str]) -> str:
        return parameter[0] if parameter[1].lower() in PUBLIC_QUERY else f"{parameter[1]}={GONE}"

    return match[1] + _PARAMETER.sub(each, match[2])
