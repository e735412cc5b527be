"""When a talk ends by itself, and with which exit code: every row of what ends and what does not."""

import pytest
from core_talk import (
    CHAT,
    DROPPED,
    PIPE,
    TALK,
    WAV,
    Bench,
    added,
    answer,
    committed,
    created,
    done,
    error,
    failed,
    frames,
    heard_words,
    sent,
    sound,
    started,
    stopped,
    uploaded,
    whole,
    words,
    written,
)
from msgspec.structs import replace

from voicecli.core.changes import LinkNow, SoundNow, Told
from voicecli.core.effects import CloseSound, Hangup, OpenSound
from voicecli.core.stimuli import Begin, InputSpent, KeyboardSpent, LinkEnded, Quit, Typed
from voicecli.ports import RATE, LinkFailure, Side, SoundFailure, SoundOpened
from voicecli.protocol import events as e


def spoken(bench: Bench, at: float) -> None:
    """A whole turn of the person's, as the server hears it."""
    bench.says(started("u1"), at=at)
    bench.says(stopped("u1"), committed("u1"), at=at + 1.0)


def ends(bench: Bench) -> tuple[int, str]:
    assert bench.ended is not None
    return bench.ended.exit_code, bench.ended.reason


# ---- 0: done


def test_a_pipe_ends_when_its_last_line_is_answered():
    bench = Bench(PIPE).ready()
    bench.give(Typed("hello"), KeyboardSpent(), at=1.0)
    bench.says(created(), added(), written("hi"))
    assert bench.ended is None
    bench.says(done("r1", "a1"))
    assert ends(bench) == (0, "done")


def test_a_pipe_that_ends_before_there_is_a_link_waits_for_its_answer():
    bench = Bench(PIPE).dialled()
    bench.give(Typed("hello"), KeyboardSpent())
    assert bench.ended is None
    bench.ready()
    assert bench.ended is None
    bench.says(created(), added(), written("hi"), done("r1", "a1"))
    assert ends(bench) == (0, "done")


def test_an_empty_pipe_ends_at_once():
    bench = Bench(PIPE).ready()
    bench.give(KeyboardSpent())
    assert ends(bench) == (0, "done")


def test_a_wav_ends_when_its_answer_was_heard_and_its_words_are_there():
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.give(InputSpent(), at=2.1)
    answer(bench, 3000, text="the answer")
    bench.says(heard_words("the question"))
    bench.plays(0, 3000)
    bench.until(5.0)
    assert bench.ended is None
    bench.until(5.2)
    assert ends(bench) == (0, "done")
    assert bench.turn("a1").status == "done"


def test_late_words_are_waited_for_two_seconds():
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.give(InputSpent(), at=2.1)
    answer(bench, 1000)
    bench.plays(0, 1000)
    bench.until(5.5)
    assert bench.ended is None
    bench.until(5.7)
    assert ends(bench) == (0, "done")


def test_a_wav_of_silence_ends_after_the_vads_window():
    bench = Bench(WAV).ready()
    bench.give(InputSpent(), at=2.0)
    bench.until(3.4)
    assert bench.ended is None
    bench.until(3.6)
    assert ends(bench) == (0, "done")


def test_a_turn_that_begins_in_the_vads_window_is_waited_for():
    bench = Bench(WAV).ready()
    bench.give(InputSpent(), at=2.0)
    bench.says(started("u1"), at=2.3)
    bench.until(6.0)
    bench.says(stopped("u1"), committed("u1"))
    answer(bench, 1000)
    assert bench.ended is None


def test_a_slow_link_does_not_end_the_talk_between_the_end_of_a_turn_and_its_commit():
    bench = Bench(WAV).ready()
    bench.says(started("u1"), at=1.0)
    bench.give(InputSpent(), at=2.0)
    bench.says(stopped("u1"), at=5.0)
    bench.until(5.3)
    assert bench.ended is None
    bench.says(committed("u1"))
    bench.until(20.0)
    assert bench.ended is None, "it is unanswered"


def test_a_turn_that_is_never_committed_is_not_waited_for_long():
    bench = Bench(WAV).ready()
    bench.says(started("u1"), at=1.0)
    bench.give(InputSpent(), at=2.0)
    bench.says(stopped("u1"), at=5.0)
    bench.until(6.1)
    assert ends(bench) == (0, "done")


