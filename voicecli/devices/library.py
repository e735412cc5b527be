"""What PortAudio says: its devices as plain values, and its failures in the words of ports; it opens no stream."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

from voicecli.devices.stream import Trouble
from voicecli.ports import RATE, Side, SoundFailure

LIST_LIMIT_S: Final = 10.0

_HOSTS: Final = ("Core Audio", "Windows WASAPI", "PulseAudio", "ALSA", "JACK Audio Connection Kit")
"""Where several host systems list the same device, the first of these is taken; DirectSound's times are not true."""

_BY_CODE: Final = {
    -9998: SoundFailure.REFUSED_FORMAT,  # invalid number of channels
    -9997: SoundFailure.REFUSED_FORMAT,  # invalid sample rate
    -9996: SoundFailure.NO_DEVICE,  # invalid device
    -9994: SoundFailure.REFUSED_FORMAT,  # sample format not supported
    -9993: SoundFailure.NO_DEVICE,  # illegal combination of devices: the sound server is gone
    -9987: SoundFailure.STALLED,  # timed out
    -9985: SoundFailure.IN_USE,  # device unavailable
}
_BY_ERRNO: Final = {16: SoundFailure.IN_USE, 13: SoundFailure.NO_PERMISSION, 1: SoundFailure.NO_PERMISSION}


class Found(NamedTuple):
    """A device. `name` and `host` are foreign text."""

    number: int
    """PortAudio's index."""
    name: str
    host: str
    inputs: int
    outputs: int
    default_input: bool = False
    default_output: bool = False
    takes_input: bool | None = None
    """Whether it gives 24 kHz mono 16 bit; None: it was not asked."""
    takes_output: bool | None = None

    def has(self, side: Side) -> bool:
        return (self.inputs if side is Side.MICROPHONE else self.outputs) > 0

    def default(self, side: Side) -> bool:
        return self.default_input if side is Side.MICROPHONE else self.default_output


class Listing(NamedTuple):
    """All devices, or why there is no list."""

    devices: tuple[Found, ...]
    failure: SoundFailure | None = None
    detail: str = ""


def load() -> Any:
    """The module `sounddevice`, with libasound silenced. Raises Trouble NO_LIBRARY or OTHER."""
    try:
        import sounddevice
    except OSError as error:
        # It is no ImportError: the wheel is there, libportaudio is not.
        raise Trouble(SoundFailure.NO_LIBRARY, str(error)) from error
    except Exception as error:
        raise Trouble(SoundFailure.OTHER, str(error)) from error
    if sys.platform == "linux":
        _silence_alsa()
    return sounddevice


@contextmanager
def translated(sd: Any, device: str = "") -> Iterator[None]:
    """Turns what PortAudio raises into Trouble."""
    try:
        yield
    except sd.PortAudioError as error:
        raise Trouble(classify(error.args), str(error), device) from error
    except (ValueError, OSError) as error:
        raise Trouble(SoundFailure.OTHER, str(error), device) from error


def classify(args: tuple[Any, ...]) -> SoundFailure:
    """The arguments of a PortAudioError (text, code, (host API, its code, its text)) as one of the closed list."""
    code = args[1] if len(args) > 1 and isinstance(args[1], int) else 0
    host = args[2] if len(args) > 2 and isinstance(args[2], tuple) else ()
    if code == -9999 and len(host) > 1 and isinstance(host[1], int):
        return _BY_ERRNO.get(abs(host[1]), SoundFailure.OTHER)
    if not code and args and "querying device" in str(args[0]):
        return SoundFailure.NO_DEVICE
    return _BY_CODE.get(code, SoundFailure.OTHER)


def devices(ask: bool = True, limit_s: float = LIST_LIMIT_S) -> Listing:
    """All devices; with `ask` each is asked whether it takes our format. Never raises, takes `limit_s` at most."""
    done: list[Listing] = []
    thread = threading.Thread(target=lambda: done.append(_list(ask)), name="voicecli-list", daemon=True)
    thread.start()
    thread.join(limit_s)
    if not done:
        return Listing((), SoundFailure.STALLED, f"the sound library has not answered for {limit_s:.0f} seconds")
    return done[0]


def _list(ask: bool) -> Listing:
    try:
        sd = load()
        return Listing(listing(sd, ask))
    except Trouble as trouble:
        return Listing((), trouble.failure, trouble.detail)


def listing(sd: Any, ask: bool = False) -> tuple[Found, ...]:
    """The devices as PortAudio knows them since it was initialised. Raises Trouble."""
    with translated(sd):
        hosts = sd.query_hostapis()
        preferred = _preferred(hosts)
        found = []
        for index, device in enumerate(sd.query_devices()):
            host = hosts[device["hostapi"]]
            inputs, outputs = device["max_input_channels"], device["max_output_channels"]
            found.append(
                Found(
                    index,
                    str(device["name"]),
                    str(host["name"]),
                    inputs,
                    outputs,
                    preferred is host and host["default_input_device"] == index,
                    preferred is host and host["default_output_device"] == index,
                    _takes(sd.check_input_settings, index) if ask and inputs else None,
                    _takes(sd.check_output_settings, index) if ask and outputs else None,
                )
            )
        return tuple(found)


def _preferred(hosts: Any) -> Any:
    """The host system whose defaults are meant. PortAudio's own choice on Windows is MME, the slowest of all."""
    ranked = sorted(hosts, key=lambda host: _rank(str(host["name"])))
    with_devices = [host for host in ranked if host["devices"]]
    return with_devices[0] if with_devices else None


def _rank(host: str) -> int:
    return _HOSTS.index(host) if host in _HOSTS else len(_HOSTS)


def _takes(check: Any, index: int) -> bool:
    with suppress(Exception):
        check(device=index, channels=1, dtype="int16", samplerate=RATE)
        return True
    return False


def match_device(spec: str | None, side: Side, listing: tuple[Found, ...]) -> Found | str:
    """The device that is meant by an index or a part of a name (None: the default), or in words why there is none.

    The words contain names of devices: foreign text.
    """
    what = "record from" if side is Side.MICROPHONE else "play to"
    usable = [found for found in listing if found.has(side)]
    if spec is None:
        for found in usable:
            if found.default(side):
                return found
        return usable[0] if usable else f"there is no device to {what}"
    if spec.strip().isdecimal():
        for found in usable:
            if found.number == int(spec):
                return found
        return f"there is no device number {int(spec)} to {what}"
    wanted = spec.strip().casefold()
    named = [found for found in usable if found.name.casefold() == wanted] or [
        found for found in usable if wanted and wanted in found.name.casefold()
    ]
    if not named:
        return f'there is no device "{spec}" to {what}'
    best = min(_rank(found.host) for found in named)
    named = [found for found in named if _rank(found.host) == best]
    if len(named) > 1:
        names = ", ".join(f"{found.number} {found.name}" for found in named[:4])
        return f'"{spec}" could be several devices to {what} ({names}): say more of the name, or the number'
    return named[0]


_keep: list[Any] = []


def _silence_alsa() -> None:
    """libasound prints every underrun and every device it cannot find; PortAudio's own words remain."""
    if _keep:
        return
    kind = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
    handler = kind(lambda *_: None)
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
        _keep.append(handler)
