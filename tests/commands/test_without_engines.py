"""A whole talk where ear and voice are not installed, or not what they have to be: that is told, and it goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.commands.processes import Home, wait_for
from tests.commands.speech import heard, loud_s, question, silence, voice
from tests.commands.test_talks import contains, sweep
from voicecli.speech.weights import INSTALL, RUNTIME, WEIGHTS

HIDES = """
import sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, *more):
        return None if name in HIDDEN else self.finder.find_spec(name, *more)

sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
"""
AGAIN = INSTALL.replace("install", "install --force-reinstall")


def hides_them(path: Path) -> None:
    """As where the extra is not installed: Python finds no such packages."""
    hidden = {weights.module for weights in WEIGHTS.values()}
    (path / "sitecustomize.py").write_text(f"HIDDEN = {hidden!r}{HIDES}")


def breaks_them(path: Path) -> None:
    """Packages of those names and versions, whose weights are not the published ones; nothing of them may be run."""
    for weights in WEIGHTS.values():
        folder = path / weights.module / weights.folder
        folder.mkdir(parents=True)
        (path / weights.module / "__init__.py").write_text("raise SystemExit('it was imported')")
        for name in weights.files:
            (folder / name).write_bytes(b"one byte is wrong, and all the others")
        record = path / f"{weights.package.replace('-', '_')}-{weights.version}.dist-info"
        record.mkdir()
        (record / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {weights.package}\nVersion: {weights.version}\n"
        )
    if find_spec(RUNTIME) is None:
        (path / RUNTIME).mkdir()
        (path / RUNTIME / "__init__.py").write_text("raise SystemExit('it was imported')")


@pytest.mark.parametrize(
    ("lacks", "title", "remedy"),
    [
        (hides_them, "Tones instead of a voice: no speech engines are installed.", INSTALL),
        (breaks_them, "Tones instead of a voice: the speech engines do not work.", AGAIN),
    ],
)
def test_a_talk_says_what_to_install_and_goes_on_in_tones_seconds_and_writing(
    home: Home, tmp_path: Path, lacks: Callable[[Path], None], title: str, remedy: str
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    lacks(packages)
    question(home.work / "q.wav", silence(0.5), voice(0.8), bytes(60 * 48_000))
    files = ("--audio-in", "q.wav", "--audio-out", "a.wav")
    env: dict[str, str | None] = {"VOICECLI_TONES": None, "PYTHONPATH": str(packages)}
    with home.running("talk", "--plain", "--offline", *files, terminal=True, env=env) as talk:
        out = talk.lines()
        told = out.until(f"^notice: {re.escape(title)}.*$")
        assert remedy in told
        assert "typing works in full" in told
        assert re.fullmatch(r"you: \(speech, (0\.[6-9]|1\.[0-4]) s\)", out.until("^you: .*$"))
        wait_for(lambda: loud_s(home.work / "a.wav") > 0.5)
        talk.type("repeat after me: the sea is calm")
        out.until("^assistant: .*the sea is calm.*$")
        talk.type("/quit")
        done = talk.done()
    assert done.code == 0
    assert contains(heard(home.work / "a.wav"), sweep(0, seconds=0.3)) > 0.95
    assert len([line for line in done.lines if line.startswith(("error", "warning")) or "Tones" in line]) == 1
    assert "it was imported" not in home.log
