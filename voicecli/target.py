"""The URL of a Realtime server: which are taken, what is loopback, what may be shown; not where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from msgspec import Struct

from voicecli.loopback import loopback
from voicecli.secret import Redactor, Secret
from voicecli.settings import LLM_KEY, OWN_KEY

OPENAI_URL: Final = "wss://api.openai.com/v1/realtime"
LONGEST_URL: Final = 4096


class Target(Struct, frozen=True):
    """What to connect to, with whose key. Safe to print."""

    url: str
    """As it is dialled, `?model=` not yet appended; "" offline."""
    key: Secret | None
    offline: bool
    url_source: str = ""
    """In words; "" where nobody chose it."""
    key_source: str = ""
    """In words; "" where no key is sent."""
    key_withheld: bool = False
    """There is a key, and it is not sent because the link is not encrypted (G6)."""
    from_folder: bool = False
    """The URL or the key comes from `.env` in the working directory, which the start line must say."""

    @property
    def shown_url(self) -> str:
        """The URL without the values of parameters that may be keys."""
        return Redactor()(self.url)


class MindTarget(Struct, frozen=True):
    """Which language model answers behind voicecli's own server, and with whose key. Safe to print."""

    url: str
    """http or https, without the `/chat/completions` behind it."""
    model: str
    key: Secret | None = None
    url_source: str = ""
    """In words."""
    key_source: str = ""
    """In words; "" where no key is sent."""
    key_withheld: bool = False
    """There is a key, and it is not sent because the link is not encrypted (G6)."""
    temperature: float | None = None
    """How freely it is to pick its words; None: as its server has it."""

    @property
    def host(self) -> str:
        """The host and the port as they are written, and nothing else of the URL."""
        return urlsplit(self.url).netloc

    @property
    def local(self) -> bool:
        """It is on this machine."""
        return loopback(urlsplit(self.url).hostname or "") is not None


class BadUrl(ValueError):
    """Why a URL cannot be used, and what to do; without the URL, which may have a secret in it."""

    def __init__(self, why: str, hint: str = "It looks like wss://HOST/v1/realtime.") -> None:
        super().__init__(why)
        self.hint = hint


SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
MIND_SCHEMES: Final = {"http": "http", "https": "https"}
MIND_PATH: Final = "/chat/completions"
MIND_HINT: Final = "It looks like http://127.0.0.1:11434/v1."


def checked_url(text: str) -> str:
    """`text` as ws or wss. Raises BadUrl."""
    return _checked(text, SCHEMES, OWN_KEY)


def checked_mind_url(text: str) -> str:
    """`text` as the base of an API of chat completions. Raises BadUrl."""
    try:
        parts = urlsplit(_checked(text, MIND_SCHEMES, LLM_KEY))
    except BadUrl as bad:
        if bad.hint == BadUrl("").hint:
            raise BadUrl(str(bad), MIND_HINT) from None
        raise
    return urlunsplit(parts._replace(path=parts.path.rstrip("/").removesuffix(MIND_PATH)))


def _checked(text: str, schemes: Mapping[str, str], key: str) -> str:
    if not text.isascii():
        raise BadUrl("it has letters outside ASCII in it", "Write the host as xn--... and the rest with %XX.")
    if not text.isprintable() or " " in text or "\\" in text:
        raise BadUrl("it has a space, a backslash or a control character in it")
    if len(text) > LONGEST_URL:
        raise BadUrl(f"it is longer than {LONGEST_URL} characters")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadUrl("its host or port is not valid") from None
    scheme = schemes.get(parts.scheme)
    if scheme is None:
        raise BadUrl(f"it begins with none of {', '.join(f'{name}://' for name in schemes)}")
    if "@" in parts.netloc:
        raise BadUrl("it has a user or password in it", f"Put the key into {key} instead.")
    if not host or port == 0:
        raise BadUrl("its host or port is not valid")
    if "#" in text:
        raise BadUrl("it has a # in it")
    return urlunsplit((scheme, parts.netloc, parts.path, parts.query, ""))


def below(base: str) -> str:
    """The Realtime endpoint below the base of an API."""
    parts = urlsplit(base)
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=path if path.endswith("/realtime") else path + "/realtime"))


def in_query(url: str, name: str) -> str | None:
    """What `url` says of `name`; None: nothing."""
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return next((value for each, value in query if each == name), None)


def with_query(url: str, name: str, value: str) -> str:
    """`url` with `?name=value` appended where it says nothing of `name`."""
    parts = urlsplit(url)
    if in_query(url, name) is not None:
        return url
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}{name}={quote(value, safe='')}"))