def test_a_long_answer_is_played_to_its_end_though_the_server_has_nothing_more_to_say():
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.give(InputSpent(), at=2.1)
    answer(bench, 90_000)
    bench.says(heard_words("tell me all"))
    for second in range(90):
        bench.plays(second * 1000, 1000)
        assert bench.ended is None, second
        bench.until(bench.at + 1.0)
    bench.until(bench.at + 0.1)
    assert ends(bench) == (0, "done")
    assert bench.turn("a1").heard_ms == 90_000


def test_a_cut_response_that_ends_after_the_commit_does_not_end_the_talk():
    """Between its end and the creation of the next one nothing is there, and yet everything is to come."""
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.says(created("r1"), added(), sound(1000))
    bench.plays(0, 1000)
    bench.says(started("u2"), at=2.5)
    bench.give(InputSpent())
    bench.says(stopped("u2"), committed("u2", "a1"), at=6.0)
    bench.says(heard_words("first", "u1"), heard_words("second", "u2"))
    bench.says(done("r1", "a1", status="cancelled"))
    assert bench.ended is None
    bench.says(created("r2"), added("a2", "r2"), sound(100, "a2", "r2"), whole("a2", "r2"), done("r2", "a2"))
    bench.plays(1000, 100)
    bench.until(20.0)
    assert ends(bench) == (0, "done")


def test_end_of_stdin_ends_nothing_while_a_wav_is_open():
    bench = Bench(replace(WAV, keyboard="pipe")).ready()
    bench.give(KeyboardSpent(), at=1.0)
    bench.until(500.0)
    assert bench.ended is None


def test_end_of_stdin_ends_nothing_while_a_microphone_is_open():
    bench = Bench().ready()
    bench.give(KeyboardSpent(), at=1.0)
    bench.until(500.0)
    assert bench.ended is None


def test_the_end_of_a_wav_ends_nothing_at_a_terminal():
    bench = Bench(replace(WAV, keyboard="terminal")).ready()
    bench.give(InputSpent(), at=1.0)
    bench.until(500.0)
    assert bench.ended is None
    bench.give(KeyboardSpent())
    assert ends(bench) == (0, "done")


def test_a_terminal_at_its_end_without_a_microphone_ends_the_chat():
    bench = Bench(CHAT).ready()
    bench.give(KeyboardSpent())
    assert ends(bench) == (0, "done")


# ---- 1: an answer failed


def test_a_failed_answer_ends_a_pipe_with_1():
    bench = Bench(PIPE).ready()
    bench.give(Typed("hello"), KeyboardSpent(), at=1.0)
    bench.says(created(), done(status="failed"))
    assert ends(bench) == (1, "answer_failed")


def test_a_failed_answer_does_not_keep_the_rest_of_a_pipe_from_being_answered():
    bench = Bench(PIPE).ready()
    bench.give(Typed("one"), Typed("two"), KeyboardSpent(), at=1.0)
    assert frames(bench.says(created(), done(status="failed"))) == [("item", "two"), "create"]
    bench.says(created("r2"), added("a2", "r2"), written("x", "a2", "r2"), done("r2", "a2"))
    assert ends(bench) == (1, "answer_failed")


def test_a_refused_create_ends_a_pipe_with_1():
    bench = Bench(PIPE).ready()
    create = sent(bench.give(Typed("hello"), KeyboardSpent(), at=1.0))[-1]
    bench.says(error("no", "x", create.event_id))
    assert ends(bench) == (1, "answer_failed")


def test_a_server_silent_for_thirty_seconds_ends_a_pipe_with_1():
    bench = Bench(PIPE).ready()
    bench.give(Typed("hello"), KeyboardSpent(), at=1.0)
    bench.until(30.9)
    assert bench.ended is None
    bench.until(31.1)
    assert bench.ended.exit_code == 1
    assert bench.codes() == ["silent", "no_answer"]


def test_a_turn_that_is_never_over_ends_a_wav_with_1():
    bench = Bench(WAV).ready()
    bench.says(started("u1"), at=1.0)
    bench.give(InputSpent(), at=2.0)
    bench.until(32.1)
    assert ends(bench) == (1, "no_answer")
    assert bench.codes() == ["no_answer"]


def test_a_line_after_a_long_silence_has_its_thirty_seconds():
    bench = Bench(PIPE).ready()
    bench.give(Typed("hello"), KeyboardSpent(), at=300.0)
    bench.until(329.0)
    assert bench.ended is None
    bench.says(created(), added(), written("hi"), done("r1", "a1"))
    assert ends(bench) == (0, "done")


def test_a_turn_of_a_minute_in_a_wav_is_not_taken_for_a_silent_server():
    bench = Bench(WAV).ready()
    bench.says(started("u1"), at=1.0)
    bench.records(at=61.0)
    bench.give(InputSpent())
    bench.until(61.6)
    assert bench.ended is None
    bench.says(stopped("u1"), committed("u1"))
    bench.until(70.0)
    assert bench.ended is None


