"""Servers that close, are silent or send too much: what is told, and how soon. The key is in none of it."""

import asyncio
import time

import pytest

from tests.faults.bad_server import deaf, greeted, silent, text, websocket
from tests.faults.talking import CANARY, talking
from voicecli.core.changes import LinkNow, Told
from voicecli.core.stimuli import Quit
from voicecli.runtime.dial import LIMITS
from voicecli.runtime.socket import WebSocketLink


@pytest.fixture
def tells(record_property):
    def tell(fault, promise, told_s, lost):
        record_property("told", f"{fault}: {promise}; told after {told_s:.2f} s; lost at most: {lost}")

    return tell


@pytest.mark.parametrize("code", [1001, 1008, 1011, 4000, 4321])
def test_a_close_is_told_in_words_of_its_own_at_once(code, tells):
    closed_at = []

    async def closes(far):
        await greeted(far)
        await asyncio.sleep(0.3)
        closed_at.append(time.perf_counter())
        await far.close(code, f"because of {CANARY}")

    with websocket(closes) as url, talking(url, sound=False) as talk:
        talk.ready()
        told_s = talk.wait(LinkNow, state="lost") - closed_at[0]
        talk.look()
        told = [change for _, change in talk.find(Told) if change.severity == "error"]
        assert len(told) == 1
        assert told_s < 2
        assert talk.find(LinkNow, state="lost")[0][1].code == code
        tells(f"close {code}", told[0].title, told_s, "the rest of the answer")


@pytest.mark.parametrize("code", [1001, 4000])
def test_a_close_frame_whose_tcp_stays_is_told_within_three_seconds_g14_f21(code, tells):
    with deaf(bytes([0x88, 2]) + code.to_bytes(2, "big")) as url, talking(url, sound=False) as talk:
        at = talk.wait(LinkNow, state="open")
        told_s = talk.wait(LinkNow, state="lost") - at - 0.5
        assert told_s < 6
        tells(f"close frame {code} without FIN", "as a close", told_s, "the rest of the answer")


@pytest.mark.parametrize("what", ["frames", "pings"])
def test_a_flood_is_cut_off_and_the_talk_can_be_ended_meanwhile_g12(what, tells):
    frame = b"\x89\x00" if what == "pings" else text('{"type":"input_audio_buffer.cleared"}')

    with deaf(frame * 200_000) as url, talking(url, sound=False) as talk:
        at = talk.wait(LinkNow, state="open")
        told_s = talk.told("flood") - at - 0.5
        assert talk.late_s < 1.5
        tells(
            f"a flood of {what}", f"cut off; a timer was {talk.late_s * 1000:.0f} ms late", max(0.0, told_s), "the talk"
        )


def test_in_a_flood_that_is_borne_the_program_can_be_ended_at_once_g12(tells):
    """3,500 frames a second, for as long as it takes."""

    async def floods(far):
        await greeted(far)
        while True:
            for _ in range(35):
                await far.send('{"type":"input_audio_buffer.cleared"}')
            await asyncio.sleep(0.01)

    with websocket(floods) as url, talking(url, sound=False) as talk:
        talk.ready()
        time.sleep(1)
        at = time.perf_counter()
        talk.give(Quit())
        ended_s = talk.wait(LinkNow, state="closed") - at
        assert ended_s < 1.5
        assert "flood" not in talk.codes
        tells("3,500 frames a second", f"borne; a timer was {talk.late_s * 1000:.0f} ms late", ended_s, "nothing")


def test_a_server_that_never_answers_the_handshake_is_given_up_g15(tells):
    limits = LIMITS._replace(handshake_s=1.0, slow_s=0.3)
    with silent() as url, talking(url, sound=False, limits=limits) as talk:
        at = talk.wait(LinkNow, state="connecting")
        hint_s, told_s = talk.told("slow") - at, talk.told("timeout") - at
        assert hint_s < told_s < 10
        tells("no 101, limit of 1 s (really 10)", f"a hint after {hint_s:.1f} s, then given up", told_s, "nothing")


def test_a_slow_name_server_is_told_and_does_not_hold_up_the_end_g15_f27(tells):
    def slow(*_, **__):
        time.sleep(3)
        return []

    class Slow(WebSocketLink):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options, lookup=slow)

    limits = LIMITS._replace(slow_s=0.3)
    with talking("ws://name.example/", sound=False, limits=limits, link=Slow) as talk:
        at = talk.wait(LinkNow, state="connecting")
        told_s = talk.told("slow") - at
        asked = time.perf_counter()
        talk.give(Quit())
        ended_s = talk.wait(LinkNow, state="closed") - asked
        assert ended_s < 1
        tells("slow DNS, limit of 0.3 s (really 3)", f"a hint; the end takes {ended_s:.2f} s", told_s, "nothing")
