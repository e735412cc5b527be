"""The clips that come with the package."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from processes import Home

from voicecli.audio.wav import parse
from voicecli.commands.clips import NoClip, clip, is_clip, names
from voicecli.ports import RATE

ROOT = Path(__file__).parents[2]
CLIPS = ROOT / "voicecli" / "data" / "clips"


def test_hello_is_there():
    assert "hello" in names()


@pytest.mark.parametrize("name", names())
def test_a_clip_is_short_speech_in_our_own_format_and_its_origin_is_written_beside_it(name):
    raw = (CLIPS / f"{name}.wav").read_bytes()
    pcm = clip(f"clip:{name}")
    assert pcm == parse(raw)
    assert pcm == raw[-len(pcm) :], "nothing had to be converted"
    seconds = len(pcm) / 2 / RATE
    assert 1 < seconds < 5
    assert f"| `{name}.wav` |" in (CLIPS / "README.md").read_text()
    assert f"| {seconds:.1f} |" in (CLIPS / "README.md").read_text()


@pytest.mark.parametrize("name", names())
def test_a_clip_is_one_turn_for_a_server_that_waits_for_half_a_second_of_silence(name):
    sound = np.abs(np.frombuffer(clip(f"clip:{name}"), "<i2").astype(float)) / 32768
    loud = [bool(block.max() > 0.02) for block in np.array_split(sound, len(sound) // 1200)]
    quiet = max(len(run) for run in "".join("#" if here else "." for here in loud).split("#"))
    assert loud[1]
    assert quiet * 0.05 < 0.3


@pytest.mark.parametrize(
    "name", ["clip:", "clip:nobody", "clip:../clips/hello", "clip:hello.wav", "clip:README", "clip:\0"]
)
def test_what_is_no_clip_is_none(name):
    assert is_clip(name)
    with pytest.raises(NoClip):
        clip(name)


def test_an_unknown_clip_is_told_with_those_there_are_and_exit_2(home: Home) -> None:
    done = home.run("talk", "--plain", "--offline", "--audio-in", "clip:nobody")
    first, second = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert first == "error: There is no clip of the name 'nobody'."
    assert second == "  There is clip:hello; or name a PCM WAV file."


def test_a_clip_asks_in_the_place_of_a_microphone(home: Home) -> None:
    done = home.run("talk", "--plain", "--audio-in", "clip:hello", "--audio-out", "a.wav")
    assert done.code == 0, done.out
    roles = [line.partition(":")[0] for line in done.lines[1:]]
    assert roles == ["you", "assistant", "end"], done.out


def test_clips_come_with_the_package():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["voicecli"]
    packed = {path for pattern in data for path in (ROOT / "voicecli").glob(pattern)}
    assert packed >= {CLIPS / "hello.wav", CLIPS / "README.md"}
