"""Who may come in: path, Origin, Host, key (G19, G21), as a function of one HTTP request. It knows no socket.

Keys are compared as SHA-256 of their bytes in constant time; a key that is malformed in any way is a wrong one (401).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from voicecli.protocol.dialects import Spelling

PATH: Final = "/v1/realtime"
HEALTH: Final = "/healthz"
"""Whether somebody is at home, for load balancers and process managers; without a key, and nothing of any session."""
KEY_PROTOCOL: Final = "openai-insecure-api-key."
BETA_PROTOCOL: Final = "openai-beta.realtime-v1"
PROTOCOL: Final = "realtime"
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
MODEL_CHARACTERS: Final = 200

HeaderValues = Callable[[str], list[str]]
"""All values of the header of a name, in order."""


class Refusal(NamedTuple):
    """An HTTP answer in the place of the upgrade."""

    status: int
    line: str


class Door(Struct, frozen=True):
    """What is asked of a request."""

    digest: bytes | None = None
    """SHA-256 of the key that is demanded; None: any credentials are taken."""
    hosts: frozenset[str] | None = LOCAL_HOSTS
    """Values of Host, without their port, that are let in; None: all."""
    origins: frozenset[str] = frozenset()
    """The pages whose scripts are let in, as browsers name them (`https://app.example`); nobody else may."""

    def refuse(self, path: str, headers: HeaderValues) -> Refusal | None:
        """What is answered in the place of the upgrade; None: it is let in."""
        if any(origin not in self.origins for origin in headers("Origin")):
            return Refusal(403, "Pages in a browser are not let in.")
        if self.hosts is not None and not _host_is_in(headers("Host"), self.hosts):
            return Refusal(403, "The Host of this request is not this machine.")
        if path.partition("?")[0] == HEALTH:
            return Refusal(200, "ok")
        if path.partition("?")[0] != PATH:
            return Refusal(404, f"Nothing is here. The Realtime interface is at {PATH}.")
        if self.digest is not None and not any(_same(key, self.digest) for key in keys(headers)):
            return Refusal(401, "The key is missing or not the right one.")
        return None


def digest(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def keys(headers: HeaderValues) -> list[str]:
    """Every key that a request brings: as Bearer, as `api-key`, as a subprotocol."""
    found: list[str] = []
    for value in headers("Authorization"):
        scheme, _, key = value.partition(" ")
        if scheme.lower() == "bearer":
            found.append(key.strip())
    found += [value.strip() for value in headers("api-key")]
    found += [name.removeprefix(KEY_PROTOCOL) for name in offered(headers) if name.startswith(KEY_PROTOCOL)]
    return found


def offered(headers: HeaderValues) -> list[str]:
    """The subprotocols of a request, well-formed or not."""
    values = headers("Sec-WebSocket-Protocol")
    return [name.strip() for value in values for name in value.split(",")]


def chosen(subprotocols: Sequence[str]) -> str | None:
    """The subprotocol that is answered: `realtime` where it is offered, never the one that holds a key."""
    return PROTOCOL if PROTOCOL in subprotocols else None


def spelling(headers: HeaderValues) -> Spelling:
    """How a client that says no more than its headers is greeted."""
    told = any(value.strip().lower() == "realtime=v1" for value in headers("OpenAI-Beta"))
    return Spelling.BETA if told or BETA_PROTOCOL in offered(headers) else Spelling.GA


def model(path: str) -> str | None:
    """The model that the URL asks for, any name; None where it asks for none."""
    try:
        named = parse_qs(urlsplit(path).query, max_num_fields=32).get("model", [""])[0]
    except ValueError:
        return None
    return named[:MODEL_CHARACTERS] or None


def _host_is_in(values: list[str], hosts: frozenset[str]) -> bool:
    if len(values) != 1:
        return False
    host = values[0].strip().lower()
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and port.isascii() and name:
        host = name
    return host in hosts


def _same(key: str, wanted: bytes) -> bool:
    return hmac.compare_digest(digest(key), wanted)
