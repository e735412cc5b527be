"""Barge-in: what leaves in the moment of the decision, item by item, and what the person sees of it.

Traps of other clients, each with its test: the last item received instead of the one heard, clocks that run from
arrival, a second barge-in that claims again, a whole item that is deleted, late deltas that play.
"""

import pytest
from core_talk import (
    CHAT,
    DROPPED,
    MS,
    TALK,
    Bench,
    added,
    answer,
    cancelled,
    committed,
    created,
    done,
    error,
    frames,
    heard_words,
    message,
    sent,
    shown,
    sound,
    started,
    stopped,
    whole,
    words,
    written,
)
from msgspec.structs import replace

from voicecli.core.changes import Cut, Interrupted, Told, TurnConfirmed, TurnGone, TurnOpened, TurnSet
from voicecli.core.effects import Move, Play
from voicecli.core.stimuli import Asked
from voicecli.ports import Format, Passed, Playhead, Side, Silent, SoundFailed, SoundFailure, Span
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_server, encode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import ContentPart, Item


def playing(*items: tuple[str, int], ended: bool = True, plan=TALK) -> Bench:
    """An answer of `items` (name, ms), all laid; with `ended` the server has finished it."""
    bench = Bench(plan).ready()
    bench.says(created(), at=1.0)
    for item, ms in items:
        bench.says(added(item), words(f"words of {item}", item), sound(ms, item))
        if ended or item != items[-1][0]:
            bench.says(whole(item))
    if ended:
        bench.says(done("r1", *(item for item, _ in items)))
    return bench


def test_a_barge_in_truncates_at_the_last_sample_heard():
    bench = playing(("a1", 3000))
    bench.plays(0, 2000)
    effects = bench.says(started(), at=1.5)
    assert frames(effects) == [("truncate", "a1", 500)]
    assert [event.content_index for event in sent(effects)] == [0]
    assert [effect.playhead for effect in effects if isinstance(effect, Move)] == [Playhead(1, 3000 * MS, True)]


def test_truncate_and_new_playhead_leave_in_the_same_handling():
    bench = playing(("a1", 3000), ended=False)
    bench.plays(0, 2000)
    kinds = [type(effect).__name__ for effect in bench.says(started(), at=1.5)]
    assert kinds[0] == "Send"
    assert "Move" in kinds


def test_two_items_queued_and_cut_in_the_first():
    bench = playing(("a1", 1000), ("b1", 1000))
    bench.plays(0, 200)
    assert frames(bench.says(started(), at=1.2)) == [("truncate", "a1", 200), ("delete", "b1")]
    assert bench.turn("a1").status == "interrupted"
    assert bench.turn("b1").unheard.raw == "words of b1"
    assert bench.gone == ["b1"]


def test_two_items_queued_and_cut_in_the_second():
    """The first was heard to its end: nothing is sent for it."""
    bench = playing(("a1", 1000), ("b1", 1000))
    bench.plays(0, 2000)
    assert frames(bench.says(started(), at=2.25)) == [("truncate", "b1", 250)]
    assert bench.turn("a1").status == "done"
    assert bench.gone == []


def test_an_item_heard_to_its_end_is_not_deleted_when_its_response_is_cut_later():
    bench = playing(("a1", 1000), ("b1", 1000), ended=False)
    bench.plays(0, 2000)
    assert frames(bench.says(started(), at=2.25)) == [("truncate", "b1", 250)]
    assert frames(bench.says(cancelled("r1", "a1", "b1"))) == []
    assert frames(bench.says(whole("a1"))) == []
    assert bench.gone == []


def test_an_unheard_item_is_deleted_once_and_after_its_responses_end():
    bench = playing(("a1", 1000), ("b1", 1000), ended=False)
    bench.plays(0, 200)
    assert frames(bench.says(started(), at=1.2)) == [("truncate", "a1", 200)]
    assert bench.gone == ["b1"]
    assert frames(bench.says(whole("b1", status="incomplete"))) == []
    assert frames(bench.says(cancelled("r1", "a1", "b1"))) == [("delete", "b1")]
    bench.until(60)
    assert frames(bench.effects).count(("delete", "b1")) == 1


