"""What tests found out and people want to read: lines told with `record_property("told", ...)` end the run's report."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Also where xdist has run them in other processes, whose own output is not shown."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    lines = [text for report in reports for name, text in report.user_properties if name == "told"]
    if lines:
        terminalreporter.section("told by the tests")
        for line in lines:
            terminalreporter.write_line(str(line))
