"""A shell in a tmux of its own, for a program on a screen: keys go in, the screen and the terminal's modes come out."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.commands.processes import PATIENCE_S, children

APT = "apt-get install --no-install-recommends tmux"
PROMPT = "ready> "
AT_PROMPT = r"ready>\s*\Z"
"""Seen where the shell waits for its next line."""
FLAGS = (
    "alternate_on cursor_flag insert_flag keypad_cursor_flag keypad_flag origin_flag wrap_flag "
    "mouse_any_flag mouse_all_flag mouse_button_flag mouse_standard_flag mouse_sgr_flag mouse_utf8_flag"
)
"""What tmux knows of a terminal beside what the kernel does."""

_numbers = itertools.count(1)


def missing() -> str:
    """What is not installed, "" if all is there."""
    return "" if shutil.which("tmux") else "tmux"


class Pane:
    """`with Pane(folder, environ) as pane:` a plain `sh`, which mends no terminal that a program left in disorder.

    It has job control and nothing of the user's: no configuration of tmux, and only `environ`. `folder` is short, for
    tmux puts its socket there.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], *, columns: int = 120, lines: int = 40) -> None:
        self._environ = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "TMUX_TMPDIR": str(folder)}
        self._tmux = ["tmux", "-L", f"voicecli-{os.getpid()}-{next(_numbers)}", "-f", "/dev/null"]
        settings = [f"{name}={value}" for name, value in {**environ, "PS1": PROMPT}.items()]
        shell = shlex.join(["env", "-u", "TMUX", "-u", "ENV", *settings, "sh", "-i"])
        size = ["-x", str(columns), "-y", str(lines)]
        self._do("set-option", "-g", "remain-on-exit", "off", ";", "new-session", "-d", *size, shell, start=True)
        self.tty, shell_pid = self._do("display-message", "-p", "#{pane_tty} #{pane_pid}").split()
        self._shell_pid = int(shell_pid)

    def __enter__(self) -> Pane:
        try:
            self.until(AT_PROMPT)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], env=self._environ, capture_output=True)

    # ---- the person in front of it

    def type(self, text: str) -> None:
        """As it is, with enter behind it."""
        self._do("send-keys", "-l", "--", text)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """In tmux's words: C-q, Escape."""
        self._do("send-keys", *keys)

    def close(self) -> None:
        """As the window of a terminal is closed."""
        self._do("kill-pane")

    # ---- what is there

    @property
    def screen(self) -> str:
        """What is seen now; lines without the blanks at their ends."""
        return self._do("capture-pane", "-p")

    @property
    def all(self) -> list[str]:
        """What is seen and what has left it at the top; a line that was broken at the edge is one."""
        return [line.rstrip() for line in self._do("capture-pane", "-p", "-J", "-S", "-").rstrip().splitlines()]

    def until(self, pattern: str, limit_s: float = PATIENCE_S) -> str:
        """Waits for it to be seen; the screen then. A blank in `pattern` is any, the end of a line too."""
        wanted = re.compile(pattern.replace(" ", r"\s+"), re.DOTALL)
        end = time.monotonic() + limit_s
        while not wanted.search(screen := self.screen):
            assert time.monotonic() < end, f"{pattern!r} did not come:\n{screen}"
            time.sleep(0.03)
        return screen

    @property
    def modes(self) -> str:
        """Of the terminal, as the kernel and tmux know them: every byte of it counts."""
        kernel = subprocess.run(["stty", "-a", "-F", self.tty], capture_output=True, text=True, check=True).stdout
        return kernel + self._do("display-message", "-p", " ".join(f"{flag}=#{{{flag}}}" for flag in FLAGS.split()))

    @property
    def job(self) -> int:
        """The process that the shell has started."""
        (pid,) = children(self._shell_pid)
        return pid

    def _do(self, *command: str, start: bool = False) -> str:
        started = ["start-server", ";"] if start else []
        done = subprocess.run([*self._tmux, *started, *command], env=self._environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
