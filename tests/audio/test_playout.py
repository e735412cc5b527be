"""The timeline under a moving playhead: every sample is copied where and when the spans say."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from voicecli.audio.playout import BEHIND, Playout
from voicecli.ports import RATE, Playhead, Span


def ramp(position: int, n: int) -> bytes:
    """Sample p of the timeline has the value p, modulo 2**15, and is never 0."""
    return b"".join(((p % 32767) + 1).to_bytes(2, "little") for p in range(position, position + n))


def pulled(playout: Playout, n: int, dac_at: float = 0.0, run: int | None = None) -> tuple[bytes, list[Span]]:
    out = bytearray(b"\xff" * 2 * n)
    before = len(playout.spans)
    playout.pull(out, dac_at, run)
    return bytes(out), list(playout.spans)[before:]


def test_the_block_is_filled_whole_with_sound_then_silence() -> None:
    playout = Playout()
    playout.lay(ramp(0, 100))
    out, spans = pulled(playout, 240, 5.0)
    assert out == ramp(0, 100) + bytes(280)
    assert spans == [Span(0, 0, 100, 5.0)]


def test_a_block_over_several_chunks_has_a_span_for_each_with_its_own_time() -> None:
    playout = Playout()
    playout.lay(ramp(0, 100))
    playout.lay(ramp(100, 60))
    playout.lay(ramp(160, 500))
    out, spans = pulled(playout, 240, 1.0)
    assert out == ramp(0, 240)
    assert spans == [Span(0, 0, 100, 1.0), Span(0, 100, 60, 1.0 + 100 / RATE), Span(0, 160, 80, 1.0 + 160 / RATE)]


def test_a_block_longer_than_two_seconds_is_filled_as_well() -> None:
    out, spans = pulled(Playout(), 3 * RATE)
    assert out == bytes(6 * RATE)
    assert spans == []


def test_a_cut_goes_on_behind_everything_that_was_laid() -> None:
    playout = Playout()
    playout.lay(ramp(0, 1000))
    pulled(playout, 240)
    playout.move(Playhead(1, 1000, True))
    assert pulled(playout, 240) == (bytes(480), [])
    playout.lay(ramp(1000, 50))
    assert pulled(playout, 50, 2.0) == (ramp(1000, 50), [Span(1, 1000, 50, 2.0)])


def test_a_held_playhead_gives_silence_and_a_resume_goes_back_to_the_ear() -> None:
    playout = Playout()
    for at in range(0, 5000, 500):
        playout.lay(ramp(at, 500))
    pulled(playout, 2400)
    playout.move(Playhead(1, 1900, False))
    assert not playout.ready()
    assert pulled(playout, 240) == (bytes(480), [])
    playout.move(Playhead(2, 1900, True))
    assert playout.ready()
    assert pulled(playout, 240, 3.0)[0] == ramp(1900, 240)


def test_a_second_stays_behind_the_playhead_and_not_much_more() -> None:
    playout = Playout()
    for at in range(0, 10 * RATE, 2400):
        playout.lay(ramp(at, 2400))
    for _ in range(500):
        pulled(playout, 480)
    playout.move(Playhead(1, 10 * RATE - BEHIND, True))
    assert pulled(playout, 240)[0] == ramp(9 * RATE, 240)
    playout.move(Playhead(2, 0, True))
    out, spans = pulled(playout, 240)
    assert spans[0].position >= 9 * RATE - 2400, "what is forgotten is skipped, and the span says what was played"
    assert out == ramp(spans[0].position, 240)


def test_nothing_of_a_new_run_goes_into_a_device_that_is_about_to_be_cut() -> None:
    playout = Playout()
    playout.lay(ramp(0, 1000))
    playout.move(Playhead(1, 500, True))
    assert not playout.ready(run=0)
    assert pulled(playout, 240, run=0) == (bytes(480), [])
    assert playout.ready(run=1)
    assert pulled(playout, 240, run=1)[0] == ramp(500, 240)


def test_a_playhead_ahead_of_what_was_laid_waits_for_its_sample() -> None:
    playout = Playout()
    playout.lay(ramp(0, 100))
    playout.move(Playhead(1, 150, True))
    assert pulled(playout, 50)[1] == []
    playout.lay(ramp(100, 100))
    assert pulled(playout, 80)[0] == ramp(150, 50) + bytes(60)


def test_empty_chunks_are_nothing() -> None:
    playout = Playout()
    playout.lay(b"")
    assert not playout.ready()
    playout.lay(ramp(0, 3))
    playout.lay(b"")
    assert pulled(playout, 4)[1] == [Span(0, 0, 3, 0.0)]


def cost(playout: Playout) -> float:
    out = bytearray(480)
    playout.pull(out, 0.0)
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(50):
            playout.pull(out, 0.0)
        best = min(best, time.perf_counter() - began)
    return best


def test_a_block_costs_the_same_out_of_short_chunks_long_ones_and_many() -> None:
    """Re-slicing the rest of a chunk of 60 s would cost a hundred times as much; the bound is loose on purpose."""
    short, long, many = Playout(), Playout(), Playout()
    for _ in range(200):
        short.lay(bytes(4800))
    long.lay(bytes(2 * 600 * RATE))
    for _ in range(50_000):
        many.lay(bytes(480))
    base = cost(short)
    assert cost(long) < 8 * base
    assert cost(many) < 8 * base


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("lay"), st.integers(0, 3000)),
        st.tuples(st.just("pull"), st.sampled_from([1, 64, 240, 480, 960])),
        st.tuples(st.just("cut"), st.just(0)),
        st.tuples(st.just("hold"), st.integers(0, 500)),
        st.tuples(st.just("resume"), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_every_sample_under_a_moving_playhead_is_copied_once_in_order_and_as_the_spans_say(steps) -> None:
    playout, end, at, run, moving, now = Playout(), 0, 0, 0, True, 0.0
    for what, n in steps:
        match what:
            case "lay":
                playout.lay(ramp(end, n))
                end += n
            case "cut":
                run, at, moving = run + 1, end, True
                playout.move(Playhead(run, at, moving))
            case "hold":
                run, at, moving = run + 1, max(0, at - n), False
                playout.move(Playhead(run, at, moving))
            case "resume":
                run, moving = run + 1, True
                playout.move(Playhead(run, at, moving))
            case "pull":
                out, spans = pulled(playout, n, now)
                real = min(n, end - at) if moving else 0
                assert out == ramp(at, real) + bytes(2 * (n - real))
                assert sum(span.n for span in spans) == real
                for span in spans:
                    assert span.run == run
                    assert span.position == at
                    assert span.n > 0
                    assert abs(span.dac_at - (now + (at - spans[0].position) / RATE)) < 1e-9
                    at += span.n
                now += n / RATE
