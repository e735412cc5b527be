"""Where values come from: flag, environment, .env here, the user's config.env, default; and which key may go where.

It opens no connection and writes nothing. A key bound to another place than its URL is refused here, before anything
could be sent (G1); nothing that is read here enters `os.environ` (G2).
"""

from __future__ import annotations

import difflib
import os
import ssl
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from enum import IntEnum
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from dotenv.parser import parse_stream
from msgspec import UNSET, Struct
from platformdirs import user_config_path

from voicecli.loopback import loopback
from voicecli.protocol.items import SessionConfig
from voicecli.protocol.profiles import choose
from voicecli.protocol.rules import TEMPERATURE
from voicecli.secret import PUBLIC_QUERY, Redactor, Secret
from voicecli.session_file import BadSession, read
from voicecli.settings import (
    BASE_URL,
    EXCLUSIVE,
    KEY_PREFIX,
    LLM_KEY,
    NOT_OPTIONS,
    OPENAI_KEY,
    OPTIONS,
    OWN_KEY,
    PREFIX,
    SERVE_KEY,
    BadValue,
    KeySaid,
    Option,
    Settings,
    Value,
    options_of,
)
from voicecli.target import OPENAI_URL, BadUrl, MindTarget, Target, below, checked_mind_url, checked_url

LARGEST: Final = 64 * 1024
"""Bytes of a file of settings or instructions."""
LARGEST_CERTIFICATES: Final = 4 * 1024 * 1024
LONGEST_KEY: Final = 4096
KEYS: Final = (OWN_KEY, OPENAI_KEY, SERVE_KEY, LLM_KEY)
"""What is known as a secret wherever it is found."""


class Place(IntEnum):
    """Where a value stands; the lower goes before the higher."""

    FLAG = 0
    ENVIRONMENT = 1
    FOLDER = 2
    """`.env` in the working directory: somebody else may have written it."""
    USER = 3
    DEFAULT = 4


def describe_source(name: str, place: Place) -> str:
    """The place in words: "OPENAI_API_KEY in the environment", ".env in this folder (OPENAI_API_KEY)"."""
    return {
        Place.FLAG: name,
        Place.ENVIRONMENT: f"{name} in the environment",
        Place.FOLDER: f".env in this folder ({name})",
        Place.USER: f"config.env ({name})",
        Place.DEFAULT: "the default",
    }[place]


class ConfigError(Exception):
    """What is wrong with the settings, and what to do: exit 2. No secret and no line of a file is in it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class World(NamedTuple):
    """Where values are looked for."""

    environ: Mapping[str, str]
    folder_env: Path | None
    user_env: Path | None

    @classmethod
    def here(cls) -> World:
        """This process: its environment, its working directory, its user."""
        try:
            folder: Path | None = Path.cwd() / ".env"
        except OSError:  # the working directory was removed
            folder = None
        return cls(os.environ, folder, user_env())


class Config(Struct, frozen=True):
    """All that was read for one command."""

    settings: Settings
    target: Target
    serve_key: Secret | None
    redactor: Redactor
    """Knows every key that was found, used or not."""
    session: SessionConfig
    """What the file of `--session` says; empty where there is none."""
    unknown: tuple[str, ...]
    """Names that begin with VOICECLI_ and mean nothing, in words. Foreign text."""
    keys: tuple[KeySaid, ...] = ()
    """Other keys for the screen."""
    mind: MindTarget | None = None
    """The language model behind voicecli's own server; None: its practice partner answers."""
    tls: ssl.SSLContext | None = None
    """What vouches for the server in the place of the system's certificates."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What to tell before anything else, each one sentence. Foreign text."""
        return tuple(f"There is no setting {said}" for said in self.unknown)


def user_env() -> Path | None:
    """The path of the user's config.env, there or not; None where the user has no folders."""
    with suppress(OSError, RuntimeError):
        path = user_config_path("voicecli", appauthor=False) / "config.env"
        if path.is_absolute():  # without a home it would be below the working directory
            return path
    return None


def load(command: str, flags: Mapping[str, str | bool], world: World) -> Config:
    """Everything that `command` needs. `flags` has the options that were given, by field. Raises ConfigError."""
    names = _read(world)
    secrets = [Secret(text.strip()) for name in KEYS for text, _ in _find(name, names)]
    secrets += [Secret(password) for password in _passwords(world.environ)]
    try:
        return _load(command, flags, world, names, secrets)
    except ConfigError as error:  # it quotes values, and a key may stand in the wrong place
        clean = Secret.cutter(secrets)
        raise ConfigError(clean(error.message), clean(error.hint)) from None


def _passwords(environ: Mapping[str, str]) -> Iterator[str]:
    """Those of proxies, as they are written and as they are sent: a proxy may repeat what it was given."""
    for name, url in environ.items():
        if name.lower().endswith("_proxy"):
            with suppress(ValueError):
                if password := urlsplit(url).password:
                    yield from {password, unquote(password)}


