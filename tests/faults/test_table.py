"""The table of faults names tests that are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_each_test_in_the_table_of_faults_is_there():
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", Path(__file__).with_name("README.md").read_text())
    assert len(named) > 25
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in names, f"{file}::{name}"
