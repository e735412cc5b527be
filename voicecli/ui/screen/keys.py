"""Which key does what: the default keys of the actions, re-mapped as the person wants; it must not know who presses.

Keys are called as in Textual ("ctrl+o", "f2", "space").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from voicecli.core.changes import Told
from voicecli.printable import one_line
from voicecli.settings import KEY_PREFIX, KeySaid
from voicecli.ui.actions import ACTIONS, BY_ID, Action
from voicecli.ui.view import View

NONE: Final = "none"
MOST: Final = 8
"""Keys of one action."""
LONGEST_SHOWN: Final = 20
"""Characters of a bad value that are shown: a longer one may be a secret in the wrong place."""


_UNMUTE: Final = BY_ID["unmute"]
_TURNS_ON: Final = re.compile(rf"(?<!\S){_UNMUTE.command}\b")


class Fixed(NamedTuple):
    """A key of the line or the screen itself, which cannot be given to an action."""

    keys: tuple[str, ...]
    help: str


FIXED: Final = (
    Fixed(("enter",), "send; what a notice offers"),
    Fixed(("ctrl+j", "shift+enter"), "new line"),
    Fixed(("escape",), "close, discard, stop"),
    Fixed(("up", "down"), "what you sent before"),
    Fixed(("tab",), "complete a command"),
    Fixed(("pageup", "pagedown"), "scroll"),
    Fixed(("end",), "back to now"),
    Fixed(("ctrl+c",), "copy, stop, then end"),
    Fixed(("ctrl+underscore",), "undo"),
)
_EDITING: Final = ("left", "right", "home", "backspace", "delete", "ctrl+left", "ctrl+right")
_SAME: Final = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
    "ctrl+[": "escape",
    "return": "enter",
    "esc": "escape",
}
"""What a terminal cannot tell apart, and other names."""
TAKEN: Final = frozenset((*(key for fixed in FIXED for key in fixed.keys), *_EDITING))

ON_EMPTY: Final = frozenset({"space", "ctrl+d"})
"""They act on the empty line only; elsewhere they type and delete."""

_KEY: Final = re.compile(
    r"(?:(?:ctrl|alt|shift|super)\+){0,3}"
    r"(?:[a-z0-9]|f(?:[1-9]|1\d|2[0-4])|space|insert|enter|tab|backspace|delete|escape|up|down|left|right|home|end"
    r"|pageup|pagedown|underscore|backslash|slash|comma|period|minus|equals_sign|at|circumflex_accent"
    r"|right_square_bracket|left_square_bracket)"
)
_WORDS: Final = {
    "_": "underscore",
    "\\": "backslash",
    "/": "slash",
    "@": "at",
    "^": "circumflex_accent",
    "]": "right_square_bracket",
    "[": "left_square_bracket",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "del": "delete",
    "ins": "insert",
}
_LABELS: Final = {
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "underscore": "_",
    "backslash": "\\",
    "slash": "/",
    "at": "@",
    "circumflex_accent": "^",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
}


def label(key: str) -> str:
    """How it is called where there is little room: "^o", "F2", "space"."""
    *modifiers, name = key.split("+")
    name = _LABELS.get(name, name)
    if re.fullmatch(r"f\d+", name):
        name = name.upper()
    if modifiers == ["ctrl"] and len(name) == 1:
        return f"^{name}"
    return "+".join((*modifiers, name))


class BadKey(ValueError):
    """A key that cannot be given to an action; str() says why."""


def read_key(text: str) -> str:
    """The key that `text` names, in Textual's words. Raises BadKey."""
    said = text.strip().lower()
    if said.startswith("^") and len(said) == 2:
        said = f"ctrl+{said[1]}"
    *modifiers, name = said.split("+")
    modifiers = sorted({"control": "ctrl", "option": "alt", "meta": "alt"}.get(each, each) for each in modifiers)
    key = "+".join((*modifiers, _WORDS.get(name, name)))
    if len(set(modifiers)) != len(modifiers) or not _KEY.fullmatch(key):
        quoted = f'"{one_line(text)}"' if len(text) <= LONGEST_SHOWN else "that"
        raise BadKey(f"{quoted} is no key")
    key = _SAME.get(key, key)
    if key in TAKEN:
        raise BadKey(f"{label(key)} belongs to the line that is typed in")
    base = key.removeprefix("shift+")
    if base != "space" and len(base.split("+")) == 1 and not re.fullmatch(r"f\d+|insert", base):
        raise BadKey(f"{label(key)} is typed into the line, so it cannot act")
    return key


