"""Push-to-talk: press, tap, hold, release, and what leaves for it, in order; answers only when they are asked for."""

import pytest
from core_talk import (
    DROPPED,
    MS,
    TALK,
    Bench,
    added,
    answer,
    cancelled,
    codes,
    committed,
    created,
    done,
    error,
    failed,
    frames,
    heard_words,
    sent,
    sound,
    uploaded,
    whole,
)
from msgspec.structs import replace

from voicecli.core.changes import PhaseNow, TurnOpened, TurnSet
from voicecli.core.effects import CloseSound, Move, OpenSound, Send, SendAudio
from voicecli.core.pending import Kind
from voicecli.core.plan import Plan
from voicecli.core.stimuli import AudioDropped, InputSpent, KeyboardSpent, Quit, TalkPressed, TalkReleased, Typed
from voicecli.core.uplink import Gate
from voicecli.ports import RATE, MicBlock, Side, SoundFailure, SoundOpened, Stale
from voicecli.protocol import events as e
from voicecli.protocol.items import SessionConfig, TurnDetection

PTT = replace(TALK, ptt=True, session=replace(TALK.session, turn_detection=None))
ASKED_ONLY = replace(PTT, auto_answer=False)
FILE = replace(PTT, microphone="file", keyboard="none")


class Keyed(Bench):
    """A talk whose microphone records without a gap: every millisecond has its own number as its samples."""

    def __init__(self, plan: Plan = PTT) -> None:
        super().__init__(plan)
        self.recorded: float | None = None
        """Up to when the microphone has given what it recorded."""

    def goes_on(self, to: float, block_ms: int = 20):
        """The microphone records until then."""
        given = []
        self.recorded = round(self.at, 3) if self.recorded is None else self.recorded
        while self.recorded + block_ms / 1000 <= to + 1e-9:
            start = round(self.recorded * 1000)
            pcm = b"".join((start + n).to_bytes(3, "little")[:2] * MS for n in range(block_ms))
            block = MicBlock(pcm, self.recorded)
            self.recorded = round(self.recorded + block_ms / 1000, 3)
            given += self.give(block, at=max(self.at, self.recorded))
        return given

    def presses(self, at: float | None = None, releases_seen: bool = True):
        self.until(self.at if at is None else at)
        return self.give(TalkPressed(self.at, releases_seen), at=self.at)

    def releases(self, at: float | None = None):
        self.until(self.at if at is None else at)
        return self.give(TalkReleased(self.at), at=self.at)

    @property
    def gate(self) -> Gate:
        return self.session.talk.uplink.gate

    @property
    def state(self) -> tuple[str, str]:
        phase = self.shown(PhaseNow)[-1]
        return phase.phase, phase.detail


def talk(plan: Plan = PTT) -> Keyed:
    bench = Keyed(plan)
    bench.ready()
    return bench


def times(effects) -> list[int]:
    """When what leaves was recorded, in milliseconds."""
    pcm = uploaded(effects)
    assert len(pcm) % (2 * MS) == 0
    return [int.from_bytes(pcm[n : n + 2], "little") for n in range(0, len(pcm), 2 * MS)]


def wire(effects) -> list[str]:
    """What leaves, by kind; neighbouring sound is one."""
    kinds: list[str] = []
    for effect in effects:
        if isinstance(effect, SendAudio):
            kind = "append"
        elif isinstance(effect, Send):
            kind = type(effect.event).__name__
        else:
            continue
        if kinds[-1:] != ["append"] or kind != "append":
            kinds.append(kind)
    return kinds


def ms(start: float, end: float) -> list[int]:
    return list(range(round(start * 1000), round(end * 1000)))


# ---- holding


def test_a_hold_sends_from_300_ms_before_the_press_to_the_release_then_commits_and_asks():
    bench = talk()
    assert uploaded(bench.goes_on(2.0)) == b""
    given = bench.presses()
    given += bench.goes_on(3.0)
    assert times(given) == ms(1.7, 3.0)
    assert wire(given) == ["append"]
    given = bench.releases(3.005)
    assert wire(given) == []
    given = bench.goes_on(3.5)
    assert times(given) == ms(3.0, 3.005)
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]
    assert bench.phase == "thinking"


