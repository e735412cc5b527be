"""The delay of an answer: from the end of what was said, by the best witness of it, to the first sample heard."""

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
    failed,
    message,
    sound,
    started,
    stopped,
    words,
)
from msgspec.structs import replace

from voicecli.core.changes import Delayed, TurnGone
from voicecli.core.stimuli import AudioDropped, InputSpent, TalkPressed, TalkReleased
from voicecli.ports import MicBlock, Side, SoundFailure
from voicecli.protocol import events as e
from voicecli.protocol.items import SessionConfig, TurnDetection

PTT = replace(TALK, ptt=True, session=replace(TALK.session, turn_detection=None))
TYPED = replace(TALK, microphone="none")


class Talked(Bench):
    """A talk whose microphone records in blocks of 20 ms, from when it was ready on."""

    recorded_to = 0.1

    def listens(self, to: float):
        """The microphone records until then; each block gets here as soon as it is whole."""
        while self.recorded_to + 0.02 <= to + 1e-9:
            start = self.recorded_to
            self.recorded_to = round(start + 0.02, 3)
            self.give(MicBlock(b"\1\0" * (20 * MS), start), at=max(self.at, self.recorded_to))
        self.until(to)

    @property
    def delays(self) -> list[Delayed]:
        return self.shown(Delayed)

    @property
    def delay(self) -> Delayed:
        (found,) = self.delays
        return found

    def answers(self, at: float, heard_at: float, response: str = "r1", item: str = "a1"):
        """The first sound of an answer comes at `at`, and is heard at `heard_at`."""
        first = self.laid // MS
        self.says(created(response), added(item, response), sound(500, item, response), at=at)
        self.plays(first, 500, heard_at)
        self.until(heard_at + 0.001)


def talk(plan=TALK) -> Talked:
    return Talked(plan).ready()


def seconds(noticed: float | None, first_sent: float, first_heard: float, item: str = "a1", **more: bool) -> Delayed:
    """Equal to about a nanosecond."""
    about = [None if value is None else pytest.approx(value, abs=1e-9) for value in (noticed, first_sent, first_heard)]
    return Delayed(item, *about, **more)


def test_a_spoken_turn_is_measured_from_where_the_server_says_that_the_speech_ended():
    bench = talk()
    bench.listens(1.5)
    bench.says(started("u1", 200), at=1.5)
    bench.listens(3.0)
    # The server counts from the first sample it got, which was recorded at 0.1; its window is 500 ms.
    bench.says(stopped("u1", 2500), committed(), at=3.0)
    bench.answers(3.2, 3.25)
    assert bench.delay == seconds(0.9, 0.2, 0.05)
    assert bench.delay.total == pytest.approx(3.25 - 2.1)


def test_the_delay_is_told_when_the_first_sample_is_heard_and_not_when_it_is_handed_over():
    bench = talk()
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), created(), added(), sound(100), at=2.0)
    bench.plays(0, 100, dac_at=2.2)
    bench.until(2.199)
    assert not bench.delays
    bench.until(2.2)
    assert bench.delay == seconds(0.9, 0.0, 0.2)


def test_with_push_to_talk_the_speech_ends_with_the_release():
    bench = talk(PTT)
    bench.give(TalkPressed(0.5, releases_seen=True), at=0.5)
    bench.listens(2.0)
    bench.give(TalkReleased(1.995), at=2.0)
    bench.listens(2.02)  # the block with the release in it
    bench.says(committed(), at=2.1)
    bench.answers(2.4, 2.5)
    assert bench.delay == seconds(2.1 - 1.995, 0.3, 0.1)


def test_a_second_press_that_ends_a_recording_counts_as_its_release():
    bench = talk(PTT)
    bench.give(TalkPressed(0.5, releases_seen=False), at=0.5)
    bench.listens(2.0)
    bench.give(TalkPressed(1.99, releases_seen=False), at=2.0)
    bench.says(committed(), at=2.1)
    bench.answers(2.4, 2.5)
    assert bench.delay == seconds(0.11, 0.3, 0.1)


def test_a_file_that_speaks_by_push_to_talk_ends_where_it_is_spent():
    bench = talk(replace(PTT, microphone="file", keyboard="none"))
    bench.listens(1.0)
    bench.give(InputSpent(), at=1.0)
    bench.says(committed(), at=1.1)
    bench.answers(1.2, 1.3)
    assert bench.delay == seconds(0.1, 0.1, 0.1)