def test_a_speaker_that_stands_still_ends_a_wav_with_1():
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.give(InputSpent(), at=2.1)
    answer(bench, 3000)
    bench.plays(0, 1000)
    bench.until(60.0)
    assert bench.ended.exit_code == 1


# ---- 3: no connection


@pytest.mark.parametrize("plan", [TALK, CHAT, PIPE, WAV], ids=["talk", "chat", "pipe", "wav"])
def test_whoever_cannot_connect_ends_with_3(plan):
    bench = Bench(plan).dialled()
    bench.give(LinkEnded(LinkFailure.REFUSED_TCP, None, ""), at=1.0)
    assert ends(bench) == (3, "no_connection")
    assert bench.codes() == ["refused_tcp"]


def test_whoever_reads_why_may_try_again_where_no_connection_could_be_had():
    bench = Bench(replace(CHAT, stays=True)).dialled()
    bench.give(LinkEnded(LinkFailure.UNAUTHORIZED, 401, ""), at=1.0)
    bench.until(600.0)
    assert bench.ended is None
    assert (bench.phase, bench.codes()) == ("not_connected", ["unauthorized"])
    bench.asks("retry")
    bench.ready(601.0)
    assert bench.phase == "waiting_for_you_to_type"


def test_quitting_where_no_connection_could_be_had_ends_with_3():
    bench = Bench(replace(CHAT, stays=True)).dialled()
    bench.give(LinkEnded(LinkFailure.UNAUTHORIZED, 401, ""), at=1.0)
    bench.give(Quit(), at=60.0)
    assert ends(bench) == (3, "quit")


def test_quitting_what_never_connected_ends_with_3():
    bench = Bench().dialled()
    bench.give(Quit(), at=1.0)
    assert ends(bench) == (3, "quit")


def test_a_signal_keeps_its_own_code_without_a_link_too():
    bench = Bench().dialled()
    bench.give(Quit(130, "interrupted"), at=1.0)
    assert ends(bench) == (130, "interrupted")


def test_finite_input_without_a_link_ends_with_3_after_what_came_was_heard():
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.says(created(), added(), words("some"), sound(1000))
    bench.plays(0, 1000)
    bench.give(DROPPED, at=2.2)
    assert bench.ended is None
    bench.until(3.1)
    assert ends(bench) == (3, "no_connection")
    assert bench.turn("a1").heard_ms == 1000


def test_what_a_server_never_announced_does_not_keep_a_talk_without_a_link_alive():
    bench = Bench(WAV).ready()
    spoken(bench, 1.0)
    bench.says(sound(500, "x1", "nobody"))
    bench.plays(0, 500)
    bench.give(DROPPED, at=2.2)
    bench.until(5.0)
    assert ends(bench) == (3, "no_connection")


def test_a_person_at_a_terminal_keeps_a_talk_without_a_link_and_quits_it_with_0():
    bench = Bench().ready()
    bench.give(DROPPED, at=1.0)
    bench.until(500.0)
    assert bench.ended is None
    bench.give(Quit())
    assert ends(bench) == (0, "quit")


def test_end_of_the_keyboard_without_a_link_ends_with_3():
    bench = Bench(CHAT).ready()
    bench.give(DROPPED, at=1.0)
    bench.give(KeyboardSpent())
    assert ends(bench) == (3, "no_connection")


def test_a_microphone_without_keyboard_and_link_ends_with_3():
    bench = Bench(replace(TALK, keyboard="none")).ready()
    bench.give(DROPPED, at=1.0)
    assert ends(bench) == (3, "no_connection")


# ---- 4: nothing to speak with


def test_neither_microphone_nor_keyboard_ends_with_4():
    bench = Bench(replace(TALK, keyboard="none"))
    bench.dialled()
    bench.give(failed(Side.MICROPHONE, SoundFailure.NO_DEVICE))
    assert bench.ended is None, "the connection may say more"
    bench.ready()
    assert ends(bench) == (4, "no_input")
    assert bench.codes() == ["no_microphone", "no_input"]


def test_no_device_at_all_and_no_keyboard_is_told_once_and_ends_with_4():
    plan = replace(TALK, keyboard="none")
    bench = Bench(plan)
    bench.give(Begin())
    bench.give(failed(Side.MICROPHONE, SoundFailure.NO_DEVICE))
    bench.give(failed(Side.SPEAKER, SoundFailure.NO_DEVICE))
    bench.ready(0.5)
    assert ends(bench) == (4, "no_input")
    assert bench.codes() == ["no_sound_device", "no_input"]
    assert "type" not in "".join(told.title + told.hint for told in bench.shown(Told))