def test_the_last_word_is_waited_for_until_the_block_with_the_release_is_there():
    """Field-notes: a release in the middle of a block."""
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(1.5)
    bench.releases(1.55)  # the device is 60 ms behind
    assert bench.gate is Gate.RELEASED
    given = [*bench.give(MicBlock(b"\x01\x00" * 20 * MS, 1.5)), *bench.give(MicBlock(b"\x01\x00" * 20 * MS, 1.52))]
    assert wire(given) == ["append"]
    given = bench.give(MicBlock(b"\x01\x00" * 20 * MS, 1.54))
    assert len(uploaded(given)) == 2 * 10 * MS
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]


def test_the_commit_waits_no_longer_than_150_ms():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(1.5)
    bench.releases(1.6)
    assert wire(bench.until(1.749)) == []
    assert wire(bench.until(1.7501)) == ["InputAudioBufferCommit", "ResponseCreate"]
    assert uploaded(bench.give(MicBlock(b"\x01\x00" * 20 * MS, 1.58), at=1.8)) == b"", "it is too late now"


def test_a_release_behind_which_sound_has_come_already_commits_at_once():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(1.5)
    given = bench.give(TalkReleased(1.49))
    assert wire(given) == ["InputAudioBufferCommit", "ResponseCreate"]


def test_a_press_that_gets_here_late_takes_what_was_said_since():
    bench = talk()
    bench.goes_on(2.0)
    given = bench.give(TalkPressed(1.9, True))
    assert times(given) == ms(1.6, 2.0)
    assert bench.session.talk.recorder.samples == 100 * MS


def test_nothing_leaves_between_two_presses_and_nothing_twice():
    bench = talk()
    given = bench.goes_on(1.0) + bench.presses() + bench.goes_on(1.4) + bench.releases() + bench.goes_on(1.6)
    assert times(given) == ms(0.7, 1.4)
    bench.says(committed(), created(), done())
    given = bench.presses() + bench.goes_on(1.8)
    assert times(given) == ms(1.4, 1.8), "not what the first had"


def test_a_release_that_was_none_goes_on():
    """Some keyboards repeat by letting go and pressing again."""
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(1.5)
    bench.releases(1.5049)
    bench.presses(1.505)
    assert bench.gate is Gate.HELD
    given = bench.goes_on(2.0) + bench.releases() + bench.goes_on(2.2)
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]
    assert times(bench.effects) == ms(0.7, 2.0)


def test_a_press_while_it_is_held_changes_nothing():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(1.2)
    assert bench.presses() == []
    assert bench.gate is Gate.HELD


# ---- tapping, and terminals that tell no releases


def test_a_tap_latches_and_the_next_press_sends():
    """Field-notes: a press of 80 ms where releases are seen latches, recording goes on, and it is shown."""
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    assert bench.state == ("recording", "held")
    bench.goes_on(1.08)
    bench.releases()
    assert bench.state == ("recording", "latched")
    given = bench.goes_on(2.0) + bench.presses() + bench.releases(2.1) + bench.goes_on(2.4)
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]
    assert times(bench.effects) == ms(0.7, 2.0)
    assert bench.gate is Gate.KEY_UP, "the release of the press that sends means nothing"


@pytest.mark.parametrize(("held_s", "gate"), [(0.299, Gate.LATCHED), (0.3, Gate.RELEASED)])
def test_a_tap_is_shorter_than_300_ms(held_s, gate):
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.give(TalkReleased(1.0 + held_s), at=1.0 + held_s)
    assert bench.gate is gate


def test_a_key_without_releases_toggles_and_its_repetitions_change_nothing():
    """Field-notes: held with a first repeat gap of 500 ms and no release reports, one toggle, not two."""
    bench = talk()
    bench.goes_on(1.0)
    bench.presses(releases_seen=False)
    assert bench.state == ("recording", "latched")
    for n in range(30):
        assert wire(bench.presses(1.5 + n * 0.033, releases_seen=False)) == []
    assert bench.gate is Gate.LATCHED
    bench.goes_on(3.5)
    given = bench.presses(releases_seen=False)
    assert wire(given) == ["InputAudioBufferCommit", "ResponseCreate"]
    for n in range(30):
        assert bench.presses(4.0 + n * 0.033, releases_seen=False) == [], "and the press that ends is one as well"
    assert bench.gate is Gate.KEY_UP


