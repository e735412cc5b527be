import struct

from voicecli.audio.capture import Capture, Heard, Raw
from voicecli.ports import MicBlock, Stale

TONE = struct.pack("<480h", *[16384] * 480)
ZEROS = bytes(960)


def live(capture: Capture, start: float, n: int, pcm: bytes = TONE):
    """n blocks in real time, each 30 ms old when it comes."""
    return [
        x for i in range(n) for x in capture.take(Raw(pcm, start + i * 0.02 - 0.03, start + i * 0.02), start + i * 0.02)
    ]


def test_a_block_keeps_its_sound_and_time_and_gets_its_level() -> None:
    (block,) = Capture().take(Raw(TONE, 1.0, 1.03), 1.04)
    assert isinstance(block, MicBlock)
    assert (block.pcm, block.adc_at) == (TONE, 1.0)
    assert abs(block.level_db + 6.02) < 0.01


def test_sound_from_while_the_process_stood_still_is_thrown_away_and_told_once_before_the_next() -> None:
    """G27: stopped for 15 s, then 13.5 s of old sound in a burst, each block with its true age."""
    capture = Capture()
    assert len(live(capture, 0.0, 10)) == 10
    burst = [capture.take(Raw(TONE, 0.2 + i * 0.02, 15.2 + i * 0.001), 15.2 + i * 0.001) for i in range(675)]
    assert burst == [()] * 675
    fresh = live(capture, 16.0, 3)
    assert isinstance(fresh[0], Stale)
    assert fresh[0].blocks == 675
    assert fresh[0].gap_s > 14.9
    assert [type(x) for x in fresh[1:]] == [MicBlock] * 3


def test_the_burst_behind_a_gap_is_thrown_away_even_where_the_device_gives_no_true_times() -> None:
    """G27: the blocks claim to be 30 ms old, but come faster than they can have been spoken."""
    capture = Capture()
    live(capture, 0.0, 10)
    burst = [capture.take(Raw(TONE, 15.2 + i * 0.001 - 0.03, 15.2 + i * 0.001), 15.2 + i * 0.001) for i in range(100)]
    assert burst == [()] * 100
    assert live(capture, 15.4, 2)[0] == Stale(100, 15.2 - 9 * 0.02)


def test_a_block_that_was_old_when_it_came_is_thrown_away_whatever_its_pace() -> None:
    """G27"""
    capture = Capture()
    assert capture.take(Raw(TONE, 1.0, 1.49), 1.49) != ()
    assert capture.take(Raw(TONE, 1.0, 1.51), 1.51) == ()
    assert capture.take(Raw(TONE, 1.02, 1.53), 1.53) == ()


def test_the_first_block_behind_a_gap_of_over_a_second_is_thrown_away() -> None:
    """G27"""
    capture = Capture()
    live(capture, 0.0, 2)
    assert capture.take(Raw(TONE, 0.97, 1.0), 1.0) != ()
    assert capture.take(Raw(TONE, 2.1, 2.13), 2.13) == ()


def test_a_block_that_lay_in_the_mailbox_for_seconds_is_not_spoken_now() -> None:
    """G27: it came before the stop and is taken behind it."""
    capture = Capture()
    assert capture.take(Raw(TONE, 0.0, 0.03), 15.0) == ()


def test_a_session_that_lags_for_a_second_loses_nothing() -> None:
    capture = Capture()
    assert all(capture.take(Raw(TONE, i * 0.02, i * 0.02 + 0.03), 1.0) for i in range(40))


def test_blocks_that_come_in_pairs_are_no_backlog() -> None:
    capture = Capture()
    times = [i // 2 * 0.04 + i % 2 * 0.001 for i in range(50)]
    assert all(capture.take(Raw(TONE, t - 0.05, t), t) for t in times)


def test_a_file_may_begin_with_silence() -> None:
    capture = Capture(live=False)
    live(capture, 0.0, 500, ZEROS)
    assert capture.heard is Heard.NOTHING_YET


def test_a_file_is_never_stale() -> None:
    capture = Capture(live=False)
    capture.take(Raw(TONE, 0.0, 0.02), 0.02)
    assert len(capture.take(Raw(TONE, 9.0, 30.0), 60.0)) == 1


def test_a_microphone_that_gives_nothing_but_zeros_for_two_seconds_is_found_out() -> None:
    capture = Capture()
    live(capture, 0.0, 99, ZEROS)
    assert capture.heard is Heard.NOTHING_YET
    live(capture, 2.0, 1, ZEROS)
    assert capture.heard is Heard.ZEROS
    live(capture, 2.1, 1, TONE)
    assert capture.heard is Heard.SOUND


def test_a_silence_after_sound_is_no_missing_permission() -> None:
    capture = Capture()
    live(capture, 0.0, 1, TONE)
    live(capture, 0.1, 500, ZEROS)
    assert capture.heard is Heard.SOUND
