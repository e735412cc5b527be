"""One kind of terminal for all tests of the screen: Rich keeps, in each style, the codes of the one it met first."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def true_colour() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TERM", "xterm-256color")
        environment.setenv("COLORTERM", "truecolor")
        yield
