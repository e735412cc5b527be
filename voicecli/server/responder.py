"""Who decides what is answered, and what he is told. It knows no session, no time and no wire.

A `Responder` is handed what was asked and returns the whole `Answer`; when its pieces leave is decided in
`responses.py`. So a test can give an answer of several items or parts, of text only, a slow or a failing one.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from voicecli.protocol.items import Tool
from voicecli.server.answers import Answer
from voicecli.server.orders import Message


class Asked(Struct, frozen=True):
    """What an answer is wanted for."""

    number: int
    """How many answers this session has given before."""
    typed: str
    """The user's last typed text since the last answer; empty when there was none."""
    heard_ms: int
    """How much of the user's speech came since the last answer."""
    spoken: bool
    """Whether sound is wanted, or text only."""
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    """The functions that may be called; empty where the client wants no call."""
    outputs: tuple[str, ...] = ()
    """What the client's functions gave back since the last answer."""
    images: int = 0
    """How many images the user sent since the last answer."""
    must_call: Tool | None = None
    """The function that has to be called: `tool_choice` names it, or demands any."""
    said: str | None = None
    """The words of the user's speech since the last answer; None: there was none, or nobody understands it."""
    messages: tuple[Message, ...] = ()
    """The conversation so far, oldest first, as far as words of it are known; of the assistant's what was heard."""


class Responder(Protocol):
    """Who decides what is answered."""

    def answer(self, asked: Asked) -> Answer:
        """The whole answer. It is called once for each response and must return at once."""
