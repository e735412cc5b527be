"""One response at a time at the core: refused, silent, failed, or told in another way than usual."""

import pytest
from core_talk import (
    CHAT,
    PIPE,
    Bench,
    added,
    cancelled,
    committed,
    created,
    done,
    error,
    frames,
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

from voicecli.core.changes import (
    Told,
    TurnGrew,
    TurnOpened,
    TurnSet,
)
from voicecli.core.effects import Play
from voicecli.core.stimuli import KeyboardSpent
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_server, encode_server
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import (
    ContentPart,
    Item,
    Response,
    StatusError,
)


def test_how_long_was_spoken_is_told_before_the_words_come():
    bench = Bench().ready()
    bench.says(started("u1", 400), stopped("u1", 2500), committed("u1"), at=1.0)
    assert (bench.turn("u1").status, bench.turn("u1").received_ms, bench.turn("u1").ended) == ("reserved", 2100, None)


def test_a_create_refused_because_another_is_active_waits_for_its_end():
    bench = Bench(CHAT).ready()
    create = sent(bench.types("hello", at=1.0))[-1]
    refusal = error("already has an active response", "conversation_already_has_active_response", create.event_id)
    bench.says(created("own"))
    effects = bench.says(refusal)
    assert bench.codes(effects) == []
    assert frames(effects) == []
    assert frames(bench.says(done("own"))) == ["create"]


def test_a_create_refused_before_the_other_response_was_told_waits_for_its_end():
    bench = Bench(CHAT).ready()
    create = sent(bench.types("hello", at=1.0))[-1]
    bench.says(error("Conversation already has an active response", None, create.event_id))
    assert frames(bench.says(created("own"))) == []
    assert frames(bench.says(done("own"))) == ["create"]


def test_a_refusal_without_an_event_id_is_matched_by_its_words():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created("own"), error("Conversation already has an active response", None, None))
    assert frames(bench.says(done("own"))) == ["create"]


def test_a_create_refused_for_another_reason_is_told_and_thinking_ends():
    bench = Bench(CHAT).ready()
    create = sent(bench.types("hello", at=1.0))[-1]
    bench.says(error("nope", "whatever", create.event_id))
    assert bench.codes() == ["answer_refused"]
    assert bench.phase == "waiting_for_you_to_type"


def test_a_create_refused_again_and_again_is_given_up():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    for _ in range(10):
        create = [event for event in sent(bench.effects) if isinstance(event, e.ResponseCreate)][-1]
        if bench.codes():
            break
        bench.says(error("already has an active response", None, create.event_id))
        bench.says(done("somebody"))
    assert bench.codes() == ["answer_refused"]
    assert frames(bench.effects).count("create") == 3
    assert bench.phase == "waiting_for_you_to_type"


def test_an_answer_that_never_begins_is_given_up_after_thirty_seconds():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.until(30.9)
    assert bench.phase == "thinking"
    bench.until(31.1)
    assert bench.codes() == ["silent", "no_answer"]
    assert bench.phase == "waiting_for_you_to_type"


def test_a_response_that_lives_is_not_given_up():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added())
    for n in range(10):
        bench.says(written("word "), at=20.0 * (n + 1))
    assert bench.codes() == []


def test_late_deltas_of_a_response_that_was_given_up_do_not_come_back():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("half"))
    bench.until(40)
    assert bench.turn("a1").status == "failed"
    assert shown(TurnGrew, bench.says(written(" more"))) == []


def test_what_was_typed_behind_a_response_that_was_given_up_is_asked_for():
    bench = Bench(CHAT).ready()
    bench.types("one", at=1.0)
    bench.says(created())
    bench.types("two", at=2.0)
    bench.until(40)
    assert frames(bench.effects)[-1] == "create"
    bench.says(created("r2"), added("a2", "r2"), written("yes", "a2", "r2"), done("r2", "a2"))
    assert bench.turn("a2").text.raw == "yes"


def test_a_server_that_tells_no_response_created_is_understood():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(written("hi"), done("r1", "a1"))
    assert bench.turn("a1").status == "done"
    assert bench.phase == "waiting_for_you_to_type"