def test_after_the_end_of_generation_sound_stops_and_no_cancel_leaves():
    bench = playing(("a1", 5000))
    bench.plays(0, 5000)
    effects = bench.asks("interrupt", at=2.0)
    assert frames(effects) == [("truncate", "a1", 1000)]
    assert any(isinstance(effect, Move) for effect in effects)


def test_after_audio_done_and_before_the_end_of_the_response_the_servers_vad_cancels_by_itself():
    bench = playing(("a1", 5000), ended=False)
    bench.says(e.AudioDone(response_id="r1", item_id="a1"))
    bench.plays(0, 5000)
    assert frames(bench.says(started(), at=2.0)) == [("truncate", "a1", 1000)]


def test_after_audio_done_and_before_the_end_of_the_response_a_key_cancels_once():
    bench = playing(("a1", 5000), ended=False)
    bench.says(e.AudioDone(response_id="r1", item_id="a1"))
    bench.plays(0, 5000)
    assert frames(bench.asks("interrupt", at=2.0)) == [("cancel", "r1"), ("truncate", "a1", 1000)]
    assert frames(bench.asks("interrupt")) == []


def test_playout_that_began_late_claims_only_what_was_heard():
    bench = playing(("a1", 3000))
    bench.plays(0, 1000, dac_at=1.9)
    assert frames(bench.says(started(), at=2.0)) == [("truncate", "a1", 100)]


def test_a_gap_in_the_playout_is_not_counted_as_heard():
    bench = playing(("a1", 3000), ended=False)
    bench.plays(0, 100, dac_at=1.0)
    bench.plays(100, 100, dac_at=2.0)
    assert frames(bench.says(started(), at=2.05)) == [("truncate", "a1", 150)]


def test_the_claim_is_in_whole_milliseconds_rounded_down():
    bench = playing(("a1", 3000))
    bench.give(Passed((Span(0, 0, 72_000, 1.0),)))
    bench.until(1.0 + (500 * MS + 23) / 24_000)
    assert frames(bench.says(started())) == [("truncate", "a1", 500)]


def test_the_claim_is_never_above_what_was_received():
    """The speaker says that it has more than there was: a lie, or a bug of ours; still no "already shorter than"."""
    bench = playing(("a1", 1000), ended=False)
    bench.plays(0, 1000)
    assert frames(bench.says(started(), at=9.0)) == [("truncate", "a1", 1000)]


def test_already_shorter_than_is_swallowed_all_the_same():
    bench = playing(("a1", 1000), ended=False)
    bench.plays(0, 500)
    (truncate,) = sent(bench.says(started(), at=1.4))
    words = "Audio content of 390ms is already shorter than 400ms"
    effects = bench.says(error(words, None, truncate.event_id))
    assert bench.codes(effects) == []


def test_a_second_barge_in_inside_the_fade_sends_nothing_more():
    bench = playing(("a1", 3000))
    bench.plays(0, 2000)
    bench.says(started(), at=1.5)
    assert frames(bench.says(started("u2"), at=1.505)) == []
    bench.give(Silent(1, 1.508))
    assert frames(bench.says(started("u3"), at=1.6)) == []
    assert len(bench.shown(Interrupted)) == 1


def test_a_second_barge_in_into_the_next_answer_truncates_that_one():
    bench = playing(("a1", 3000))
    bench.plays(0, 2000)
    bench.says(started(), at=1.5)
    bench.says(committed(), at=1.6)
    answer(bench, 1000, "a2", "r2")
    bench.plays(3000, 300)
    assert frames(bench.says(started("u2"), at=1.8)) == [("truncate", "a2", 200)]


