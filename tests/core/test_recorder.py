"""Which samples belong to a press: the pre-roll, the release, the longest; and which presses are repetitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.core.recorder import KEPT_S, LEAST_S, LONGEST_S, PREROLL_S, TAIL_S, Recorder
from voicecli.core.repeats import FIRST_GAP_S, NEXT_GAP_S, Repeats
from voicecli.ports import RATE, MicBlock

MS = RATE // 1000


def block(at_ms: float, ms: int = 20) -> MicBlock:
    """Every millisecond has its own number as its samples: what is taken says when it was recorded."""
    numbers = (round(at_ms) + n for n in range(ms))
    return MicBlock(b"".join(number.to_bytes(2, "little") * MS for number in numbers), at_ms / 1000)


def times(pcm: bytes) -> list[int]:
    """The milliseconds that are in `pcm`; every one must be whole."""
    assert len(pcm) % (2 * MS) == 0
    found = []
    for n in range(0, len(pcm), 2 * MS):
        ms = pcm[n : n + 2 * MS]
        assert ms == ms[:2] * MS
        found.append(int.from_bytes(ms[:2], "little"))
    return found


def kept(until_ms: int) -> Recorder:
    recorder = Recorder()
    for at in range(0, until_ms, 20):
        recorder.keep(block(at))
    return recorder


def test_the_preroll_is_what_came_within_300_ms_before_the_press_and_nothing_older():
    recorder = kept(2000)
    taken = recorder.press(1.995)
    assert times(taken.pcm) == list(range(1695, 2000))
    assert recorder.samples == 5 * MS, "the pre-roll is not counted"
    assert not taken.over


def test_a_press_that_gets_here_late_has_its_own_preroll_all_the_same():
    assert times(kept(2000).press(1.5).pcm) == list(range(1200, 2000))


def test_no_more_than_a_second_is_kept():
    taken = kept(60_000).press(0.4)
    assert len(taken.pcm) <= 2 * (KEPT_S * RATE + 20 * MS)


def test_what_was_forgotten_is_not_taken():
    recorder = kept(1000)
    recorder.forget()
    assert recorder.press(1.0).pcm == b""


def test_a_block_that_comes_after_the_press_may_be_older_than_the_preroll():
    recorder = Recorder()
    recorder.press(1.0)
    assert times(recorder.take(block(690)).pcm) == list(range(700, 710))
    assert recorder.take(block(660)).pcm == b""


def test_a_release_in_the_middle_of_a_block_takes_its_first_part():
    recorder = Recorder()
    recorder.press(1.0)
    recorder.take(block(1000))
    recorder.release(1.033)
    assert not recorder.complete
    assert recorder.deadline == 1.033 + TAIL_S
    taken = recorder.take(block(1020))
    assert times(taken.pcm) == list(range(1020, 1033))
    assert taken.over
    assert recorder.complete
    assert recorder.samples == 33 * MS


def test_what_comes_behind_a_release_is_a_preroll_of_the_next_press_and_nothing_comes_twice():
    recorder = Recorder()
    recorder.press(1.0)
    recorder.release(1.013)
    first = recorder.take(block(1000))
    recorder.stop()
    recorder.keep(block(1020))
    second = recorder.press(1.045)
    assert times(first.pcm) + times(second.pcm) == list(range(1000, 1040))


def test_a_release_whose_sound_is_all_there_is_not_waited_for():
    recorder = Recorder()
    recorder.press(1.0)
    recorder.take(block(1000))
    recorder.release(1.02)
    assert recorder.complete


def test_a_recording_ends_after_two_minutes():
    recorder = Recorder()
    recorder.press(1.0)
    assert recorder.deadline == 1.0 + LONGEST_S + TAIL_S
    assert not recorder.take(block(1000 + 119_980 - 65_536 * 1)).over
    at = 1000 + 120_000 - 10
    taken = recorder.take(MicBlock(bytes(40 * MS), at / 1000))
    assert (len(taken.pcm), taken.over) == (2 * 10 * MS, True)


def test_a_recording_without_a_limit_has_no_end_of_its_own():
    recorder = Recorder()
    recorder.press(1.0, limit_s=math.inf)
    assert recorder.deadline is None
    assert not recorder.take(MicBlock(bytes(40 * MS), 1e6)).over


def test_a_release_that_was_none_is_taken_back():
    recorder = Recorder()
    recorder.press(1.0)
    recorder.release(1.5)
    recorder.resume()
    assert not recorder.take(block(1500)).over
    assert recorder.deadline == 1.0 + LONGEST_S + TAIL_S


def test_sound_that_did_not_reach_the_server_is_not_counted():
    recorder = Recorder()
    recorder.press(1.0)
    for at in range(1000, 1100, 20):
        recorder.take(block(at))
    assert recorder.long_enough
    assert recorder.samples == LEAST_S * RATE
    recorder.lost(1)
    assert not recorder.long_enough
    recorder.lost(10**9)
    assert recorder.samples == 0


def test_how_long_recordings_were_is_said_in_their_order():
    recorder = Recorder()
    for ms in (200, 300):
        recorder.press(1.0)
        recorder.take(block(1000, ms))
        recorder.stop()
        recorder.done()
    assert [recorder.said(), recorder.said(), recorder.said()] == [200, 300, None]


@given(
    st.lists(st.integers(1, 50), min_size=40, max_size=80),
    st.integers(0, 900),
    st.integers(0, 900),
    st.integers(0, 300),
)
def test_what_leaves_is_exactly_from_300_ms_before_the_press_to_the_release(sizes, pressed, held, late):
    """Whatever the blocks are, and however late the press gets here; nothing twice, nothing out of order.

    A release that gets here later than the sound behind it cannot take that back.
    """
    recorder, at, out, pressing, gone = Recorder(), 0, [], False, 0
    released = pressed + held
    for ms in sizes:
        if not pressing and at >= pressed + late:
            out += times(recorder.press(pressed / 1000).pcm)
            recorder.release(released / 1000)
            pressing, gone = True, at
        if pressing:
            if not recorder.complete:
                out += times(recorder.take(block(at, ms)).pcm)
        else:
            recorder.keep(block(at, ms))
        at += ms
    if pressing:
        oldest = max(0, pressed - 1000 * PREROLL_S)
        assert out == [ms for ms in range(at) if oldest <= ms < max(released, gone)]
        assert recorder.samples == MS * sum(ms >= pressed for ms in out)


@pytest.mark.parametrize("gap_ms", [250, 500, 660])
def test_a_key_that_is_held_is_one_press_however_it_repeats(gap_ms):
    """Field-notes: a first repeat gap of 500 ms and no release reports is one toggle, not two."""
    repeats = Repeats()
    assert not repeats.again(1.0)
    assert all(repeats.again(1.0 + gap_ms / 1000 + n * 0.083) for n in range(100))


def test_a_press_after_the_gap_is_a_press():
    repeats = Repeats()
    assert not repeats.again(0.0)
    assert not repeats.again(FIRST_GAP_S + 0.01)
    assert repeats.again(FIRST_GAP_S + 0.5)
    assert not repeats.again(FIRST_GAP_S + 0.5 + NEXT_GAP_S + 0.01)
