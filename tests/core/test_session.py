"""A talk from end to end at the core: its rows, its words, what is shown of it and when."""

from itertools import pairwise

import pytest
from core_talk import (
    CHAT,
    DROPPED,
    TALK,
    Bench,
    added,
    committed,
    created,
    done,
    failed,
    frames,
    heard_words,
    message,
    shown,
    sound,
    started,
    stopped,
    whole,
    words,
    written,
)
from msgspec.structs import replace

from voicecli.core.changes import (
    Ended,
    Foreign,
    HeardNow,
    LimitsNow,
    PhaseNow,
    SessionNow,
    TurnMoved,
    TurnOpened,
    UsageNow,
)
from voicecli.core.linking import LONGEST_NAME
from voicecli.core.stimuli import (
    Begin,
    Opened,
    Quit,
)
from voicecli.ports import (
    Side,
    SoundFailure,
)
from voicecli.protocol import events as e
from voicecli.protocol.items import (
    ContentPart,
    ConversationInfo,
    InputTokens,
    Item,
    RateLimit,
    SessionConfig,
    Usage,
)


def test_a_talk_from_begin_to_quit():
    bench = Bench().ready()
    bench.says(started("u1", 100), at=1.0)
    bench.says(stopped("u1", 1300), committed("u1"), at=2.3)
    bench.says(e.ConversationItemAdded(item=message("u1", ContentPart(type="input_audio"), role="user")))
    bench.says(created(), added(), words("Hello "), sound(500), heard_words("Hi there"), at=2.4)
    bench.says(words("you."), sound(500), whole(), done("r1", "a1"))
    bench.plays(0, 1000)
    bench.until(4.0)
    assert (bench.turn("u1").text.raw, bench.turn("u1").received_ms) == ("Hi there", 1200)
    turn = bench.turn("a1")
    assert (turn.status, turn.text.raw, turn.heard_ms, turn.received_ms) == ("done", "Hello you.", 1000, 1000)
    assert turn.heard == turn.text
    assert [now.phase for now in bench.shown(PhaseNow)] == [
        "connecting",
        "listening",
        "you_are_speaking",
        "listening",  # for the moment until the server takes the turn
        "thinking",
        "assistant_speaking",
        "listening",
    ]
    bench.give(Quit())
    assert bench.ended == Ended(exit_code=0, reason="quit", seconds=4.0, turns=2, interruptions=0)
    assert bench.codes() == []


def test_every_connection_sends_one_session_update():
    bench = Bench().ready()
    bench.says(e.SessionCreated(session=SessionConfig()), e.SessionUpdated(session=SessionConfig()))
    assert frames(bench.effects) == ["update"]
    bench.give(DROPPED, at=5.0)
    bench.asks("retry")
    bench.ready(6.0)
    assert frames(bench.effects) == ["update", "update"]


def test_the_effective_settings_are_shown_and_what_differs_is_told_once():
    bench = Bench().ready(session=SessionConfig(voice="other", turn_detection=None))
    _, now = bench.shown(SessionNow)
    assert now.refused == (("turn_detection", Foreign("null")),)
    bench.says(e.SessionUpdated(session=SessionConfig(turn_detection=None)))
    assert bench.codes().count("settings_differ") == 1


def test_the_session_is_known_by_the_names_that_the_server_gives_and_keeps_them():
    bench = Bench()
    bench.give(Begin(), Opened(1.8e9), at=0.1)
    bench.says(
        e.SessionCreated(session=SessionConfig(id="sess_1", model="m-2025-08-28", voice="own")),
        e.ConversationCreated(conversation=ConversationInfo("conv_1")),
        e.SessionUpdated(session=SessionConfig(voice="other")),
    )
    greeted, named, updated = bench.shown(SessionNow)
    assert (greeted.id.raw, greeted.model.raw, greeted.conversation.raw) == ("sess_1", "m-2025-08-28", "")
    assert dict(greeted.settings)["voice"] == Foreign('"own"')
    assert named == replace(greeted, conversation=Foreign("conv_1"))
    assert (updated.id, updated.model, updated.conversation) == (greeted.id, greeted.model, Foreign("conv_1"))
    assert updated.settings == (("voice", Foreign('"other"')),)


def test_a_new_connection_has_a_session_of_its_own():
    bench = Bench()
    bench.give(Begin(), Opened(1.8e9), at=0.1)
    bench.says(e.SessionCreated(session=SessionConfig(id="sess_1", model="m" * 9_999)))
    assert len(bench.shown(SessionNow)[-1].model.raw) == LONGEST_NAME
    bench.says(e.SessionUpdated(session=bench.plan.session))
    bench.give(DROPPED, at=5.0)
    bench.asks("retry")
    bench.ready(6.0)
    assert bench.shown(SessionNow)[-1].id.raw == ""
    assert bench.shown(SessionNow)[-1].model.raw == ""


# ---- rows and order


