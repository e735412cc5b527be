"""Environments of their own for the openai package, whose extra pins an old websockets (G30): where, and how made.

`python3 tests/clients/environments.py` makes them, or brings the newest one up to date. It needs nothing but Python.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venvs"
COMMAND = "python3 tests/clients/environments.py"

WANTED = {"openai-1.59": "openai[realtime]==1.59.*", "openai-newest": "openai[realtime]"}
"""The last one that had the beta only, and whatever is the newest now."""


def python_of(name: str) -> Path:
    """The Python of an environment, whether it is there or not."""
    folder, program = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return HOME / name / folder / program


def make(name: str) -> None:
    """Raises CalledProcessError where the package is not to be had."""
    if not python_of(name).exists():
        venv.create(HOME / name, with_pip=True)
    quiet = ["--disable-pip-version-check", "-q", "--upgrade"]
    subprocess.run([python_of(name), "-m", "pip", "install", *quiet, WANTED[name]], check=True)


if __name__ == "__main__":
    for each in WANTED:
        make(each)
