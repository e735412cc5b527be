"""Links that are slow, half open, stopped, closed in every way: what is told, how soon, and what is lost at most.

Limits of many seconds are shorter here where they are an argument of the link; two of these tests use the real ones.
"""

import os
import signal
import time

import pytest

from tests.faults.proxy import proxy
from tests.faults.talking import BLOCK_S, child, talking
from voicecli.core.changes import LinkNow, PhaseNow, Told, TurnSet
from voicecli.core.stimuli import Asked
from voicecli.runtime.dial import LIMITS

QUICK = LIMITS._replace(ping_s=0.3, silent_s=0.5, pong_s=1.0)


@pytest.fixture
def tells(record_property):
    def tell(fault, promise, told_s, lost):
        record_property("told", f"{fault}: {promise}; told after {told_s:.2f} s; lost at most: {lost}")

    return tell


# ---- gone


@pytest.mark.parametrize(("fault", "within"), [("drop", 0.2), ("fin", 0.2)])
def test_a_connection_that_is_cut_is_told_and_what_was_heard_stays(fault, within, tells):
    with child() as far, proxy(far.port) as net, talking(f"ws://127.0.0.1:{net.port}/") as talk:
        talk.ready().says("2")
        talk.wait(PhaseNow, phase="assistant_speaking")
        time.sleep(0.3)
        at = time.perf_counter()
        getattr(net, fault)()
        told_s = talk.told("dropped") - at
        assert told_s < 10 * within
        talk.wait(TurnSet, item="a1", status="done")
        (_, turn) = talk.find(TurnSet, item="a1")[-1]
        assert turn.heard_ms == turn.received_ms
        tells(f"TCP {fault}", "the cause, and what came is heard to its end", told_s, "what had not come yet")


def test_a_half_open_link_is_told_as_silent_and_then_as_lost_g14(tells):
    with child() as far, proxy(far.port) as net, talking(f"ws://127.0.0.1:{net.port}/", limits=QUICK) as talk:
        talk.ready()
        time.sleep(0.4)
        at = time.perf_counter()
        net.half_open()
        hint_s, lost_s = talk.told("silent") - at, talk.told("dropped") - at
        assert hint_s < lost_s < 10 * (QUICK.ping_s + QUICK.pong_s)
        assert talk.find(Told, code="dropped")[0][1].detail.raw == "the server does not answer any more"
        real_s = LIMITS.ping_s + LIMITS.pong_s
        tells(
            f"half-open, limits of {QUICK.pong_s} s (really {LIMITS.pong_s:.0f})",
            f"a hint after {hint_s:.1f} s, then lost (really {real_s:.0f} s at most)",
            lost_s,
            "audio older than 2 s",
        )


def test_a_stopped_server_is_told_and_lost_within_the_real_limits_g14(tells):
    with child() as far, talking(f"ws://127.0.0.1:{far.port}/") as talk:
        talk.ready()
        time.sleep(0.3)
        at = time.perf_counter()
        os.kill(far.process.pid, signal.SIGSTOP)
        talk.says("0")
        hint_s = talk.told("silent") - at
        lost_s = talk.wait(LinkNow, state="lost") - at
        os.kill(far.process.pid, signal.SIGCONT)
        assert 4.5 < hint_s < 10
        assert lost_s < 20
        tells(
            "server stopped for good", f"no answer for 5 s: {hint_s:.1f} s; then lost", lost_s, "audio older than 2 s"
        )


# ---- slow


def test_on_a_slow_uplink_the_talk_goes_on_and_speech_is_never_far_behind_g12b(tells):
    """Sound needs 66 kB/s; there are 20."""
    with child() as far, proxy(far.port) as net, talking(f"ws://127.0.0.1:{net.port}/") as talk:
        talk.ready()
        time.sleep(0.5)
        at, since = time.perf_counter(), time.monotonic()
        net.up = 20_000.0
        told_s = talk.told("audio_dropped") - at
        time.sleep(5)
        behind = far.oldest(since)
        assert "dropped" not in talk.codes
        assert behind < 3.5, "2.5 s are promised"
        assert told_s < 10
        (told,) = talk.find(Told, code="audio_dropped")[:1]
        assert "--input-format g711_ulaw" in told[1].hint
        recorded_s, sent_s = talk.card.recorded * BLOCK_S, len(far.blocks) * BLOCK_S
        tells(
            "uplink of 20 kB/s",
            f"alive; never more than {behind:.1f} s behind; the way out is named",
            told_s,
            f"{recorded_s - sent_s:.1f} of {recorded_s:.1f} s of speech, counted",
        )


