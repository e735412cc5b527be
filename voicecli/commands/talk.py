"""`voicecli talk`: a spoken talk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from voicecli.audio.wav import BadWav
from voicecli.commands import console, planning
from voicecli.commands.clips import PREFIX, NoClip, clip, is_clip, names
from voicecli.commands.conversing import Parts
from voicecli.commands.faces import Face, JsonlFace, PlainFace, screen_fits
from voicecli.commands.opening import by_lines, converse
from voicecli.config import Config, ConfigError
from voicecli.devices.card import Card
from voicecli.devices.files import load
from voicecli.devices.library import devices, match_device
from voicecli.devices.stream import Device, File, SoundSetup
from voicecli.logs import Log
from voicecli.ports import Side
from voicecli.runtime.descriptors import quiet_stderr
from voicecli.settings import Settings

NO_DEVICE: Final = 4


def run(config: Config, log: Log) -> int:
    """The exit code."""
    settings = config.settings
    try:
        setup = SoundSetup(input=_input(settings), output=_output(settings))
    except ConfigError as error:
        return console.refuse(error.message, error.hint, 2)
    with quiet_stderr(log.path):
        missing = _missing(settings)
    if missing:
        return console.refuse(missing, "voicecli devices lists what there is.", NO_DEVICE)
    stdin = console.kind()
    keyboard: planning.Keyboard = "terminal" if settings.jsonl and stdin == "pipe" else stdin
    sides = planning.Sides("file" if isinstance(setup.input, File) else "device", True, keyboard)
    parts = Parts(config, log, "talk", sides, lambda ring: Card(setup, ring))
    if screen_fits(settings):
        from voicecli.commands.screen import on_screen

        parts = parts._replace(levels=True, stays=True)
        return converse(parts, on_screen(parts))
    face: Face = (
        JsonlFace(config.redactor)
        if settings.jsonl
        else PlainFace(stdin == "terminal", config.redactor, ptt=settings.ptt)
    )
    return converse(parts, by_lines(parts, face))


def _input(settings: Settings) -> Device | File:
    path = settings.audio_in
    if path is None:
        return Device(settings.input_device)
    hint = "--audio-in takes a PCM WAV file."
    if is_clip(str(path)):
        try:
            return File(str(path), clip(str(path)))
        except NoClip as none:
            there = ", ".join(f"{PREFIX}{name}" for name in names())
            raise ConfigError(str(none), f"There is {there}; or name a PCM WAV file.") from None
    try:
        return File(str(path), load(str(path)))
    except BadWav as bad:
        raise ConfigError(f"{path} cannot speak for you: {bad}.", hint) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or 'no reason given'}.", hint) from None


def _output(settings: Settings) -> Device | File:
    path = settings.audio_out
    if path is None:
        return Device(settings.output_device)
    if why := _unwritable(path):
        raise ConfigError(
            f"--audio-out {path} cannot be written: {why}.",
            "It takes the name of a WAV file in a folder that you can write to.",
        )
    if settings.audio_in is not None and _same(path, settings.audio_in):
        raise ConfigError(f"--audio-out {path} is the file of --audio-in; it would be lost.", "Give it another name.")
    return File(str(path))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.is_file() and one.samefile(other)
    except OSError:
        return False


def _unwritable(path: Path) -> str:
    """Why no file can be made there, in words; "" where nothing speaks against it."""
    try:
        if path.is_dir():
            return "it is a folder"
        if not path.parent.is_dir():
            return "its folder is not there"
        new = path.is_file() or not path.exists()  # an old one is replaced; something like /dev/null is written to
        return "" if os.access(path.parent if new else path, os.W_OK) else os.strerror(errno.EACCES)
    except OSError as error:
        return error.strerror or "it is no path"


def _missing(settings: Settings) -> str:
    """Which named device is not there, in words; "" where all are. One that was not named is only missed."""
    wanted = [(Side.MICROPHONE, settings.input_device), (Side.SPEAKER, settings.output_device)]
    if not any(name for _, name in wanted):
        return ""
    listing = devices(ask=False)
    if listing.failure is not None:
        return ""  # the talk itself says what is wrong with the library
    for side, name in wanted:
        if name is not None and isinstance(found := match_device(name, side, listing.devices), str):
            return found[:1].upper() + found[1:] + "."
    return ""
