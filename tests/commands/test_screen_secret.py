"""G9 on the screen: a key that a server repeats, whole or letter by letter, is in no byte that leaves the program."""

from __future__ import annotations

import sys

import pytest

from tests.commands.processes import Home
from tests.commands.terminals import shown
from tests.commands.test_canary import closing, echoing, pieces

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="terminals of other systems differ")

KEY = "my-own-canary-0123456789"
WAYS = {
    "everywhere": (echoing, r"\[key\]"),
    "in its close": (closing, r"\[key\]"),
    "letter by letter": (pieces, r"It is \[key\]"),
}


@pytest.mark.parametrize("way", WAYS)
def test_g9_a_key_that_the_server_says_is_not_on_the_screen(way: str, home: Home) -> None:
    make, seen = WAYS[way]
    with make(KEY)() as far, shown(home, "chat", "--url", far.url, VOICECLI_API_KEY=KEY) as chat:
        if way == "letter by letter":
            chat.terminal.until("waiting.for.you.to.type")
            chat.terminal.type("hello\r")
        chat.terminal.until(seen)
        chat.terminal.type("\x11")
        chat.code()
        assert KEY not in chat.terminal.text
        assert KEY[:15] not in chat.terminal.text
        assert KEY not in home.log
        chat.clean()
