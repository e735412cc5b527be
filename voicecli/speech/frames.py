"""What a speech engine and whoever started it say to each other, and how that is framed on a pipe. It waits for nobody.

A frame is four bytes of length, big-endian, and so many of MessagePack. The engine is asked one thing at a time.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from voicecli.speech.weights import Lack

HEAD: Final = 4
MOST: Final = 8 << 20
"""Bytes in a frame: sound of almost three minutes."""


class Listen(Struct, frozen=True, tag=True):
    """To the ear: what is said here? PCM16 at 24 kHz."""

    number: int
    pcm: bytes
    last: bool
    """Whether the utterance ends here; else the ear may leave some of it to be sent again with what follows."""


class Speak(Struct, frozen=True, tag=True):
    """To the voice: say this."""

    number: int
    text: str


Request = Listen | Speak


class Loading(Struct, frozen=True, tag=True):
    """It has begun."""


class Ready(Struct, frozen=True, tag=True):
    """It is loaded and warm: the next answer takes as long as any."""


class Lacking(Struct, frozen=True, tag=True):
    """It cannot run, and ends."""

    lack: Lack
    detail: str = ""
    """Of an exception: foreign text."""


class Heard(Struct, frozen=True, tag=True):
    """The words, and how many bytes of the sound they are the words of."""

    number: int
    words: str
    taken: int


class Spoken(Struct, frozen=True, tag=True):
    """PCM16 at 24 kHz."""

    number: int
    pcm: bytes


class Failed(Struct, frozen=True, tag=True):
    """This one thing did not work; the next may."""

    number: int
    detail: str
    """Of an exception: foreign text."""


Reply = Loading | Ready | Lacking | Heard | Spoken | Failed


class BadFrame(Exception):
    """What came is none of ours."""


_requests: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)
_replies: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)


def frame(message: Request | Reply) -> bytes:
    """The whole frame. Raises ValueError where it would be longer than `MOST`."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MOST:
        raise ValueError(f"{len(body)} bytes in one frame")
    return len(body).to_bytes(HEAD, "big") + body


def size(head: bytes) -> int:
    """How long the body behind this head is. Raises BadFrame for more than `MOST`."""
    length = int.from_bytes(head, "big")
    if length > MOST:
        raise BadFrame(f"a frame of {length} bytes")
    return length


def request(body: bytes) -> Request:
    """Raises BadFrame."""
    try:
        return _requests.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(str(error)) from None


def reply(body: bytes) -> Reply:
    """Raises BadFrame."""
    try:
        return _replies.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFrame(str(error)) from None
