"""What a talk is to be: decided once before it starts, by whoever read the settings; the core only reads it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from voicecli.protocol.items import SessionConfig
from voicecli.protocol.profiles import Profile


class Plan(Struct, frozen=True):
    """Everything the core has to know of settings, sources and devices. No key, and a URL without secrets."""

    profile: Profile
    """In the dialect that is spoken first."""
    url: str
    session: SessionConfig
    """What the first `session.update` carries."""
    mode: Literal["talk", "chat"] = "talk"
    microphone: Literal["device", "file", "none"] = "none"
    """A device is endless, a file ends."""
    speaker: bool = False
    """False: answers are read, nothing is ever heard."""
    keyboard: Literal["terminal", "pipe", "none"] = "none"
    """A terminal is endless; its texts interrupt. Texts from a pipe are answered one after the other."""
    echo: Literal["off", "half-duplex"] = "off"
    ptt: bool = False
    """Push-to-talk: the talk key says what is sent; `session` has no turn detection then."""
    auto_answer: bool = True
    """False: an answer to what was spoken is given only when it is asked for."""
    levels: bool = False
    stays: bool = False
    """Where no connection could be had it does not end: somebody reads why, and may try again."""
    key_source: str = ""
    """Where the key came from, for hints; never the key."""
    mind_model: str = ""
    """The language model behind the server of our own, by the name it was asked for; "": there is none."""
    mind_host: str = ""
    other: Plan | None = None
    """The same talk in the other dialect, where nobody has said which one the server speaks."""

    @property
    def mind(self) -> str:
        """Model and host as they stand behind "the language model" in a sentence; "" where nobody knows them."""
        return f" {self.mind_model} at {self.mind_host}" if self.mind_model else ""
