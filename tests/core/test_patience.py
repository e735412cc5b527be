"""A server that does not answer, an answer whose sound does not come, and sound there is too much of."""

from core_talk import (
    CHAT,
    DROPPED,
    MS,
    Bench,
    added,
    created,
    done,
    frames,
    sound,
    whole,
)

from voicecli.core.changes import PhaseNow, Told
from voicecli.core.effects import Play, Read
from voicecli.core.stimuli import LinkSilent, Quit
from voicecli.ports import Side, SoundFailed, SoundFailure
from voicecli.protocol import events as e

MINUTE_MS = 60_000


def reads(bench):
    return [effect.on for effect in bench.effects if isinstance(effect, Read)]


# ---- a server that does not answer: G14


def test_five_seconds_without_an_answer_are_told_once_g14():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.until(5.9)
    assert bench.codes() == []
    bench.until(20.0)
    assert bench.codes() == ["silent"]
    (told,) = bench.shown(Told)
    assert told.title == "No answer from far.example for 5 seconds."


def test_any_word_of_the_server_ends_a_silence_and_the_next_one_is_told_again_g14():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), at=4.0)
    bench.until(20.0)
    assert bench.codes() == []
    bench.says(done(), at=20.0)
    bench.types("one", at=21.0)
    bench.until(27.0)
    bench.says(created("r2"), done("r2"), at=27.0)
    bench.types("two", at=28.0)
    bench.until(34.0)
    assert bench.codes() == ["silent", "silent"]


def test_nothing_is_told_while_nobody_asked_for_anything_g14():
    bench = Bench().ready()
    bench.until(600.0)
    assert bench.codes() == []


def test_the_links_own_silence_is_told_and_not_a_second_time_g14():
    bench = Bench().ready()
    bench.give(LinkSilent(5.0), at=10.0)
    bench.give(LinkSilent(5.0), at=20.0)
    assert bench.codes() == ["silent"]
    bench.says(e.RateLimitsUpdated(rate_limits=()), at=21.0)
    bench.give(LinkSilent(5.0), at=30.0)
    assert bench.codes() == ["silent", "silent"]


def test_an_answer_that_waits_for_its_sound_can_be_stopped():
    bench = Bench().ready()
    bench.says(created(), added(), sound(500), at=1.0)
    bench.plays(0, 500)
    bench.until(2.5)
    assert bench.phase == "waiting_for_sound"
    assert frames(bench.asks("interrupt"))[0] == ("cancel", "r1")
    assert bench.phase == "listening"
    bench.until(4.0)
    assert bench.phase == "listening"


def test_a_link_that_is_gone_owes_no_answer_g14():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.give(DROPPED, at=2.0)
    bench.until(60.0)
    assert bench.codes() == ["dropped"]


# ---- an answer whose sound does not come


def test_a_gap_in_an_answer_is_told_within_a_second_with_its_length():
    bench = Bench().ready()
    bench.says(created(), added(), sound(400), at=1.0)
    bench.plays(0, 400, 1.0)
    bench.until(1.85)
    assert bench.phase == "assistant_speaking" or bench.phase == "thinking"
    bench.until(1.95)
    assert bench.phase == "waiting_for_sound"
    bench.until(4.5)
    details = [phase.detail for phase in bench.shown(PhaseNow) if phase.phase == "waiting_for_sound"]
    assert details == ["", "1 s", "2 s", "3 s"]
    bench.says(sound(400), at=4.6)
    assert bench.phase == "assistant_speaking"


def test_an_answer_that_is_whole_waits_for_no_sound():
    for ends in (whole(), e.AudioDone(response_id="r1", item_id="a1")):
        bench = Bench().ready()
        bench.says(created(), added(), sound(400), ends, at=1.0)
        bench.plays(0, 400, 1.0)
        bench.until(3.0)
        assert "waiting_for_sound" not in [phase.phase for phase in bench.shown(PhaseNow)]


def test_only_the_answer_that_is_under_way_is_waited_for():
    """The sound of a response that never began, and is nobody's: no tick for ever, and no state."""
    bench = Bench().ready()
    bench.says(sound(10), at=1.0)
    bench.plays(0, 10, 1.0)
    bench.until(3600.0)
    assert "waiting_for_sound" not in [phase.phase for phase in bench.shown(PhaseNow)]