@pytest.mark.parametrize(("buffer", "stops_s"), [(("16384",), 10), ((), 6)], ids=["small", "usual"])
def test_a_server_that_stood_still_gets_little_stale_speech_g12b(buffer, stops_s, tells):
    """Stopped for some seconds, then going on: 2 s wait in the outbox; the rest is its kernel."""
    limits = LIMITS._replace(ping_s=20.0)
    with child(*buffer) as far, talking(f"ws://127.0.0.1:{far.port}/", limits=limits) as talk:
        talk.ready()
        time.sleep(0.5)
        at = time.perf_counter()
        os.kill(far.process.pid, signal.SIGSTOP)
        talk.says("0")
        hint_s = talk.told("silent") - at
        time.sleep(max(0.0, stops_s - (time.perf_counter() - at)))
        since, before = time.monotonic(), len(far.blocks)
        os.kill(far.process.pid, signal.SIGCONT)
        time.sleep(2)
        old = [recorded for recorded, _ in far.blocks[before:] if recorded < since]
        stale_s = len(old) * BLOCK_S
        assert "dropped" not in talk.codes
        assert 0 < stale_s < (4.5 if buffer else 6), "3 s are promised where the server's kernel takes little"
        tells(
            f"server with {buffer or 'usual'} buffers stopped for {stops_s} s",
            f"then it gets {stale_s:.1f} s of old speech",
            hint_s,
            "the rest, counted",
        )


def test_on_a_slow_downlink_an_answer_waits_for_sound_and_is_heard_whole(tells):
    with child() as far, proxy(far.port) as net, talking(f"ws://127.0.0.1:{net.port}/", limits=QUICK) as talk:
        talk.ready()
        net.down = 40_000.0  # sound needs 64 kB/s
        talk.says("3")
        began = talk.wait(PhaseNow, phase="assistant_speaking")
        waits = talk.wait(PhaseNow, phase="waiting_for_sound")
        talk.wait(TurnSet, item="a1", status="done")
        (_, turn) = talk.find(TurnSet, item="a1")[-1]
        assert (turn.heard_ms, turn.received_ms) == (3000, 3000)
        assert "silent" not in talk.codes
        assert "dropped" not in talk.codes
        gap_s = waits - began - 1.0
        tells("downlink of 40 kB/s", "waiting for sound, with seconds; all of it is heard", max(0.0, gap_s), "nothing")


def test_a_delay_of_a_second_each_way_is_no_fault(tells):
    with child() as far, proxy(far.port) as net, talking(f"ws://127.0.0.1:{net.port}/", limits=QUICK) as talk:
        talk.ready()
        net.delay_s = 0.3
        talk.says("1")
        talk.wait(TurnSet, item="a1", status="done")
        assert "dropped" not in talk.codes
        tells("300 ms for each piece", "the answer is heard", 0.0, "nothing")


# ---- too much


def test_an_hour_of_sound_at_once_waits_at_the_server_and_can_be_thrown_away_g13(tells):
    """In true time only the beginning: that reading stops, that keys work, that the rest is thrown away."""
    with child() as far, talking(f"ws://127.0.0.1:{far.port}/", limits=QUICK) as talk:
        talk.ready().says("3600")
        at = talk.wait(PhaseNow, phase="assistant_speaking")
        told_s = talk.told("resting") - at
        time.sleep(2.5)
        assert "dropped" not in talk.codes, "the pings rest"
        assert "silent" not in talk.codes
        laid_min = talk.card.laid_bytes / 2 / 24_000 / 60
        assert 30 <= laid_min <= 40
        pressed = time.perf_counter()
        talk.give(Asked("interrupt"))
        talk.wait(TurnSet, item="a1", status="interrupted")
        silent_s = time.perf_counter() - pressed
        assert silent_s < 1
        time.sleep(1)
        talk.says("0")
        assert talk.card.laid_bytes / 2 / 24_000 / 60 == laid_min
        assert talk.late_s < 1.5
        tells(
            "60 minutes of sound at once",
            f"{laid_min:.0f} minutes are taken; the key works within {silent_s * 1000:.0f} ms",
            told_s,
            f"nothing; a timer was {talk.late_s * 1000:.0f} ms late",
        )
