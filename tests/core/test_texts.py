"""Typed texts: sent once and in order, over a pipe, a refusal, a lost link; and each has its answer."""

from core_talk import (
    CHAT,
    DROPPED,
    PIPE,
    TALK,
    WAV,
    Bench,
    added,
    answer,
    cancelled,
    created,
    done,
    error,
    frames,
    sent,
    sound,
    whole,
    written,
)
from msgspec.structs import replace

from voicecli.core.changes import (
    TurnOpened,
    TurnSet,
)
from voicecli.core.stimuli import (
    KeyboardSpent,
    LinkEnded,
    Quit,
    Typed,
)
from voicecli.ports import LinkFailure
from voicecli.protocol import events as e
from voicecli.protocol.profiles import QWEN


def test_a_typed_text_is_an_item_then_a_create():
    bench = Bench(CHAT).ready()
    effects = bench.types("hello", at=1.0)
    assert frames(effects) == [("item", "hello"), "create"]
    item = sent(effects)[0].item
    assert (item.role, item.type, item.content[0].type) == ("user", "message", "input_text")
    assert bench.turn(item.id).text.raw == "hello"


def test_a_text_typed_before_the_link_is_ready_waits_for_it():
    bench = Bench(CHAT).dialled()
    assert frames(bench.types("early", at=0.05)) == []
    assert bench.codes() == []
    bench.ready()
    assert frames(bench.effects) == ["update", ("item", "early"), "create"]


def test_what_is_typed_without_a_link_is_seen_to_wait_at_once_and_is_sent_once_when_it_is_back():
    bench = Bench(CHAT).ready()
    bench.give(DROPPED, at=1.0)
    bench.types("first")
    bench.types("second")
    first, second = bench.rows
    assert [(turn.item, turn.status, turn.text.raw, turn.ended) for turn in bench.shown(TurnSet)] == [
        (first, "waiting", "first", None),
        (second, "waiting", "second", None),
    ]
    bench.asks("retry")
    bench.give(LinkEnded(LinkFailure.REFUSED_TCP, None, ""))
    assert [bench.turn(item).status for item in (first, second)] == ["waiting", "waiting"]
    bench.asks("retry")
    assert frames(bench.ready(2.0).effects) == ["update", "update", ("item", "first"), "create", ("item", "second")]
    assert [bench.turn(item).status for item in (first, second)] == ["done", "done"]
    assert bench.rows == [first, second]


def test_what_was_never_sent_is_said_so_at_the_end():
    bench = Bench(CHAT).ready()
    bench.give(DROPPED, at=1.0)
    bench.types("hello")
    bench.give(Quit())
    assert (bench.turn(bench.rows[0]).status, bench.turn(bench.rows[0]).error_code) == ("failed", "not_sent")
    assert bench.turn(bench.rows[0]).text.raw == "hello"


def test_a_text_from_a_pipe_has_its_row_when_it_is_sent():
    bench = Bench(PIPE).dialled()
    bench.give(Typed("one"), Typed("two"))
    assert bench.rows == []
    bench.ready()
    assert [bench.turn(item).text.raw for item in bench.rows] == ["one"]


def test_a_second_text_while_the_first_is_asked_for_gets_one_answer_after_it():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    assert frames(bench.types("two")) == [("item", "two")]
    assert frames(bench.says(created())) == [("cancel", "r1")]
    assert frames(bench.says(cancelled(reason="client_cancelled"))) == ["create"]
    bench.says(created("r2"), added("a2", "r2"), written("both", "a2", "r2"), whole("a2", "r2"), done("r2", "a2"))
    assert bench.turn("a2").status == "done"
    assert bench.phase == "waiting_for_you_to_type"


def test_texts_from_a_pipe_are_answered_one_after_the_other():
    bench = Bench(PIPE).ready()
    assert frames(bench.give(Typed("one"), Typed("two"), Typed("three"), KeyboardSpent(), at=1.0)) == [
        ("item", "one"),
        "create",
    ]
    for n, after in enumerate(["two", "three", None], 1):
        bench.says(created(f"r{n}"), added(f"a{n}", f"r{n}"), written("x", f"a{n}", f"r{n}"))
        effects = bench.says(done(f"r{n}", f"a{n}"))
        assert frames(effects) == ([("item", after), "create"] if after else [])
    assert bench.ended is not None
    assert bench.ended.exit_code == 0


def test_a_text_from_a_pipe_waits_until_the_answer_was_heard():
    bench = Bench(replace(WAV, microphone="none", keyboard="pipe")).ready()
    bench.give(Typed("one"), Typed("two"), at=1.0)
    answer(bench, 1000)
    bench.plays(0, 1000)
    bench.until(1.9)
    assert ("item", "two") not in frames(bench.effects)
    bench.until(2.1)
    assert frames(bench.effects)[-2:] == [("item", "two"), "create"]


def test_a_pipe_goes_on_after_an_answer_that_stopped_in_the_middle_of_its_sound():
    """A response without an event for 30 s is given up; what came of it is heard, and the next line is sent."""
    bench = Bench(replace(WAV, microphone="none", keyboard="pipe")).ready()
    bench.give(Typed("one"), Typed("two"), at=1.0)
    bench.says(created(), added(), sound(500))
    bench.plays(0, 500)
    bench.until(40.0)
    assert bench.codes() == ["no_answer", "silent"]
    assert frames(bench.effects)[-2:] == [("item", "two"), "create"]
    assert bench.turn("a1").status == "done"


def test_typed_texts_are_shown_once_however_often_they_are_acknowledged():
    bench = Bench(CHAT).ready()
    (item, _) = sent(bench.types("hello", at=1.0))
    whole_item = replace(item.item, status="completed")
    bench.says(
        e.ConversationItemCreated(item=whole_item),
        e.ConversationItemAdded(item=whole_item),
        e.ConversationItemDone(item=whole_item),
    )
    assert len(bench.shown(TurnOpened)) == 1
    assert len(bench.shown(TurnSet)) == 1


def test_a_refused_text_is_told_and_its_row_fails():
    bench = Bench(CHAT).ready()
    (item, _) = sent(bench.types("bad", at=1.0))
    bench.says(error("too long", "string_above_max_length", item.event_id))
    assert bench.codes() == ["too_long"]
    assert (bench.turn(item.item.id).status, bench.turn(item.item.id).error.raw) == ("failed", "too long")


def test_what_was_typed_for_a_server_that_does_not_read_is_not_sent_and_told():
    bench = Bench(replace(TALK, profile=QWEN)).ready()
    effects = bench.types("hello") + bench.types("there")
    assert sent(effects) == []
    assert bench.codes() == ["provider_cannot", "listens_only", "listens_only"]
    assert [turn.status for turn in bench.shown(TurnSet) if turn.ended is not None][-1] == "failed"
    assert bench.session.talk.rest, "nothing waits for an answer"
