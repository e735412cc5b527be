"""The user's own files and folders: 0600 in 0700 whatever the umask (G18); it must not know what is in them."""

from __future__ import annotations

import os
from pathlib import Path


def private_folder(path: Path) -> None:
    """Makes `path` and the folders above it that are missing, each 0700. Raises OSError."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        if path.parent == path:
            break
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(0o700, exist_ok=True)


def create_private(path: Path) -> int:
    """Creates `path`, which must not be there yet, 0600; a descriptor to write to. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)


def save_private(path: Path, text: str) -> None:
    """Writes `text` into the new file `path`; there is no half of it. Raises OSError, FileExistsError among them."""
    descriptor = create_private(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError:
        path.unlink(missing_ok=True)
        raise