_Names = Mapping[Place, Mapping[str, str]]


def _read(world: World) -> _Names:
    folder = _read_env(world.folder_env, ".env in this folder")
    user = _read_env(world.user_env, str(world.user_env))
    for option in OPTIONS:
        if option.env in folder and not option.about.folder_env:
            raise ConfigError(
                f"{option.env} may not be set by .env in this folder.",
                f"Give --{option.name}, or set it in the environment or in your own config.env.",
            )
    return {Place.ENVIRONMENT: world.environ, Place.FOLDER: folder, Place.USER: user}


def _load(command: str, flags: Mapping[str, str | bool], world: World, names: _Names, secrets: list[Secret]) -> Config:
    said = dict(_said(command, flags, names, world))
    for pair in EXCLUSIVE:
        _exclude(said, *pair)
    _settle_mind(said)
    settings = Settings(**{field: value for field, (value, _) in said.items()})  # type: ignore[arg-type]
    target = Target("", None, True)
    if command in ("talk", "chat"):
        target = _target(settings, said, names)
    session = _session(settings, target)
    mind = _mind(settings, said, names, session)
    if mind is None:
        _without_mind(command, said)
    for url in (target.url, mind.url if mind else ""):
        query = parse_qsl(urlsplit(url).query)
        secrets = secrets + [Secret(value) for name, value in query if name.lower() not in PUBLIC_QUERY]
    serve_key = _serve_key(settings, names) if command == "serve" else None
    return Config(
        settings=settings,
        target=target,
        serve_key=serve_key,
        redactor=Redactor([*secrets, *([] if serve_key is None else [serve_key])]),
        session=session,
        unknown=tuple(_unknown(names)),
        keys=tuple(_keys(names)),
        mind=mind,
        tls=_tls(settings),
    )


def _said(
    command: str, flags: Mapping[str, str | bool], names: _Names, world: World
) -> Iterator[tuple[str, tuple[Value, Place]]]:
    for option in options_of(command):
        flag = flags.get(option.field)
        if flag is not None:
            yield option.field, (_value(option, flag, f"--{option.name}", Place.FLAG, world), Place.FLAG)
            continue
        for raw, place in _find(option.env, names):
            name = describe_source(option.env, place)
            yield option.field, (_value(option, raw, name, place, world), place)
            break


def _find(name: str, names: _Names) -> Iterator[tuple[str, Place]]:
    """Where `name` is set, the nearest first. Set to nothing is not set."""
    for place, values in names.items():
        raw = values.get(name, "")
        if raw.strip():
            yield raw, place


def _value(option: Option, raw: str | bool, name: str, place: Place, world: World) -> Value:
    if isinstance(raw, bool):
        return raw
    if option.about.at_file and raw.startswith("@"):
        if place not in (Place.FLAG, Place.USER):
            raise ConfigError(
                f"{name} names a file, which is read only for a flag or for your own config.env.",
                f"Give --{option.name} @FILE, or write the text itself.",
            )
        base = world.user_env.parent if place is Place.USER and world.user_env else Path()
        raw = text_of(base / _at_home(Path(raw[1:])), f"The file that {name} names")
    try:
        value = option.read(raw)
    except BadValue as error:
        raise ConfigError(f"{name} {Redactor()(str(error))}.") from None
    return _at_home(value) if isinstance(value, Path) else value


def _session(settings: Settings, target: Target) -> SessionConfig:
    if settings.session is None:
        return SessionConfig()
    profile = choose(target.url, settings.dialect, target.offline).profile
    try:
        return read(text_of(settings.session, "The file that --session names"), profile)
    except BadSession as bad:
        raise ConfigError(
            f"The file that --session names cannot be used: {Redactor()(str(bad))}.",
            "Its fields have the names of the dialect beta, and go to servers of either dialect.",
        ) from None


def _at_home(path: Path) -> Path:
    with suppress(RuntimeError):  # no such user: a name that begins with ~
        return path.expanduser()
    return path


def _exclude(said: dict[str, tuple[Value, Place]], one: str, other: str) -> None:
    given = [field for field in (one, other) if field in said and said[field][0] not in (None, False)]
    if len(given) < 2:
        return
    if said[one][1] == said[other][1]:
        dashed = [f"--{field.replace('_', '-')}" for field in (one, other)]
        raise ConfigError(f"{dashed[0]} and {dashed[1]} exclude each other.", "Leave one of them out.")
    del said[max(given, key=lambda field: said[field][1])]


