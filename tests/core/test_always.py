"""What always holds: replays match, every talk ends once, no order of events raises or hangs, work stays flat."""

import sys

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
    message,
    sent,
    sound,
    started,
    stopped,
    whole,
    words,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from voicecli.core.changes import (
    Ended,
    TurnSet,
)
from voicecli.core.effects import Send
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import (
    Asked,
    AudioDropped,
    Begin,
    EchoSet,
    InputSpent,
    KeyboardSpent,
    LinkEnded,
    Opened,
    Quit,
    Received,
    TalkPressed,
    TalkReleased,
    Tick,
    Typed,
)
from voicecli.ports import (
    LinkFailure,
    MicBlock,
    Passed,
    Side,
    Silent,
    SoundClosed,
    SoundFailure,
    SoundOpened,
    Span,
    Stale,
)
from voicecli.protocol import events as e
from voicecli.protocol.items import (
    SessionConfig,
    TurnDetection,
)


def test_the_same_stimuli_at_the_same_times_give_the_same_effects():
    bench = Bench().ready()
    bench.types("hello", at=1.0)
    answer(bench, 1000, text="some words")
    bench.plays(0, 1000)
    bench.says(started(), at=1.5)
    bench.give(DROPPED, at=2.0)
    bench.asks("retry")
    again = VoiceSession(TALK)
    replayed = [effect for at, stimulus in bench.log for effect in again.handle(stimulus, at)]
    assert replayed == bench.effects


def test_nothing_follows_from_anything_after_the_end():
    bench = Bench().ready()
    bench.give(Quit())
    assert bench.session.deadline is None
    assert bench.session.ended
    assert bench.give(Typed("x"), DROPPED, Tick(), Quit(130), at=9.0) == []
    assert len(bench.shown(Ended)) == 1
    assert isinstance(bench.effects[-1].change, Ended)


RESPONSES, ITEMS, USERS = ["r1", "r2", ""], ["a1", "b1", "u1", ""], ["u1", "u2", ""]
response, item, user = st.sampled_from(RESPONSES), st.sampled_from(ITEMS), st.sampled_from(USERS)
previous = st.none() | item

