"""What a person asks of the server beside texts, by the program itself over loopback."""

from __future__ import annotations

import re

import pytest

from tests.commands.processes import Home, wait_for
from tests.commands.servers import server
from tests.commands.test_talks import DIALECTS, LONG, at_terminal, speaking


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_server_says_what_it_keeps_of_an_answer_that_was_cut(dialect: str, home: Home) -> None:
    with server(responder=LONG) as far, at_terminal(home, far, "--dialect", dialect) as talk:
        out = talk.lines()
        talk.type("/kept")
        out.until(r"^notice: There is no answer yet that the server could keep\.$")
        talk.type("hello")
        speaking(home)
        talk.type("/interrupt")
        out.until("^assistant: .*Interrupted at")
        talk.type("/kept")
        said = out.until(r"^notice: The server keeps .* seconds of its sound and none of its words\. .*$")
        wait_for(lambda: bool(far.sent("conversation.item.retrieve")))
        (asked,), (cut,) = far.sent("conversation.item.retrieve"), far.sent("conversation.item.truncate")
        assert asked["item_id"] == cut["item_id"]
        seconds = re.search(r"keeps (\d+\.\d) seconds", said)
        assert seconds is not None
        assert float(seconds[1]) == pytest.approx(cut["audio_end_ms"] / 1000, abs=0.051)
        talk.type("/quit")
        assert talk.done().code == 0
