"""Loudness of both sides, ten times a second, where it was asked for."""

from core_talk import TALK, Bench, answer, shown
from msgspec.structs import replace

from voicecli.core.changes import LevelsNow, QueuedNow
from voicecli.core.levels import CELL, MOST_CELLS, SILENCE_DB, Levels
from voicecli.core.stimuli import Laid
from voicecli.ports import PEAK_SAMPLES, RATE, MicBlock


def running() -> Levels:
    levels = Levels(wanted=True)
    levels.began(0.0)
    return levels


def level(levels: Levels, at: float, ear: int, queued: int) -> LevelsNow:
    (found,) = (change for change in levels.tick(at, ear, queued) if isinstance(change, LevelsNow))
    return found


def queued(levels: Levels, at: float, ear: int, samples: int) -> QueuedNow:
    (found,) = (change for change in levels.tick(at, ear, samples) if isinstance(change, QueuedNow))
    return found


def test_nobody_who_did_not_ask_gets_levels():
    levels = Levels(wanted=False)
    levels.began(0.0)
    levels.laid(0, (-1.0,))
    assert levels.deadline is None
    assert levels.tick(9.0, 0, 0) == ()
    assert levels.cut() is None


def test_levels_come_ten_times_a_second():
    levels = running()
    assert levels.tick(0.05, 0, 0) == ()
    assert levels.tick(0.1, 0, 0) == (LevelsNow(SILENCE_DB, SILENCE_DB, 0.0),)
    assert levels.deadline == 0.2


def test_the_loudest_block_since_the_last_time_counts():
    levels = running()
    for db in (-30.0, -12.25, -40.0):
        levels.recorded(db)
    first, second = level(levels, 0.1, 0, 0), level(levels, 0.2, 0, 0)
    assert (first.input_db, second.input_db) == (-12.2, SILENCE_DB)


def test_the_output_level_is_the_loudest_that_was_heard_since_the_last_time():
    levels = running()
    levels.laid(0, (-10.0, -20.0, -15.0, -40.0, -30.0, -25.0, -60.0))
    found = [level(levels, 0.1 * (n + 1), 2 * n * PEAK_SAMPLES, RATE) for n in range(5)]
    assert [now.output_db for now in found] == [-10.0, -10.0, -15.0, -25.0, -60.0]


def test_two_pieces_in_one_step_are_as_loud_as_the_louder():
    levels = running()
    levels.laid(0, (-30.0,))
    levels.laid(100, (-5.0,))
    levels.laid(200, (-40.0,))
    assert level(levels, 0.1, 0, 1).output_db == -5.0


def test_with_nothing_queued_the_output_is_silent():
    levels = running()
    levels.laid(0, (-5.0,))
    assert levels.tick(0.1, 50, 0) == (LevelsNow(SILENCE_DB, SILENCE_DB, 0.0),)


def test_what_is_to_be_heard_is_told_by_the_quarter_of_a_second_from_the_ear_on():
    levels = running()
    levels.laid(0, tuple(float(-n) for n in range(20)))  # a second
    assert queued(levels, 0.1, 0, RATE) == QueuedNow(1.0, (0.0, -5.0, -10.0, -15.0))
    assert queued(levels, 0.2, 2 * PEAK_SAMPLES, RATE - 2 * PEAK_SAMPLES) == QueuedNow(0.9, (-2.0, -7.0, -12.0, -17.0))
    assert queued(levels, 0.31, CELL, RATE - CELL) == QueuedNow(0.75, (-5.0, -10.0, -15.0))


def test_what_is_to_be_heard_is_told_when_it_changes_and_once_when_there_is_nothing_left():
    levels = running()
    levels.laid(0, (-7.0,))
    told = [levels.tick(0.1 * (n + 1), min(n, 1) * PEAK_SAMPLES, max(0, 1 - n) * PEAK_SAMPLES)[1:] for n in range(4)]
    assert told == [(QueuedNow(0.05, (-7.0,)),), (QueuedNow(0.0, ()),), (), ()]


def test_of_a_long_queue_ten_seconds_are_told_and_how_long_it_is():
    levels = running()
    levels.laid(0, (-3.0,) * 20 * 60)
    told = queued(levels, 0.1, 0, 60 * RATE)
    assert told.seconds == 60.0
    assert told.peaks == (-3.0,) * MOST_CELLS


def test_a_cut_says_at_once_that_nothing_is_to_be_heard():
    levels = running()
    levels.laid(0, (-3.0,) * 40)
    queued(levels, 0.1, 0, 2 * RATE)
    assert levels.cut() == QueuedNow(0.0, ())
    assert levels.cut() is None
    levels.laid(2 * RATE, (-9.0,))
    assert queued(levels, 0.2, 2 * RATE, PEAK_SAMPLES) == QueuedNow(0.05, (-9.0,))


def test_a_late_tick_does_not_have_to_be_made_up_for():
    levels = running()
    levels.tick(5.0, 0, 0)
    assert levels.deadline == 5.1


def test_a_talk_that_asked_shows_levels_and_the_queue():
    bench = Bench(replace(TALK, levels=True)).ready()
    answer(bench, 1000)
    bench.give(Laid(0, (-20.0,) * 20), MicBlock(bytes(960), 0.0, -33.3))
    bench.plays(0, 1000)
    bench.until(0.4)
    now = bench.shown(LevelsNow)[-1]
    assert (now.output_db, now.queued_s) == (-20.0, 0.7)
    assert bench.shown(LevelsNow)[-3].input_db == -33.3


def test_what_is_to_be_heard_vanishes_with_an_interruption():
    bench = Bench(replace(TALK, levels=True)).ready()
    answer(bench, 1000)
    bench.give(Laid(0, (-20.0,) * 20))
    bench.plays(0, 1000)
    bench.until(0.35)
    assert bench.shown(QueuedNow)[-1] == QueuedNow(0.8, (-20.0,) * 4)
    assert shown(QueuedNow, bench.asks("interrupt")) == [QueuedNow(0.0, ())]


def test_a_talk_that_did_not_ask_shows_neither():
    bench = Bench().ready()
    answer(bench, 1000)
    bench.give(Laid(0, (-20.0,) * 20))
    bench.plays(0, 1000)
    bench.until(2.0)
    assert not bench.shown(QueuedNow)
    assert not bench.shown(LevelsNow)
