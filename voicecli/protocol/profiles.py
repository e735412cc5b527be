"""What each provider is like, as data: never an `if`. A new provider is a new value. It knows no event and no key."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from voicecli.ports import PCM16, Format
from voicecli.protocol.dialects import Spelling


class Profile(Struct, frozen=True):
    """One provider, in one spelling."""

    name: str
    spelling: Spelling
    model: str
    """Default model; appended to a URL that names none."""
    voice: str | None
    transcription_model: str | None
    """The newest one it offers; None: it offers none."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent at the handshake, without the key."""
    key_header: tuple[str, str] = ("Authorization", "Bearer ")
    """Name of the header that carries the key, and what stands before the key."""
    input: Format = PCM16
    output: Format = PCM16
    can: frozenset[str] = frozenset({"truncate", "delete", "cancel", "transcribe", "audio"})
    unheard: Literal["delete", "truncate", "leave"] = "delete"
    """What is sent for an item that nobody heard."""
    cap_s: float | None = None
    """How long a session may last."""
    ignore: frozenset[str] = frozenset()
    """Event types that need no notice when they are unknown."""
    benign: tuple[tuple[str, str], ...] = ()
    """(code, part of the message): errors where two messages only crossed. Either of them suffices; "" matches none."""


CROSSED: Final[tuple[tuple[str, str], ...]] = (
    ("response_cancel_not_active", "no active response found"),
    ("conversation_already_has_active_response", "already has an active response"),
    ("input_audio_buffer_commit_empty", "buffer too small"),
    ("", "already shorter"),
)
"""Errors where two messages only crossed: by code or by words, as many servers give no code."""

HEARTBEATS: Final = frozenset({"ping", "heartbeat"})
"""What servers send to keep a line open."""

OPENAI: Final = Profile(
    name="OpenAI",
    spelling=Spelling.GA,
    model="gpt-realtime-2.1",
    voice="marin",
    # whisper-1 and gpt-4o-*transcribe end in February 2027; gpt-live-transcribe and gpt-realtime-whisper take no turn
    # detection.
    transcription_model="gpt-transcribe",
    cap_s=3600.0,
    ignore=HEARTBEATS,
    benign=CROSSED,
)

GENERIC_GA: Final = Profile(
    name="GA server",
    spelling=Spelling.GA,
    model="gpt-realtime-2.1",
    voice=None,
    transcription_model="whisper-1",
    ignore=HEARTBEATS,
    benign=CROSSED,
)

GENERIC_BETA: Final = Profile(
    name="beta server",
    spelling=Spelling.BETA,
    model="gpt-4o-realtime-preview",
    voice="alloy",
    transcription_model="whisper-1",
    headers=(("OpenAI-Beta", "realtime=v1"),),
    ignore=HEARTBEATS,
    benign=CROSSED,
)

EMBEDDED_GA: Final = Profile(
    name="offline practice",
    spelling=Spelling.GA,
    model="practice",
    voice=None,
    transcription_model="whisper-1",
    benign=CROSSED,
)

EMBEDDED_BETA: Final = Profile(
    name="offline practice",
    spelling=Spelling.BETA,
    model="practice",
    voice=None,
    transcription_model="whisper-1",
    headers=(("OpenAI-Beta", "realtime=v1"),),
    benign=CROSSED,
)

Dialect = Literal["auto", "beta", "ga"]

_EMBEDDED: Final[dict[Dialect, Profile]] = {"auto": EMBEDDED_GA, "ga": EMBEDDED_GA, "beta": EMBEDDED_BETA}
_GENERIC: Final[dict[Dialect, Profile]] = {"auto": GENERIC_GA, "ga": GENERIC_GA, "beta": GENERIC_BETA}
_HOSTS: Final[dict[str, dict[Dialect, Profile]]] = {
    "api.openai.com": {"auto": OPENAI, "ga": OPENAI, "beta": GENERIC_BETA},
}


def profile_for(url: str, dialect: Dialect, offline: bool) -> Profile:
    """The provider behind a URL, as the user wants it spelled. A URL nobody can read is a server nobody knows."""
    if offline:
        return _EMBEDDED[dialect]
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return _HOSTS.get(host.rstrip("."), _GENERIC)[dialect]