def _target(settings: Settings, said: Mapping[str, tuple[Value, Place]], names: _Names) -> Target:
    for field in ("llm_url", "offline"):  # the former implies the latter
        if getattr(settings, field):
            return Target("", None, True, _source(field, said[field][1]))
    url_place = Place.DEFAULT
    if settings.url is not None:
        url_place = said["url"][1]
        source = _source("url", url_place)
        url = _usable(settings.url, source)
    elif base := next(_find(BASE_URL, names), None):
        url_place = base[1]
        source = describe_source(BASE_URL, url_place)
        url = below(_usable(base[0].strip(), source))
    else:
        url, source = OPENAI_URL, ""
    key, key_source, key_place = _key((OWN_KEY, OPENAI_KEY), names)
    if key is None and not source:
        return Target("", None, True)
    _bind(source, url_place, key_source, key_place, "--url")
    withheld = key is not None and _bare(url)
    return Target(
        url=url,
        key=None if withheld else key,
        offline=False,
        url_source=source,
        key_source="" if withheld else key_source,
        key_withheld=withheld,
        from_folder=url_place is Place.FOLDER or (key_place is Place.FOLDER and not withheld),
    )


def _bind(source: str, url_place: Place, key_source: str, key_place: Place, flag: str) -> None:
    """A key that stands elsewhere does not go to a URL of the folder's (G1). Raises ConfigError."""
    if key_source and url_place is Place.FOLDER and key_place is not Place.FOLDER:
        raise ConfigError(
            f"The URL comes from {source}, the key from {key_source}; the key was not sent there.",
            f"Give that URL with {flag} if you trust it, or put a key for it into the same .env.",
        )


def _bare(url: str) -> bool:
    """The way there is not encrypted, and leaves this machine: no key is sent on it (G6)."""
    parts = urlsplit(url)
    return parts.scheme in ("ws", "http") and loopback(parts.hostname or "") is None


def _settle_mind(said: dict[str, tuple[Value, Place]]) -> None:
    """Whether there is a language model behind our own server: what is said nearer goes before it. ConfigError."""
    url, model = said.get("llm_url"), said.get("llm_model")
    offline = said.get("offline", (False, Place.DEFAULT))
    other = said.get("url")
    if url is not None and offline[0] and offline[1] < url[1]:
        del said["llm_url"]  # the practice partner was asked for, nearer
        url, other = None, offline
    if url is None and model is not None and other is not None and other[1] < model[1]:
        del said["llm_model"]  # it has lost its URL
        return
    if url is not None and model is None:
        raise ConfigError(
            f"{_source('llm_url', url[1])} names no model.",
            "Say which one answers by --llm-model NAME; that server lists its models below that URL, at /models.",
        )
    if url is None and model is not None:
        raise ConfigError(
            f"{_source('llm_model', model[1])} says which model, and nothing says where it is.",
            "Give the server of the language model by --llm-url, as in http://127.0.0.1:11434/v1.",
        )


def _without_mind(command: str, said: Mapping[str, tuple[Value, Place]]) -> None:
    """What only a language model of one's own takes. Raises ConfigError."""
    value, place = said.get("temperature", (None, Place.DEFAULT))
    if not isinstance(value, int | float):
        return
    low, high = TEMPERATURE
    if command == "serve":
        if place is Place.FLAG:
            raise ConfigError(
                "--temperature is for a language model, and none answers here.",
                "Give one by --llm-url and --llm-model.",
            )
    elif not low <= value <= high:
        raise ConfigError(
            f'{_source("temperature", place)} is "{value:g}"; it must be a number from {low:g} to {high:g}.',
            "Realtime servers take no other. A language model of your own (--llm-url) takes from 0 to 2.",
        )


def _mind(
    settings: Settings, said: Mapping[str, tuple[Value, Place]], names: _Names, session: SessionConfig
) -> MindTarget | None:
    if settings.llm_url is None or settings.llm_model is None:
        return None
    place = said["llm_url"][1]
    source = _source("llm_url", place)
    url = _usable(settings.llm_url, source, checked_mind_url)
    key, key_source, key_place = _key((LLM_KEY,), names)
    _bind(source, place, key_source, key_place, "--llm-url")
    withheld = key is not None and _bare(url)
    by_file = None if session.temperature is UNSET else session.temperature
    return MindTarget(
        url,
        settings.llm_model,
        None if withheld else key,
        source,
        "" if withheld else key_source,
        withheld,
        by_file if settings.temperature is None else settings.temperature,
    )


def _source(field: str, place: Place) -> str:
    return describe_source(f"--{field.replace('_', '-')}" if place is Place.FLAG else f"{PREFIX}{field.upper()}", place)


def _usable(url: str, source: str, check: Callable[[str], str] = checked_url) -> str:
    try:
        return check(url)
    except BadUrl as error:
        raise ConfigError(f"The URL from {source} cannot be used: {error}.", error.hint) from None


