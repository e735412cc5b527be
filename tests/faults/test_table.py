"""The table of faults names tests that are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TABLE = Path(__file__).with_name("README.md").read_text()


def test_each_test_in_the_table_of_faults_is_there():
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", TABLE)
    assert len(named) > 25
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in names, f"{file}::{name}"


@pytest.mark.parametrize(
    "fault",
    [
        *(
            "TCP reset",
            "half-open",
            "slow uplink",
            "slow downlink",
            "429",
            "Ctrl-Z",
            "SIGSTOP",
            "suspended",
            "wall clock",
        ),
        *("PortAudio call that never returns", "disk full", "kill -9", "flood"),
    ],
)
def test_no_fault_is_without_its_row(fault):
    assert any(fault in line.split("|")[1] for line in TABLE.splitlines() if line.startswith("| "))