SERVER = st.one_of(
    st.builds(created, response),
    st.builds(added, item, response),
    st.builds(words, st.sampled_from(["one ", "two ", ""]), item, response, st.integers(0, 1)),
    st.builds(written, st.sampled_from(["one ", "two "]), item, response, st.integers(0, 1)),
    st.builds(sound, st.sampled_from([0, 0.5, 20, 300]), item, response, st.integers(0, 1)),
    st.builds(
        e.AudioDelta,
        response_id=response,
        item_id=item,
        content_index=st.integers(0, 1),
        delta=st.binary(max_size=5),
    ),
    st.builds(whole, item, response, st.sampled_from(["completed", "incomplete"])),
    st.builds(
        done,
        response,
        item,
        status=st.sampled_from(["completed", "cancelled", "failed", "incomplete", "odd"]),
        reason=st.none() | st.sampled_from(["turn_detected", "max_output_tokens"]),
    ),
    st.builds(started, user, st.integers(0, 9)),
    st.builds(stopped, user, st.integers(0, 9)),
    st.builds(committed, user, previous),
    st.builds(heard_words, st.sampled_from(["yes", ""]), user),
    st.builds(e.TranscriptionDelta, item_id=user, delta=st.just("y")),
    st.builds(e.TranscriptionFailed, item_id=user),
    st.builds(
        e.ConversationItemAdded,
        item=st.builds(message, item, role=st.sampled_from(["user", "assistant", "system", "odd"])),
        previous_item_id=previous,
    ),
    st.builds(e.ConversationItemTruncated, item_id=item),
    st.builds(e.ConversationItemDeleted, item_id=item),
    st.builds(
        error,
        st.sampled_from(["no", "already has an active response", "no active response found"]),
        st.none() | st.sampled_from(["session_expired", "invalid_api_key"]),
        st.none() | st.integers(1, 30).map(lambda n: f"evt_voicecli_{n}"),
    ),
    st.just(e.SessionCreated(session=SessionConfig())),
    st.just(e.SessionUpdated(session=SessionConfig(turn_detection=TurnDetection(type="server_vad")))),
    st.builds(e.Unknown, st.sampled_from(["x", "y"]), st.just(b"")),
    st.builds(e.Malformed, st.sampled_from(["x", "y"]), st.just(b""), st.just("why")),
)
side = st.sampled_from(Side)
STIMULI = st.one_of(
    SERVER.map(lambda event: Received(event, 10)),
    SERVER.map(lambda event: Received(event, 10)),
    SERVER.map(lambda event: Received(event, 10)),
    st.just(Opened(1.8e9)),
    st.builds(LinkEnded, st.sampled_from(LinkFailure), st.sampled_from([None, 1001, 4000]), st.just("")),
    st.builds(AudioDropped, st.integers(1, 1000)),
    st.builds(Typed, st.just("text")),
    st.just(KeyboardSpent()),
    st.builds(Asked, st.sampled_from(["interrupt", "mute", "unmute", "retry", "talk", "answer"])),
    st.builds(TalkPressed, st.sampled_from([0.0, 0.3, 20.0]), st.booleans()),
    st.builds(TalkReleased, st.sampled_from([0.0, 0.4, 20.0])),
    st.builds(EchoSet, st.sampled_from(["off", "half-duplex"])),
    st.builds(MicBlock, st.just(bytes(960)), st.sampled_from([0.0, 0.02, 0.3, 20.0])),
    st.builds(SoundOpened, side, st.just("card"), st.just(24000), st.just(0.02)),
    st.builds(SoundClosed, side),
    st.builds(failed, side, st.sampled_from(SoundFailure)),
    st.builds(Silent, st.integers(0, 3), st.just(0.0)),
    st.builds(Stale, st.just(1), st.sampled_from([2.0, 50.0])),
    st.just(InputSpent()),
    st.integers(0, 9).map(lambda n: ("plays", n)),
)
QUIET = replace(TALK.session, turn_detection=None)
KEYED = replace(TALK, ptt=True, session=QUIET)
PLANS = st.sampled_from(
    [
        *(TALK, CHAT, PIPE, WAV, replace(TALK, echo="half-duplex", keyboard="pipe", levels=True)),
        *(KEYED, replace(KEYED, auto_answer=False, keyboard="pipe"), replace(WAV, ptt=True, session=QUIET)),
    ]
)