def test_the_command_toggles_however_soon_it_comes_again():
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(1.2)
    given = bench.asks("talk")
    assert wire(given) == ["InputAudioBufferCommit", "ResponseCreate"]
    assert bench.gate is Gate.KEY_UP


def test_a_command_ends_what_a_key_holds_and_begins_what_is_not_over():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(1.2)
    bench.asks("talk", at=1.21)
    assert bench.gate is Gate.RELEASED
    bench.asks("talk", at=1.215)
    assert bench.gate is Gate.LATCHED


def test_without_push_to_talk_the_key_says_so():
    bench = Bench().ready()
    assert codes(bench.asks("talk")) == ["hands_free"]
    assert codes(bench.give(TalkPressed(bench.at, True), TalkReleased(bench.at))) == ["hands_free"]
    assert uploaded(bench.records()) != b""


# ---- too short, too long, thrown away


def test_less_than_100_ms_creates_nothing_whatever_was_before_the_press():
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(1.08)
    given = bench.asks("talk")
    assert wire(given) == ["InputAudioBufferClear"]
    assert codes(given) == ["too_short"]
    assert len(times(bench.effects)) == 380
    bench.says(e.InputAudioBufferCleared())
    assert len(bench.session.talk.pending) == 0
    assert bench.phase == "press_to_talk"


def test_100_ms_are_enough():
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(1.1)
    assert wire(bench.asks("talk")) == ["InputAudioBufferCommit", "ResponseCreate"]


def test_sound_that_was_dropped_on_its_way_does_not_count():
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(1.5)
    bench.give(AudioDropped(12_000))
    assert wire(bench.asks("talk")) == ["InputAudioBufferClear"]


def filled() -> Keyed:
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(121.5, block_ms=500)
    return bench


def test_after_two_minutes_the_microphone_is_off_and_it_is_told_what_can_be_done():
    bench = filled()
    assert len(uploaded(bench.effects)) == 2 * RATE * 120 + 2 * 300 * MS
    assert bench.phase == "recording_full"
    assert bench.codes() == ["recording_full"]
    assert CloseSound(Side.MICROPHONE) in bench.effects
    assert "InputAudioBufferCommit" not in wire(bench.effects)
    assert uploaded(bench.records()) == b""
    assert bench.releases() == [], "letting go sends nothing"


@pytest.mark.parametrize("how", ["key", "key without releases", "command"])
def test_a_full_recording_is_sent_by_the_next_press(how):
    bench = filled()
    given = bench.asks("talk") if how == "command" else bench.presses(releases_seen=how == "key")
    assert wire(given) == ["InputAudioBufferCommit", "ResponseCreate"]
    assert OpenSound(Side.MICROPHONE) in given
    bench.give(SoundOpened(Side.MICROPHONE, "card", RATE, 0.02))
    bench.goes_on(123.0)
    given = bench.presses()
    assert uploaded(given), "and there is a microphone again"


def test_a_full_recording_is_thrown_away_by_interrupt():
    bench = filled()
    given = bench.asks("interrupt")
    assert wire(given) == ["InputAudioBufferClear"]
    assert codes(given) == ["thrown_away"]
    assert OpenSound(Side.MICROPHONE) in given
    assert bench.phase == "press_to_talk"


def test_a_microphone_that_gives_nothing_makes_no_recording_that_never_ends():
    bench = talk()
    bench.presses()
    bench.until(200.0)
    assert bench.phase == "recording_full"
    assert wire(bench.asks("talk")) == ["InputAudioBufferClear"]


@pytest.mark.parametrize("gate", [Gate.HELD, Gate.LATCHED, Gate.RELEASED])
def test_interrupt_throws_away_what_is_recorded_and_the_next_press_begins_anew(gate):
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    if gate is Gate.LATCHED:
        bench.releases(1.1)
    bench.goes_on(2.0)
    if gate is Gate.RELEASED:
        bench.releases(2.01)
    assert bench.gate is gate
    given = bench.asks("interrupt")
    assert wire(given) == ["InputAudioBufferClear"]
    assert codes(given) == ["thrown_away"]
    given = bench.goes_on(3.0) + bench.releases()
    assert wire(given) == []
    assert times(bench.presses()) == ms(2.7, 3.0)
    assert codes(bench.asks("interrupt")) == ["thrown_away"]
    assert codes(bench.asks("interrupt")) == ["nothing_to_stop"]


