"""The ledger: positions, spans, verdicts; and that every sample is settled once, at or under the ear."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecli.core.heard import Fate, Ledger, Verdict
from voicecli.ports import PCM16, RATE, Format, Playhead, Span

SECOND = RATE


def laid(*items: tuple[str, int]) -> Ledger:
    ledger = Ledger()
    for item, samples in items:
        ledger.lay(item, samples)
    return ledger


def test_sound_is_laid_end_to_end():
    ledger = Ledger()
    assert [ledger.lay("a", 100), ledger.lay("b", 50), ledger.lay("a", 10)] == [0, 100, 150]
    assert ledger.end == 160
    assert (ledger.received("a"), ledger.received("b"), ledger.received("c")) == (110, 50, 0)


def test_what_was_laid_and_not_handed_over_is_not_heard():
    ledger = laid(("a", SECOND))
    assert ledger.heard("a", 1e6) == 0
    assert ledger.queued(1e6) == SECOND


def test_what_was_handed_over_is_heard_by_the_converters_time():
    ledger = laid(("a", SECOND))
    ledger.passed(Span(0, 0, SECOND, 10.0))
    assert [ledger.heard("a", at) for at in (9.0, 10.0, 10.25, 11.0, 99.0)] == [0, 0, SECOND // 4, SECOND, SECOND]


def test_the_ear_does_not_go_back():
    ledger = laid(("a", SECOND))
    ledger.passed(Span(0, 0, SECOND, 10.0))
    assert ledger.ear(10.5) == SECOND // 2
    assert ledger.ear(10.4) == SECOND // 2


def test_silence_between_two_spans_is_not_heard_as_sound():
    ledger = laid(("a", 2000))
    ledger.passed(Span(0, 0, 1000, 1.0))
    ledger.passed(Span(0, 1000, 1000, 5.0))
    assert ledger.heard("a", 4.0) == 1000


def test_a_sample_whose_end_is_now_is_heard_in_spite_of_floats():
    ledger = laid(("a", 30))
    ledger.passed(Span(0, 0, 30, 0.1 + 0.2))
    assert ledger.heard("a", 0.3 + 30 / RATE) == 30


def test_spans_of_an_older_run_change_nothing():
    ledger = laid(("a", SECOND))
    ledger.passed(Span(0, 0, 100, 0.0))
    ledger.cut(1.0)
    ledger.lay("b", SECOND)
    ledger.passed(Span(0, 0, 2 * SECOND, 1.0))
    assert ledger.heard("b", 9.0) == 0
    ledger.passed(Span(1, SECOND, 240, 1.0))
    assert ledger.heard("b", 9.0) == 240


@pytest.mark.parametrize(
    ("heard", "finished", "fate"),
    [
        (0, False, Fate.UNHEARD),
        (23, False, Fate.UNHEARD),
        (24, False, Fate.CUT),
        (999, True, Fate.CUT),
        (1000, True, Fate.WHOLE),
        (1000, False, Fate.CUT),
    ],
)
def test_a_cut_gives_each_item_its_fate(heard, finished, fate):
    ledger = laid(("a", 1000))
    if finished:
        ledger.finish("a")
    ledger.passed(Span(0, 0, heard, 0.0))
    _, verdicts = ledger.cut(1.0)
    assert verdicts == (Verdict("a", fate, heard, 1000),)


def test_a_cut_of_everything_that_was_heard_needs_no_new_playhead():
    ledger = laid(("a", 1000))
    ledger.passed(Span(0, 0, 1000, 0.0))
    playhead, _ = ledger.cut(1.0)
    assert playhead is None


def test_a_cut_moves_the_playhead_to_the_end_in_a_new_run():
    ledger = laid(("a", 1000))
    playhead, _ = ledger.cut(0.0)
    assert playhead == Playhead(1, 1000, True)
    assert ledger.queued(0.0) == 0
    assert ledger.rest


def test_a_second_cut_settles_nothing_more():
    ledger = laid(("a", 1000))
    ledger.cut(0.0)
    assert ledger.cut(0.0) == (None, ())


def test_an_item_settles_when_it_is_finished_and_heard_to_its_end():
    ledger = laid(("a", 1000), ("b", 1000))
    ledger.passed(Span(0, 0, 2000, 0.0))
    assert ledger.settle(1.0) == ()
    ledger.finish("a")
    assert ledger.settle(1.0) == (Verdict("a", Fate.WHOLE, 1000, 1000),)
    assert ledger.settle(1.0) == ()
    assert not ledger.rest
    ledger.finish("b")
    assert [verdict.item for verdict in ledger.settle(1.0)] == ["b"]
    assert ledger.rest


def test_the_deadline_is_when_a_finished_item_will_have_been_heard():
    ledger = laid(("a", SECOND), ("b", SECOND))
    ledger.passed(Span(0, 0, 2 * SECOND, 10.0))
    assert ledger.deadline is None
    ledger.finish("a")
    ledger.finish("b")
    assert ledger.deadline == 11.0
    ledger.settle(11.0)
    assert ledger.deadline == 12.0


def test_the_deadline_of_what_was_not_handed_over_is_not_known():
    ledger = laid(("a", SECOND))
    ledger.finish("a")
    assert ledger.deadline is None


def test_the_item_at_the_ear_is_the_last_one_that_began():
    ledger = laid(("a", 100), ("b", 100), ("c", 100))
    ledger.passed(Span(0, 0, 300, 0.0))
    assert ledger.hearing(-1.0) is None
    assert ledger.hearing(50 / RATE) == "a"
    assert ledger.hearing(100 / RATE) == "a"
    assert ledger.hearing(150 / RATE) == "b"
    assert ledger.hearing(9.0) == "c"


def test_without_a_speaker_what_lies_ahead_is_read():
    ledger = laid(("a", 1000))
    ledger.passed(Span(0, 0, 300, 0.0))
    assert ledger.read(1.0) == (Verdict("a", Fate.READ, 300, 1000),)
    assert ledger.rest
    assert ledger.queued(1.0) == 0


def test_an_item_under_a_new_name_is_the_same_sound():
    ledger = laid(("a", 1000))
    ledger.rename({"a": "old"})
    ledger.lay("a", 500)
    ledger.passed(Span(0, 0, 1200, 0.0))
    assert ledger.items == ("old", "a")
    assert (ledger.heard("old", 1.0), ledger.heard("a", 1.0)) == (1000, 200)


def test_the_claim_is_whole_milliseconds_rounded_down():
    assert [Verdict("a", Fate.CUT, heard, 9999).audio_end_ms for heard in (23, 24, 47, 48)] == [0, 1, 1, 2]


# ---- odd bytes


def test_an_odd_byte_waits_for_the_next_delta_of_its_part():
    ledger = Ledger()
    assert ledger.whole("a", 0, b"abc", PCM16) == b"ab"
    assert ledger.whole("a", 1, b"x", PCM16) == b""
    assert ledger.whole("a", 0, b"d", PCM16) == b"cd"
    assert ledger.whole("b", 1, b"yz", PCM16) == b"yz"


def test_odd_bytes_at_the_end_of_an_item_are_dropped_and_counted():
    ledger = Ledger()
    ledger.whole("a", 0, b"abc", PCM16)
    ledger.whole("a", 1, b"abc", PCM16)
    ledger.finish("a")
    assert ledger.dropped_bytes == 2
    assert ledger.whole("a", 0, b"de", PCM16) == b"de"


def test_odd_bytes_of_what_is_cut_are_dropped_and_counted():
    ledger = laid(("a", 10))
    ledger.whole("a", 0, b"abc", PCM16)
    ledger.cut(0.0)
    assert ledger.dropped_bytes == 1


def test_a_format_of_one_byte_has_no_odd_bytes():
    assert Ledger().whole("a", 0, b"abc", Format("g711_ulaw", 8_000, 1)) == b"abc"


# ---- the property

ITEMS = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("lay"), ITEMS, st.integers(0, 3000)),
    st.tuples(st.just("finish"), ITEMS, st.just(0)),
    st.tuples(st.just("hand"), st.just(""), st.integers(1, 4000)),
    st.tuples(st.just("late"), st.just(""), st.integers(1, 4000)),
    st.tuples(st.just("wait"), st.just(""), st.integers(0, 5000)),
    st.tuples(st.just("settle"), st.just(""), st.just(0)),
    st.tuples(st.just("cut"), st.just(""), st.just(0)),
    st.tuples(st.just("read"), st.just(""), st.just(0)),
)


class Truth:
    """What happened, sample by sample, kept in the dullest way."""

    def __init__(self) -> None:
        self.samples: list[str] = []  # whose sample lies at each position
        self.heard_at: dict[int, float] = {}  # position -> when it left the converter
        self.handed = 0  # where the device copies from
        self.run = 0

    def hand(self, n: int, dac_at: float) -> Span | None:
        n = min(n, len(self.samples) - self.handed)
        if n <= 0:
            return None
        span = Span(self.run, self.handed, n, dac_at)
        for k in range(n):
            self.heard_at[self.handed + k] = dac_at + (k + 1) / RATE
        self.handed += n
        return span

    def heard(self, item: str, at: float, since: dict[str, int]) -> int:
        return sum(
            1
            for position, whose in enumerate(self.samples)
            if whose == item and position >= since[item] and self.heard_at.get(position, 1e9) <= at + 1e-6
        )


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_every_sample_is_settled_once_and_nothing_is_claimed_that_was_not_heard(steps):
    ledger, truth, at, dac = Ledger(), Truth(), 0.0, 0.0
    verdicts: list[tuple[float, Verdict]] = []
    old_spans: list[Span] = []
    since: dict[str, int] = Counter()
    for kind, item, n in steps:
        given_now: tuple[Verdict, ...] = ()
        match kind:
            case "lay":
                if not ledger.unsettled(item):
                    since[item] = len(truth.samples)
                assert ledger.lay(item, n) == len(truth.samples)
                truth.samples += [item] * n
            case "finish":
                ledger.finish(item)
            case "hand":
                dac = max(dac, at)
                if (span := truth.hand(n, dac)) is not None:
                    ledger.passed(span)
                    old_spans.append(span)
                    dac += span.n / RATE
            case "late":
                for span in old_spans:
                    if span.run != truth.run:
                        ledger.passed(span)
            case "wait":
                at += n / RATE
            case "settle":
                given_now = ledger.settle(at)
                assert all(verdict.fate is Fate.WHOLE for verdict in given_now)
            case "cut" | "read":
                playhead, given_now = ledger.cut(at) if kind == "cut" else (None, ledger.read(at))
                if playhead is not None or kind == "read":
                    truth.run = playhead.run if playhead else truth.run + 1
                    for position in range(truth.handed):  # what had not left the converter never will
                        if truth.heard_at.get(position, 0.0) > at + 1e-6:
                            truth.heard_at[position] = 1e9
                    truth.handed = len(truth.samples)
                    dac = at
        for verdict in given_now:
            assert verdict.heard == truth.heard(verdict.item, at, since)
            verdicts.append((at, verdict))
    _, last = ledger.cut(at)
    verdicts += [(at, verdict) for verdict in last]
    settled: Counter[str] = Counter()
    for _, verdict in verdicts:
        settled[verdict.item] += verdict.received
        assert 0 <= verdict.heard <= verdict.received
        assert verdict.audio_end_ms * (RATE // 1000) <= verdict.heard
        if verdict.fate is Fate.WHOLE:
            assert verdict.heard == verdict.received
    assert settled == Counter(truth.samples), "each sample of each item is in one verdict"
    assert ledger.rest