@pytest.mark.parametrize("ended_first", [False, True], ids=["speech_started first", "response.done first"])
def test_speech_started_before_or_after_the_cancelled_response_done_sends_the_same(ended_first):
    bench = playing(("a1", 1000), ("b1", 1000), ended=False)
    bench.plays(0, 300)
    bench.until(1.3)
    before = len(bench.effects)
    events = [started(), cancelled("r1", "a1", "b1")]
    bench.says(*reversed(events) if ended_first else events)
    effects = bench.effects[before:]
    assert sorted(frames(effects)) == [("delete", "b1"), ("truncate", "a1", 300)]
    assert bench.gone == ["b1"]
    assert bench.turn("a1").status == "interrupted"


def test_late_deltas_of_a_cancelled_response_are_counted_and_never_laid():
    bench = playing(("a1", 1000), ended=False)
    bench.plays(0, 300)
    bench.says(started(), at=1.3)
    effects = bench.says(sound(200, "a1"), words(" more", "a1"), added("b1"), sound(200, "b1"), words("new", "b1"))
    assert [effect for effect in effects if isinstance(effect, Play)] == []
    assert shown(TurnSet, effects) == []
    assert bench.session.talk.responses.late == 2
    assert frames(bench.says(cancelled("r1", "a1", "b1"))) == [("delete", "b1")]
    assert "b1" not in bench.rows, "nobody saw a word of it"


def test_late_deltas_after_the_end_of_a_cancelled_response_are_not_laid():
    bench = playing(("a1", 1000), ended=False)
    bench.plays(0, 300)
    bench.says(started(), cancelled(), at=1.3)
    assert bench.says(sound(200, "a1")) == []


def test_an_item_whose_text_came_and_no_sound_yet_is_unheard():
    bench = Bench().ready()
    bench.says(created(), added(), words("I was about to"), at=1.0)
    assert frames(bench.says(started())) == []
    assert frames(bench.says(cancelled("r1", "a1"))) == [("delete", "a1")]
    assert bench.turn("a1").unheard.raw == "I was about to"
    assert bench.interrupted.removed == ("a1",)


def test_less_than_a_millisecond_heard_is_unheard():
    bench = playing(("a1", 1000))
    bench.give(Passed((Span(0, 0, 23, 1.0),)))
    assert frames(bench.says(started(), at=1.5)) == [("delete", "a1")]


def test_a_millisecond_heard_is_heard():
    bench = playing(("a1", 1000))
    bench.give(Passed((Span(0, 0, 24, 1.0),)))
    assert frames(bench.says(started(), at=1.5)) == [("truncate", "a1", 1)]


@pytest.mark.parametrize(
    ("unheard", "expected"), [("delete", [("delete", "a1")]), ("truncate", [("truncate", "a1", 0)]), ("leave", [])]
)
def test_what_is_sent_for_an_unheard_item_is_the_profiles_choice(unheard, expected):
    bench = playing(("a1", 1000), plan=replace(TALK, profile=replace(TALK.profile, unheard=unheard)))
    assert frames(bench.says(started(), at=1.5)) == expected
    assert bench.turn("a1").unheard.raw == "words of a1"


def test_a_server_that_can_neither_truncate_nor_delete_is_sent_neither():
    profile = replace(TALK.profile, can=frozenset({"cancel"}))
    bench = playing(("a1", 1000), ("b1", 1000), plan=replace(TALK, profile=profile))
    bench.plays(0, 300)
    assert frames(bench.says(started(), at=1.3)) == []
    assert bench.turn("a1").heard_ms == 300, "our own cut of the text stays"


def test_nothing_waits_for_the_acknowledgement_of_a_truncate():
    bench = playing(("a1", 1000))
    bench.plays(0, 500)
    (truncate,) = sent(bench.says(started(), at=1.25))
    assert bench.turn("a1").status == "interrupted"
    effects = bench.says(error("not implemented", "unknown", truncate.event_id))
    assert bench.codes(effects) == ["cut_refused"]
    assert bench.turn("a1").heard_ms == 250


def test_speech_started_with_nothing_playing_sends_nothing():
    bench = Bench().ready()
    effects = bench.says(started(), at=1.0)
    assert frames(effects) == []
    assert shown(Interrupted, effects) == []
    assert [effect for effect in effects if isinstance(effect, Move)] == []


