"""One client's visit: how much it may send, how long it may say nothing, and what the log has of it."""

from __future__ import annotations

import pytest

from voicecli.protocol import events as e
from voicecli.protocol.codec import encode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import ErrorInfo, Response
from voicecli.server.visit import Ending, Visit, Visitor


def visit(model: str | None = None, peer: str = "127.0.0.1:5", idle_s: float | None = None) -> Visit:
    return Visit(Visitor(3, peer, "ga", model), 100.0, errors=200, idle_s=idle_s)


@pytest.mark.parametrize("spelling", list(Spelling))
def test_g22_more_than_200_errors_in_ten_seconds_end_it(spelling: Spelling) -> None:
    error = encode_server(e.ServerError(error=ErrorInfo(message="no", type="x")), spelling)
    other = encode_server(e.InputAudioBufferCleared(), spelling)
    assert error is not None
    assert other is not None
    one = visit()
    for n in range(200):
        one.goes(error, 100.0 + n / 50)
        one.goes(other, 100.0 + n / 50)
    assert one.ending(104.0) is None
    one.goes(error, 104.0)
    assert one.ending(104.0) == Ending(1008, "too many errors")


def test_errors_now_and_then_end_nothing() -> None:
    one = visit()
    for n in range(1_000):
        one.goes('{"type":"error"}', 100.0 + n / 10)
    assert one.ending(200.0) is None


def test_g22_a_client_that_says_nothing_is_idle_whatever_it_is_sent() -> None:
    one = visit(idle_s=900.0)
    one.came(500.0)
    one.goes("{}", 1_300.0)
    assert one.deadline == 1_400.0
    assert one.ending(1_399.9) is None
    assert one.ending(1_400.0) == Ending(1001, "idle")


def test_without_a_limit_a_client_may_be_silent_for_ever() -> None:
    assert visit().deadline is None
    assert visit().ending(1e9) is None


@pytest.mark.parametrize("spelling", list(Spelling))
def test_its_two_lines_have_numbers_and_no_content(spelling: Spelling) -> None:
    one = visit("gpt-realtime")
    answer = encode_server(e.ResponseDone(response=Response(id="canary")), spelling)
    assert answer is not None
    one.goes(answer, 101.0)
    assert one.begun() == "session 3 began: 127.0.0.1:5, ga, model gpt-realtime"
    assert one.over(112.34, 1000, "") == "session 3 ended after 12.3 s: 1 answer, closed with 1000"
    assert one.over(112.34, None, None) == "session 3 ended after 12.3 s: 1 answer, connection lost"


def test_foreign_text_in_its_lines_is_printable_and_short() -> None:
    one = visit("evil\x1b[2J\nvoicecli serve: all is well " + "x" * 500)
    assert one.begun().isprintable()
    assert len(one.begun()) < 200
    ended = one.over(101.0, 4000, "bye\n\x9b31m\u202e" + "y" * 500)
    assert ended.isprintable()
    assert ended.startswith('session 3 ended after 1.0 s: 0 answers, closed with 4000 "bye')
    assert len(ended) < 200
