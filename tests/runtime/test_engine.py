"""The engine: order of what comes in, how effects go out, and what a bug of ours does."""

import base64
import json
import logging

import pytest
from runtime_fakes import PROFILE, Card, Script, Wire, ended, told

from voicecli.core.changes import Ended, Foreign, Interrupted, Told, TurnOpened
from voicecli.core.effects import (
    CloseSound,
    Connect,
    Hangup,
    Move,
    OpenSound,
    Play,
    Read,
    Send,
    SendAudio,
    Show,
)
from voicecli.core.stimuli import (
    Begin,
    Laid,
    LinkEnded,
    NotCarried,
    Opened,
    Pictured,
    Quit,
    Received,
    Tick,
    Typed,
)
from voicecli.ports import (
    PCM16,
    PEAK_SAMPLES,
    LinkFailure,
    MicBlock,
    Passed,
    Playhead,
    Side,
    Silent,
    SoundOpened,
    Span,
)
from voicecli.protocol.events import (
    AudioDelta,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    ResponseDone,
    SessionUpdate,
)
from voicecli.protocol.items import FORMATS, SessionConfig
from voicecli.runtime.engine import LAST, MOST, POLL_S, Engine

URL = "ws://127.0.0.1:1/v1/realtime"
GONE = LinkEnded(LinkFailure.DROPPED, None, "")
SPEAKER = SoundOpened(Side.SPEAKER, "card", 24000, 0.1)


class Bench:
    def __init__(self, answers=None, sound=True, **options):
        self.core = Script(answers)
        self.card = Card() if sound else None
        self.wire = Wire()
        self.shown = []
        self.log = []
        self.engine = Engine(
            self.core,
            self.card,
            self.wire,
            self.shown.append,
            log=lambda stimulus, at, effects: self.log.append((type(stimulus).__name__, at, len(effects))),
            **options,
        )

    def turn(self, at=0.0, *stimuli):
        for stimulus in stimuli:
            self.engine.give(stimulus)
        return self.engine.turn(at)


# ---- in


def test_sound_comes_first_then_the_link_then_the_person_then_the_clock():
    bench = Bench()
    bench.core.deadline = 5.0
    bench.engine.give(Typed("hello"))
    bench.engine.give_link(Opened(0.0))
    bench.card.coming.append(Passed((Span(0, 0, 10, 1.0),)))
    bench.engine.turn(5.0)
    assert bench.core.kinds == ["Passed", "Opened", "Typed", "Tick"]
    assert {at for _, at in bench.core.handled} == {5.0}


def test_spans_that_come_in_between_are_told_before_the_next_stimulus():
    bench = Bench({Opened: lambda _: bench.card.coming.append(Passed(())) or []})
    bench.engine.give_link(Opened(0.0))
    bench.turn(0.0, Typed("x"))
    assert bench.core.kinds == ["Opened", "Passed", "Typed"]


def test_all_effects_of_one_stimulus_are_carried_out_before_the_next_is_taken():
    seen = Bench({Typed: lambda stimulus: seen.shown.append(stimulus) or [told("1"), told("2")]})
    seen.turn(0.0, Typed("a"), Typed("b"))
    assert [type(one).__name__ for one in seen.shown] == ["Typed", "Told", "Told", "Typed", "Told", "Told"]


def test_what_is_given_from_inside_an_effect_waits_for_its_turn():
    bench = Bench({Begin: [Connect(PROFILE, URL), told("after")]})

    def refuse(url, headers):
        bench.engine.give_link(GONE)
        assert bench.core.kinds == ["Begin"]

    bench.wire.open = refuse
    assert bench.turn(1.0, Begin()) == 1.0, "it wants to be called again at once"
    assert [change.code for change in bench.shown] == ["after"]
    bench.engine.turn(1.0)
    assert bench.core.kinds == ["Begin", "LinkEnded"]


def test_a_flood_from_the_link_leaves_the_person_a_word_g12():
    bench = Bench()
    for _ in range(10 * MOST):
        bench.engine.give_link(Opened(0.0))
    bench.engine.give(Quit())
    assert bench.engine.turn(2.0) == 2.0
    assert bench.core.kinds == ["Opened"] * MOST + ["Quit"]


def test_a_tick_comes_at_the_deadline_and_not_before():
    bench = Bench()
    bench.core.deadline = 3.0
    assert bench.engine.turn(2.999) == 3.0
    assert bench.core.kinds == []
    bench.engine.turn(3.0)
    assert bench.core.kinds == ["Tick"]


