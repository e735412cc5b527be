"""The one stream that screen, plain mode, JSON lines and recordings show. The product's public face inside the house.

What *happened* is never dropped or reordered; neighbours of one `TurnGrew` may be joined. What *is now* (`...Now`)
carries the whole value, and the latest of its type wins. A turn is keyed by its item id. `Ended` is always the last.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

TurnRole = Literal["you", "assistant", "tool", "system"]
Via = Literal["voice", "text", "tool"]
Status = Literal["reserved", "waiting", "streaming", "playing", "done", "interrupted", "failed", "cancelled"]
"""reserved: words are to come. waiting: typed, and to be sent once there is a connection."""
Severity = Literal["info", "warning", "error"]
Phase = Literal[
    "not_connected",
    "connecting",
    "recording",
    "recording_full",
    "you_are_speaking",
    "assistant_speaking",
    "waiting_for_sound",
    "thinking",
    "muted",
    "waiting_for_the_limit",
    "press_to_talk",
    "waiting_for_you_to_type",
    "listening",
]


class Foreign(Struct, frozen=True):
    """Text that is not ours. It is no `str`, so that `printable()` is the only way for it to get out."""

    raw: str


NOTHING = Foreign("")


class Change(Struct, frozen=True, tag=True):
    pass


# ---- what happened ---------------------------------------------------------------------------------------------------


class Started(Change, frozen=True):
    """The first change of a talk, made by the command before the core runs. `url` is without secrets."""

    at: str
    """ISO 8601, wall clock."""
    version: str
    mode: Literal["talk", "ptt", "chat"]
    url: str
    model: str
    voice: str | None
    offline: bool
    key_source: str
    """Where the key came from: "OPENAI_API_KEY in the environment"; "" for none. Never the key."""
    url_source: str = ""
    """Where the URL (offline: the wish to be so) came from, in words; "" where nobody chose it."""
    key_withheld: bool = False
    """There is a key, and it is not sent because the link is not encrypted."""
    mind_model: str = ""
    """Offline: the language model that answers behind voicecli's own server; "": its practice partner does."""
    mind_host: str = ""
    """Where that is, with the port where one was named."""
    mind_local: bool = True
    """That is this machine, so nothing leaves it."""


class TurnOpened(Change, frozen=True):
    item: str
    after: str | None
    """The item before it, None for the first, or where that is not known."""
    role: TurnRole
    via: Via
    started: float
    """Seconds since the talk began, here and in `TurnSet.ended`."""
    image: Foreign = NOTHING
    """The image that is in it: its name and its size."""


class TurnMoved(Change, frozen=True):
    """The turn has found its place: it stands behind `after`."""

    item: str
    after: str | None


class TurnGrew(Change, frozen=True):
    item: str
    text: Foreign


class TurnSet(Change, frozen=True, kw_only=True):
    """A turn as it is now, whole."""

    item: str
    status: Status
    text: Foreign
    heard: Foreign = NOTHING
    """The beginning of `text` that was heard; equal to it where all was heard or it was to be read."""
    unheard: Foreign = NOTHING
    """The rest, which was cut. heard + unheard == text, up to white space between them."""
    heard_ms: int | None = None
    received_ms: int | None = None
    """None: there is no sound in it."""
    estimate: bool = False
    """Where the text was cut is an estimate."""
    error_code: str = ""
    error: Foreign = NOTHING
    ended: float | None = None


class TurnGone(Change, frozen=True):
    """The turn was taken out of the conversation because nobody heard it. Its text stays shown as unheard."""

    item: str


class TurnConfirmed(Change, frozen=True):
    """The server says what it keeps of the turn: so much of its sound, or nothing, because it is deleted there."""

    item: str
    kept_ms: int | None
    """None: it is deleted."""


class Cut(Struct, frozen=True):
    """One truncation, as it was sent."""

    item: str
    audio_end_ms: int
    content_index: int = 0


class Interrupted(Change, frozen=True):
    """An answer was stopped. Shown when the speaker is silent, or when that could not be told."""

    item: str | None
    """The turn that was being heard."""
    by: Literal["voice", "key", "text", "command"]
    cut: tuple[Cut, ...]
    removed: tuple[str, ...]
    silent_ms: float | None
    """From the decision to silence; None where there is no speaker, or it did not say."""


class Delayed(Change, frozen=True):
    """How long an answer took, once its first sample was heard: said once of each turn, so it is never passed over.

    In seconds, each from where the one before it ended; their sum is what the ear had to wait.
    """

    item: str
    """The turn of the assistant's that was waited for."""
    noticed: float | None
    """From the end of speech (the release of the talk key, the sending of a text) until the server told that it has
    the turn; None with `from_commit`."""
    first_sent: float
    """From there to the first sound of the answer that came."""
    first_heard: float
    """From there to the first sample that was heard."""
    from_commit: bool = False
    """Nobody can say when the speech ended: what is measured begins where the turn was taken."""

    @property
    def total(self) -> float:
        return (self.noticed or 0.0) + self.first_sent + self.first_heard


