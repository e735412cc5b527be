"""The log of a run: where it is, what is never in it, and what happens where it cannot be."""

import logging
import os
import stat
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from msgspec.structs import replace

from voicecli.logs import KEPT, log_folder, open_log
from voicecli.secret import Redactor, Secret
from voicecli.settings import Settings

CANARY = "sk-CANARY0123456789"
SETTINGS = Settings()


@pytest.fixture(autouse=True)
def as_it_was():
    """Logging and the hooks are the process's own: put them back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, sys.unraisablehook)
    yield
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, sys.unraisablehook = before[2], before[3]
    logging.captureWarnings(False)


def opened(folder: Path | None, settings: Settings = SETTINGS):
    return open_log(settings, Redactor([Secret(CANARY)]), folder)


def text(log) -> str:
    assert log.path is not None
    return log.path.read_text("ascii")


def test_it_is_a_private_file_and_the_last_ten_are_kept(tmp_path: Path):
    """G18."""
    old = os.umask(0)
    try:
        (tmp_path / "mine.log").write_text("not ours")
        logs = [opened(tmp_path / "state" / "log") for _ in range(KEPT + 3)]
    finally:
        os.umask(old)
    folder = tmp_path / "state" / "log"
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(logs[-1].path.stat().st_mode) == 0o600
    assert len(list(folder.iterdir())) == KEPT
    assert logs[-1].path.exists()
    assert (tmp_path / "mine.log").exists()


def test_no_key_is_in_it_whoever_writes(tmp_path: Path):
    """G9, F9, F11."""
    log = opened(tmp_path, replace(SETTINGS, log_level="debug"))
    logging.getLogger("voicecli.x").debug("debug %s", CANARY)
    logging.getLogger("websockets.client").debug("> Authorization: Bearer %s", CANARY)
    logging.getLogger("websockets.server").info("Authorization: Bearer unknown-key-1")
    logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=ValueError(CANARY))
    words = f"warned {CANARY}"
    warnings.warn(words, stacklevel=1)
    try:
        raise RuntimeError(f"http://user:{CANARY}@proxy")
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    said = text(log)
    assert "CANARY" not in said
    assert "unknown-key-1" not in said
    assert "> Authorization" not in said
    assert "debug [key]" in said
    assert "never retrieved" in said
    assert "warned [key]" in said
    assert "RuntimeError" in said


def test_a_line_cannot_be_forged_and_is_ascii(tmp_path: Path):
    """G17."""
    log = opened(tmp_path)
    logging.getLogger("voicecli").info("é\x1b[2J\n2026-01-01 INFO forged: \u202e\x7f")
    first, second = text(log).splitlines()
    assert "\\u00e9\\u001b[2J" in first
    assert second.startswith("    2026")


def test_its_level_is_what_was_asked_for(tmp_path: Path):
    log = opened(tmp_path, replace(SETTINGS, log_level="error"))
    logging.getLogger("voicecli").warning("quiet")
    logging.getLogger("websockets").warning("quiet")
    logging.getLogger("voicecli").error("loud")
    assert "quiet" not in text(log)
    assert "loud" in text(log)


@pytest.mark.parametrize("folder", ["/dev/null/log", "/proc/none/log"])
def test_where_it_cannot_be_the_talk_goes_on_with_one_notice(folder: str, capfd: pytest.CaptureFixture[str]):
    """G36."""
    log = opened(Path(folder))
    assert log.path is None
    assert log.notice.startswith("There is no log: ")
    logging.getLogger("voicecli").error("x")
    logging.getLogger("asyncio").error("y")
    assert capfd.readouterr() == ("", "")
    assert opened(None).notice


def test_a_full_disk_is_told_once_and_never_raised(capfd: pytest.CaptureFixture[str]):
    """G36."""
    log = opened(None, replace(SETTINGS, log_file=Path("/dev/full")))
    assert log.notice == ""
    logging.getLogger("voicecli").error("x")
    logging.getLogger("voicecli").error("y")
    assert log.notice == "The log cannot be written any more: No space left on device."
    assert capfd.readouterr() == ("", "")


def test_a_file_of_ones_own_is_added_to_and_a_pipe_is_none(tmp_path: Path):
    mine = tmp_path / "my.log"
    mine.write_text("before\n")
    log = opened(None, replace(SETTINGS, log_file=mine))
    logging.getLogger("voicecli").info("after")
    assert text(log).startswith("before\n")
    assert "after" in text(log)
    os.mkfifo(tmp_path / "pipe")
    assert "There is no log" in opened(None, replace(SETTINGS, log_file=tmp_path / "pipe")).notice
    assert "There is no log" in opened(None, replace(SETTINGS, log_file=tmp_path)).notice


def test_a_record_that_cannot_be_written_down_ends_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    log = opened(tmp_path)
    logging.getLogger("voicecli").info("%d of %s", CANARY)
    assert "could not be written down" in text(log)
    assert "CANARY" not in text(log) + "".join(capfd.readouterr())


def test_an_exception_in_a_thread_and_one_nobody_sees_go_into_the_log_without_locals(tmp_path: Path):
    """G9, F10, F11."""
    program = f"""
import sys, threading
from pathlib import Path
from voicecli.logs import open_log
from voicecli.secret import Redactor, Secret
from voicecli.settings import Settings
log = open_log(Settings(), Redactor([Secret({CANARY!r})]), Path({str(tmp_path)!r}))
class Bad:
    def __del__(self):
        raise ValueError({CANARY!r})
def crash():
    local = "local" + "value"
    raise KeyError({CANARY!r})
del_me = Bad(); del del_me
thread = threading.Thread(target=crash, name="session"); thread.start(); thread.join()
crash()
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    said = "".join(path.read_text() for path in tmp_path.iterdir())
    assert run.returncode == 1
    assert run.stderr == "error: voicecli met a bug of its own (KeyError).\n"
    assert said.count("KeyError") >= 2
    assert "ValueError" in said
    assert "session" in said
    assert "CANARY" not in said.replace(f"raise KeyError({CANARY!r})", "")
    assert "localvalue" not in said


def test_the_users_log_folder_is_never_below_the_working_directory(monkeypatch: pytest.MonkeyPatch):
    """G36."""
    monkeypatch.setenv("HOME", "")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert log_folder() is None or log_folder().is_absolute()