def test_speech_started_after_an_answer_was_heard_sends_nothing():
    bench = playing(("a1", 500))
    bench.plays(0, 500)
    assert frames(bench.says(started(), at=3.0)) == []
    assert bench.turn("a1").status == "done"


def test_without_a_speaker_there_is_no_truncate_and_no_delete_only_a_cancel():
    bench = Bench(CHAT).ready()
    bench.says(created(), added(), written("It was read"), at=1.0)
    effects = bench.asks("interrupt")
    assert frames(effects) == [("cancel", "r1")]
    effects = bench.says(cancelled("r1", "a1", reason="client_cancelled"))
    assert frames(effects) == []
    assert bench.turn("a1").status == "cancelled"
    assert bench.turn("a1").heard.raw == "It was read"
    assert bench.gone == []


def test_a_text_item_beside_a_speaker_was_read():
    bench = Bench().ready()
    bench.says(created(), added(), written("Read me"), at=1.0)
    assert frames(bench.says(started())) == []
    assert frames(bench.says(cancelled("r1"))) == []
    assert bench.turn("a1").heard.raw == "Read me"


def test_a_function_call_is_not_deleted_by_a_barge_in():
    bench = Bench().ready()
    call = Item(id="c1", type="function_call", name="weather", call_id="x", status="in_progress")
    bench.says(created(), e.OutputItemAdded(response_id="r1", item=call), at=1.0)
    bench.says(started())
    assert frames(bench.says(cancelled("r1"))) == []
    assert bench.gone == []


def test_several_parts_of_an_item_are_one_run_of_samples():
    bench = Bench().ready()
    bench.says(created(), added(), sound(400, part=0), sound(400, part=1), at=1.0)
    bench.plays(0, 800)
    effects = bench.says(started(), at=1.6)
    assert frames(effects) == [("truncate", "a1", 600)]
    assert [event.content_index for event in sent(effects)] == [0]


def test_parts_of_two_items_that_come_by_turns_are_told_apart():
    bench = Bench().ready()
    bench.says(created(), added("a1"), added("b1"), at=1.0)
    bench.says(sound(100, "a1"), sound(100, "b1"), sound(100, "a1"), sound(100, "b1"))
    bench.plays(0, 400)
    assert frames(bench.says(started(), at=1.25)) == [("truncate", "a1", 150), ("truncate", "b1", 100)]


def test_odd_length_pcm_waits_for_the_next_delta_of_its_part():
    bench = Bench().ready()
    delta = e.AudioDelta(response_id="r1", item_id="a1")
    bench.says(created(), at=1.0)
    effects = bench.says(
        replace(delta, delta=b"\x01\x02\x03"),
        replace(delta, delta=b"\x09", content_index=1),
        replace(delta, delta=b"\x04\x05\x06"),
    )
    assert [effect.data for effect in effects if isinstance(effect, Play)] == [b"\x01\x02", b"\x03\x04\x05\x06"]


def test_an_odd_byte_at_the_end_is_dropped_and_counted():
    bench = Bench().ready()
    bench.says(created(), e.AudioDelta(response_id="r1", item_id="a1", delta=b"\x01\x02\x03"), whole(), at=1.0)
    assert bench.session.talk.ledger.dropped_bytes == 1


def test_g711_is_counted_in_samples_of_the_house():
    ulaw = Format("g711_ulaw", 8_000, 1)
    profile = replace(TALK.profile, output=ulaw)
    bench = Bench(replace(TALK, profile=profile)).ready()
    bench.says(created(), e.AudioDelta(response_id="r1", item_id="a1", delta=bytes(8000)), at=1.0)
    bench.plays(0, 1000)
    assert frames(bench.says(started(), at=1.5)) == [("truncate", "a1", 500)]


def test_a_span_of_the_old_run_that_comes_after_the_cut_changes_nothing():
    bench = playing(("a1", 3000))
    bench.plays(0, 500)
    bench.says(started(), at=1.5)
    answer(bench, 1000, "a2", "r2")
    bench.give(Passed((Span(0, 500 * MS, 2500 * MS, 1.5),)), at=4.5)
    assert frames(bench.says(started("u2"))) == [("delete", "a2")]


