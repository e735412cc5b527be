"""A file as an image for the talk: what it is, how large, and its data URL; reading is a thread's, it sends nothing."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from voicecli.core.stimuli import Pictured

LARGEST: Final = 5 << 20
"""Bytes of a file. It is a third more on the wire, where it has to leave before the voice that is behind it."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG behind which its size stands."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""The markers that nothing belongs to."""


class BadPicture(ValueError):
    """Why a file cannot be sent, as the end of a sentence."""


class Seen(NamedTuple):
    """What a file is."""

    mime: str
    width: int | None
    """None: it does not say, and whoever looks at it may find out."""
    height: int | None


def look(data: bytes) -> Seen:
    """By its first bytes, whatever its name; PNG and JPEG are what the protocol has. Raises BadPicture."""
    if data.startswith(_PNG):
        whole = len(data) >= 24 and data[12:16] == b"IHDR"
        size = (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) if whole else (None, None)
        return Seen("image/png", *size)
    if data.startswith(_JPEG):
        return Seen("image/jpeg", *_jpeg_size(data))
    raise BadPicture("it is neither PNG nor JPEG" if data else "it is empty")


def _jpeg_size(data: bytes) -> tuple[int, int] | tuple[None, None]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
        elif marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None, None


def read(path: Path, text: str = "") -> Pictured:
    """The image with what is said to it. Waits for the disk; raises BadPicture."""
    try:
        data = _bytes(path.expanduser())
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, BadPicture):
            raise
        raise BadPicture(getattr(error, "strerror", None) or str(error) or "it cannot be read") from None
    seen = look(data)
    size = f"{seen.width}x{seen.height}" if seen.width and seen.height else f"{len(data):,} bytes"
    url = f"data:{seen.mime};base64,{base64.b64encode(data).decode()}"
    return Pictured(name=path.name, size=size, url=url, text=text)


def _bytes(path: Path) -> bytes:
    """Of a file, and of nothing that could be waited for without end."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise BadPicture("it is no file")
        if about.st_size > LARGEST or len(data := file.read(LARGEST + 1)) > LARGEST:
            raise BadPicture(f"it has more than {LARGEST >> 20} MiB")
    return data


class Reader:
    """Reads one image at a time, in a thread of its own; `ring` is called when it is done."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._done: list[Pictured | BadPicture] = []
        self.busy = False

    def start(self, path: Path, text: str) -> None:
        """Not while it is busy."""
        self.busy = True
        threading.Thread(target=self._read, args=(path, text), name="picture", daemon=True).start()

    def _read(self, path: Path, text: str) -> None:
        try:
            self._done.append(read(path, text))
        except BadPicture as bad:
            self._done.append(bad)
        except Exception as bug:  # else nothing that is typed would ever be sent
            self._done.append(BadPicture(type(bug).__name__))
        self._ring()

    def take(self) -> Pictured | BadPicture | None:
        """The image that was read, or why it was not; None: there is nothing yet."""
        if not self._done:
            return None
        self.busy = False
        return self._done.pop()
