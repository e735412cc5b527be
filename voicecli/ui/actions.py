"""Every action once: its slash command, its argument, its help, the stimulus it gives; it draws nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from voicecli.core.changes import Told
from voicecli.core.stimuli import Asked, EchoSet, Quit, Typed
from voicecli.printable import one_line


class Action(NamedTuple):
    """What the person can ask for. Without a stimulus it is the face's own affair (`save`, `help`)."""

    id: str
    argument: str
    help: str
    stimulus: Asked | Quit | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def command(self) -> str:
        """As it is typed."""
        return f"/{self.id}"


ACTIONS: Final = (
    Action("mute", "", "Turn the microphone off; nothing is sent.", Asked("mute")),
    Action("unmute", "", "Turn the microphone on.", Asked("unmute")),
    Action("interrupt", "", "Stop the answer; while you record, throw that away.", Asked("interrupt")),
    Action("talk", "", "With push-to-talk: start recording, and end it and send it.", Asked("talk")),
    Action("answer", "", "Ask for an answer now.", Asked("answer")),
    Action("image", "FILE", "Send a PNG or JPEG of up to 5 MiB; what you write behind its name is asked about it."),
    Action("kept", "", "Ask the server what it keeps of the last answer that was cut.", Asked("kept")),
    Action(
        "echo",
        "MODE",
        "off, or half-duplex: the microphone is shut while the assistant speaks.",
        choices=("off", "half-duplex"),
    ),
    Action("retry", "", "Connect again after the connection was lost.", Asked("retry")),
    Action("save", "FILE", "Write the talk so far into a new file."),
    Action("quit", "", "End the talk.", Quit()),
    Action("help", "WORD", "Say what can be typed.", optional=True),
)


class Say(NamedTuple):
    """A text for the assistant."""

    text: str

    @property
    def stimulus(self) -> Typed:
        return Typed(self.text)


class Do(NamedTuple):
    """An action, with its argument as it was typed, or the whole of the choice that was meant."""

    action: Action
    argument: str = ""

    @property
    def stimulus(self) -> Asked | EchoSet | Quit | None:
        """What the talk is told; None: the face does it itself."""
        match self.argument:
            case "off" | "half-duplex" as mode if self.action.id == "echo":
                return EchoSet(mode)
        return self.action.stimulus


class TalkKey(NamedTuple):
    """The talk key was pressed; that it is let go cannot be seen."""


Meant = Say | Do | TalkKey | Told | None
"""What a line means: `Told` says what is wrong with it, None that there is nothing in it."""


def parse(line: str) -> Meant:
    """What a typed line means. A unique beginning of a command is enough; `//` sends a slash."""
    line = line.strip()
    if not line:
        return None
    if line.startswith("//"):
        return Say(line[1:])
    if not line.startswith("/"):
        return Say(line)
    word, _, argument = line[1:].partition(" ")
    argument = argument.strip()
    found = _meant(word.lower(), tuple(action.id for action in ACTIONS))
    if len(found) != 1:
        return _bad(
            f"There is no command {one_line('/' + word, 40)}." if not found else f"/{word} is not enough.",
            f"It may be {', '.join('/' + each for each in found)}." if found else "/help says what there is.",
        )
    (action,) = (each for each in ACTIONS if each.id == found[0])
    if not action.argument and argument:
        return _bad(f"{action.command} takes nothing after it.")
    if action.argument and not argument and not action.optional:
        return _bad(f"{action.command} needs {_argument(action)} after it.")
    if action.id == "image" and file_and_text(argument) is None:
        return _bad("A quotation mark is missing behind the name of the file.", '/image "my photo.png" what is this?')
    if action.choices:
        chosen = _meant(argument.lower(), action.choices)
        if len(chosen) != 1:
            return _bad(f"{action.command} takes {_argument(action)}, not {one_line(argument, 40)}.")
        argument = chosen[0]
    return Do(action, argument)


def file_and_text(argument: str) -> tuple[str, str] | None:
    """The name of a file and what stands behind it; None where its quotation mark has no other.

    A name with spaces is quoted, or has a backslash before each of them, as terminals write a file that is dropped on
    them. Any other backslash is a part of the name.
    """
    quote = argument[:1]
    if quote in ('"', "'"):
        name, closed, text = argument[1:].partition(quote)
        return (name, text.strip()) if closed and name else None
    at = 0
    while at < len(argument) and not argument[at].isspace():
        at += 2 if argument[at : at + 2] == "\\ " else 1
    return argument[:at].replace("\\ ", " "), argument[at:].strip()


class _Line(Struct, frozen=True):
    type: str
    text: str | None = None
    line: str | None = None


_LINE: Final = Decoder(_Line)


def parse_json(line: bytes) -> Meant:
    """What a line of JSON means: `{"type":"say","text":...}` or `{"type":"command","line":"/mute"}`."""
    if not line.strip():
        return None
    try:
        read = _LINE.decode(line)
    except (MsgspecError, RecursionError, UnicodeDecodeError):
        return _bad("That line is not one of the objects that can be sent.", _SHAPES)
    match read:
        case _Line(type="say", text=str(text)) if text.strip():
            return Say(text)
        case _Line(type="command", line=str(command)) if command.startswith("/") and not command.startswith("//"):
            return parse(command)
        case _:
            return _bad("That line is not one of the objects that can be sent.", _SHAPES)


_SHAPES: Final = 'They are {"type":"say","text":"..."} and {"type":"command","line":"/mute"}.'


def help_lines(word: str = "") -> list[str]:
    """What can be typed; with `word`, the commands that begin with it, or all where none does."""
    word = word.strip().lstrip("/").lower()
    found = [action for action in ACTIONS if action.id.startswith(word)] or list(ACTIONS)
    return [f"{action.command}{f' {action.argument}' if action.argument else ''}: {action.help}" for action in found]


def _meant(beginning: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The word itself, else those that begin so."""
    if beginning in words:
        return (beginning,)
    return tuple(word for word in words if beginning and word.startswith(beginning))


def _argument(action: Action) -> str:
    return " or ".join(action.choices) or action.argument


def _bad(title: str, hint: str = "") -> Told:
    return Told(severity="warning", code="bad_input", title=title, hint=hint)
