"""The command line, run as people run it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from voicecli import __version__

CANARY = "sk-CANARY0123456789"


@pytest.fixture
def run(tmp_path: Path):
    """Runs voicecli in a folder and a home of its own."""
    (tmp_path / "work").mkdir()

    def call(*args: str, env: dict[str, str] | None = None, module: bool = False, **more):
        start = (
            ["-m", "voicecli"]
            if module
            else ["-P", "-c", "import sys; from voicecli.cli import main; sys.exit(main())"]
        )
        whole = {"PATH": os.defpath, "HOME": str(tmp_path / "home"), "COLUMNS": "100"} | (env or {})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | more
        return subprocess.run(
            [sys.executable, *start, *args],
            cwd=tmp_path / "work",
            env=whole,
            text=True,
            timeout=30,
            check=False,
            **pipes,
        )

    return call


def test_alone_it_prints_its_help(run):
    done = run()
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == run("--help").stdout
    for word in ("talk", "chat", "serve", "devices", "Examples", "config.env", "130", "OPENAI_API_KEY"):
        assert word in done.stdout


def test_the_version(run):
    assert run("--version").stdout == f"voicecli {__version__}\n"


@pytest.mark.parametrize("command", ["talk", "chat", "serve", "devices"])
def test_each_command_has_help_with_examples_and_exit_codes(run, command: str):
    done = run(command, "--help")
    assert done.returncode == 0
    for word in ("Examples:", f"voicecli {command}", "Exit codes:", "config.env"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("args", "env", "first"),
    [
        (("talk", "--plain", "--jsonl"), {}, "error: --plain and --jsonl exclude each other."),
        (("chat", "--temperature", "1.21"), {}, 'error: --temperature is "1.21"; it must be a number from 0.6 to 1.2.'),
        (
            ("chat", "--temperature", "2.1"),
            {},
            'error: --temperature is "2.1"; it must be a number from 0 to 2 (0.6 to 1.2 without --llm-url).',
        ),
        (("serve", "--temperature", "1"), {}, "error: --temperature is for a language model, and none answers here."),
        (("chat", "--max-tokens", "0"), {}, 'error: --max-tokens is "0"; it must be a whole number from 1 to 4096.'),
        (("talk", "--vad-threshold", "2"), {}, 'error: --vad-threshold is "2"; it must be a number from 0 to 1.'),
        (("talk", "--url", "ftp://h"), {}, "error: The URL from --url cannot be used: it begins with none of"),
        (("talk", "--por", "1"), {}, "error: No such option"),
        (("nothing",), {}, "error: No such command 'nothing'."),
        (("chat", "a", "b"), {}, "error: Got unexpected extra argument"),
        (("chat", ""), {}, "error: The question is empty."),
        (
            ("chat",),
            {"VOICECLI_INSTRUCTIONS": "@/etc/passwd"},
            "error: VOICECLI_INSTRUCTIONS in the environment names a",
        ),
        (("chat",), {"OPENAI_API_KEY": f"{CANARY}\nX"}, "error: The key from OPENAI_API_KEY in the environment cannot"),
        (("chat",), {"OPENAI_BASE_URL": f"https://u:{CANARY}@h/v1"}, "error: The URL from OPENAI_BASE_URL in the"),
        (("chat", f"--{CANARY}"), {}, "error: No such option"),
        (("chat", "x", CANARY), {}, "error: Got unexpected extra argument"),
        (("talk", "--echo", "\x1b[2J\u202e"), {}, 'error: --echo is "␛[2J"; it must be one of off, half-duplex.'),
        (("\x1b[2J",), {}, "error: No such command '"),
    ],
)
def test_a_mistake_is_one_line_with_a_remedy_and_exit_2(run, args, env, first):
    done = run(*args, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(first)
    assert len(lines) <= 2
    assert all(line.startswith("  ") for line in lines[1:])
    assert "CANARY" not in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folders_env_file_that_is_wrong_is_told_before_anything_else(run, tmp_path: Path):
    """G2, G3."""
    env_file = tmp_path / "work" / ".env"
    for text, words in (
        (f"VOICECLI_URL {CANARY}\n", "Line 1 of .env in this folder is not NAME=value."),
        ("VOICECLI_LOG_FILE=x\n", "VOICECLI_LOG_FILE may not be set by .env in this folder."),
        (f"VOICECLI_URL=wss://h/\n#{CANARY}", "the key from OPENAI_API_KEY in the environment"),
    ):
        env_file.write_text(text)
        done = run("chat", "x", env={"OPENAI_API_KEY": "key"})
        assert done.returncode == 2
        assert words in done.stderr
        assert CANARY not in done.stderr
    env_file.unlink()
    os.mkfifo(env_file)
    assert "not a regular file" in run("devices").stderr


@pytest.mark.parametrize("name", ["msgspec", "click", "dotenv", "platformdirs", "os", "json"])
def test_modules_of_the_working_directory_are_never_taken(run, tmp_path: Path, name: str):
    """G4, F39."""
    (tmp_path / "work" / f"{name}.py").write_text("open('owned', 'w').close()\nraise SystemExit(9)\n")
    done = run("chat", "--help", module=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "work" / "owned").exists()


def test_a_closed_stdout_is_141_without_a_word(run):
    """G36."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run("--help", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_on_stdout_is_told(run):
    """G36."""
    with Path("/dev/full").open("w") as full:
        done = run("--help", stdout=full)
    assert (done.returncode, done.stderr) == (
        141,
        "error: Standard output cannot be written to: No space left on device.\n",
    )