def test_what_was_heard_before_a_gap_and_after_it_is_one_run():
    bench = Bench().ready()
    bench.says(created(), added(), sound(400), at=1.0)
    bench.plays(0, 400, 1.0)
    bench.says(sound(400), whole(), done("r1", "a1"), at=9.0)
    bench.plays(400, 400, 9.0)
    bench.until(10.0)
    turn = bench.turn("a1")
    assert (turn.status, turn.heard_ms, turn.received_ms) == ("done", 800, 800)


# ---- sound there is too much of: G13


def minutes(bench, n, item="a1"):
    for _ in range(n):
        bench.says(sound(MINUTE_MS, item))


def test_at_thirty_minutes_nothing_more_is_read_until_twenty_five_are_left_g13():
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    minutes(bench, 29)
    assert reads(bench) == []
    minutes(bench, 1)
    assert reads(bench) == [False]
    assert bench.codes() == ["resting"]
    for n in range(31):
        bench.plays(n * 10_000, 10_000, 1.0 + n * 10)
    bench.until(1.0 + 299.9)
    bench.records()
    assert reads(bench) == [False]
    bench.until(1.0 + 300.1)
    bench.records()
    assert reads(bench) == [False, True]


def test_sixty_minutes_are_heard_to_the_last_sample_g13():
    """A server that has an hour of sound ready; the link gives it while it is read."""
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    given, most, position = 0, 0, 0
    while position < 60 * MINUTE_MS:
        while given < 60 and (reads(bench) or [True])[-1]:
            minutes(bench, 1)
            given += 1
            if given == 60:
                bench.says(whole(), done("r1", "a1"))
        most = max(most, given * MINUTE_MS - position)
        bench.plays(position, 10_000, bench.at)
        position += 10_000
        bench.records(at=bench.at + 10.0)
    turn = bench.turn("a1")
    assert (turn.status, turn.heard_ms, turn.received_ms) == ("done", 60 * MINUTE_MS, 60 * MINUTE_MS)
    assert most <= 31 * MINUTE_MS
    assert len(reads(bench)) % 2 == 0
    assert len(reads(bench)) >= 10
    laid = sum(effect.form.samples(len(effect.data)) for effect in bench.effects if isinstance(effect, Play))
    assert laid == 60 * MINUTE_MS * MS


def test_while_nothing_is_read_the_server_owes_nothing_g13():
    """Not the rest of its answer within 30 s, and no answer to what was typed."""
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    minutes(bench, 30)
    bench.give(LinkSilent(5.0), at=100.0)
    bench.until(250.0)
    assert bench.codes() == ["resting"]


def test_the_interrupt_key_throws_the_rest_away_and_reading_goes_on_g13():
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    minutes(bench, 30)
    bench.plays(0, 1000, 1.0)
    bench.asks("interrupt", at=2.0)
    assert reads(bench) == [False, True]
    assert bench.turn("a1").heard_ms == 1000
    laid = bench.laid
    minutes(bench, 30)
    assert bench.laid == laid
    assert reads(bench) == [False, True]


def test_a_server_that_closes_meanwhile_is_heard_to_the_end_of_what_came_g13():
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    minutes(bench, 30)
    bench.give(DROPPED, at=2.0)
    bench.plays(0, 30 * MINUTE_MS, 2.0)
    bench.until(2.0 + 30 * 60 + 1)
    assert (bench.turn("a1").status, bench.turn("a1").error_code) == ("failed", "link_lost")
    assert bench.turn("a1").heard_ms == 30 * MINUTE_MS


def test_a_speaker_that_is_lost_meanwhile_ends_the_rest_g13():
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    minutes(bench, 30)
    bench.give(SoundFailed(Side.SPEAKER, SoundFailure.LOST, "card", ""), at=2.0)
    assert reads(bench) == [False, True]


def test_very_many_pieces_of_sound_are_too_much_as_well_g11():
    """Two items that take turns sample by sample: each delta is a piece of its own."""
    bench = Bench().ready()
    bench.says(created(), added("a"), added("b"), at=1.0)
    for n in range(4_200):
        bench.says(sound(1 / MS, "ab"[n % 2]))
        if reads(bench):
            break
    assert reads(bench) == [False]
    bench.plays(0, 60_000, 1.0)
    bench.records(at=70.0)
    assert reads(bench) == [False, True]


def test_an_end_while_nothing_is_read_is_an_end_g13():
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    minutes(bench, 30)
    bench.give(Quit(), at=2.0)
    assert bench.ended is not None