def test_an_end_without_an_id_ends_the_response_that_is_there():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("hi"), done(""))
    assert bench.phase == "waiting_for_you_to_type"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (done(status="failed", error=StatusError(code="inference_rate_limit_exceeded")), "rate_limit"),
        (done(status="failed", error=StatusError(code="insufficient_quota")), "insufficient_quota"),
        (done(status="failed", error=StatusError(type="billing_hard_limit_reached")), "insufficient_quota"),
        (done(status="failed"), "answer_failed"),
        (done(status="incomplete", reason="max_output_tokens"), "max_output_tokens"),
        (done(status="incomplete", reason="content_filter"), "content_filter"),
        (done(status="incomplete", reason="odd"), "answer_failed"),
        (done(status="failed", reason="rate_limit_exceeded: slow down"), "rate_limit"),
        (done(status="failed", reason="insufficient_quota"), "insufficient_quota"),
        (done(status="expired"), "answer_failed"),
        (done(status="cancelled"), "answer_stopped"),
        (done(status="cancelled", reason="client_cancelled"), "answer_stopped"),
    ],
)
def test_a_response_that_did_not_end_well_says_why(event, code):
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), event)
    assert bench.codes() == [code]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (done(), 0),
        (done(status="incomplete", reason="max_output_tokens"), 0),
        (done(status="incomplete", reason="content_filter"), 0),
        (done(status="incomplete"), 1),
        (done(status="failed"), 1),
        (done(status="failed", reason="rate_limit_exceeded"), 1),
        (done(status="cancelled"), 1),
        (done(status="expired"), 1),
    ],
)
def test_what_is_told_as_an_error_ends_with_1_and_a_limit_that_was_set_with_0(event, code):
    bench = Bench(PIPE).ready()
    bench.types("hello", at=1.0)
    bench.give(KeyboardSpent())
    bench.says(created(), added(), written("I was"), event)
    bench.until(60.0)
    assert bench.ended.exit_code == code
    assert code or not any(told.severity == "error" for told in bench.shown(Told))


def test_the_row_of_an_answer_that_the_server_cancelled_was_stopped():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("I was"), done(status="cancelled"))
    assert bench.turn("a1").status == "cancelled"


def test_what_was_cancelled_by_us_is_no_news_whether_it_had_an_id_or_not():
    for first in ([created()], []):
        bench = Bench(CHAT).ready()
        bench.types("hello", at=1.0)
        bench.says(*first)
        bench.asks("interrupt")
        bench.says(done("r1" if first else "", status="cancelled", reason="client_cancelled"))
        assert bench.codes() == []


@pytest.mark.parametrize("status", ["completed", "in_progress", None])
def test_a_response_that_ended_well_says_nothing(status):
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), done(status=status))
    assert bench.codes() == []


def test_incomplete_because_of_a_turn_is_a_barge_in_and_says_nothing():
    bench = Bench().ready()
    bench.says(created(), added(), words("Well"), at=1.0)
    bench.says(done("r1", status="incomplete", reason="turn_detected"), started())
    assert bench.codes() == []
    assert bench.turn("a1").status == "interrupted"


def test_an_answer_cut_at_a_limit_says_so_in_its_row_once_it_was_heard():
    bench = Bench().ready()
    bench.says(created(), added(), words("As far as"), sound(1000), whole(status="incomplete"), at=1.0)
    bench.says(done("r1", "a1", status="incomplete", reason="max_output_tokens"))
    bench.plays(0, 1000)
    bench.until(2.5)
    row = bench.turn("a1")
    assert (row.status, row.error_code, row.heard.raw) == ("done", "max_output_tokens", "As far as")


def test_an_answer_to_read_that_was_cut_at_a_limit_says_so_in_its_row():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("I was"), whole(status="incomplete"))
    bench.says(done("r1", "a1", status="incomplete", reason="max_output_tokens"))
    assert (bench.turn("a1").status, bench.turn("a1").error_code) == ("done", "max_output_tokens")


def test_an_answer_that_failed_in_mid_sound_is_no_whole_one():
    bench = Bench().ready()
    bench.says(created(), added(), words("As far as"), sound(1000), at=1.0)
    bench.says(done("r1", "a1", status="failed", error=StatusError(code="oops")))
    bench.plays(0, 1000)
    bench.until(2.5)
    assert (bench.turn("a1").status, bench.turn("a1").error_code) == ("failed", "answer_failed")


def test_only_what_was_not_whole_of_a_cut_response_says_so():
    bench = Bench().ready()
    bench.says(created(), added(), words("One"), sound(500), whole(), added("a2"), words("two", "a2"), at=1.0)
    bench.says(sound(500, "a2"), done("r1", "a1", "a2", status="incomplete", reason="max_output_tokens"))
    bench.plays(0, 1000)
    bench.until(2.5)
    assert [bench.turn(item).error_code for item in ("a1", "a2")] == ["", "max_output_tokens"]


def test_a_failed_answer_ends_its_row_with_what_was_said():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added(), written("I was"))
    bench.says(done("r1", status="failed", error=StatusError(code="oops", message="broken")))
    turn = bench.turn("a1")
    assert (turn.status, turn.text.raw, turn.error_code, turn.error.raw) == (
        "failed",
        "I was",
        "answer_failed",
        "broken",
    )