@pytest.mark.parametrize("exit_code", [0, 130, 143])
def test_a_talk_that_ends_while_something_is_recorded_says_that_it_was_not_sent(exit_code: int):
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    assert codes(bench.give(Quit(exit_code))) == ["recording_unsent"]


def test_a_talk_that_ends_with_nothing_recorded_says_nothing_of_it():
    bench = talk()
    bench.goes_on(1.0)
    assert codes(bench.give(Quit())) == []


# ---- the press stops the answer


def speaking(plan: Plan = PTT, over: bool = False) -> Keyed:
    bench = talk(plan)
    bench.goes_on(1.0)
    bench.types("hello")
    bench.says(created(), added(), sound(1000))
    if over:
        bench.says(whole(), done("r1", "a1"))
    bench.plays(0, 1000)
    return bench


def test_a_press_stops_the_answer_at_what_was_heard_before_anything_is_sent():
    """Protocol 4.13: cancel, truncate, append, commit, create; the create waits for the end of the cancelled one."""
    bench = speaking()
    bench.goes_on(1.4)
    given = bench.presses()
    assert wire(given) == ["ResponseCancel", "ConversationItemTruncate", "append"]
    assert frames(given) == [("cancel", "r1"), ("truncate", "a1", 400)]
    assert any(isinstance(effect, Move) for effect in given)
    given = bench.goes_on(2.0) + bench.releases()
    assert wire(given) == ["append", "InputAudioBufferCommit"]
    assert bench.phase == "thinking"
    assert wire(bench.says(cancelled("r1", "a1", reason="client_cancelled"))) == ["ResponseCreate"]
    bench.until(5.0)
    assert bench.interrupted.by == "key"
    assert "ResponseCreate" not in wire(bench.says(committed(), created("r2")))


def test_a_press_stops_an_answer_whose_generation_is_over_without_a_cancel():
    bench = speaking(over=True)
    bench.goes_on(1.4)
    given = bench.presses()
    assert wire(given) == ["ConversationItemTruncate", "append"]
    given = bench.goes_on(2.0) + bench.releases()
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]


def test_the_command_is_told_as_a_command():
    bench = speaking()
    bench.goes_on(1.4)
    bench.asks("talk")
    bench.until(3.0)
    assert bench.interrupted.by == "command"


def test_a_press_before_the_answer_has_an_id_cancels_it_when_it_has_one():
    bench = talk()
    bench.goes_on(1.0)
    bench.types("hello")
    given = bench.presses()
    assert "ResponseCancel" not in wire(given)
    assert frames(bench.says(created())) == [("cancel", "r1")]
    given = bench.goes_on(2.0) + bench.releases()
    assert "ResponseCreate" not in wire(given)
    assert frames(bench.says(cancelled())) == ["create"]


def test_no_answer_begins_while_somebody_talks_and_one_answers_all():
    bench = talk()
    bench.goes_on(1.0)
    bench.types("hello")
    bench.says(created())
    bench.types("and this", at=1.1)  # its answer waits for the end of the first
    bench.presses()
    given = bench.says(cancelled()) + bench.goes_on(1.5) + bench.types("more") + bench.goes_on(2.0)
    assert frames(given) == [("item", "more")]
    bench.until(60.0)
    assert "no_answer" not in bench.codes()
    bench.recorded = 60.0
    given = bench.goes_on(60.1) + bench.releases()
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]
    assert frames(bench.says(committed(), created("r2"), done("r2"))) == []


@pytest.mark.parametrize("how", ["thrown away", "too short", "muted"])
def test_an_answer_that_waited_for_the_recording_comes_when_nothing_comes_of_it(how):
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.types("hello")
    assert frames(bench.effects) == ["update", ("item", "hello")]
    what = {"thrown away": "interrupt", "too short": "talk", "muted": "mute"}[how]
    assert wire(bench.asks(what)) == ["InputAudioBufferClear", "ResponseCreate"]


# ---- muted, not ready, without a microphone


def test_pressed_while_muted_stops_the_answer_says_so_and_records_nothing():
    bench = speaking()
    bench.asks("mute")
    bench.until(1.4)
    given = bench.presses() + bench.records() + bench.releases(2.0)
    assert frames(given) == [("cancel", "r1"), ("truncate", "a1", 400)]
    assert codes(given) == ["pressed_muted"]
    assert uploaded(given) == b""
    assert wire(bench.until(5.0)) == []