def test_a_missing_microphone_is_told_even_if_the_talk_ends_before_the_speaker_answers():
    bench = Bench(replace(TALK, keyboard="none"))
    bench.give(Begin())
    bench.give(failed(Side.MICROPHONE, SoundFailure.NO_DEVICE))
    bench.ready(0.2)
    assert ends(bench) == (4, "no_input")
    assert "no_microphone" in bench.codes()


def test_a_microphone_lost_before_anything_was_said_ends_with_4_at_the_end_of_stdin():
    bench = Bench().ready()
    bench.give(KeyboardSpent())
    bench.give(failed(Side.MICROPHONE, SoundFailure.LOST), at=2.0)
    assert ends(bench) == (4, "no_input")


def test_a_sound_file_that_cannot_be_used_is_no_input():
    bench = Bench(WAV).ready()
    bench.give(failed(Side.MICROPHONE, SoundFailure.BAD_FILE, "x.wav"), at=1.0)
    assert ends(bench) == (4, "no_input")
    assert bench.codes() == ["bad_file", "no_input"]


def test_a_missing_microphone_does_not_end_a_pipe_that_has_something_to_say():
    bench = Bench(replace(TALK, keyboard="pipe")).ready()
    bench.give(failed(Side.MICROPHONE, SoundFailure.NO_DEVICE))
    bench.give(Typed("hello"), KeyboardSpent(), at=1.0)
    answer(bench, 500)
    bench.plays(0, 500)
    bench.until(2.0)
    assert ends(bench) == (0, "done")


def test_a_missing_microphone_leaves_a_terminal_to_type_at():
    bench = Bench().ready()
    bench.give(failed(Side.MICROPHONE, SoundFailure.NO_DEVICE))
    bench.until(100.0)
    assert bench.ended is None
    assert bench.phase == "waiting_for_you_to_type"


# ---- the last words


def test_the_end_closes_the_devices_hangs_up_and_says_how_far_was_heard():
    bench = Bench().ready()
    bench.says(created(), added(), words("one two three four"), sound(1000), at=1.0)
    bench.plays(0, 1000)
    effects = bench.give(Quit(), at=1.5)
    assert {effect.side for effect in effects if isinstance(effect, CloseSound)} == set(Side)
    assert [effect for effect in effects if isinstance(effect, Hangup)] == [Hangup()]
    assert bench.shown(LinkNow)[-1].state == "closed"
    turn = bench.turn("a1")
    assert (turn.status, turn.heard_ms, turn.heard.raw) == ("interrupted", 500, "one two ")
    assert frames(effects) == [], "nothing is truncated for a server that is left"


def test_turns_that_are_not_whole_at_the_end_are_closed():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(e.TranscriptionDelta(item_id="u1", delta="How do"))
    bench.give(Quit())
    assert (bench.turn("u1").status, bench.turn("u1").text.raw) == ("done", "How do")


def test_a_quit_while_sound_is_closed_closes_nothing_twice():
    bench = Bench().ready()
    bench.asks("mute")
    effects = bench.give(Quit())
    assert [effect.side for effect in effects if isinstance(effect, CloseSound)] == [Side.SPEAKER]


def test_a_wav_is_not_listened_to_before_the_link_is_ready():
    bench = Bench(WAV).dialled()
    assert uploaded(bench.records()) == b""
    assert Side.MICROPHONE not in {side for side, _ in opened(bench)}
    bench.ready()
    assert Side.MICROPHONE in {side for side, _ in opened(bench)}


def opened(bench: Bench) -> list[tuple[Side, str]]:
    return [(effect.side, "open") for effect in bench.effects if isinstance(effect, OpenSound)]


def test_an_answer_without_a_speaker_ends_when_it_is_written():
    bench = Bench(replace(WAV, speaker=False)).ready()
    bench.give(SoundOpened(Side.MICROPHONE, "q.wav", RATE, 0.0))
    spoken(bench, 1.0)
    bench.give(InputSpent(), at=2.1)
    bench.says(heard_words("q"), created(), added(), words("all of it"), sound(3000), whole(), done("r1", "a1"))
    bench.until(4.0)
    assert ends(bench) == (0, "done")
    assert bench.turn("a1").heard.raw == "all of it"
    assert bench.shown(SoundNow)[0].side == "input"
