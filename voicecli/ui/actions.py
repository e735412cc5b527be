"""Every action once: command, argument, help, name, keys, when it is possible, its stimulus; it draws nothing.

Slash commands, keys, the list of commands and help are views of this table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from voicecli.core.changes import Told
from voicecli.core.stimuli import Asked, EchoSet, Quit, Typed
from voicecli.printable import one_line
from voicecli.ui.view import View

ANSWERING: Final = ("assistant_speaking", "thinking", "waiting_for_sound")
"""Phases in which there is an answer that can be stopped."""


def always(view: View) -> bool:  # noqa: ARG001 - every condition is asked so
    return True


def begun(view: View) -> bool:
    """There is something in the talk."""
    return bool(view.order)


def spoken(view: View) -> bool:
    """It is a talk with sound."""
    return view.started is not None and view.started.mode != "chat"


def push_to_talk(view: View) -> bool:
    return view.started is not None and view.started.mode == "ptt"


def connected(view: View) -> bool:
    return view.link is not None and view.link.state == "open"


def unconnected(view: View) -> bool:
    return view.link is not None and view.link.state in ("lost", "closed")


def stoppable(view: View) -> bool:
    """There is an answer, or a recording."""
    return view.doing in (*ANSWERING, "recording", "recording_full")


def microphone_off(view: View) -> bool:
    """It was turned off, or does not work. Without a link it is closed too, and not off."""
    side = view.sound.get("input")
    if not spoken(view) or side is None:
        return False
    full = view.doing == "recording_full"
    return side.state == "lost" or (side.state == "closed" and connected(view) and not full)


def microphone_on(view: View) -> bool:
    return spoken(view) and not microphone_off(view)


When = Callable[[View], bool]


class Action(NamedTuple):
    """What the person can ask for. Without a stimulus it is the face's own affair (`save`, `help`)."""

    id: str
    argument: str
    help: str
    stimulus: Asked | Quit | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False
    title: str = ""
    """Its name in a list of all that can be done, as "area: verb"."""
    keys: tuple[str, ...] = ()
    """By default, in Textual's words. A key of several actions does the first of them that is possible now."""
    shares: str = ""
    """The action whose keys it has, unless it is given some of its own."""
    when: When = always
    """Whether it is possible now. It may be asked for at any time; the talk says then why not."""
    screen: bool = False
    """It is about the screen, and nothing where there are only lines."""

    @property
    def command(self) -> str:
        """As it is typed."""
        return f"/{self.id}"

    @property
    def usage(self) -> str:
        """With what stands behind it."""
        return f"{self.command} {self.argument}".rstrip()

    @property
    def name(self) -> str:
        """Its name in a list of all that can be done."""
        return self.title or f"talk: {self.id}"