def test_nothing_from_while_it_was_muted_is_in_a_preroll():
    """G28: mute forgets what was kept, and nothing is kept while it lasts."""
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("mute")
    bench.goes_on(1.1)
    bench.asks("unmute")
    bench.goes_on(1.2)
    assert times(bench.presses()) == ms(1.1, 1.2)


def test_nothing_from_before_it_was_muted_is_in_a_preroll():
    """G28: a stream that is closed gives no blocks, so forgetting must not wait for one."""
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("mute")
    bench.asks("unmute", at=1.05)
    bench.recorded = 1.05
    bench.goes_on(1.15)
    assert times(bench.presses()) == ms(1.05, 1.15)


def test_muted_while_recording_throws_it_away():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    given = bench.asks("mute")
    assert wire(given) == ["InputAudioBufferClear"]
    assert codes(given) == ["thrown_away"]
    assert bench.phase == "muted"
    assert CloseSound(Side.MICROPHONE) in given
    given = bench.goes_on(2.1) + bench.releases() + bench.until(4.0)
    assert wire(given) == []


def test_a_long_sleep_throws_away_what_was_recorded_g27():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    given = bench.give(Stale(3, 31.0))
    assert wire(given) == ["InputAudioBufferClear"]
    assert codes(given) == ["thrown_away", "muted_after_sleep"]


def test_pressed_before_the_link_is_ready_says_so_and_records_nothing():
    bench = Keyed().dialled()
    given = bench.presses() + bench.records() + bench.releases()
    assert codes(given) == ["pressed_unready"]
    bench.ready(0.5)
    bench.recorded = 0.5
    given = bench.goes_on(1.0)
    assert wire(bench.effects) == ["SessionUpdate"]
    assert times(bench.presses()) == ms(0.7, 1.0)


def test_nothing_from_before_the_link_was_ready_is_in_a_preroll():
    bench = Keyed().dialled()
    bench.goes_on(0.1)
    bench.ready(0.1)
    bench.goes_on(0.2)
    assert times(bench.presses()) == ms(0.1, 0.2)


def test_a_press_stops_the_answer_of_a_lost_link_that_still_plays():
    bench = talk()
    bench.until(1.0)
    answer(bench, 3000)
    bench.plays(0, 3000)
    bench.give(DROPPED, at=1.2)
    given = bench.presses(1.5)
    assert [effect for effect in given if isinstance(effect, Move)]
    assert sent(given) == []
    assert (bench.turn("a1").status, bench.turn("a1").heard_ms) == ("interrupted", 500)
    assert codes(given) == ["pressed_unready"]


def test_a_link_that_is_lost_takes_the_recording_with_it():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    given = bench.give(DROPPED)
    assert codes(given) == ["recording_lost", "dropped"]
    bench.asks("retry", at=2.1)
    bench.ready(2.5)
    bench.recorded = 2.5
    given = bench.goes_on(2.6) + bench.releases() + bench.presses()
    assert times(given) == ms(2.5, 2.6), "no sound of the old connection goes to the new one"
    assert len(sent(given)) == 0


def test_pressed_without_a_working_microphone_says_so():
    bench = talk()
    bench.give(failed(Side.MICROPHONE, SoundFailure.LOST))
    assert codes(bench.presses()) == ["pressed_without_microphone"]
    bench = Keyed(replace(PTT, microphone="none"))
    bench.ready()
    assert codes(bench.presses()) == ["no_microphone_here"]


@pytest.mark.parametrize("tapped", [False, True])
def test_what_was_said_until_the_microphone_was_lost_is_said(tapped):
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    if tapped:
        bench.releases(1.1)
    bench.goes_on(2.0)
    given = bench.give(failed(Side.MICROPHONE, SoundFailure.LOST))
    assert wire(given) == ["InputAudioBufferCommit", "ResponseCreate"]
    assert bench.releases() == []
    assert OpenSound(Side.MICROPHONE) not in given


def test_half_duplex_keeps_nothing_of_the_assistant_for_the_preroll():
    bench = speaking(replace(PTT, echo="half-duplex"), over=True)
    bench.goes_on(1.5)
    given = bench.presses() + bench.goes_on(1.6)
    assert times(given) == ms(1.5, 1.6)


# ---- the turn


