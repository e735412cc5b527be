"""Loudness of both sides, ten times a second, where it was asked for."""

from core_talk import TALK, Bench, answer
from msgspec.structs import replace

from voicecli.core.changes import LevelsNow
from voicecli.core.levels import SILENCE_DB, Levels
from voicecli.core.stimuli import Laid
from voicecli.ports import PEAK_SAMPLES, RATE, MicBlock


def running() -> Levels:
    levels = Levels(wanted=True)
    levels.began(0.0)
    return levels


def test_nobody_who_did_not_ask_gets_levels():
    levels = Levels(wanted=False)
    levels.began(0.0)
    levels.laid(0, (-1.0,))
    assert levels.deadline is None
    assert levels.tick(9.0, 0, 0) is None


def test_levels_come_ten_times_a_second():
    levels = running()
    assert levels.tick(0.05, 0, 0) is None
    assert levels.tick(0.1, 0, 0) == LevelsNow(SILENCE_DB, SILENCE_DB, 0.0)
    assert levels.deadline == 0.2


def test_the_loudest_block_since_the_last_time_counts():
    levels = running()
    for db in (-30.0, -12.25, -40.0):
        levels.recorded(db)
    first, second = levels.tick(0.1, 0, 0), levels.tick(0.2, 0, 0)
    assert first is not None
    assert second is not None
    assert (first.input_db, second.input_db) == (-12.2, SILENCE_DB)


def test_the_output_level_is_that_of_the_place_at_the_ear():
    levels = running()
    levels.laid(0, (-10.0, -20.0))
    levels.laid(2 * PEAK_SAMPLES, (-30.0,))
    found = [levels.tick(0.1 * (n + 1), n * PEAK_SAMPLES, RATE) for n in range(4)]
    assert [now.output_db for now in found if now] == [-10.0, -20.0, -30.0, SILENCE_DB]


def test_two_pieces_in_one_step_are_as_loud_as_the_louder():
    levels = running()
    levels.laid(0, (-30.0,))
    levels.laid(100, (-5.0,))
    levels.laid(200, (-40.0,))
    now = levels.tick(0.1, 0, 1)
    assert now is not None
    assert now.output_db == -5.0


def test_with_nothing_queued_the_output_is_silent():
    levels = running()
    levels.laid(0, (-5.0,))
    assert levels.tick(0.1, 50, 0) == LevelsNow(SILENCE_DB, SILENCE_DB, 0.0)


def test_a_late_tick_does_not_have_to_be_made_up_for():
    levels = running()
    levels.tick(5.0, 0, 0)
    assert levels.deadline == 5.1


def test_a_talk_that_asked_shows_levels_and_the_queue():
    bench = Bench(replace(TALK, levels=True)).ready()
    answer(bench, 1000)
    bench.give(Laid(0, (-20.0,) * 10), MicBlock(bytes(960), 0.0, -33.3))
    bench.plays(0, 1000)
    bench.until(0.4)
    now = bench.shown(LevelsNow)[-1]
    assert (now.output_db, now.queued_s) == (-20.0, 0.7)
    assert bench.shown(LevelsNow)[-3].input_db == -33.3
