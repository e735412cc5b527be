"""What a session asks of what works outside it (ear, voice, language model), and what comes back. Values only.

An order is carried out by the shell, off the loop; what comes of it is given to the session with the time, as frames
are. So the session stays a function of what it is told, with engines or without.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from msgspec import Struct

from voicecli.protocol.items import StatusError, Tool


class Outside(NamedTuple):
    """What there is outside. Where one is missing the session makes do: lengths for words, tones for a voice."""

    ear: bool = False
    voice: bool = False
    mind: bool = False
    """A language model; it answers in the responder's place."""


# ---- what a language model is told -----------------------------------------------------------------------------------


class Call(NamedTuple):
    """A function call that an assistant made."""

    call_id: str
    name: str
    arguments: str
    """JSON, as it was written: nobody has checked it."""


class Message(NamedTuple):
    """One turn as a language model may know it: of what was said aloud only what was heard."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    calls: tuple[Call, ...] = ()
    """Of an assistant's; then `text` may be empty."""
    call_id: str = ""
    """Which call a tool's text answers."""
    images: tuple[str, ...] = ()
    """Of a user's: data URLs."""


class Prompt(Struct, frozen=True):
    """All that an answer may be made from."""

    instructions: str = ""
    messages: tuple[Message, ...] = ()
    """Oldest first; the last is what wants an answer."""
    tools: tuple[Tool, ...] = ()
    """Functions that may be called; empty where the client wants no call."""
    tool_choice: Any = "auto"
    """As the session has it: auto | required | {"type": "function", "name": ...}."""
    temperature: float | None = None
    max_tokens: int | None = None
    """None: as many as it likes."""
    spoken: bool = True
    """Whether the words will be said aloud."""


# ---- orders ----------------------------------------------------------------------------------------------------------


class Recognise(NamedTuple):
    """Find the words of this speech; `Recognised` comes back."""

    name: str
    """Of this order: no client gave it, and none is used twice."""
    pcm: bytes
    """PCM16 at `RATE`."""


class Say(NamedTuple):
    """Say this sentence; `Said` comes back."""

    response_id: str
    number: int
    """Of the sentence in its response, from 0."""
    sentence: str


class Think(NamedTuple):
    """Answer this; `Thought`s come back until one with `Over`."""

    response_id: str
    prompt: Prompt


class Drop(NamedTuple):
    """Nobody wants it any more: what is said and thought for this response, or the words of this order."""

    name: str


class Enough(NamedTuple):
    """Of this response no more needs to be thought; what was is still said."""

    response_id: str


Order = Recognise | Say | Think | Drop | Enough


# ---- what comes back -------------------------------------------------------------------------------------------------


class Recognised(NamedTuple):
    """The words that an order was about."""

    name: str
    words: str | None
    """Empty: no words in it. None: there is no ear (any more)."""
    why: str = ""
    """With `words` None: the code of what is wrong where somebody should know, like `busy`."""


class Said(NamedTuple):
    """The sound of a sentence."""

    response_id: str
    number: int
    pcm: bytes | None
    """PCM16 at `RATE`. None: there is no voice (any more)."""


class Grew(NamedTuple):
    """More words of an answer."""

    text: str


class Tokens(NamedTuple):
    """What the language model counted."""

    heard: int
    said: int
    cached: int = 0


class Over(NamedTuple):
    """The end of an answer."""

    status: Literal["completed", "incomplete", "failed"] = "completed"
    reason: str | None = None
    """max_output_tokens | content_filter, with `incomplete`."""
    error: StatusError | None = None
    """With `failed`."""
    tokens: Tokens | None = None
    """None where it did not say."""


class Thought(NamedTuple):
    """The next of an answer."""

    response_id: str
    what: Grew | Call | Over


Result = Recognised | Said | Thought