def test_a_dead_device_does_not_delay_the_truncate():
    """Its spans stop; the ledger's last word is what leaves, at once."""
    bench = playing(("a1", 3000))
    bench.plays(0, 190)
    assert frames(bench.says(started(), at=5.0)) == [("truncate", "a1", 190)]


def test_a_response_without_ids_can_be_cut_and_the_next_one_plays():
    bench = Bench().ready()
    bench.says(created(""), added("a1", ""), sound(1000, "a1", ""), at=1.0)
    bench.plays(0, 300)
    assert frames(bench.says(started(), at=1.3)) == [("truncate", "a1", 300)]
    bench.says(cancelled(""), committed())
    effects = bench.says(created(""), added("a2", ""), sound(1000, "a2", ""))
    assert [effect.position for effect in effects if isinstance(effect, Play)] == [1000 * MS]


def test_a_response_that_is_told_twice_stays_dead():
    bench = playing(("a1", 1000), ended=False)
    bench.plays(0, 300)
    bench.says(started(), created(), at=1.3)
    assert [effect for effect in bench.says(sound(100)) if isinstance(effect, Play)] == []


# ---- by text, by command


def test_a_text_typed_while_the_assistant_speaks_interrupts_it():
    bench = playing(("a1", 3000), ended=False)
    bench.plays(0, 1000)
    effects = bench.types("Stop, another thing", at=1.5)
    assert frames(effects) == [("cancel", "r1"), ("truncate", "a1", 500), ("item", "Stop, another thing")]
    assert frames(bench.says(cancelled("r1", "a1", reason="client_cancelled"))) == ["create"]
    assert bench.rows[-1] == sent(effects)[-1].item.id


def test_a_text_typed_into_the_rest_of_a_finished_answer_asks_at_once():
    bench = playing(("a1", 3000))
    bench.plays(0, 1000)
    assert frames(bench.types("Next", at=1.5)) == [("truncate", "a1", 500), ("item", "Next"), "create"]


@pytest.mark.parametrize("by", ["command", "key"])
def test_an_interruption_that_was_asked_for_says_whether_by_a_key(by):
    bench = playing(("a1", 3000))
    bench.plays(0, 1000)
    bench.give(Asked("interrupt", by=by), at=1.5)
    bench.give(Silent(1, 1.51))
    assert bench.interrupted.by == by


def test_a_text_typed_while_the_answer_of_a_lost_link_plays_stops_it():
    bench = playing(("a1", 3000), ended=False)
    bench.plays(0, 1000)
    bench.give(DROPPED, at=1.2)
    effects = bench.types("Stop", at=1.5)
    assert frames(effects) == []
    assert [effect for effect in effects if isinstance(effect, Move)]
    assert (bench.turn("a1").status, bench.turn("a1").heard_ms) == ("interrupted", 500)


def test_interrupt_says_when_there_is_nothing_to_stop():
    bench = Bench().ready()
    effects = bench.asks("interrupt", at=1.0)
    assert frames(effects) == []
    assert bench.codes(effects) == ["nothing_to_stop"]


def test_behind_an_answer_that_was_stopped_there_is_nothing_more_to_stop_though_the_server_is_not_done():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("Once upon"))
    assert frames(bench.asks("interrupt")) == [("cancel", "r1")]
    assert bench.phase == "waiting_for_you_to_type"
    bench.says(cancelled(reason="client_cancelled"))
    assert frames(bench.types("again")) == [("item", "again"), "create"]
    assert bench.phase == "thinking"


def test_an_answer_that_waits_for_the_end_of_one_that_was_stopped_can_be_stopped_too():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(created())
    bench.types("two")
    assert bench.phase == "thinking"
    effects = bench.asks("interrupt")
    assert (bench.codes(effects), bench.phase) == ([], "waiting_for_you_to_type")
    assert frames(bench.says(cancelled(reason="client_cancelled"))) == []
    assert bench.codes(bench.asks("interrupt")) == ["nothing_to_stop"]