# ---- servers that leave names out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [[], [created("")]], ids=["no beginning", "a beginning without a name"])
@pytest.mark.parametrize("item", ["", "a1"])
def test_answers_without_names_of_responses_or_items_are_whole_and_apart(begun, item):
    bench = Bench(CHAT).ready()
    for n, said in enumerate(("Hello world", "Once more")):
        bench.types("hello", at=1.0 + n)
        name = item and f"a{n}"
        bench.says(*begun, written(said[:5], name, ""), written(said[5:], name, ""), done(""))
        assert bench.phase == "waiting_for_you_to_type"
    answers = [turn for turn in bench.shown(TurnSet) if turn.text.raw in ("Hello world", "Once more")]
    assert [(turn.text.raw, turn.status) for turn in answers] == [("Hello world", "done"), ("Once more", "done")]


def test_after_an_answer_without_names_was_stopped_the_next_one_is_laid_and_no_made_up_name_is_sent():
    bench = Bench().ready()
    bench.says(created(""), words("Well", "", ""), sound(1000, "", ""), at=1.0)
    bench.plays(0, 200)
    assert frames(bench.says(started("u1"), at=1.1)) == []  # no truncate of an item that the server cannot know
    assert not any(isinstance(effect, Play) for effect in bench.says(sound(100, "", "")))
    bench.says(done("", status="cancelled"), committed("u1"), created(""))
    assert any(isinstance(effect, Play) for effect in bench.says(sound(100, "", "")))


def test_an_item_without_a_name_is_one_with_what_is_said_of_it():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    bench.says(created(), added("", "r1"), written("Hello", ""), whole("", "r1"), done("r1"))
    (turn,) = [turn for turn in bench.shown(TurnOpened) if turn.role == "assistant"]
    assert (bench.turn(turn.item).text.raw, bench.turn(turn.item).status) == ("Hello", "done")


CALLED = Item(
    id="f1", type="function_call", name="weather", call_id="c1", arguments='{"city":"Oslo"}', status="completed"
)


def tools(bench):
    """The last of each row of a tool: what it says, and how it stands."""
    rows = {turn.item for turn in bench.shown(TurnOpened) if turn.role == "tool"}
    return [(turn.text.raw, turn.status) for row in sorted(rows) for turn in [bench.turn(row)]]


def test_a_call_without_the_name_of_an_item_is_shown_beside_the_answer():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    call = e.FunctionCallArgumentsDone(response_id="r1", name="phoneCall", arguments='{"n":1}')
    bench.says(created(), written("Hello", ""), call, done("r1"))
    assert tools(bench) == [('phoneCall {"n":1}', "done")]
    assert [turn.text.raw for turn in bench.shown(TurnSet)][-1] == "Hello"


def test_two_calls_without_names_are_two():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    calls = [e.FunctionCallArgumentsDone(response_id="r1", name=name, arguments="{}") for name in ("a", "b")]
    bench.says(created(), *calls, done("r1"))
    assert tools(bench) == [("a {}", "done"), ("b {}", "done")]


def test_a_call_in_pieces_without_the_name_of_an_item_is_one():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    pieces = [e.FunctionCallArgumentsDelta(response_id="r1", delta=piece) for piece in ('{"n"', ":1}")]
    whole_call = e.FunctionCallArgumentsDone(response_id="r1", name="phoneCall", arguments='{"n":1}')
    bench.says(created(), *pieces, whole_call, done("r1"))
    assert tools(bench) == [('phoneCall {"n":1}', "done")]


@pytest.mark.parametrize("item", [CALLED, replace(CALLED, id=None), replace(CALLED, status=None)])
def test_a_call_that_only_the_end_of_the_response_tells_is_shown(item):
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    end = e.ResponseDone(response=Response(id="r1", status="completed", output=(item,)))
    bench.says(created(), end, end)
    assert tools(bench) == [('weather {"city":"Oslo"}', "done")]


@pytest.mark.parametrize("spelling", list(Spelling))
@pytest.mark.parametrize("kind", ["text", "audio"])
def test_an_answer_that_only_the_end_of_the_response_tells_is_shown(spelling, kind):
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    part = ContentPart(kind, text="all of it") if kind == "text" else ContentPart(kind, transcript="all of it")
    end = e.ResponseDone(response=Response(id="r1", status="completed", output=(message("a1", part),)))
    bench.says(created(), decode_server(encode_server(end, spelling)))
    assert (bench.turn("a1").text.raw, bench.turn("a1").status) == ("all of it", "done")


def test_what_came_without_names_is_not_shown_again_at_the_end():
    bench = Bench(CHAT).ready()
    bench.types("hello", at=1.0)
    call = e.FunctionCallArgumentsDone(response_id="r1", name="weather", arguments='{"city":"Oslo"}')
    output = (message("a1", ContentPart("text", text="Hello")), CALLED)
    end = e.ResponseDone(response=Response(id="r1", status="completed", output=output))
    bench.says(created(), written("Hello", ""), call, end)
    assert len(bench.rows) == 3


def test_an_answer_that_was_stopped_shows_nothing_of_what_its_end_tells():
    bench = Bench().ready()
    bench.says(created(), started("u1"), at=1.0)
    bench.says(cancelled("r1", "a1"))
    assert "a1" not in bench.rows
