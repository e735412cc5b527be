"""Every option once, as data, and the frozen values they come to; it must not know where a value comes from.

`python -m voicecli.settings` prints `config.example.env`.
"""

from __future__ import annotations

import math
import sys
import textwrap
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

PREFIX: Final = "VOICECLI_"
OWN_KEY: Final = "VOICECLI_API_KEY"
OPENAI_KEY: Final = "OPENAI_API_KEY"
BASE_URL: Final = "OPENAI_BASE_URL"
SERVE_KEY: Final = "VOICECLI_SERVE_KEY"
LLM_KEY: Final = "VOICECLI_LLM_API_KEY"
NOT_OPTIONS: Final = frozenset({OWN_KEY, SERVE_KEY, LLM_KEY, "VOICECLI_REQUIRE"})
"""Names that begin like options and are none: the keys, and what the tests read."""

KEY_PREFIX: Final = "VOICECLI_KEY_"
"""Begins the names that give other keys to the actions of the screen."""

Value = str | bool | int | float | Path | None


class About(NamedTuple):
    """What stands beside a field of `Settings`; its name, type and default are the field's own."""

    help: str
    commands: tuple[str, ...]
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    metavar: str = ""
    folder_env: bool = True
    """Whether `.env` in the working directory may set it: not what touches files or opens a door (G3)."""
    at_file: bool = False
    """Whether @FILE stands for what is in the file; only by flag and in the user's own config (G3)."""
    may_be_empty: bool = False
    bare: str = ""
    """What the flag means without a value; empty: it needs one."""
    env: str = ""
    """Its variable where that is not the option's own name."""


class KeySaid(NamedTuple):
    """Other keys for an action of the screen, as they stand in the environment or in the user's config.env."""

    action: str
    """What follows on KEY_PREFIX. Foreign text, as `keys` is."""
    keys: str
    source: str
    """In words."""


class Option(NamedTuple):
    """One option, whole."""

    field: str
    kind: type
    choices: tuple[str, ...]
    default: Value
    about: About

    @property
    def name(self) -> str:
        """As it is written after the two dashes."""
        return self.field.replace("_", "-")

    @property
    def env(self) -> str:
        """Its environment variable."""
        return self.about.env or PREFIX + self.field.upper()

    @property
    def metavar(self) -> str:
        """What stands for the value in help; empty for a flag."""
        if self.kind is bool:
            return ""
        return "|".join(self.choices) or self.about.metavar or {int: "N", float: "X", Path: "FILE"}.get(self.kind, "")

    def read(self, raw: str) -> Value:
        """The value that `raw` spells. Raises BadValue; the message follows on the option's name."""
        try:
            raw.encode()
        except UnicodeEncodeError:
            raise BadValue("is not valid text (UTF-8)") from None
        text = raw if self.about.may_be_empty else raw.strip()
        if not text and not self.about.may_be_empty:
            raise BadValue("is empty")
        if self.kind is bool:
            return _read_bool(text)
        if self.kind in (int, float):
            return self._read_number(text)
        if self.choices and text not in self.choices:
            raise BadValue(f"is {_short(text)}; it must be one of {', '.join(self.choices)}")
        if "\0" in text:
            raise BadValue("has a NUL character in it")
        return Path(text) if self.kind is Path else text

    def _read_number(self, text: str) -> int | float:
        limit = f"it must be {'a whole number' if self.kind is int else 'a number'} from "
        limit += f"{self.about.low:g} to {self.about.high:g}{self.about.unit}"
        try:
            if not text.isascii() or "_" in text or len(text) > 40:
                raise ValueError
            number = int(text) if self.kind is int else float(text)
        except ValueError:
            raise BadValue(f"is {_short(text)}; {limit}") from None
        if not self.about.low <= number <= self.about.high:
            raise BadValue(f"is {_short(text)}; {limit}")
        return number


class BadValue(ValueError):
    """A value that an option cannot have; str() says what it is and what it may be."""


