"""Which clocks the program reads (G37): timers are monotonic, the wall clock only dates things for people."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "voicecli"

WALL = {"time.time", "time.time_ns", "time.strftime", "time.localtime", "time.gmtime", "datetime.now", "datetime.today"}
READS_THE_WALL_CLOCK = {
    "commands/conversing.py": {"datetime.now"},  # when the talk began, in its first line
    "logs.py": {"time.strftime"},  # the name of the log
    "runtime/socket.py": {"time.time"},  # once per connection, for what the server dates by it
    "server/serve.py": {"time.time", "datetime.now"},  # when a session expires; what time it is, for who asks
}


def names(path: Path) -> set[str]:
    found = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    return found & WALL


def test_the_wall_clock_dates_things_and_times_nothing_g37() -> None:
    found = {path.relative_to(ROOT).as_posix(): names(path) for path in ROOT.rglob("*.py")}
    assert {path: read for path, read in found.items() if read} == READS_THE_WALL_CLOCK


def test_no_clock_comes_in_under_another_name_g37() -> None:
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                assert {name.name for name in node.names} == {"perf_counter"}, path