def test_a_typed_text_is_measured_from_its_sending():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    item = bench.sent()[-2].item
    bench.says(e.ConversationItemAdded(item=message(item.id, role="user")), at=1.04)
    bench.answers(1.3, 1.4)
    assert bench.delay == seconds(0.04, 0.26, 0.1)


def test_without_an_acknowledgement_a_turn_is_noticed_when_the_response_begins():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    bench.says(created(), at=1.1)
    bench.says(added(), sound(100), at=1.3)
    bench.plays(0, 100)
    bench.until(1.31)
    assert bench.delay == seconds(0.1, 0.2, 0.0)


def test_a_server_that_tells_nothing_but_sound_has_noticed_with_it():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    bench.says(sound(100, response=""), at=1.3)
    bench.plays(0, 100, 1.4)
    bench.until(1.5)
    assert bench.delay == seconds(0.3, 0.0, 0.1)


def test_an_answer_that_is_asked_for_is_measured_from_the_asking():
    detection = TurnDetection(type="server_vad", create_response=False)
    bench = talk(replace(TALK, session=SessionConfig(turn_detection=detection)))
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), at=2.0)
    bench.asks("answer", at=9.0)
    bench.says(created(), at=9.1)
    bench.says(sound(100), at=9.2)
    bench.plays(0, 100)
    bench.until(9.3)
    assert bench.delay == seconds(0.1, 0.1, 0.0)


# ---- nobody can say when the speech ended


@pytest.mark.parametrize(
    "stop",
    [
        None,  # it was never told
        stopped("u1", 9000),  # more than was ever sent
        stopped("u1", 400),  # before the window began
        stopped("u1", -(10**12)),
        stopped("u1", 10**12),
    ],
)
def test_without_a_time_for_the_end_of_speech_it_is_measured_from_the_commit_and_says_so(stop):
    bench = talk()
    bench.listens(2.0)
    bench.says(*([stop] if stop else []), committed(), at=2.0)
    bench.answers(2.3, 2.4)
    assert bench.delay == seconds(None, 0.3, 0.1, from_commit=True)
    assert bench.delay.total == pytest.approx(0.4)


def test_an_end_that_lies_before_its_own_beginning_is_none():
    bench = talk()
    bench.listens(2.0)
    bench.says(started("u1", 1200), stopped("u1", 1600), committed(), at=2.0)
    bench.answers(2.3, 2.4)
    assert bench.delay.from_commit


def test_a_semantic_vad_waits_as_long_as_it_likes_so_its_end_says_nothing():
    semantic = SessionConfig(turn_detection=TurnDetection(type="semantic_vad", create_response=True))
    bench = Talked().ready(session=semantic)
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), at=2.0)
    bench.answers(2.3, 2.4)
    assert bench.delay == seconds(None, 0.3, 0.1, from_commit=True)


def test_the_window_is_the_one_in_force():
    bench = Talked().ready(session=SessionConfig(turn_detection=TurnDetection(silence_duration_ms=200)))
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), at=2.0)
    bench.answers(2.3, 2.4)
    assert bench.delay == seconds(2.0 - 1.4, 0.3, 0.1)


def test_sound_that_the_link_dropped_is_not_counted_by_the_server():
    bench = talk()
    bench.listens(1.4)
    bench.give(AudioDropped(400 * MS))
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), at=2.0)
    bench.answers(2.3, 2.4)
    assert bench.delay == seconds(2.0 - 1.5, 0.3, 0.1)


def test_where_nobody_knows_which_sound_was_dropped_nobody_knows_when_the_speech_ended():
    bench = talk()
    bench.listens(2.0)
    bench.give(AudioDropped(400 * MS))
    bench.says(started(), stopped("u1", 1500), committed(), at=2.0)
    bench.answers(2.3, 2.4)
    assert bench.delay == seconds(None, 0.3, 0.1, from_commit=True)


def test_an_end_of_speech_that_says_nothing_leaves_the_beginning_to_the_commit():
    bench = talk()
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 90_000), at=2.0)
    bench.says(committed(), at=2.1)
    bench.answers(2.3, 2.4)
    assert bench.delay == seconds(None, 0.2, 0.1, from_commit=True)


def test_a_microphone_that_was_off_in_between_makes_no_time_disappear():
    bench = talk()
    bench.listens(1.1)  # a second of it
    bench.recorded_to = 5.0
    bench.listens(7.0)
    bench.says(started(), stopped("u1", 2500), committed(), at=7.0)
    bench.answers(7.3, 7.4)
    assert bench.delay == seconds(1.0, 0.3, 0.1)