@pytest.mark.parametrize("early", [False, True])
def test_the_servers_own_answer_behind_one_that_was_stopped_is_cancelled_as_it_comes(early: bool):
    """`early`: it is created before the stopped one is done."""
    bench = Bench().ready()
    bench.says(created(), added(), sound(1000), at=1.0)
    bench.plays(0, 500)
    bench.asks("interrupt", at=1.2)
    bench.says(started(), stopped(), committed())
    assert bench.phase == "thinking"
    assert bench.codes(bench.asks("interrupt")) == []
    assert bench.phase == "listening"
    end, begin = cancelled("r1", "a1", reason="client_cancelled"), created("r2")
    effects = bench.says(*((begin, end) if early else (end, begin)))
    assert ("cancel", "r2") in frames(effects)
    bench.says(cancelled("r2", reason="client_cancelled"), started("u2"), stopped("u2"), committed("u2", "u1"))
    assert ("cancel", "r3") not in frames(bench.says(created("r3"))), "the next one is welcome"
    assert bench.phase == "thinking"


def test_a_cancel_before_response_created_waits_for_the_id():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    assert frames(bench.asks("interrupt")) == []
    assert frames(bench.says(created("r9"), at=1.2)) == [("cancel", "r9")]
    assert frames(bench.says(cancelled("r9", reason="client_cancelled"))) == []
    bench.until(1.3)
    assert bench.phase == "waiting_for_you_to_type"


def test_the_sound_of_a_response_cancelled_before_it_was_created_is_not_laid():
    bench = Bench().ready()
    bench.types("hello", at=1.0)
    bench.asks("interrupt")
    effects = bench.says(created("r9"), added("a1", "r9"), sound(100, "a1", "r9"))
    assert [effect for effect in effects if isinstance(effect, Play)] == []


def test_cancel_with_nothing_active_is_swallowed():
    bench = playing(("a1", 1000), ended=False)
    bench.plays(0, 500)
    cancel = sent(bench.asks("interrupt", at=1.2))[0]
    bench.says(cancelled(reason="client_cancelled"))
    effects = bench.says(error("Cancellation failed: no active response found", None, cancel.event_id))
    assert bench.codes(effects) == []


def test_cancel_with_nothing_active_and_no_end_to_come_frees_the_slot():
    """Else the text would wait in "thinking" for half a minute."""
    bench = Bench(CHAT).ready()
    bench.says(created(), added(), written("Half"), at=1.0)
    cancel = sent(bench.types("other"))[0]
    effects = bench.says(error("no", "response_cancel_not_active", cancel.event_id))
    assert frames(effects) == ["create"]
    assert bench.codes(effects) == []
    assert bench.turn("a1").status == "cancelled"


# ---- what is shown


def test_the_interruption_is_shown_when_the_speaker_is_silent():
    bench = playing(("a1", 1000), ("b1", 1000))
    bench.plays(0, 500)
    bench.says(started(), at=1.5)
    assert bench.shown(Interrupted) == []
    bench.give(Silent(1, 1.5062))
    assert bench.interrupted == Interrupted(
        item="a1", by="voice", cut=(Cut("a1", 500),), removed=("b1",), silent_ms=6.2
    )


def test_a_device_that_does_not_say_that_it_is_silent_is_not_waited_for():
    bench = playing(("a1", 1000))
    bench.plays(0, 500)
    bench.says(started(), at=1.5)
    bench.until(1.99)
    assert bench.shown(Interrupted) == []
    bench.until(2.01)
    assert bench.interrupted.silent_ms is None


def test_silence_of_an_older_run_does_not_count():
    bench = playing(("a1", 1000))
    bench.plays(0, 500)
    bench.says(started(), at=1.5)
    assert bench.give(Silent(0, 1.501)) == []


