"""The faces in one shape: a change goes in, what is to be written comes out, and a typed line gets its meaning."""

from __future__ import annotations

import os
from typing import Protocol

from voicecli.core.changes import AnyChange, Told
from voicecli.secret import Redactor
from voicecli.settings import Settings
from voicecli.ui.actions import Meant, Say, TalkKey, help_lines, parse, parse_json
from voicecli.ui.jsonl import Jsonl
from voicecli.ui.plain import OneShot, Plain, Written
from voicecli.ui.view import View


def screen_fits(settings: Settings) -> bool:
    """Whether the talk is shown on the screen: all three streams are a terminal, and nobody asked for lines."""
    if settings.plain or settings.jsonl or os.environ.get("TERM") == "dumb":
        return False
    try:
        return all(os.isatty(descriptor) for descriptor in (0, 1, 2))
    except OSError:
        return False


class Face(Protocol):
    """What the run of a talk needs of whatever shows it."""

    @property
    def view(self) -> View: ...

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called."""

    def show(self, change: AnyChange, at: float) -> Written: ...

    def tick(self, at: float) -> Written: ...

    def meant(self, line: bytes) -> Meant: ...

    def help(self, word: str) -> tuple[Told, ...]: ...


class PlainFace:
    """Lines. From a pipe every line is a text; a person at a terminal has the commands too.

    With push-to-talk their empty line is the talk key.
    """

    def __init__(self, terminal: bool, redact: Redactor, ptt: bool = False) -> None:
        self._ptt = ptt
        self._plain = Plain(echo_typed=not terminal, states=terminal, clean=redact)
        self._terminal = terminal

    @property
    def view(self) -> View:
        return self._plain.view

    @property
    def deadline(self) -> float | None:
        return self._plain.deadline

    def show(self, change: AnyChange, at: float) -> Written:
        return _lines(self._plain.show(change, at))

    def tick(self, at: float) -> Written:
        return _lines(self._plain.tick(at))

    def meant(self, line: bytes) -> Meant:
        text = line.decode("utf-8", "replace")
        if self._terminal:
            return TalkKey() if self._ptt and not text.strip() else parse(text)
        return Say(text.strip()) if text.strip() else None

    def help(self, word: str) -> tuple[Told, ...]:
        return tuple(Told(severity="info", code="help", title=line) for line in help_lines(word))


class JsonlFace:
    """JSON lines, in both directions."""

    deadline: float | None = None

    def __init__(self, redact: Redactor) -> None:
        self._jsonl = Jsonl(redact)

    @property
    def view(self) -> View:
        return self._jsonl.view

    def show(self, change: AnyChange, at: float) -> Written:
        return _lines(self._jsonl.show(change, at))

    def tick(self, at: float) -> Written:  # noqa: ARG002 - every face is called so
        return Written()

    def meant(self, line: bytes) -> Meant:
        return parse_json(line)

    def help(self, word: str) -> tuple[Told, ...]:
        title = "What can be sent as a command."
        return (Told(severity="info", code="help", title=title, hint=" ".join(help_lines(word))),)


class OneShotFace:
    """The bare answer on stdout, everything else on stderr."""

    deadline: float | None = None

    def __init__(self, redact: Redactor) -> None:
        self._shot = OneShot(redact)

    @property
    def view(self) -> View:
        return self._shot.view

    def show(self, change: AnyChange, at: float) -> Written:
        return self._shot.show(change, at)

    def tick(self, at: float) -> Written:  # noqa: ARG002 - every face is called so
        return Written()

    def meant(self, line: bytes) -> Meant:  # noqa: ARG002 - nothing is typed into a question
        return None

    def help(self, word: str) -> tuple[Told, ...]:  # noqa: ARG002
        return ()


def _lines(lines: list[str]) -> Written:
    return Written("".join(f"{line}\n" for line in lines))