ACTIONS: Final = (
    Action(
        "talk",
        "",
        "Push-to-talk: start recording; end and send it.",
        Asked("talk"),
        title="recording: start, end and send",
        keys=("space", "f2"),
        when=push_to_talk,
    ),
    Action(
        "interrupt",
        "",
        "Stop the answer; while you record, throw that away.",
        Asked("interrupt"),
        title="answer: stop",
        shares="talk",
        when=stoppable,
    ),
    Action(
        "mute",
        "",
        "Turn the microphone off; nothing is sent.",
        Asked("mute"),
        title="microphone: off",
        keys=("ctrl+o",),
        when=microphone_on,
    ),
    Action(
        "unmute",
        "",
        "Turn the microphone on.",
        Asked("unmute"),
        title="microphone: on",
        shares="mute",
        when=microphone_off,
    ),
    Action("answer", "", "Ask for an answer now.", Asked("answer"), title="answer: ask for one", when=connected),
    Action(
        "image",
        "FILE",
        "Send a PNG or JPEG of up to 5 MiB; what you write behind its name is asked about it.",
        title="talk: send an image",
        when=connected,
    ),
    Action(
        "kept",
        "",
        "Ask the server what it keeps of the last answer that was cut.",
        Asked("kept"),
        title="answer: what the server keeps",
        when=connected,
    ),
    Action(
        "echo",
        "MODE",
        "off, or half-duplex: the microphone is shut while the assistant speaks.",
        choices=("off", "half-duplex"),
        title="sound: echo",
        when=spoken,
    ),
    Action(
        "retry",
        "",
        "Connect again after the connection was lost.",
        Asked("retry"),
        title="connection: try again",
        when=unconnected,
    ),
    Action("limits", "", "Say what is left of the server's limits.", title="talk: limits"),
    Action("delay", "", "Say how long the last answer took, and where.", title="talk: delay"),
    Action("status", "", "Say how it stands: state, microphone, limits, delay, tokens.", title="talk: status"),
    Action("save", "FILE", "Write the talk so far into a new file.", title="talk: save"),
    Action(
        "copy",
        "N|all",
        "Copy the last answer, the turn N from the end, or all.",
        optional=True,
        title="talk: copy the last answer",
        keys=("ctrl+y",),
        when=begun,
        screen=True,
    ),
    Action("theme", "NAME", "dark or light.", choices=("dark", "light"), title="screen: colours", screen=True),
    Action(
        "motion",
        "on|off",
        "off: nothing moves by itself.",
        choices=("on", "off"),
        title="screen: motion",
        screen=True,
    ),
    Action("redraw", "", "Draw the screen again.", title="screen: draw again", keys=("ctrl+l",), screen=True),
    Action(
        "suspend",
        "",
        "Back to the shell with the microphone off; fg comes back.",
        title="screen: suspend",
        keys=("ctrl+z",),
        screen=True,
    ),
    Action(
        "commands",
        "",
        "A list of all that can be done now.",
        title="help: all that can be done",
        keys=("ctrl+p",),
        screen=True,
    ),
    Action("keys", "", "Show which key does what.", title="help: keys", screen=True),
    Action("help", "WORD", "Say what can be typed.", optional=True, title="help: keys and commands", keys=("f1",)),
    Action("quit", "", "End the talk.", Quit(), title="talk: end", keys=("ctrl+q", "ctrl+d")),
)

BY_ID: Final = {action.id: action for action in ACTIONS}


def possible(view: View) -> tuple[Action, ...]:
    """The actions that make sense now, in the order of the table."""
    return tuple(action for action in ACTIONS if action.when(view))


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


def parse(line: str, *, screen: bool = False) -> Meant:
    """What a typed line means. A unique beginning of a command is enough; `//` sends a slash.

    `screen`: the commands of the screen are there too.
    """
    line = line.strip()
    if not line:
        return None
    if line.startswith("//"):
        return Say(line[1:])
    if not line.startswith("/"):
        return Say(line)
    word, _, argument = line[1:].partition(" ")
    argument = argument.strip()
    found = meant_by(word.lower(), tuple(action.id for action in ACTIONS if screen or not action.screen))
    if not found and word.lower() in BY_ID:
        return _bad(f"/{word.lower()} is there on the screen only.")
    if len(found) != 1:
        return _bad(
            f"There is no command {one_line('/' + word, 40)}." if not found else f"/{word} is not enough.",
            f"It may be {', '.join('/' + each for each in found)}." if found else "/help says what there is.",
        )
    action = BY_ID[found[0]]
    if not action.argument and argument:
        return _bad(f"{action.command} takes nothing after it.")
    if action.argument and not argument and not action.optional:
        return _bad(f"{action.command} needs {_argument(action)} after it.")
    if action.id == "image" and file_and_text(argument) is None:
        return _bad("A quotation mark is missing behind the name of the file.", '/image "my photo.png" what is this?')
    if action.choices:
        chosen = meant_by(argument.lower(), action.choices)
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


def help_lines(word: str = "", *, screen: bool = False) -> list[str]:
    """What can be typed; with `word`, the commands that begin with it, or all where none does."""
    return [f"{action.usage}: {action.help}" for action in asked_about(word, screen=screen)]


def asked_about(word: str, *, screen: bool) -> list[Action]:
    """The actions that help on `word` is about: those whose commands begin with it, or all where none does."""
    word = word.strip().lstrip("/").lower()
    there = [action for action in ACTIONS if screen or not action.screen]
    return [action for action in there if action.id.startswith(word)] or there


def meant_by(beginning: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The word itself, else those that begin so."""
    if beginning in words:
        return (beginning,)
    return tuple(word for word in words if beginning and word.startswith(beginning))


def _argument(action: Action) -> str:
    return " or ".join(action.choices) or action.argument


def _bad(title: str, hint: str = "") -> Told:
    return Told(severity="warning", code="bad_input", title=title, hint=hint)