class Told(Change, frozen=True, kw_only=True):
    """A notice: what happened in the user's words, and what to do."""

    severity: Severity
    code: str
    """Ours, for programs: lower case with underscores."""
    title: str
    hint: str = ""
    detail: Foreign = NOTHING
    """The server's or a library's own words."""
    ours: bool = False
    """`detail` is in our words or a library's, and not in the server's."""
    wait_s: float | None = None
    """So many seconds to wait, from now on; None: there is nothing to wait for, or nobody says how long."""
    wait: str = ""
    """The words of `hint` that say so, in the place of which a face may have its own."""
    side: Literal["input", "output"] | None = None
    """The side of the sound that it is about: over once that works again. None: it is about either, or neither."""


class Ended(Change, frozen=True, kw_only=True):
    exit_code: int
    reason: str
    """One word for programs: done, quit, interrupted, answer_failed, no_answer, no_connection, no_input, error."""
    seconds: float
    turns: int
    interruptions: int


# ---- what is now -----------------------------------------------------------------------------------------------------


class LinkNow(Change, frozen=True, kw_only=True):
    state: Literal["connecting", "open", "lost", "closed"]
    dialect: str | None = None
    code: int | None = None
    reason: Foreign = NOTHING


class PhaseNow(Change, frozen=True):
    """The one word for what the talk is doing now: the first that is true, so nothing else is stored of it."""

    phase: Phase
    detail: str = ""
    """Of "waiting_for_sound" for how long, as in "3 s". Of "recording": "held" where letting go sends it, "latched"
    where the next press does."""


class SoundNow(Change, frozen=True, kw_only=True):
    """A side of the sound."""

    side: Literal["input", "output"]
    state: Literal["opened", "closed", "lost"]
    name: Foreign = NOTHING
    rate: int | None = None
    latency_ms: int | None = None


class EchoNow(Change, frozen=True):
    """What is done about the assistant being heard by the microphone; nothing ("off") before this is said."""

    echo: Literal["off", "half-duplex"]


class HeardNow(Change, frozen=True):
    item: str
    ms: int
    characters: int
    """Of the item's text, by estimate."""


class LevelsNow(Change, frozen=True):
    """Ten times a second, where they were asked for. dBFS, seconds."""

    input_db: float
    output_db: float
    queued_s: float


class QueuedNow(Change, frozen=True):
    """What is laid and not heard yet, from the playhead on; at most ten a second, where levels were asked for."""

    seconds: float
    """All of it, also where that is more than `peaks` tell."""
    peaks: tuple[float, ...]
    """dBFS for each 250 ms, the first from the playhead on; 40 at most."""


class LimitNow(Struct, frozen=True):
    name: Foreign
    limit: float | None
    remaining: float | None
    reset_seconds: float | None


class LimitsNow(Change, frozen=True):
    limits: tuple[LimitNow, ...]


class Tokens(Struct, frozen=True, kw_only=True):
    """Token counts by kind, as the server gave them."""

    input_text: int = 0
    input_audio: int = 0
    input_image: int = 0
    cached: int = 0
    """Of the input, whatever its kind."""
    cached_text: int | None = None
    cached_audio: int | None = None
    """The same by kind; None where the server does not say."""
    output_text: int = 0
    output_audio: int = 0

    @property
    def total(self) -> int:
        """All of them; cached ones are counted in the others already."""
        return self.input_text + self.input_audio + self.input_image + self.output_text + self.output_audio


class UsageNow(Change, frozen=True):
    item: str | None
    """The turn it belongs to."""
    turn: Tokens
    total: Tokens


class SessionNow(Change, frozen=True, kw_only=True):
    """The session as the server said it. The first of a connection is its greeting, with the server's own settings."""

    settings: tuple[tuple[str, Foreign], ...]
    """In force: name -> JSON text."""
    refused: tuple[tuple[str, Foreign], ...] = ()
    """What we did not get."""
    id: Foreign = NOTHING
    model: Foreign = NOTHING
    """The one that the server says it is, which may be called otherwise than the one that was asked for."""
    conversation: Foreign = NOTHING
    """Its id, where the server tells one."""


AnyChange = (
    Started
    | TurnOpened
    | TurnMoved
    | TurnGrew
    | TurnSet
    | TurnGone
    | TurnConfirmed
    | Interrupted
    | Delayed
    | Told
    | Ended
    | LinkNow
    | PhaseNow
    | SoundNow
    | EchoNow
    | HeardNow
    | LevelsNow
    | QueuedNow
    | LimitsNow
    | UsageNow
    | SessionNow
)
