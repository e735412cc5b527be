"""`voicecli devices` in children, with virtual devices and with none at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from virtual_audio import VirtualAudio

pytestmark = [pytest.mark.sound, pytest.mark.xdist_group("sound")]


def devices(arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    code = f"from voicecli.commands.devices import run; raise SystemExit(run({arguments}))"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ | env, check=False
    )


def test_the_devices_are_listed_for_people_and_for_programs(virtual_audio: VirtualAudio) -> None:
    said = devices("", virtual_audio.env)
    assert said.returncode == 0, said
    microphones, speakers = said.stdout.split("\nSpeakers")
    assert "vc_mic" in microphones
    assert "vc_speaker" in speakers
    assert sum(line.startswith("* ") for line in said.stdout.splitlines()) == 3, "two defaults and the legend"
    rows = json.loads(devices("as_json=True", virtual_audio.env).stdout)["devices"]
    assert {"vc_mic", "vc_speaker", "default"} <= {row["name"] for row in rows}
    assert all(row["takes_output"] for row in rows if row["name"] == "vc_speaker")


@pytest.mark.skipif(any(Path("/dev/snd").glob("pcm*")), reason="this machine has a sound card")
def test_without_any_device_there_is_one_remedy(virtual_audio: VirtualAudio) -> None:
    said = devices("", {"ALSA_CONFIG_PATH": "/usr/share/alsa/alsa.conf", "PULSE_SERVER": "unix:/nowhere"})
    assert said.returncode == 4
    assert said.stdout == ""
    assert said.stderr.startswith("No sound device was found.\n")
