"""`voicecli devices`: what can be recorded from and played to; it opens nothing and decides nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from voicecli.devices.library import Found, Listing, devices
from voicecli.ports import Side, SoundFailure
from voicecli.printable import one_line
from voicecli.runtime.descriptors import quiet_stderr

NOTHING_THERE: Final = 4

_TITLES: Final = {
    Side.MICROPHONE: "Microphones (--input-device takes a number or a part of a name)",
    Side.SPEAKER: "Speakers (--output-device takes a number or a part of a name)",
}
_NO_DEVICE: Final = "No sound device was found."
_NO_DEVICE_HINT: Final = (
    "Plug one in and start again. On Linux without a sound card of its own a sound server is needed as well "
    "(apt install pulseaudio libasound2-plugins)."
)
_WORDS: Final = {
    SoundFailure.NO_LIBRARY: (
        "The sound library PortAudio is missing.",
        "Install it: apt install libportaudio2 (on a Mac: brew install portaudio).",
    ),
    SoundFailure.STALLED: ("The sound library does not answer.", "Restart the sound server, or the machine."),
}


def run(as_json: bool = False, log_path: Path | None = None) -> int:
    """Prints the devices of both sides; 0, or 4 where there is none and a remedy is told instead."""
    with quiet_stderr(log_path):  # PortAudio prints what it tried
        found = devices()
    if as_json:
        click.echo(to_json(found))
    elif found.devices:
        click.echo(to_text(found))
    else:
        click.echo("\n".join(remedy(found)), err=True)
    return 0 if found.devices else NOTHING_THERE


def to_text(found: Listing) -> str:
    """Two tables, the defaults marked with a star."""
    lines: list[str] = []
    for side in Side:
        usable = [device for device in found.devices if device.has(side)]
        lines += [*([""] if lines else []), _TITLES[side]]
        if not usable:
            lines.append("  none")
            continue
        names = {device: one_line(device.name, 60) for device in usable}
        width = max(len(name) for name in names.values())
        number = max(len(str(device.number)) for device in usable)
        for device in usable:
            star = "*" if device.default(side) else " "
            note = "" if _takes(device, side) is not False else "  does not take 24 kHz"
            host = one_line(device.host, 30)
            lines.append(f"{star} {device.number:>{number}}  {names[device]:<{width}}  {host}{note}".rstrip())
    return "\n".join([*lines, "", "* is the system's default, used where none is named."])


def to_json(found: Listing) -> str:
    """One line of ASCII: {"devices": [...], "failure": code or null}."""
    rows = [
        {
            "number": device.number,
            "name": one_line(device.name),
            "host": one_line(device.host),
            "inputs": device.inputs,
            "outputs": device.outputs,
            "default_input": device.default_input,
            "default_output": device.default_output,
            "takes_input": device.takes_input,
            "takes_output": device.takes_output,
        }
        for device in found.devices
    ]
    failure = found.failure.value if found.failure else None
    return json.dumps({"devices": rows, "failure": failure})


def remedy(found: Listing) -> tuple[str, ...]:
    """What is wrong where nothing is listed, and what to do: a line each, then the library's own words."""
    if found.failure is None:
        return _NO_DEVICE, _NO_DEVICE_HINT
    what, hint = _WORDS.get(found.failure, ("The sound library does not work.", "voicecli chat works without it."))
    return (what, hint, *([f"({one_line(found.detail)})"] if found.detail else []))


def _takes(device: Found, side: Side) -> bool | None:
    return device.takes_input if side is Side.MICROPHONE else device.takes_output