class Keymap:
    """The keys as they are bound."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        """`keys` of each action by its id; an action that is not named has none."""
        self._keys = dict(keys)

    def keys(self, action: Action) -> tuple[str, ...]:
        """Of `action`, the first of them to be shown; none where it has none."""
        return self._keys.get(action.id, ())

    def label(self, action: Action) -> str:
        """The first key of `action` as it is shown; "" where it has none."""
        return next((label(key) for key in self.keys(action)), "")

    def acting(self, action: Action, *, typed: bool) -> str:
        """As `label`, of its keys that act now; `typed`: a key that can be typed is."""
        return next((label(key) for key in self.keys(action) if not typed or key not in ON_EMPTY), "")

    def labels(self, action: Action) -> str:
        """All its keys as they are shown."""
        return ", ".join(label(key) for key in self.keys(action))

    def named_in(self, told: Told) -> Told:
        """Where it says how the microphone is turned on, the key of that beside the command."""
        key = self.acting(_UNMUTE, typed=True)
        hint = _TURNS_ON.sub(f"{key} or {_UNMUTE.command}", told.hint) if key else told.hint
        return told if hint == told.hint else replace(told, hint=hint)

    def beside(self, action: Action) -> Action | None:
        """The action whose keys `action` has too, for when that one is not possible."""
        shared = BY_ID.get(action.shares)
        return shared if shared is not None and self.keys(shared) == self.keys(action) else None

    def bound(self, key: str) -> tuple[Action, ...]:
        """The actions of a key, in the order of the table."""
        return tuple(action for action in ACTIONS if key in self.keys(action))

    def meant(self, key: str, view: View) -> Action | None:
        """What `key` does now; None: nothing."""
        return next((action for action in self.bound(key) if action.when(view)), None)


def read_keys(said: Iterable[KeySaid]) -> tuple[Keymap, tuple[Told, ...]]:
    """The keys as the person wants them, and what is wrong with that; what is wrong is left as it was."""
    told: list[Told] = []
    wanted = dict(_wanted(said, told))
    keys: dict[str, tuple[str, ...]] = {}
    owners: dict[str, Action] = {}
    for action in sorted(ACTIONS, key=lambda action: action.id in wanted):  # whoever keeps its keys comes first
        asked = wanted.get(action.id)
        if asked is None and action.shares:
            continue
        got = tuple(_free(action.keys if asked is None else asked.keys, owners, asked, told))
        if asked is not None and asked.keys and not got:
            got = tuple(key for key in action.keys if key not in owners)
        owners.update(dict.fromkeys(got, action))
        keys[action.id] = got
    for action in ACTIONS:
        if action.id not in keys:
            keys[action.id] = keys[action.shares]
    # The same code twice would be one notice in the place of the other.
    return Keymap(keys), tuple(replace(each, code=f"{each.code}_{n}") if n else each for n, each in enumerate(told))


class _Asked(NamedTuple):
    keys: tuple[str, ...]
    source: str


def _wanted(said: Iterable[KeySaid], told: list[Told]) -> Iterator[tuple[str, _Asked]]:
    ids = {action.id.replace("-", "_"): action.id for action in ACTIONS}
    for each in said:
        name = ids.get(each.action.lower())
        if name is None:
            near = difflib.get_close_matches(each.action.lower()[:40], ids, 1)
            hint = (
                f"Did you mean {KEY_PREFIX}{near[0].upper()}?" if near else "Actions are called as their commands are."
            )
            told.append(_bad(f"There is no action for {one_line(each.source, 80)}.", hint))
            continue
        keys: list[str] = []
        words = [word for word in re.split(r"[,\s]+", each.keys) if word]
        for word in words[:MOST] if [word.lower() for word in words] != [NONE] else ():
            try:
                keys.append(read_key(word))
            except BadKey as bad:
                told.append(_bad(f"{one_line(each.source, 80)}: {bad}.", _EXAMPLES))
        if keys or [word.lower() for word in words] == [NONE]:
            yield name, _Asked(tuple(dict.fromkeys(keys)), each.source)


def _free(keys: tuple[str, ...], owners: Mapping[str, Action], asked: _Asked | None, told: list[Told]) -> Iterator[str]:
    for key in keys:
        owner = owners.get(key)
        if owner is None:
            yield key
        elif asked is not None:
            name = KEY_PREFIX + owner.id.upper().replace("-", "_")
            hint = f"Give that other keys first by {name}, or none: {name}={NONE}."
            title = f"{one_line(asked.source, 80)}: {label(key)} is the key of {owner.command} already."
            told.append(_bad(title, hint))


_EXAMPLES: Final = f"Keys are written as f5, ctrl+k or alt+m, several with commas between them; {NONE} takes them away."


def _bad(title: str, hint: str) -> Told:
    return Told(severity="warning", code="bad_key", title=title, hint=hint)


DEFAULT: Final = read_keys(())[0]