def test_a_deadline_that_stays_behind_does_not_turn_into_a_busy_loop():
    bench = Bench()
    bench.core.deadline = 1.0
    assert bench.engine.turn(3.0) == pytest.approx(3.0 + POLL_S)
    assert bench.core.kinds == ["Tick"]


def test_without_deadline_and_sound_it_waits_for_what_comes():
    assert Bench().engine.turn(1.0) is None


def test_the_log_gets_every_stimulus_with_time_and_effects():
    bench = Bench({Begin: [told("a"), told("b")]})
    bench.core.deadline = 1.0
    bench.turn(1.5, Begin())
    assert bench.log == [("Begin", 1.5, 2), ("Tick", 1.5, 0)]


# ---- out


def test_the_core_says_whether_the_link_is_read_g13():
    bench = Bench({Quit: [Read(False), Read(True)]})
    bench.engine.give(Quit())
    bench.engine.turn(1.0)
    assert bench.wire.calls == [("read", False), ("read", True)]


def test_connect_opens_the_link_with_the_headers_of_the_profile():
    bench = Bench({Begin: [Connect(PROFILE, URL)]})
    bench.turn(0.0, Begin())
    assert bench.wire.calls == [("open", URL, (("X-Test", "1"),))]


def test_an_event_is_spelled_and_sent_and_microphone_sound_may_be_dropped():
    pcm = b"\1\2" * 480
    bench = Bench({Begin: [Connect(PROFILE, URL), Send(InputAudioBufferCommit()), SendAudio(pcm, PCM16)]})
    bench.turn(0.0, Begin())
    (_, sent), (_, audio, samples) = bench.wire.calls[1:]
    assert json.loads(sent)["type"] == "input_audio_buffer.commit"
    assert base64.b64decode(json.loads(audio)["audio"]) == pcm
    assert samples == 480


ULAW = FORMATS["g711_ulaw"]


def uploaded(bench):
    """Of each frame of sound: its bytes, and the samples it is counted for."""
    sounds = [call[1:] for call in bench.wire.calls if call[0] == "audio"]
    return [(base64.b64decode(json.loads(frame)["audio"]), samples) for frame, samples in sounds]


def test_g711_goes_out_as_one_stream_and_is_counted_in_samples_of_the_house():
    loud = (9000).to_bytes(2, "little") * 500
    effects = [SendAudio(loud[:962], ULAW), SendAudio(loud[:958], ULAW), SendAudio(b"\0\0", ULAW)]
    bench = Bench({Begin: [Connect(PROFILE, URL), *effects]})
    bench.turn(0.0, Begin())
    (one, counted), (two, more) = uploaded(bench)  # one sample is not worth a frame, and goes with the next ones
    assert (len(one), counted) == (160, 481)
    assert (len(two), more) == (160, 479)
    assert len({*two}) == 1, "the filter goes on where it was"


@pytest.mark.parametrize(
    "between", [Send(InputAudioBufferCommit()), Send(InputAudioBufferClear()), Connect(PROFILE, URL)]
)
def test_nothing_of_one_recording_or_connection_is_heard_in_the_next(between):
    loud, silence = SendAudio((9000).to_bytes(2, "little") * 482, ULAW), SendAudio(bytes(960), ULAW)
    bench = Bench({Begin: [Connect(PROFILE, URL), loud, between, silence]})
    bench.turn(0.0, Begin())
    assert uploaded(bench)[1] == (b"\xff" * 160, 480)


def test_g711_is_laid_with_exactly_the_counted_samples():
    effects = [Play(0, b"\xff" * 161, ULAW), Play(483, b"\xff" * 7, ULAW)]
    bench = Bench({Begin: effects})
    bench.turn(0.0, Begin())
    assert bench.card.calls == [("lay", bytes(2 * 483)), ("lay", bytes(2 * 21))]


def test_nothing_of_what_was_cut_is_heard_in_the_next_answer():
    effects = [Play(0, b"\x80" * 80, ULAW), Move(Playhead(1, 240, True)), Play(240, b"\xff" * 80, ULAW)]
    bench = Bench({Begin: effects})
    bench.turn(0.0, Begin())
    assert [call for call in bench.card.calls if call[0] == "lay"][1] == ("lay", bytes(480))


def test_what_a_spelling_cannot_carry_is_told_once_for_each_path():
    update = Send(SessionUpdate(session=SessionConfig(temperature=0.7)))
    bench = Bench({Begin: [Connect(PROFILE, URL), update, update]})
    bench.turn(0.0, Begin())
    told = [stimulus for stimulus, _ in bench.core.handled if isinstance(stimulus, NotCarried)]
    assert [one.path for one in told] == ["session.temperature"]
    assert told[0].value == "0.7"


