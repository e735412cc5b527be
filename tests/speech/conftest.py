"""The two engines, loaded once for all tests of this room that ask them something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.speech.beside import LACKS, Beside
from voicecli.speech import frames as f
from voicecli.speech.weights import Part


def _beside(part: Part) -> Iterator[Beside]:
    if part.value in LACKS:
        pytest.skip(f"no {part.value} here")
    with Beside(part) as engine:
        assert engine.state == f.Ready()
        yield engine
        assert engine.end() == 0


@pytest.fixture(scope="module")
def ear() -> Iterator[Beside]:
    yield from _beside(Part.EAR)


@pytest.fixture(scope="module")
def voice() -> Iterator[Beside]:
    yield from _beside(Part.VOICE)