def _read_bool(text: str) -> bool:
    match text.lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
        case _:
            raise BadValue(f"is {_short(text)}; it must be true or false")


def _short(text: str) -> str:
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}..."'


_TALKS = ("talk", "chat")
_TALK = ("talk",)
_SERVE = ("serve",)
_HOUSES = ("talk", "chat", "serve")
_SPEAKING = ("talk", "serve")
_LOGS = ("talk", "chat", "serve", "devices")


class Settings(Struct, frozen=True, kw_only=True):
    """What the person wants. None: not said, so the profile's or the server's own value holds."""

    url: Annotated[
        str | None,
        About(
            "The whole URL of a Realtime server, path included (ws, wss, http or https). Goes before OPENAI_BASE_URL. "
            "?model= is appended where it has none.",
            _TALKS,
            metavar="URL",
        ),
    ] = None
    model: Annotated[str | None, About("The model to talk with.", _TALKS, metavar="NAME")] = None
    voice: Annotated[str | None, About("The voice that answers, by name or by id.", _TALK, metavar="NAME")] = None
    instructions: Annotated[
        str | None,
        About(
            "What the assistant is told about itself. @FILE, as a flag or in the user's config, is what is in FILE.",
            _TALKS,
            metavar="TEXT|@FILE",
            at_file=True,
            may_be_empty=True,
        ),
    ] = None
    dialect: Annotated[
        Literal["auto", "beta", "ga"], About("The spelling of the protocol that the server speaks.", _TALKS)
    ] = "auto"
    ca_file: Annotated[
        Path | None,
        About(
            "Certificates (PEM) that vouch for the server in the place of the system's, for a server of your own.",
            _TALKS,
            metavar="FILE.pem",
            folder_env=False,
        ),
    ] = None
    offline: Annotated[
        bool, About("Practise with voicecli's own server on this machine; it is not a language model.", _TALKS)
    ] = False
    llm_url: Annotated[
        str | None,
        About(
            "The base URL of an OpenAI-compatible language model server, as in http://127.0.0.1:11434/v1: voicecli's "
            "own server lends it an ear and a voice. Implies --offline; its key is VOICECLI_LLM_API_KEY.",
            _HOUSES,
            metavar="URL",
        ),
    ] = None
    llm_model: Annotated[
        str | None, About("The language model that answers behind --llm-url.", _HOUSES, metavar="NAME")
    ] = None
    tones: Annotated[
        bool,
        About(
            "Load no speech engines: voicecli's own server then speaks in tones, one a word, and tells only how long "
            "it heard you.",
            _SPEAKING,
        ),
    ] = False
    input_device: Annotated[
        str | None, About("The microphone: its index or a part of its name.", _TALK, metavar="DEVICE")
    ] = None
    output_device: Annotated[
        str | None, About("The speaker: its index or a part of its name.", _TALK, metavar="DEVICE")
    ] = None
    audio_in: Annotated[
        Path | None,
        About(
            "A WAV file that speaks in the place of the microphone, or clip:hello, a question that comes along.",
            _TALK,
            metavar="FILE.wav",
            folder_env=False,
        ),
    ] = None
    audio_out: Annotated[
        Path | None,
        About("A WAV file that is written in the place of the speaker.", _TALK, metavar="FILE.wav", folder_env=False),
    ] = None
    input_format: Annotated[
        Literal["pcm16", "g711_ulaw", "g711_alaw"] | None,
        About("How your sound is sent; G.711, as telephones do, takes a sixth of the network.", _TALK),
    ] = None
    output_format: Annotated[
        Literal["pcm16", "g711_ulaw", "g711_alaw"] | None, About("How the sound of answers is asked for.", _TALK)
    ] = None
    echo: Annotated[
        Literal["off", "half-duplex"],
        About("half-duplex: the microphone is shut while the assistant speaks, for open speakers.", _TALK),
    ] = "off"
    plain: Annotated[bool, About("Lines of text, one for each finished thing.", _TALKS)] = False
    jsonl: Annotated[bool, About("One JSON object a line, for programs.", _TALKS)] = False
    theme: Annotated[
        Literal["auto", "dark", "light"],
        About("The colours of the screen; auto takes those that go with the terminal's background.", _TALKS),
    ] = "auto"
    ascii: Annotated[
        bool, About("The screen draws with ASCII only, for fonts and terminals that show its glyphs badly.", _TALKS)
    ] = False
    motion: Annotated[
        Literal["on", "off"], About("off: nothing on the screen moves by itself; the tape becomes two meters.", _TALKS)
    ] = "on"
    levels: Annotated[bool, About("With --jsonl: sound levels, ten times a second.", _TALK)] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        About("How much is logged; debug also shows tracebacks.", _LOGS),
    ] = "info"
    log_file: Annotated[
        Path | None,
        About("Where the log goes, in the place of a new file in the user's log folder.", _LOGS, folder_env=False),
    ] = None
    ptt: Annotated[
        bool, About("Push-to-talk: the server detects no turns, enter or /talk starts and ends what you say.", _TALK)
    ] = False
    no_auto_response: Annotated[bool, About("What you say is answered only when you ask for it by /answer.", _TALK)] = (
        False
    )
    vad_threshold: Annotated[
        float | None, About("How sure the server must be that it hears speech (usually 0.5).", _TALK, 0, 1)
    ] = None
    vad_prefix_ms: Annotated[
        int | None,
        About("Sound kept from before speech was noticed (usually 300).", _TALK, 0, 10_000, " ms", "MS"),
    ] = None
    vad_silence_ms: Annotated[
        int | None, About("Silence that ends a turn (usually 500).", _TALK, 0, 60_000, " ms", "MS")
    ] = None
    semantic_vad: Annotated[
        Literal["low", "medium", "high", "auto"] | None,
        About(
            "The server tells by what you say whether you have finished, and not by silence; with how little patience "
            "it does (auto without a value).",
            _TALK,
            bare="auto",
        ),
    ] = None
    noise_reduction: Annotated[
        Literal["near_field", "far_field"] | None,
        About("The server cleans your sound: near_field for a headset, far_field for a microphone in the room.", _TALK),
    ] = None
    transcription_model: Annotated[
        str | None, About("The model that writes down what you say.", _TALK, metavar="NAME")
    ] = None
    no_transcription: Annotated[bool, About("What you say is not written down.", _TALK)] = False
    language: Annotated[
        str | None, About("The language you speak, for the transcription (en, de...).", _TALK, metavar="CODE")
    ] = None
    speed: Annotated[float | None, About("How fast the voice speaks (usually 1).", _TALK, 0.25, 1.5)] = None
    temperature: Annotated[
        float | None,
        About(
            "How freely the model picks its words (usually 0.8): from 0.6 to 1.2, in the dialect beta only; with "
            "--llm-url from 0 to 2, in any.",
            _HOUSES,
            0,
            2,
            " (0.6 to 1.2 without --llm-url)",
        ),
    ] = None
    max_tokens: Annotated[
        int | None, About("The most tokens that one answer may have (usually without limit).", _TALKS, 1, 4096)
    ] = None
    session: Annotated[
        Path | None,
        About(
            "A JSON file with any fields of the session, by their names in the dialect beta; an option goes before it.",
            _TALKS,
            metavar="FILE.json",
            folder_env=False,
        ),
    ] = None
    host: Annotated[
        str,
        About(
            "The address that `serve` listens on. Beyond this machine it needs a key, and --tls-cert or --plaintext.",
            _SERVE,
            metavar="ADDRESS",
            folder_env=False,
        ),
    ] = "127.0.0.1"
    port: Annotated[int, About("The port that `serve` listens on; 0 takes any free one.", _SERVE, 0, 65_535)] = 8765
    key_file: Annotated[
        Path | None,
        About(
            "A file of yours alone (mode 600) with the key that is asked of clients, in the place of "
            f"{SERVE_KEY} in the environment.",
            _SERVE,
            folder_env=False,
            env=f"{SERVE_KEY}_FILE",
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        About("The certificate (PEM, with its chain) to encrypt with.", _SERVE, metavar="FILE.pem", folder_env=False),
    ] = None
    tls_key: Annotated[
        Path | None,
        About(
            "The private key of the certificate, where it is not in the same file.",
            _SERVE,
            metavar="FILE.pem",
            folder_env=False,
        ),
    ] = None
    plaintext: Annotated[
        bool,
        About(
            "Listen beyond this machine without TLS, behind a proxy that encrypts: keys and talks pass readable.",
            _SERVE,
            folder_env=False,
        ),
    ] = False
    allow_origin: Annotated[
        str | None,
        About(
            "The web pages whose scripts may connect, with commas between them (https://app.example); none otherwise.",
            _SERVE,
            metavar="ORIGINS",
            folder_env=False,
        ),
    ] = None
    max_sessions: Annotated[
        int, About("How many talk at the same time; others get 503 with Retry-After.", _SERVE, 1, 10_000)
    ] = 16
    spare_connections: Annotated[
        int,
        About(
            "Connections beside those of sessions (handshakes, refusals); more are closed at once.", _SERVE, 1, 10_000
        ),
    ] = 32
    handshake_s: Annotated[
        float, About("How long a client may take to connect.", _SERVE, 0.1, 600, " s", "SECONDS")
    ] = 5.0
    max_session_s: Annotated[
        int | None,
        About(
            "How long a session of `serve` may last before it is closed, as hosted servers do; no limit without it.",
            _SERVE,
            1,
            86_400,
            " s",
            "SECONDS",
        ),
    ] = None
    scenario: Annotated[
        Path | None,
        About(
            "A TOML file that says what `serve` answers and sends, and when (docs/scenarios.md); for tests of clients.",
            _SERVE,
            metavar="FILE.toml",
            folder_env=False,
        ),
    ] = None
    idle_minutes: Annotated[
        float, About("A client that sends nothing for so long is closed with 1001.", _SERVE, 0.01, 10_000, " minutes")
    ] = 15.0
    unread_s: Annotated[
        float,
        About("A client that reads nothing for so long is closed with 1011.", _SERVE, 0.1, 86_400, " s", "SECONDS"),
    ] = 30.0
    max_frame_mib: Annotated[
        int, About("The largest message; a larger one is closed with 1009.", _SERVE, 1, 1024, " MiB", "MIB")
    ] = 22
    max_append_mib: Annotated[int, About("The most sound in one append.", _SERVE, 1, 15, " MiB", "MIB")] = 15
    max_buffer_minutes: Annotated[
        float,
        About("The most sound in the input buffer; more empties it, with an error.", _SERVE, 0.01, 600, " minutes"),
    ] = 10.0
    max_items: Annotated[int, About("The most items in a conversation.", _SERVE, 1, 20_000)] = 10_000
    max_text_kib: Annotated[
        int,
        About(
            "The most text in one item, and in all tools together: 1 MiB, and what is asked about it.",
            _SERVE,
            1,
            1088,
            " KiB",
            "KIB",
        ),
    ] = 1088
    max_instructions_kib: Annotated[int, About("The longest instructions.", _SERVE, 1, 1024, " KiB", "KIB")] = 64
    max_tools: Annotated[int, About("The most tools of a session.", _SERVE, 0, 4096)] = 128
    max_events_per_s: Annotated[
        int,
        About("The most messages of one client in a second, over five of them; more is 1008.", _SERVE, 1, 1_000_000),
    ] = 2_000
    max_errors: Annotated[
        int, About("The most errors told to one client within ten seconds; more is 1008.", _SERVE, 1, 1_000_000)
    ] = 200
    ahead_s: Annotated[
        float,
        About(
            "How far sound is sent ahead of an ear that hears it in real time.", _SERVE, 0.1, 86_400, " s", "SECONDS"
        ),
    ] = 10.0
    max_unsent_kib: Annotated[
        int,
        About(
            "What waits for a client that reads slowly before its session waits.", _SERVE, 16, 1_048_576, " KiB", "KIB"
        ),
    ] = 1024


EXCLUSIVE: Final = (
    ("plain", "jsonl"),
    ("offline", "url"),
    ("llm_url", "url"),
    ("scenario", "llm_url"),
    ("plaintext", "tls_cert"),
    ("no_transcription", "transcription_model"),
    ("no_transcription", "language"),
    ("ptt", "semantic_vad"),
    ("ptt", "vad_threshold"),
    ("ptt", "vad_prefix_ms"),
    ("ptt", "vad_silence_ms"),
    ("semantic_vad", "vad_threshold"),
    ("semantic_vad", "vad_prefix_ms"),
    ("semantic_vad", "vad_silence_ms"),
)
"""Fields of which at most one may be said in one place; of two places the nearer to the command line holds."""


def _options() -> tuple[Option, ...]:
    found: list[Option] = []
    defaults = Settings()
    for field, hint in get_type_hints(Settings, include_extras=True).items():
        annotated, about = get_args(hint)[:2]
        choices: tuple[str, ...] = ()
        kinds = get_args(annotated) if get_origin(annotated) in (Union, UnionType) else (annotated,)
        (kind,) = (each for each in kinds if each is not NoneType)
        if get_origin(kind) is Literal:
            choices, kind = get_args(kind), str
        found.append(Option(field, kind, choices, getattr(defaults, field), about))
    return tuple(found)


OPTIONS: Final = _options()


def options_of(command: str) -> tuple[Option, ...]:
    """The options that `command` (talk, chat, serve, devices) has, in the order of help."""
    return tuple(option for option in OPTIONS if command in option.about.commands)


_HEAD = f"""\
Settings of voicecli. A flag goes before the environment, the environment before .env in the working directory, that
before the user's config.env (`voicecli --help` says where it is), and that before the defaults below.

Keys are never a flag. {OWN_KEY} goes before {OPENAI_KEY}. A server that is named by .env in
the working directory gets only a key that stands in the same file.\
"""


_KEYS = f"""\
Other keys for the actions of the screen: {KEY_PREFIX}<ACTION>, the action called as its slash command is. Several
keys stand with commas between them; "none" takes them away. F1 shows what is bound. Not in .env of the working
directory.\
"""


def example_env() -> str:
    """`config.example.env`: every option with its default, commented out."""
    lines = [f"# {line}".rstrip() for line in _HEAD.splitlines()]
    lines += [
        "",
        f"# {OPENAI_KEY}=",
        f"# {OWN_KEY}=",
        "",
        "# What other OpenAI clients use too; /realtime is appended.",
    ]
    lines += [f"# {BASE_URL}=https://api.openai.com/v1", "", "# The key that `voicecli serve` asks of its clients."]
    lines += [f"# {SERVE_KEY}=", "", "# The key of the language model behind --llm-url."]
    lines += [f"# {LLM_KEY}="]
    for option in OPTIONS:
        default = "" if option.default is None else str(option.default)
        default = default.lower() if option.kind is bool else default
        said = option.about.help + ("" if option.about.folder_env else " Not in .env of the working directory.")
        said += f" ({', '.join(option.choices)})" if option.choices else ""
        lines += ["", *textwrap.wrap(said, 118, initial_indent="# ", subsequent_indent="# ")]
        lines += [f"# {option.env}={default}"]
    lines += ["", *(f"# {line}" for line in _KEYS.splitlines()), f"# {KEY_PREFIX}MUTE=ctrl+o"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(example_env())
