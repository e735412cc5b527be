"""How often the same is told: at first each time, in a flood now and then, and what is spared is counted."""

import pytest
from core_talk import CHAT, TALK, Bench, created, done, error
from msgspec.structs import replace

from voicecli.core.changes import Told
from voicecli.core.stimuli import Quit
from voicecli.core.tellings import AT_ONCE, EVERY_S, Tellings
from voicecli.protocol import events as e
from voicecli.protocol.items import Response, StatusDetails, StatusError, TranscriptionError


def test_the_first_ones_are_told_and_then_one_each_so_often():
    tellings = Tellings()
    assert [tellings.may("x", 0.0) for _ in range(AT_ONCE + 5)] == [True] * AT_ONCE + [False] * 5
    assert not tellings.may("x", EVERY_S * 0.9)
    assert tellings.may("x", EVERY_S * 1.1)
    assert not tellings.may("x", EVERY_S * 1.2)
    assert tellings.spared == 7


def test_one_code_does_not_keep_another_from_being_told():
    tellings = Tellings()
    for _ in range(100):
        tellings.may("x", 0.0)
    assert tellings.may("y", 0.0)


def test_whoever_was_quiet_for_long_may_tell_as_many_as_before_and_no_more():
    tellings = Tellings()
    for _ in range(100):
        tellings.may("x", 0.0)
    assert sum(tellings.may("x", 1e6) for _ in range(100)) == AT_ONCE


FLOODS = {
    "server_error": lambda n: [error(f"m{n}")],
    "transcription_failed": lambda n: [
        e.TranscriptionFailed(item_id=f"i{n}", content_index=0, error=TranscriptionError(message="x"))
    ],
    "dtmf": lambda n: [e.DtmfReceived(event="1" * 1_000)],
    "idle": lambda n: [e.TimeoutTriggered(item_id=f"i{n}", audio_start_ms=0, audio_end_ms=0)],
    "mcp_failed": lambda n: [e.McpListToolsFailed(item_id=f"i{n}")],
    "answer_failed": lambda n: [
        created(f"r{n}"),
        e.ResponseDone(
            response=Response(id=f"r{n}", status="failed", status_details=StatusDetails(error=StatusError(message="x")))
        ),
    ],
}


@pytest.mark.parametrize("code", FLOODS)
def test_a_flood_of_legal_events_is_told_in_few_words_and_counted_at_the_end_g11(code):
    bench = Bench(replace(TALK, keyboard="terminal")).ready()
    for n in range(500):
        bench.says(*FLOODS[code](n), at=1.0 + n / 1000)
    assert bench.codes().count(code) == AT_ONCE
    assert all(len(told.title) < 200 for told in bench.shown(Told))
    bench.give(Quit())
    (told,) = [told for told in bench.shown(Told) if told.code == "passed_over"]
    assert told.title == "Passed over in this talk: 480 notices of what had been told often enough."


def test_an_error_that_is_told_again_after_an_hour_is_told():
    bench = Bench(CHAT).ready()
    for n in range(50):
        bench.says(created(f"r{n}"), error("oops"), done(f"r{n}"), at=1.0 + 60 * n)
    assert bench.codes().count("server_error") == 50
