"""Everything that can happen to a talk. Frozen, loggable, without secrets; the time it happened is given beside it."""

from __future__ import annotations

from typing import Literal

from voicecli.ports import (
    In,
    InputSpent,
    LinkFailure,
    MicBlock,
    Passed,
    Silent,
    SoundClosed,
    SoundFailed,
    SoundOpened,
    Stale,
)
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import Decoded


class Begin(In, frozen=True):
    """The first stimulus of a talk."""


class Opened(In, frozen=True):
    """The handshake is done. The only wall clock that the core ever sees, in seconds since 1970."""

    wall_s: float


class Received(In, frozen=True):
    """One frame, decoded; `size` is its length in bytes."""

    event: Decoded
    size: int
    spelling: Spelling | None = None
    """Of `session.created`: the dialect it is written in, as far as that can be told."""


class LinkEnded(In, frozen=True):
    """There is no link any more, or it could not be had. The last stimulus of a connection."""

    failure: LinkFailure
    code: int | None
    """The close code, or the HTTP status of a refused handshake."""
    reason: str
    """The server's or the library's words: foreign text, no secret in it."""
    host: str = ""
    error_code: str = ""
    """The code of an error in the body of a refused handshake: foreign text as well."""
    wait_s: float | None = None
    """So long the server asks to be left alone; None: it does not say."""
    ours: bool = False
    """`reason` is in our words or a library's, and not in the server's."""


class LinkSlow(In, frozen=True):
    """Dialling takes long; `what` is what is waited for, in words ("the name of HOST")."""

    what: str


class LinkSilent(In, frozen=True):
    """The link asks for a sign of life, and nothing at all has come since."""

    seconds: float


class AudioDropped(In, frozen=True):
    """Microphone sound that waited longer than 2 s to be sent, and was dropped."""

    samples: int


class NotCarried(In, frozen=True):
    """Something we wanted to send has no place in this server's spelling."""

    path: str
    value: str
    why: str


class Laid(In, frozen=True):
    """Levels of what was just laid: dBFS peaks of PEAK_SAMPLES steps of the timeline, the first at `position`."""

    position: int
    peaks: tuple[float, ...]


class Typed(In, frozen=True):
    """A text the person sends."""

    text: str


class Pictured(In, frozen=True, kw_only=True):
    """An image the person sends, and what they say to it. Without a text it is put into the talk, and not answered."""

    name: str
    """Of its file."""
    size: str
    """In words: 640x480, or so many bytes."""
    url: str
    """All of it, as a data URL."""
    text: str = ""


class Moved(In, frozen=True):
    """The server of our own was started again, and listens elsewhere now."""

    url: str


class PartnerNews(In, frozen=True):
    """The server of our own says how an engine of its stands."""

    part: Literal["ear", "voice", "mind"]
    state: Literal["loading", "ready", "absent", "broken"]
    words: str = ""
    """What more there is to say. From our own process, and yet foreign: an engine's words may be in it."""
    code: str = ""
    """Of the mind: which notice it is (`llm_...`)."""


class KeyboardSpent(In, frozen=True):
    """Nothing more will be typed: standard input is at its end."""


class Asked(In, frozen=True):
    """A command of the person's that needs no more words."""

    what: Literal["interrupt", "mute", "unmute", "retry", "talk", "answer", "kept"]
    """`interrupt` also throws away what is being recorded by push-to-talk; `talk` begins and ends a recording; `kept`
    asks the server what it keeps of the last answer that was cut."""
    by: Literal["command", "key"] = "command"
    """How it was said, where that is told of: an interruption says what it was made by."""


class TalkPressed(In, frozen=True):
    """The talk key is pressed. It may come again and again while the key is held, where `releases_seen` is False."""

    pressed_at: float
    """When, which may be a little before it gets here."""
    releases_seen: bool
    """`TalkReleased` will follow; else the next press ends the recording."""


class TalkReleased(In, frozen=True):
    """The talk key is let go, or nobody can say any more whether it is held (the terminal has lost its focus)."""

    released_at: float


class Quit(In, frozen=True):
    """The person leaves, or a signal says so. Without a link ever, 0 becomes 3."""

    exit_code: int = 0
    reason: str = "quit"
    """One word: quit, interrupted, terminated, hangup, closed_output."""


class EchoSet(In, frozen=True):
    """`/echo`."""

    echo: Literal["off", "half-duplex"]


class Tick(In, frozen=True):
    """A deadline has come."""


Stimulus = (
    Begin
    | Opened
    | Received
    | LinkEnded
    | LinkSlow
    | LinkSilent
    | AudioDropped
    | NotCarried
    | Laid
    | MicBlock
    | Passed
    | SoundOpened
    | SoundClosed
    | SoundFailed
    | Silent
    | Stale
    | InputSpent
    | Typed
    | Pictured
    | Moved
    | PartnerNews
    | KeyboardSpent
    | Asked
    | TalkPressed
    | TalkReleased
    | Quit
    | EchoSet
    | Tick
)