@settings(max_examples=300, deadline=None)
@given(PLANS, st.booleans(), st.lists(st.tuples(STIMULI, st.sampled_from([0.0, 0.05, 0.4, 11.0])), max_size=40))
def test_whatever_happens_in_whatever_order_the_core_neither_raises_nor_hangs(plan, ready, happened):
    bench = Bench(plan)
    if ready:
        bench.ready()
    else:
        bench.dialled()
    for stimulus, wait in happened:
        if isinstance(stimulus, tuple):
            position = min(bench.laid, stimulus[1] * 1000)
            stimulus = Passed((Span(bench.run, position, bench.laid - position, bench.at),))
        bench.give(stimulus, at=bench.at + wait)
    # Everything that can end now does: no input, no link, time.
    bench.until(bench.at + 100)
    bench.give(KeyboardSpent(), InputSpent(), failed(Side.MICROPHONE, SoundFailure.LOST))
    bench.give(failed(Side.SPEAKER, SoundFailure.LOST))
    bench.give(LinkEnded(LinkFailure.DROPPED, None, ""), at=bench.at + 1)
    bench.until(bench.at + 100)
    assert bench.ended is not None, "a finite talk ends"
    assert isinstance(bench.effects[-1].change, Ended)
    assert len(bench.shown(Ended)) == 1
    assert len(set(bench.rows)) == len(bench.rows), "one row for an item"
    assert {turn.item for turn in bench.shown(TurnSet)} <= set(bench.rows)
    last = {turn.item: turn for turn in bench.shown(TurnSet)}
    assert all(item in last and last[item].ended is not None for item in bench.rows), "every row ends"
    ids = [effect.event.event_id for effect in bench.effects if isinstance(effect, Send)]
    assert len(set(ids)) == len(ids)
    cuts = [event.item_id for event in sent(bench.effects) if isinstance(event, e.ConversationItemTruncate)]
    assert all(cuts.count(name) <= 1 + bench.session.talk.connections for name in cuts)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([TALK, CHAT, PIPE, replace(TALK, keyboard="pipe", echo="half-duplex"), KEYED]),
    st.lists(st.tuples(STIMULI, st.sampled_from([0.0, 0.05, 0.4, 11.0])), max_size=40),
)
def test_every_text_that_was_typed_is_sent_and_an_answer_is_asked_for_after_it(plan, happened):
    """Whatever the link and the server did before; what the server refuses in so many words is another matter."""
    bench = Bench(plan).ready()
    typed = 0
    for stimulus, wait in happened:
        if isinstance(stimulus, tuple | LinkEnded | KeyboardSpent | InputSpent):
            continue
        if isinstance(stimulus, Received) and isinstance(stimulus.event, e.ServerError):
            continue
        if isinstance(stimulus, Typed):
            typed += 1
            stimulus = Typed(f"text {typed}")
        bench.give(stimulus, at=bench.at + wait)
        if wait == 11.0 and bench.phase != "not_connected":
            bench.give(DROPPED)
            if plan.keyboard != "terminal" and bench.ended is None:
                bench.until(bench.at + 100)
            if bench.ended is not None:
                return  # finite input without a link
            bench.asks("retry")
            bench.ready(bench.at)
    bench.give(failed(Side.SPEAKER, SoundFailure.LOST))
    bench.says(stopped(""))
    if bench.session.talk.uplink.recording:
        bench.asks("interrupt")
    bench.until(bench.at + 100 * (typed + 1))
    sent_now = [frame for frame in frames(bench.effects) if frame == "create" or frame[0] == "item"]
    texts = [frame[1] for frame in sent_now if frame != "create"]
    assert list(dict.fromkeys(texts)) == [f"text {n + 1}" for n in range(typed)]
    if typed:
        assert sent_now[-1] == "create"
    assert not bench.session.talk.texts


def test_work_for_a_stimulus_does_not_grow_with_the_turns():
    """Counted in calls, not in seconds."""

    def calls(bench: Bench) -> int:
        count = 0

        def tracer(frame, kind, arg):
            nonlocal count
            count += kind == "call"

        n = len(bench.rows)
        sys.setprofile(tracer)
        try:
            bench.says(created(f"r{n}"), added(f"a{n}", f"r{n}"), words("hi", f"a{n}", f"r{n}"))
            bench.says(sound(20, f"a{n}", f"r{n}"), whole(f"a{n}", f"r{n}"), done(f"r{n}", f"a{n}"))
        finally:
            sys.setprofile(None)
        bench.plays(bench.laid // 24 - 20, 20)
        bench.until(bench.at + 0.1)
        return count

    bench = Bench().ready()
    few = max(calls(bench) for _ in range(5))
    for n in range(500):
        answer(bench, 20, f"x{n}", f"y{n}")
        bench.plays(bench.laid // 24 - 20, 20)
        bench.until(bench.at + 0.1)
    bench.effects.clear()
    assert max(calls(bench) for _ in range(5)) <= few * 1.2


def test_begin_dials_and_opens_the_devices():
    effects = Bench().give(Begin())
    kinds = [type(effect).__name__ for effect in effects]
    assert kinds.count("Connect") == 1
    assert kinds.count("OpenSound") == 2
