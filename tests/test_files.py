"""Files and folders that are the user's alone."""

import os
import stat
from pathlib import Path

import pytest

from voicecli.files import create_private, private_folder, save_private


@pytest.fixture(autouse=True)
def open_umask():
    """G18: whatever the umask."""
    old = os.umask(0)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_0600_in_folders_of_0700(tmp_path: Path):
    """G18, F30."""
    private_folder(tmp_path / "a" / "b")
    os.close(create_private(tmp_path / "a" / "b" / "log"))
    save_private(tmp_path / "a" / "saved", "text\ud800")
    assert [mode(tmp_path / part) for part in ("a", "a/b", "a/b/log", "a/saved")] == [0o700, 0o700, 0o600, 0o600]
    assert (tmp_path / "a" / "saved").read_text() == "text?"


def test_folders_that_are_there_are_left_as_they_are(tmp_path: Path):
    (tmp_path / "a").mkdir(0o755)
    private_folder(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o755


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path):
    (tmp_path / "f").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    for name in ("f", "link"):
        with pytest.raises(FileExistsError):
            save_private(tmp_path / name, "x")
    assert (tmp_path / "f").read_text() == "kept"
    assert not (tmp_path / "victim").exists()


def test_a_place_that_cannot_be_is_an_error(tmp_path: Path):
    (tmp_path / "f").write_text("")
    for call in (lambda: private_folder(tmp_path / "f" / "x"), lambda: save_private(tmp_path / "no" / "x", "")):
        with pytest.raises(OSError):  # noqa: PT011 - which one differs by system
            call()
