"""Fuzzed frames through the real socket, at 2,500 a second: the loop keeps its time, and the talk can be ended."""

import asyncio
import time

import pytest

from tests.faults.bad_server import greeted, websocket
from tests.faults.talking import talking
from tests.fuzz.frames import Storm
from voicecli.core.changes import LinkNow
from voicecli.protocol.dialects import Spelling

SECONDS, A_SECOND = 3, 2_500


@pytest.mark.parametrize("spelling", Spelling)
def test_fuzzed_frames_through_the_socket_stall_nothing(spelling, record_property):
    over = []

    async def storms(far):
        await greeted(far)
        storm, began = Storm(9, spelling), time.perf_counter()
        for n, frame in zip(range(SECONDS * A_SECOND), storm, strict=False):
            try:
                await far.send(frame.decode())
            except UnicodeDecodeError:
                await far.send(frame)
            if n % 25 == 24:
                await asyncio.sleep(max(0.0, began + n / A_SECOND - time.perf_counter()))
        over.append(time.perf_counter() - began)
        await far.wait_closed()

    with websocket(storms) as url, talking(url) as talk:
        talk.ready()
        by = time.perf_counter() + 60
        while not over:
            talk.look()
            assert time.perf_counter() < by
            assert not talk.find(LinkNow, state="lost")
            time.sleep(0.05)
        time.sleep(0.2)
        late_ms = talk.late_s * 1000
        assert late_ms < 1000, "100 ms are promised"
    told = (
        f"{SECONDS * A_SECOND:,} fuzzed frames, {spelling.value}, in {over[0]:.1f} s: a timer was {late_ms:.0f} ms late"
    )
    record_property("told", told)
