"""The openai package, of the beta's time and the newest, talks with `voicecli serve`; each event fits its typed model.

The packages live in environments of their own (G30); where those are not there the tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import environments
import pytest

HERE = Path(__file__).parent
CLIP = environments.ROOT / "voicecli" / "data" / "clips" / "hello.wav"
KEY = "sk-of-these-tests"
SPELLINGS = {"openai-1.59": "beta", "openai-newest": "ga"}
TALKS = (
    "text turn",
    "spoken turn",
    "turn by hand",
    "cancel",
    "truncate and delete",
    "tool call",
    "errors",
    "out of band",
    "synchronous",
    "a wrong key",
)
pytestmark = pytest.mark.xdist_group("openai")


def lacking(environment: str) -> bool:
    return not environments.python_of(environment).exists()


def plain_environ(**more: str) -> dict[str, str]:
    """Ours without what would lead a client elsewhere: proxies, and settings of the package."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return {name: value for name, value in kept.items() if not name.startswith("OPENAI_")} | more


@contextmanager
def served() -> Iterator[str]:
    """`voicecli serve` with a key; the URL that the package is given."""
    command = [sys.executable, "-P", "-m", "voicecli", "serve", "--port", "0"]
    environ = plain_environ(VOICECLI_SERVE_KEY=KEY)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as started:
        try:
            assert started.stdout is not None
            url = started.stdout.readline().split()[-1]
            yield url.replace("ws://", "http://").removesuffix("/realtime")
        finally:
            started.kill()


def begun(environment: str, url: str) -> subprocess.Popen[str]:
    program = [environments.python_of(environment), "-P", HERE / "openai_talks.py"]
    return subprocess.Popen(
        [*program, url, SPELLINGS[environment], CLIP],
        env=plain_environ(OPENAI_API_KEY=KEY),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """What the talks found, by environment and talk; all are held at the same time, with one server."""
    told: dict[str, dict[str, Any]] = {}
    with served() as url, ExitStack() as stack:
        there = [name for name in environments.WANTED if not lacking(name)]
        running = {name: stack.enter_context(begun(name, url)) for name in there}
        for environment, driver in running.items():
            lines, wrong = driver.communicate(timeout=60)
            assert driver.returncode == 0, wrong
            told |= {f"{environment} {each['talk']}": each for each in map(json.loads, lines.splitlines())}
    return told


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize("environment", environments.WANTED)
def test_g30_the_openai_package_holds_its_talk_and_knows_every_event(
    environment: str, talk: str, request: pytest.FixtureRequest
) -> None:
    if lacking(environment):
        if "openai" in os.environ.get("VOICECLI_REQUIRE", "").split(","):
            pytest.fail(f"the openai package is required here: {environments.COMMAND}")
        pytest.skip(f"the openai package is not here: {environments.COMMAND}")
    held = request.getfixturevalue("found")[f"{environment} {talk}"]
    assert held["failure"] is None, held["failure"]
    assert held["wrong"] == []
    assert held["kinds"][:1] == ([] if talk == "a wrong key" else ["session.created"])
