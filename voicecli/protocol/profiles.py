"""What each provider is like, as data: never an `if`. A new provider is a new value."""

from __future__ import annotations

from typing import Literal

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
