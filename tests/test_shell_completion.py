"""`voicecli --completion SHELL`, and what a shell that has read it completes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

START = "import sys; from voicecli.cli import main; sys.exit(main())"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """`voicecli` in a folder of its own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "voicecli"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -P -c '{START}' \"$@\"\n")
    program.chmod(0o755)
    return program


def run(program: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    home = str(program.parent.parent)
    path = f"{program.parent}{os.pathsep}{os.defpath}"
    whole = {"PATH": path, "HOME": home} | env
    return subprocess.run(args, env=whole, cwd=home, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed(program: Path, shell: str):
    done = run(program, "voicecli", "--completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_VOICECLI_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=done.stdout, text=True, check=False, timeout=30).returncode == 0


def test_a_shell_that_there_is_not_is_refused(program: Path):
    done = run(program, "voicecli", "--completion", "tcsh")
    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("voicecli ", {"talk", "chat", "serve", "devices"}),
        ("voicecli ta", {"talk"}),
        ("voicecli talk --pt", {"--ptt"}),
        ("voicecli talk --theme ", {"auto", "dark", "light"}),
        ("voicecli talk --echo h", {"half-duplex"}),
        ("voicecli serve --p", {"--plaintext", "--port"}),
        ("voicecli talk --voice ", set()),
    ],
)
def test_bash_completes_commands_options_and_their_values(program: Path, line: str, some: set[str]):
    words = line.split(" ")
    script = (
        'eval "$(voicecli --completion bash)"\n'
        f"COMP_WORDS=({' '.join(repr(word) for word in words)})\nCOMP_CWORD={len(words) - 1}\n"
        '_voicecli_completion voicecli\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = run(program, "bash", "--norc", "-c", script)
    found = set(done.stdout.split())
    assert found == some, done.stderr
    assert done.returncode == 0


def test_files_are_left_to_the_shell(program: Path):
    done = run(
        program, "voicecli", _VOICECLI_COMPLETE="bash_complete", COMP_WORDS="voicecli talk --audio-in q", COMP_CWORD="3"
    )
    assert (done.returncode, done.stdout) == (0, "file,q\n")
