"""Rows of tools: what was called with what, what came of it, and why it failed."""

import pytest
from core_talk import CHAT, Bench, created, done
from msgspec.structs import replace

from voicecli.core.changes import Told
from voicecli.core.tools import LONGEST
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_server, encode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import Item

CALL = Item("m1", type="mcp_call", name="search", server_label="docs", arguments='{"q":1}')
FAILED = e.McpCallFailed(item_id="m1")


def called() -> Bench:
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), e.OutputItemAdded(response_id="r1", item=CALL))
    return bench


def whole(**more) -> e.OutputItemDone:
    return e.OutputItemDone(response_id="r1", item=replace(CALL, **more))


@pytest.mark.parametrize("spelling", list(Spelling))
def test_what_an_mcp_tool_gave_is_shown(spelling):
    bench = called()
    event = decode_server(encode_server(whole(status="completed", output="two pages"), spelling))
    bench.says(e.McpCallCompleted(item_id="m1"), event, done())
    assert (bench.turn("m1").text.raw, bench.turn("m1").status) == ('docs search {"q":1}\ntwo pages', "done")


def test_of_a_long_output_the_beginning_is_shown():
    bench = called()
    bench.says(whole(status="completed", output="x" * 100_000), done())
    assert bench.turn("m1").text.raw == 'docs search {"q":1}\n' + "x" * LONGEST


@pytest.mark.parametrize("status", [None, "completed", "failed", "incomplete"])
@pytest.mark.parametrize("before", [(), (FAILED,)], ids=["", "failed before"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"type": "http_error", "code": 500, "message": "boom"}, "boom"),
        ({"type": "http_error", "code": 500}, "500"),
        ({"odd": ["x"]}, '{"odd": ["x"]}'),
        ("boom", "boom"),
        ([], "[]"),
    ],
)
def test_why_an_mcp_call_failed_is_told_once_and_stays_whatever_its_item_says(status, before, error, words):
    bench = called()
    item = whole(status=status, output="nothing", error=error)
    bench.says(*before, item, e.ConversationItemDone(item=item.item), done("r1"))
    turn = bench.turn("m1")
    assert (turn.status, turn.error_code, turn.error.raw) == ("failed", "mcp_failed", words)
    assert [(told.code, told.detail.raw) for told in bench.shown(Told)] == [("mcp_failed", words)]


@pytest.mark.parametrize("after", [[whole(status="completed")], [whole()], [done()]])
def test_a_call_that_failed_without_a_word_has_failed(after):
    bench = called()
    bench.says(FAILED, *after)
    assert bench.turn("m1").status == "failed"
    bench.says(done())
    assert (bench.turn("m1").status, bench.codes()) == ("failed", ["mcp_failed"])


def test_a_call_that_is_told_to_have_failed_after_its_item_was_whole_has_failed():
    bench = called()
    bench.says(whole(status="completed"), FAILED)
    assert (bench.turn("m1").status, bench.codes()) == ("failed", ["mcp_failed"])


def test_a_call_that_failed_in_an_answer_that_is_given_up_has_failed():
    bench = called()
    bench.says(FAILED)
    bench.until(60.0)
    assert bench.turn("m1").status == "failed"
    assert "mcp_failed" in bench.codes()