def test_no_turn_detection_is_asked_for_and_nothing_but_commit_and_clear_follow():
    bench = talk()
    (update,) = bench.sent()
    assert update.session.turn_detection is None


def test_the_turn_opens_when_it_is_taken_and_knows_how_long_it_was():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.5)
    bench.releases()
    assert len(bench.session.talk.pending) == 2
    bench.says(committed())
    assert bench.session.talk.pending.kinds() == (Kind.RESPONSE,)
    assert bench.shown(TurnOpened)[-1].via == "voice"
    bench.says(heard_words("hello there"))
    assert bench.turn("u1").text.raw == "hello there"
    assert bench.turn("u1").received_ms == 1500


@pytest.mark.parametrize("late", [False, True])
def test_words_that_come_late_or_fail_are_the_turns_own(late):
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    bench.releases()
    bench.says(committed(), created(), added("a1"), sound(100), whole(), done("r1", "a1"))
    assert bench.rows == ["u1", "a1"]
    if late:
        bench.says(heard_words("hello"), at=4.0)
        assert bench.turn("u1").text.raw == "hello"
    else:
        bench.says(e.TranscriptionFailed(item_id="u1"), at=4.0)
        assert bench.turn("u1").status == "failed"
    assert bench.shown(TurnSet)[-1].item in ("u1", "a1")


def test_a_commit_that_is_refused_is_told_though_the_same_words_are_quiet_with_a_vad():
    bench = talk()
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    given = bench.releases()
    (commit, _) = sent(given)
    given = bench.says(error("buffer too small", "input_audio_buffer_commit_empty", commit.event_id))
    assert len(codes(given)) == 1, "nobody else would say that it was not taken"
    bench.says(created(), done())
    bench.presses(2.2)
    bench.recorded = 2.2
    bench.goes_on(2.5)
    bench.releases(2.5001)
    bench.until(3.0)
    bench.says(committed("u2"), heard_words("yes", "u2"))
    assert bench.turn("u2").received_ms == 300, "not that of the refused one"


# ---- answers that are asked for


def test_without_auto_response_a_recording_is_committed_and_nothing_is_asked():
    bench = talk(ASKED_ONLY)
    bench.goes_on(1.0)
    bench.presses()
    bench.goes_on(2.0)
    assert wire(bench.releases()) == ["InputAudioBufferCommit"]
    bench.says(committed())
    assert bench.phase == "press_to_talk"
    assert wire(bench.asks("answer")) == ["ResponseCreate"]
    assert codes(bench.asks("answer")) == ["answering_already"]
    bench.says(created(), done())
    assert wire(bench.asks("answer")) == ["ResponseCreate"]


def test_without_auto_response_the_servers_vad_does_not_make_an_answer_expected():
    quiet = replace(TALK.session, turn_detection=TurnDetection(type="server_vad", create_response=False))
    bench = Bench(replace(TALK, session=quiet, auto_answer=False)).ready()
    bench.says(e.SpeechStarted(item_id="u1"), e.SpeechStopped(item_id="u1"), committed())
    assert bench.phase == "listening"
    assert frames(bench.asks("answer")) == ["create"]
    assert bench.phase == "thinking"


def test_typed_texts_are_answered_without_auto_response_too():
    bench = talk(ASKED_ONLY)
    assert frames(bench.types("hello")) == [("item", "hello"), "create"]


def test_an_answer_that_is_asked_for_without_a_link_is_told():
    bench = talk()
    bench.give(DROPPED)
    assert codes(bench.asks("answer")) == ["ask_unready"]


def test_an_answer_that_is_asked_for_while_somebody_talks_waits_for_it():
    bench = talk(ASKED_ONLY)
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(1.5)
    assert wire(bench.asks("answer")) == []
    assert wire(bench.asks("talk")) == ["InputAudioBufferCommit", "ResponseCreate"]


# ---- the end


def test_a_file_speaks_as_one_press_and_the_talk_ends_when_it_is_answered():
    bench = Keyed(FILE)
    bench.ready()
    assert bench.state == ("recording", "latched"), "nobody holds a key that could be let go"
    given = bench.goes_on(1.1) + bench.give(InputSpent())
    assert times(given) == ms(0.1, 1.1)
    assert wire(given) == ["append", "InputAudioBufferCommit", "ResponseCreate"]
    assert uploaded(bench.goes_on(1.5)) == b"", "the silence behind a file is nothing to say"
    answer(bench, 500)
    bench.plays(0, 500)
    bench.until(10.0)
    assert bench.ended
    assert (bench.ended.exit_code, bench.ended.reason) == (0, "done")


