"""What a slash command that is being typed may become; pure, so it is told the files that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from voicecli.printable import printable
from voicecli.ui.actions import ACTIONS, BY_ID, Action, meant_by
from voicecli.ui.screen.keys import Keymap
from voicecli.ui.view import View

Files = Callable[[str], Iterable[str]]
"""The paths that begin with what was typed; folders end in a slash. Foreign text."""
MOST: Final = 50
"""Choices that are offered."""


class Choice(NamedTuple):
    """One of the things that the line may become."""

    line: str
    """The whole line then."""
    shown: str
    help: str = ""
    key: str = ""
    whole: bool = True
    """Nothing more is needed: it can be done."""


def no_files(beginning: str) -> Iterable[str]:  # noqa: ARG001 - a stand-in for `Files`
    return ()


def choices(line: str, view: View, keymap: Keymap, files: Files = no_files) -> tuple[Choice, ...]:
    """What `line` may become; nothing where it is no slash command."""
    if not line.startswith("/") or line.startswith("//") or "\n" in line:
        return ()
    word, space, argument = line[1:].partition(" ")
    if not space:
        begun = (action for action in ACTIONS if action.id.startswith(word.lower()) and action.when(view))
        return tuple(_command(action, keymap) for action in begun)
    found = meant_by(word.lower(), tuple(action.id for action in ACTIONS))
    if len(found) != 1:
        return ()
    return tuple(_arguments(BY_ID[found[0]], argument.lstrip(), files))[:MOST]


def _command(action: Action, keymap: Keymap) -> Choice:
    needs = bool(action.argument) and not action.optional
    line = f"{action.command} " if needs else action.command
    return Choice(line, action.usage, action.help, keymap.label(action), not needs)


def _arguments(action: Action, begun: str, files: Files) -> Iterable[Choice]:
    if action.argument == "FILE":
        for path in files(begun):
            if printable(path) == path:  # what cannot be shown as it is cannot be chosen by what is shown
                yield Choice(f"{action.command} {path}", path, whole=not path.endswith("/"))
        return
    words: Iterable[str] = action.choices
    if action.id == "help":
        words = (each.id for each in ACTIONS)
    elif action.id == "copy":
        words = ("all",)
    for word in words:
        if word.startswith(begun.lower()):
            yield Choice(f"{action.command} {word}", word)