# ---- what is not the answer


def test_an_answer_is_measured_once():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    bench.answers(1.3, 1.4)
    bench.says(sound(500), added("a2"), sound(500, "a2"), at=1.5)
    bench.plays(500, 1000)
    bench.until(4.0)
    assert len(bench.delays) == 1


def test_sound_of_an_answer_from_before_the_turn_is_not_its_answer():
    bench = talk()
    bench.says(created("r0"), added("a0", "r0"), sound(100, "a0", "r0"), at=1.0)
    bench.says(stopped(), committed(), at=1.5)
    bench.says(sound(100, "a0", "r0"), done("r0", "a0"), at=1.6)
    bench.plays(0, 200)
    bench.answers(2.0, 2.1)
    assert bench.delay == seconds(None, 0.5, 0.1, from_commit=True)


def test_what_was_cut_before_it_was_heard_had_no_delay():
    bench = talk()
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), created(), added(), sound(100), at=2.0)
    bench.plays(0, 100, dac_at=2.2)
    bench.says(started("u2", 1600), at=2.1)
    bench.until(3.0)
    assert bench.shown(TurnGone)
    assert not bench.delays


def test_what_was_cut_after_its_first_sample_had_one():
    bench = talk()
    bench.listens(2.0)
    bench.says(started(), stopped("u1", 1500), committed(), created(), added(), sound(100), at=2.0)
    bench.plays(0, 100, dac_at=2.1)
    bench.says(started("u2", 1600), at=2.15)
    assert bench.delay == seconds(0.9, 0.0, 0.1)


def test_an_answer_without_sound_is_not_waited_for_any_more():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    bench.says(created(), done(status="failed"), at=1.2)
    bench.says(created("r9"), sound(100, "a9", "r9"), at=60.0)  # the server takes the word by itself
    bench.plays(0, 100)
    bench.until(61.0)
    assert not bench.delays


def test_an_answer_that_was_stopped_before_another_text_is_not_the_end_of_that_ones_waiting():
    bench = talk(TYPED)
    bench.types("one", at=1.0)
    bench.types("two", at=1.1)
    bench.says(created("r1"), cancelled("r1"), at=1.2)
    bench.answers(1.5, 1.6, "r2")
    assert bench.delay.total == pytest.approx(0.5)


def test_silence_that_becomes_a_turn_was_nobodys_waiting():
    bench = talk()
    bench.says(e.TimeoutTriggered(item_id="u1"), committed("u1"), at=9.0)
    bench.answers(9.3, 9.4)
    assert not bench.delays


def test_nothing_is_waited_for_across_connections():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    bench.says(e.ConversationItemAdded(item=message(bench.sent()[-2].item.id, role="user")), at=1.1)
    bench.give(DROPPED, at=2.0)
    bench.asks("retry", at=20.0)
    bench.ready(21.0)
    bench.answers(22.0, 22.1)
    assert not bench.delays


def test_the_next_server_counts_sound_from_its_own_beginning():
    bench = talk()
    bench.listens(1.5)
    bench.give(DROPPED, at=2.0)
    bench.asks("retry", at=2.5)
    bench.ready(3.0)
    bench.recorded_to = 3.0
    bench.listens(5.0)
    bench.says(started(), stopped("u1", 1500), committed(), at=5.0)
    bench.answers(5.3, 5.4)
    assert bench.delay == seconds(1.0, 0.3, 0.1)


def test_without_a_speaker_nothing_is_ever_heard():
    bench = Talked(CHAT).ready()
    bench.types("hello", at=1.0)
    answer(bench, 100, text="hello")
    bench.until(5.0)
    assert not bench.delays


def test_a_speaker_that_is_gone_takes_the_waiting_with_it():
    bench = talk()
    bench.says(committed(), created(), added(), words("hello"), sound(100), at=2.0)
    bench.give(failed(Side.SPEAKER, SoundFailure.LOST), at=2.1)
    bench.until(5.0)
    assert not bench.delays


def test_a_speaker_whose_times_lie_in_the_past_gives_no_negative_delay():
    bench = talk(TYPED)
    bench.types("hello", at=1.0)
    bench.says(created(), sound(100), at=1.5)
    bench.plays(0, 100, dac_at=1.49)
    assert bench.delay == seconds(0.5, 0.0, 0.0)