def test_a_file_that_has_said_all_leaves_only_the_keyboard_to_wait_for():
    bench = Keyed(replace(FILE, keyboard="terminal"))
    bench.ready()
    bench.goes_on(1.1)
    bench.give(InputSpent())
    answer(bench, 500)
    bench.plays(0, 500)
    bench.until(10.0)
    assert bench.state == ("waiting_for_you_to_type", "")


def test_a_file_may_be_longer_than_two_minutes():
    bench = Keyed(FILE)
    bench.ready()
    bench.goes_on(150.1, block_ms=1000)
    assert bench.phase == "recording"
    assert wire(bench.give(InputSpent())) == ["InputAudioBufferCommit", "ResponseCreate"]
    assert len(uploaded(bench.effects)) == 2 * RATE * 150


def test_a_file_that_is_not_answered_by_itself_ends_when_it_was_taken_and_written_down():
    bench = Keyed(replace(FILE, auto_answer=False))
    bench.ready()
    bench.goes_on(1.1)
    bench.give(InputSpent())
    bench.says(committed(), at=1.6)
    bench.says(heard_words("hello"), at=2.4)
    bench.until(10.0)
    assert bench.ended
    assert (bench.ended.exit_code, bench.ended.reason) == (0, "done")
    assert bench.turn("u1").text.raw == "hello"


def test_a_press_after_the_file_is_over_records_no_silence():
    bench = Keyed(replace(FILE, keyboard="terminal"))
    bench.ready()
    bench.goes_on(1.1)
    bench.give(InputSpent())
    assert codes(bench.presses()) == ["no_microphone_here"]


def test_a_file_goes_on_with_the_next_connection_or_when_it_is_not_muted_any_more():
    bench = Keyed(replace(FILE, keyboard="terminal"))
    bench.ready()
    bench.goes_on(1.1)
    bench.asks("mute")
    assert bench.gate is Gate.MUTED
    bench.asks("unmute")
    assert bench.gate is Gate.HELD
    bench.give(DROPPED)
    bench.asks("retry", at=1.5)
    bench.ready(2.0)
    assert bench.gate is Gate.HELD


@pytest.mark.parametrize("failure", [SoundFailure.NO_DEVICE, SoundFailure.BAD_FILE])
def test_a_file_that_cannot_be_opened_holds_no_key_and_what_is_typed_is_answered(failure):
    bench = Bench(replace(FILE, keyboard="terminal")).ready()
    bench.give(failed(Side.MICROPHONE, failure), at=1.0)
    assert not bench.session.talk.uplink.recording
    assert frames(bench.types("hello", at=2.0))[-1] == "create"
    bench.give(DROPPED, at=3.0)
    bench.asks("retry", at=4.0)
    bench.ready(5.0)
    assert not bench.session.talk.uplink.recording


def test_a_microphone_without_a_keyboard_has_nobody_to_press():
    bench = Bench(replace(PTT, keyboard="none")).ready()
    bench.until(60.0)
    assert bench.ended
    assert (bench.ended.exit_code, bench.ended.reason) == (4, "no_input")


def test_the_end_of_the_keyboard_is_the_end_of_what_is_recorded():
    bench = talk()
    bench.goes_on(1.0)
    bench.asks("talk")
    bench.goes_on(2.0)
    given = bench.give(KeyboardSpent())
    assert wire(given) == ["InputAudioBufferCommit", "ResponseCreate"]
    bench.says(committed(), heard_words("hello"))
    answer(bench, 500)
    bench.plays(0, 500)
    bench.until(10.0)
    assert bench.ended
    assert bench.ended.exit_code == 0


def test_a_talk_does_not_end_while_somebody_talks():
    bench = talk(replace(PTT, keyboard="pipe"))
    bench.give(Typed("hello"))
    bench.says(created(), done())
    bench.asks("talk")
    bench.until(100.0)
    assert bench.ended is None


def test_a_server_that_keeps_its_own_turn_detection_is_told():
    bench = Keyed()
    bench.ready(session=SessionConfig(turn_detection=TurnDetection(type="server_vad")))
    assert bench.codes() == ["settings_differ"]
