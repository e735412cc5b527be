from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.processes import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has nothing yet."""
    return Home(tmp_path)