def test_item_created_and_added_and_done_is_one_row():
    bench = Bench().ready()
    item = message("a1")
    bench.says(
        created(),
        added(),
        e.ConversationItemCreated(item=item),
        e.ConversationItemAdded(item=item),
        words("Hello"),
        e.ConversationItemDone(item=message("a1", ContentPart(type="audio", transcript="Hello"))),
        whole(),
        at=1.0,
    )
    assert bench.rows == ["a1"]


def test_two_transcripts_in_swapped_order_go_to_their_own_rows():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(started("u2"), stopped("u2"), committed("u2", "u1"), at=3.0)
    bench.says(heard_words("second", "u2"), heard_words("first", "u1"))
    assert (bench.turn("u1").text.raw, bench.turn("u2").text.raw) == ("first", "second")


@pytest.mark.parametrize(
    "placed",
    [
        committed("u2", "u1"),
        e.ConversationItemAdded(
            item=message("u2", ContentPart(type="input_audio"), role="user"), previous_item_id="u1"
        ),
    ],
    ids=["committed", "added"],
)
def test_words_that_come_before_their_item_open_a_row_that_finds_its_place(placed):
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), created(), added(), words("Yes"), at=1.0)
    bench.says(e.TranscriptionDelta(item_id="u2", delta="and"))
    assert bench.rows == ["u1", "a1", "u2"]
    assert shown(TurnMoved, bench.says(placed)) == [TurnMoved("u2", "u1")]


def test_a_text_that_comes_only_with_the_end_of_its_item_is_shown():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), whole("a1", "r1", "completed", ContentPart(type="text", text="At once")), done())
    assert (bench.turn("a1").text.raw, bench.turn("a1").heard.raw) == ("At once", "At once")


def test_system_items_and_function_calls_have_rows_of_their_own_kind():
    bench = Bench(CHAT).ready()
    call = Item(id="c1", type="function_call", name="weather", arguments='{"a":1}', status="completed")
    bench.says(
        e.ConversationItemAdded(item=message("s1", ContentPart(type="input_text", text="Be kind"), role="system")),
        created(),
        e.OutputItemDone(response_id="r1", item=call),
        at=1.0,
    )
    assert [(turn.item, turn.role) for turn in bench.shown(TurnOpened)] == [("s1", "system"), ("c1", "tool")]
    assert bench.turn("c1").text.raw == 'weather {"a":1}'


def test_a_failed_transcription_is_told_and_the_row_ends():
    bench = Bench().ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(e.TranscriptionFailed(item_id="u1"))
    assert bench.turn("u1").status == "failed"
    assert bench.codes() == ["transcription_failed"]


def test_where_nobody_writes_down_a_spoken_turn_is_done_at_once():
    plan = replace(TALK, session=replace(TALK.session, input_audio_transcription=None))
    bench = Bench(plan).ready()
    bench.says(started("u1"), stopped("u1"), committed("u1"), at=1.0)
    bench.says(e.ConversationItemAdded(item=message("u1", ContentPart(type="input_audio"), role="user")))
    assert bench.turn("u1").status == "done"


# ---- what is now


def test_usage_is_added_up_and_belongs_to_the_last_turn_of_its_response():
    bench = Bench(CHAT).ready()
    usage = Usage(input_token_details=InputTokens(text_tokens=5))
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("x"), done("r1", "a1", usage=usage))
    (now,) = bench.shown(UsageNow)
    assert now.item == "a1"
    assert now.total.input_text == 5


def test_limits_are_shown_as_they_come():
    bench = Bench().ready()
    bench.says(e.RateLimitsUpdated(rate_limits=(RateLimit(name="tokens", limit=100, remaining=7, reset_seconds=1.5),)))
    (now,) = bench.shown(LimitsNow)
    assert (now.limits[0].name.raw, now.limits[0].remaining) == ("tokens", 7)


def test_what_is_heard_is_told_ten_times_a_second():
    bench = Bench().ready()
    bench.says(created(), added(), words("one two three four"), sound(2000), whole(), done("r1", "a1"), at=1.0)
    bench.plays(0, 2000)
    for n in range(200):
        bench.records(10, at=1.0 + n / 100)
    told = bench.shown(HeardNow)
    assert 15 <= len(told) <= 21
    assert [now.ms for now in told] == sorted(now.ms for now in told)
    assert all(now.item == "a1" for now in told)
    assert told[-1].characters > told[0].characters


def test_state_words_follow_the_microphone():
    bench = Bench().ready()
    assert bench.phase == "listening"
    bench.asks("mute", at=1.0)
    assert bench.phase == "muted"
    bench.asks("unmute")
    assert bench.phase == "listening"
    bench.give(failed(Side.MICROPHONE, SoundFailure.LOST))
    assert bench.phase == "waiting_for_you_to_type"


def test_without_a_microphone_the_state_waits_for_typing():
    assert Bench(CHAT).ready().phase == "waiting_for_you_to_type"


def test_a_state_word_is_shown_only_when_it_changes():
    bench = Bench().ready()
    for n in range(50):
        bench.records(20, at=1 + n / 50)
    phases = [now.phase for now in bench.shown(PhaseNow)]
    assert all(a != b for a, b in pairwise(phases))