def test_sound_of_an_answer_is_laid_and_its_levels_are_told_when_they_are_wanted():
    loud = (16384).to_bytes(2, "little", signed=True) * PEAK_SAMPLES + b"\0\0" * 10
    bench = Bench({Begin: [Play(0, loud, PCM16)]}, levels=True)
    bench.turn(0.0, Begin())
    assert bench.card.calls == [("lay", loud)]
    ((_, _), (laid, _)) = bench.core.handled
    assert laid == Laid(0, (pytest.approx(-6.02, abs=0.01), -100.0))


def test_levels_that_nobody_wants_are_not_told():
    bench = Bench({Begin: [Play(0, b"\1\0" * 100, PCM16)]})
    bench.turn(0.0, Begin())
    assert bench.core.kinds == ["Begin"]


def test_sound_that_is_laid_elsewhere_than_the_core_counted_is_a_bug():
    bench = Bench({Begin: [Play(0, b"\0\0" * 10, PCM16), Play(11, b"\0\0", PCM16)]})
    bench.turn(0.0, Begin())
    assert isinstance(bench.engine.failure, RuntimeError)


def test_sides_are_opened_and_closed_and_the_playhead_is_moved():
    head = Playhead(1, 0, True)
    bench = Bench({Begin: [OpenSound(Side.SPEAKER), Move(head), CloseSound(Side.SPEAKER)]})
    bench.turn(0.0, Begin())
    assert bench.card.calls == [("open", Side.SPEAKER), ("move", head), ("close", Side.SPEAKER)]


def test_without_sound_the_effects_of_sound_do_nothing():
    bench = Bench({Begin: [OpenSound(Side.SPEAKER), Play(0, b"\0\0", PCM16), Move(Playhead(1, 0, True))]}, sound=False)
    assert bench.turn(0.0, Begin()) is None
    assert bench.engine.failure is None


def test_while_something_plays_the_spans_are_fetched_every_ten_milliseconds():
    bench = Bench({Begin: [OpenSound(Side.SPEAKER), Play(0, b"\0\0" * 480, PCM16)]})
    bench.card.coming.append(SPEAKER)
    assert bench.turn(1.0, Begin()) == pytest.approx(1.0 + POLL_S)
    assert bench.engine.playing
    bench.card.coming.append(Passed((Span(0, 0, 240, 1.0),)))
    assert bench.engine.turn(1.01) == pytest.approx(1.02)
    bench.card.coming.append(Passed((Span(0, 240, 240, 1.01),)))
    assert bench.engine.turn(1.02) is None
    assert not bench.engine.playing


def test_a_playhead_that_stands_is_not_playing():
    bench = Bench({Begin: [Play(0, b"\0\0" * 480, PCM16), Move(Playhead(1, 0, False))]})
    bench.card.coming.append(SPEAKER)
    assert bench.turn(1.0, Begin()) == pytest.approx(1.0 + POLL_S), "until the device says that it is silent"
    bench.card.coming.append(Silent(1, 1.005))
    assert bench.engine.turn(1.01) is None


def test_a_span_of_an_old_run_does_not_end_the_fetching():
    bench = Bench({Begin: [Move(Playhead(1, 0, True)), Play(0, b"\0\0" * 480, PCM16)]})
    bench.card.coming.append(SPEAKER)
    bench.turn(1.0, Begin())
    bench.card.coming.append(Passed((Span(0, 0, 480, 1.0),)))
    assert bench.engine.turn(3.0) == pytest.approx(3.0 + POLL_S)


def test_a_device_that_never_says_it_is_silent_is_not_asked_for_ever():
    bench = Bench({Begin: [Move(Playhead(1, 0, False))]})
    bench.card.coming.append(SPEAKER)
    bench.turn(1.0, Begin())
    assert bench.engine.turn(5.0) is None


# ---- the end


def test_the_talk_is_done_when_it_has_ended_and_the_link_is_closed():
    bench = Bench({Begin: [Connect(PROFILE, URL)], Quit: [Hangup(1000), ended()]})
    bench.turn(0.0, Begin(), Quit())
    assert bench.engine.ended
    assert not bench.engine.done
    bench.engine.give_link(LinkEnded(LinkFailure.CLOSED, 1000, ""))
    bench.engine.turn(0.1)
    assert bench.engine.done
    assert [call for call in bench.wire.calls if call[0] == "close"] == [("close", 1000)]


def test_a_talk_that_never_connected_is_done_at_once():
    bench = Bench({Begin: [ended(3)]})
    bench.turn(0.0, Begin())
    assert bench.engine.done


