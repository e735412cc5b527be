"""Virtual sound for the tests marked `sound`; with VOICECLI_REQUIRE=sound none of them is skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import panes
import pytest
import virtual_audio as sound
from virtual_audio import VirtualAudio


def _needed(lacking: str, apt: str) -> None:
    if lacking:
        if "sound" in os.environ.get("VOICECLI_REQUIRE", "").split(","):
            pytest.fail(f"sound tests are required here, and {lacking} is missing: {apt}")
        pytest.skip(f"{lacking} is missing: {apt}")


@pytest.fixture(scope="module")
def tmux() -> None:
    """It is there."""
    _needed(panes.missing(), panes.APT)


@pytest.fixture(scope="module")
def virtual_audio() -> Iterator[VirtualAudio]:
    """A speaker and a microphone at 24 kHz mono, for all tests of a module."""
    _needed(sound.missing(), sound.APT)
    with VirtualAudio() as audio:
        yield audio


@pytest.fixture
def own_audio() -> Iterator[VirtualAudio]:
    """The same for one test alone, which may break it."""
    _needed(sound.missing(), sound.APT)
    with VirtualAudio() as audio:
        yield audio


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """A line for the end of the run, and for -s."""

    def line(text: str) -> None:
        print(text)
        record_property("told", text)

    return line