def _key(wanted: tuple[str, ...], names: _Names) -> tuple[Secret | None, str, Place]:
    for name in wanted:
        for raw, place in _find(name, names):
            source = describe_source(name, place)
            return _secret(raw, source), source, place
    return None, "", Place.DEFAULT


def _secret(raw: str, source: str) -> Secret:
    text = raw.strip()
    if not (text.isascii() and text.isprintable() and " " not in text and len(text) <= LONGEST_KEY):
        raise ConfigError(
            f"The key from {source} cannot be a key: there is a space, a line end or a letter that no key has "
            "in it, or it is too long.",
            "Copy it again. Nothing of it is shown here or kept.",
        )
    return Secret(text)


def _serve_key(settings: Settings, names: _Names) -> Secret | None:
    """What clients of ours are asked for (G20). Where one is meant and none is said the door does not stay open."""
    if any(KEY_PREFIX + "FILE" in values for values in names.values()):
        raise ConfigError(f"{KEY_PREFIX}FILE names no file.", f"The name is {PREFIX}SERVE_KEY_FILE, or --key-file.")
    if settings.key_file is None:
        key = _key((SERVE_KEY,), names)[0]
        if key is None and any(SERVE_KEY in values for values in names.values()):
            raise ConfigError(f"{SERVE_KEY} is empty.", "Put a key into it: openssl rand -hex 32; or unset it.")
        return key
    what = "The file that --key-file names"
    text = text_of(settings.key_file, what, private=True)
    if not text.strip():
        raise ConfigError(f"{what} is empty.", "Put a key into it: openssl rand -hex 32")
    return _secret(text, "the file that --key-file names")


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.ca_file is None:
        return None
    what = "The file that --ca-file names"
    text = text_of(settings.ca_file, what, LARGEST_CERTIFICATES)
    try:
        return ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):  # a letter that is not ASCII is a ValueError
        raise ConfigError(f"{what} has no certificate that can be read.", "It must be PEM.") from None


def _keys(names: _Names) -> Iterator[KeySaid]:
    """Not from the working directory: whoever wrote that could put the end of the talk on any key (G3)."""
    mine: _Names = {place: values for place, values in names.items() if place is not Place.FOLDER}
    for name in sorted({name for values in mine.values() for name in values if name.startswith(KEY_PREFIX)}):
        for raw, place in _find(name, mine):
            yield KeySaid(name.removeprefix(KEY_PREFIX), raw.strip(), describe_source(name, place))
            break


def _unknown(names: _Names) -> Iterator[str]:
    known = [option.env.removeprefix(PREFIX) for option in OPTIONS] + [OWN_KEY.removeprefix(PREFIX)]
    for place, values in names.items():
        for name in sorted(values):
            if name.startswith(KEY_PREFIX):
                if place is Place.FOLDER:
                    yield f"{describe_source(name, place)}; keys are set in the environment or in your own config.env."
                continue
            if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known and name not in NOT_OPTIONS:
                near = difflib.get_close_matches(name.removeprefix(PREFIX), known, 1)
                yield describe_source(name, place) + (f"; did you mean {PREFIX}{near[0]}?" if near else ".")


def _read_env(path: Path | None, said: str) -> dict[str, str]:
    """What the file sets of the names that are ours; nothing where there is no file."""
    try:
        if path is None or stat.S_ISDIR(path.stat().st_mode):  # a folder of this name is a virtual environment
            return {}
    except OSError:  # not there, or in a folder that may not be searched
        return {}
    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(text_of(path, said[0].upper() + said[1:]).removeprefix("\ufeff"))):
        ours = binding.key is not None and (binding.key.startswith(PREFIX) or binding.key in (OPENAI_KEY, BASE_URL))
        if binding.error or (ours and binding.value is None):
            blank = binding.original.string[: -len(binding.original.string.lstrip()) or None].count("\n")
            line = binding.original.line + blank
            raise ConfigError(f"Line {line} of {said} is not NAME=value.", "Correct it, or begin it with #.")
        if ours and binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values


def text_of(path: Path, what: str, largest: int = LARGEST, *, private: bool = False) -> str:
    """The text of a small regular file, which is opened so that a pipe in its place cannot hold us. ConfigError.

    One that is `private` nobody else may read, where the system knows of such a thing.
    """
    # Windows has neither of the first two, and opens text unless it is told otherwise.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{what} is not a regular file.")
            if private and os.name == "posix" and os.fstat(descriptor).st_mode & 0o077:
                raise ConfigError(f"{what} may be read by others.", "Make it yours alone: chmod 600")
            raw = os.read(descriptor, largest + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}.") from None
    except ValueError:  # a NUL in the path
        raise ConfigError(f"{what} cannot be read: it is no path.") from None
    if len(raw) > largest:
        raise ConfigError(f"{what} is larger than {largest // 1024} KiB.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{what} is not UTF-8 (line {line}).") from None