def test_after_ended_nothing_reaches_the_core_or_the_face():
    bench = Bench({Begin: [ended(), told("late")], Typed: [told("later")]})
    bench.core.deadline = 0.0
    bench.turn(0.0, Begin(), Typed("x"))
    assert bench.turn(1.0, Typed("y")) is None
    assert bench.core.kinds == ["Begin"]
    assert [type(change) for change in bench.shown] == [Ended]


def test_what_the_core_left_open_is_closed_at_the_end():
    bench = Bench({Begin: [Connect(PROFILE, URL), OpenSound(Side.MICROPHONE), ended()]})
    bench.turn(0.0, Begin())
    bench.turn(0.1)
    assert bench.wire.calls[1:] == [("close", 1000)]
    assert bench.card.calls == [("open", Side.MICROPHONE), ("close", Side.MICROPHONE)]


# ---- bugs


def broken(_):
    raise ZeroDivisionError("a secret of the talk")


def test_a_bug_in_the_core_ends_the_talk_with_70_g15(caplog):
    turn = Show(TurnOpened(item="i", after=None, role="you", via="text", started=0.0))
    cut = Show(Interrupted(item="i", by="key", cut=(), removed=(), silent_ms=None))
    bench = Bench({Begin: [Connect(PROFILE, URL), OpenSound(Side.SPEAKER), turn, cut], Typed: broken})
    bench.turn(1.0, Begin())
    with caplog.at_level(logging.ERROR):
        bench.turn(4.0, Typed("x"), Typed("y"))
    *_, told, last = bench.shown
    assert isinstance(told, Told)
    assert told.code == "internal_error"
    assert told.detail == Foreign("ZeroDivisionError")
    assert last == Ended(exit_code=70, reason="error", seconds=3.0, turns=1, interruptions=1)
    assert bench.wire.calls[-1] == ("close", 1000)
    assert bench.card.calls[-1] == ("close", Side.SPEAKER)
    assert bench.core.kinds == ["Begin", "Typed"]
    assert isinstance(bench.engine.failure, ZeroDivisionError)
    assert "Begin Typed" in caplog.text
    bench.engine.give_link(GONE)
    bench.engine.turn(5.0)
    assert bench.engine.done


def test_a_bug_in_whoever_carries_out_an_effect_ends_the_talk_too():
    bench = Bench({Begin: [OpenSound(Side.SPEAKER)]})
    bench.card.open = broken
    bench.turn(0.0, Begin())
    assert bench.shown[-1].exit_code == 70


def test_a_face_that_raises_does_not_keep_link_and_sound_open():
    bench = Bench({Begin: [Connect(PROFILE, URL), OpenSound(Side.SPEAKER), told("x")]})
    bench.engine = Engine(bench.core, bench.card, bench.wire, broken)
    bench.turn(0.0, Begin())
    assert bench.wire.calls[-1] == ("close", 1000)
    assert bench.card.calls[-1] == ("close", Side.SPEAKER)


def test_a_bug_while_ending_is_kept_and_ended_is_shown_once():
    bench = Bench({Begin: [ended(), OpenSound(Side.SPEAKER)]})
    bench.card.open = broken
    bench.turn(0.0, Begin())
    assert [change.exit_code for change in bench.shown] == [0]
    assert bench.engine.failure is not None


def test_the_last_stimuli_are_kept_without_sound_and_without_long_frames():
    bench = Bench()
    bench.card.coming.append(MicBlock(b"\1\2" * 480, 1.0, -20.0))
    bench.engine.give_link(Received(AudioDelta(item_id="i", delta=b"\0\0"), 100))
    bench.engine.give_link(Received(ResponseDone(response={}), 100_000))
    bench.engine.give(Pictured(name="x.png", size="1x1", url="data:"))
    bench.engine.turn(2.0)
    (_, block), (_, delta), (_, long), (_, image) = bench.engine.last
    assert image == Pictured(name="x.png", size="1x1", url="")
    assert block == MicBlock(b"", 1.0, -20.0)
    assert (delta.event.type, delta.event.raw, delta.size) == ("AudioDelta", b"", 100)
    assert (long.event.type, long.event.raw, long.size) == ("ResponseDone", b"", 100_000)


def test_the_last_stimuli_are_bounded():
    bench = Bench()
    bench.core.deadline = 0.0
    for at in range(2 * LAST):
        bench.engine.turn(float(at))
    assert len(bench.engine.last) == LAST
    assert bench.engine.last[-1] == (2 * LAST - 1.0, Tick())