def broken(
    folder: Path, raised: str, *, body: str = "", stdout: int | IO[str] = subprocess.PIPE, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs `devices` with a bug in it, or with another body."""
    program = (
        "import os, sys; import voicecli.commands.devices as d\n"
        f"def run(*_, **__): {body or 'raise ' + raised}\n"
        "d.run = run\nfrom voicecli.cli import main\nsys.exit(main())"
    )
    whole = {"PATH": os.defpath, "HOME": str(folder)} | env
    command = [sys.executable, "-P", "-c", program, "devices"]
    return subprocess.run(command, env=whole, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.parametrize("level", ["info", "debug"])
def test_a_bug_is_70_with_one_line_and_the_path_of_the_log(tmp_path: Path, level: str):
    """G9."""
    bug = "ZeroDivisionError('bug ' + os.environ['OPENAI_API_KEY'])"
    done = broken(tmp_path, bug, OPENAI_API_KEY=CANARY, VOICECLI_LOG_LEVEL=level)
    assert (done.returncode, done.stdout) == (70, "")
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: voicecli met a bug of its own (ZeroDivisionError). The log has more: ")
    log = Path(first.rpartition(": ")[2])
    assert "ZeroDivisionError: bug [key]" in log.read_text()
    assert ("Traceback" in done.stderr) == (level == "debug") == bool(rest)
    assert CANARY not in done.stderr + log.read_text()


@pytest.mark.parametrize("env", [{"HOME": ""}, {"HOME": "/dev/null"}, {"HOME": "/proc/none"}])
def test_without_a_home_it_still_runs(run, env):
    """G36."""
    done = run("devices", env=env)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 4)
    assert run("--help", env=env).returncode == 0
    if env["HOME"]:
        assert "There is no log" in done.stderr


def test_settings_that_do_not_exist_are_told(run):
    done = run("devices", env={"VOICECLI_LOG_LEVLE": "debug"})
    assert (
        "notice: There is no setting VOICECLI_LOG_LEVLE in the environment; did you mean VOICECLI_LOG_LEVEL?"
        in done.stderr
    )


def test_ctrl_c_is_130(tmp_path: Path):
    done = broken(tmp_path, "KeyboardInterrupt")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_command_whose_reader_went_away_is_141(tmp_path: Path):
    done = broken(tmp_path, "BrokenPipeError")
    assert (done.returncode, done.stdout, done.stderr) == (141, "", "")


def test_what_a_command_left_in_the_buffer_for_a_full_disk_is_told(tmp_path: Path):
    """G36."""
    with Path("/dev/full").open("w") as full:
        done = broken(tmp_path, "", body="print('x'); return 0", stdout=full)
    assert done.returncode == 141
    assert done.stderr == "error: Standard output cannot be written to: No space left on device.\n"


def test_semantic_vad_needs_no_value_and_excludes_the_silence_window(run):
    done = run("talk", "--semantic-vad", "--vad-silence-ms", "300")
    assert done.returncode == 2
    assert "--semantic-vad and --vad-silence-ms exclude each other." in done.stderr
    done = run("talk", "--semantic-vad", "soon")
    assert done.returncode == 2
    assert '--semantic-vad is "soon"; it must be one of low, medium, high, auto.' in done.stderr


def test_a_session_that_the_protocol_does_not_have_is_refused_before_the_start(run, tmp_path: Path):
    (tmp_path / "work" / "mine.json").write_text('{"temperature": 2}')
    done = run("talk", "--session", "mine.json", "--url", "ws://127.0.0.1:1/v1/realtime")
    assert done.returncode == 2
    assert "Invalid 'temperature': 2 is not between 0.6 and 1.2" in done.stderr
    assert done.stdout == ""