def test_echo_is_advised_once_after_two_short_answers_in_a_row():
    bench = Bench().ready()
    for n in range(4):
        answer(bench, 3000, f"a{n}", f"r{n}")
        bench.plays(bench.laid // MS - 3000, 400)
        bench.says(started(f"u{n}"), at=bench.at + 0.4)
        bench.says(committed(f"u{n}"), at=bench.at + 0.4)
        assert bench.codes().count("hears_itself") == (1 if n >= 1 else 0)
    (told,) = [told for told in bench.shown(Told) if told.code == "hears_itself"]
    assert "half-duplex" in told.hint


def test_echo_is_not_advised_when_an_answer_between_was_heard_longer():
    bench = Bench().ready()
    for n, ms in enumerate((400, 1200, 400)):
        answer(bench, 3000, f"a{n}", f"r{n}")
        bench.plays(bench.laid // MS - 3000, ms)
        bench.says(started(f"u{n}"), at=bench.at + ms / 1000)
        bench.says(committed(f"u{n}"))
    assert "hears_itself" not in bench.codes()


def test_echo_is_not_advised_for_answers_stopped_by_hand():
    bench = Bench().ready()
    for n in range(3):
        answer(bench, 3000, f"a{n}", f"r{n}")
        bench.plays(bench.laid // MS - 3000, 400)
        bench.asks("interrupt", at=bench.at + 0.4)
    assert "hears_itself" not in bench.codes()


def test_the_speaker_lost_in_mid_answer_the_rest_is_read_and_nothing_is_sent():
    bench = playing(("a1", 3000), ended=False)
    bench.plays(0, 500)
    effects = bench.give(SoundFailed(Side.SPEAKER, SoundFailure.LOST, "USB", ""), at=1.5)
    assert frames(effects) == []
    assert bench.codes(effects) == ["device_lost"]
    effects = bench.says(words(" and more"), sound(500), whole(), done("r1", "a1"))
    assert frames(effects) == []
    assert [effect for effect in effects if isinstance(effect, Play)] == []
    assert bench.turn("a1").status == "done"
    assert bench.turn("a1").text.raw == "words of a1 and more"
    bench.until(1.6)
    assert bench.phase == "listening"
    assert frames(bench.says(started())) == []


def test_our_own_stop_is_not_told_as_a_lost_device():
    bench = playing(("a1", 3000))
    bench.plays(0, 500)
    effects = bench.give(Asked("interrupt"), at=1.5)
    effects += bench.give(Silent(1, 1.51))
    assert bench.codes(effects) == []


def test_a_reply_of_ten_minutes_in_a_moment_is_laid_whole():
    bench = Bench().ready()
    bench.says(created(), added(), at=1.0)
    for _ in range(600):
        bench.says(sound(1000))
    assert bench.laid == 600 * 24_000
    bench.plays(0, 600_000)
    assert frames(bench.says(started(), at=501.0)) == [("truncate", "a1", 500_000)]


def test_an_item_the_server_never_announced_is_finished_with_its_response():
    bench = Bench().ready()
    bench.says(created(), sound(500), done(), at=1.0)
    bench.plays(0, 500)
    bench.until(2.0)
    assert bench.turn("a1").status == "done"
    assert bench.session.talk.ledger.rest


def test_pending_is_empty_when_everything_is_answered():
    bench = playing(("a1", 1000), ("b1", 1000), ended=False)
    bench.plays(0, 500)
    bench.types("stop", at=1.2)
    (item,) = [event.item for event in sent(bench.effects) if isinstance(event, e.ConversationItemCreate)]
    bench.says(
        e.ConversationItemTruncated(item_id="a1", audio_end_ms=200),
        e.ConversationItemAdded(item=item, previous_item_id="a1"),
        cancelled("r1", "a1", "b1"),
        e.ConversationItemDeleted(item_id="b1"),
        created("r2"),
        done("r2"),
    )
    assert bench.session.talk.pending.kinds() == ()


def test_what_the_server_has_cut_and_deleted_is_confirmed_and_leaves_the_rows_as_they_are():
    bench = playing(("a1", 1000), ("b1", 1000), ended=False)
    bench.plays(0, 500)
    effects = bench.types("stop", at=1.2)
    bench.says(cancelled("r1", "a1", "b1"))
    (cut,) = [event for event in sent(effects) if isinstance(event, e.ConversationItemTruncate)]
    before = (bench.turn("a1"), bench.turn("b1"))
    events = (
        e.ConversationItemTruncated(item_id="a1", audio_end_ms=cut.audio_end_ms),
        e.ConversationItemDeleted(item_id="b1"),
        e.ConversationItemDeleted(item_id="nobody"),
    )
    confirmed = bench.shown(TurnConfirmed, bench.says(*events))
    assert confirmed == [TurnConfirmed("a1", cut.audio_end_ms), TurnConfirmed("b1", None)]
    assert (bench.turn("a1"), bench.turn("b1")) == before


def test_gone_rows_stay_before_the_question_that_interrupted_them():
    """The server has forgotten the deleted answer: it says that the next question follows the question before it."""
    bench = Bench().ready()
    bench.says(started("u1"), committed("u1"), at=1.0)
    answer(bench, 1000)
    bench.says(started("u2"))
    assert bench.gone == ["a1"]
    bench.says(committed("u2", "u1"))
    assert bench.shown(TurnOpened)[-1].after == "a1"
    assert [turn.item for turn in bench.shown(TurnGone)] == ["a1"]


def test_a_part_that_says_what_it_is_before_its_text_does_not_make_an_item_read():
    bench = Bench().ready()
    part = ContentPart(type="audio", transcript="")
    bench.says(created(), e.OutputItemAdded(response_id="r1", item=message("a1", part)), at=1.0)
    bench.says(started())
    assert frames(bench.says(cancelled("r1", "a1"))) == [("delete", "a1")]


def test_a_beginning_that_is_told_after_its_turn_was_taken_stops_no_answer_and_leaves_nobody_speaking():
    bench = playing(("a1", 3000))
    bench.plays(0, 500)
    bench.says(committed("u1"), at=1.2)
    effects = bench.says(started("u1"), at=1.3)
    assert frames(effects) == []
    assert bench.phase != "you_are_speaking"


def test_a_beginning_that_is_told_after_its_end_stops_no_answer():
    bench = playing(("a1", 3000))
    bench.plays(0, 500)
    bench.says(stopped("u1"), at=1.2)
    assert frames(bench.says(started("u1"), at=1.3)) == []
    assert bench.phase != "you_are_speaking"


def test_whoever_goes_on_after_an_end_that_was_told_interrupts_again():
    bench = playing(("a1", 3000))
    bench.says(started("u1"), stopped("u1"), at=1.2)
    bench.says(created("r2"), added("a2", "r2"), sound(1000, "a2", "r2"), at=1.3)
    bench.plays(3000, 500)
    bench.says(started("u1"), at=1.4)
    assert bench.phase == "you_are_speaking"


@pytest.mark.parametrize("spelling", list(Spelling))
@pytest.mark.parametrize("told", [e.ConversationItemAdded, e.ConversationItemCreated])
def test_an_item_that_is_told_before_the_person_is_heard_to_speak_does_not_hinder_a_barge_in(told, spelling):
    bench = playing(("a1", 3000))
    bench.plays(0, 500)
    event = told(item=message("u1", role="user", status="in_progress"), previous_item_id="a1")
    text = encode_server(event, spelling)
    bench.says(event if text is None else decode_server(text), at=1.2)
    assert frames(bench.says(started("u1"), at=1.3)) == [("truncate", "a1", 300)]
    assert bench.phase == "you_are_speaking"
    bench.says(stopped("u1"), committed("u1"), heard_words("Wait", "u1"), at=2.0)
    assert (bench.turn("u1").text.raw, bench.turn("u1").status) == ("Wait", "done")
    assert [turn.via for turn in bench.shown(TurnOpened) if turn.item == "u1"] == ["voice"]
    assert len([turn for turn in bench.shown(TurnSet) if turn.item == "u1" and turn.status == "done"]) == 1
