"""Virtual sound for the tests marked `sound`; with VOICECLI_REQUIRE=sound none of them is skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from virtual_audio import APT, VirtualAudio, missing


def _needed() -> None:
    if lacking := missing():
        if "sound" in os.environ.get("VOICECLI_REQUIRE", "").split(","):
            pytest.fail(f"sound tests are required here, and {lacking} is missing: {APT}")
        pytest.skip(f"{lacking} is missing: {APT}")


@pytest.fixture(scope="module")
def virtual_audio() -> Iterator[VirtualAudio]:
    """A speaker and a microphone at 24 kHz mono, for all tests of a module."""
    _needed()
    with VirtualAudio() as audio:
        yield audio


@pytest.fixture
def own_audio() -> Iterator[VirtualAudio]:
    """The same for one test alone, which may break it."""
    _needed()
    with VirtualAudio() as audio:
        yield audio
