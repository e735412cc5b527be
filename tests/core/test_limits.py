"""The server's limits: told when they are nearly used up, and when there is nothing left of them."""

import pytest
from core_talk import CHAT, TALK, Bench, created, done
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from voicecli.core import usage
from voicecli.core.changes import Foreign, LimitNow, LimitsNow, PhaseNow, Told
from voicecli.core.limits import MOST, Limits
from voicecli.core.notices import limit_near
from voicecli.protocol import events as e
from voicecli.protocol.items import RateLimit


def limits(remaining, reset_s=37.0, name="tokens", limit=40_000.0) -> LimitsNow:
    return LimitsNow((LimitNow(Foreign(name), limit, remaining, reset_s),))


def told(bench: Bench) -> list[Told]:
    return [notice for notice in bench.shown(Told) if notice.code == "limit_near"]


def server_says(bench: Bench, remaining, reset_s=37.0, at=None):
    limit = RateLimit(name="tokens", limit=40_000, remaining=remaining, reset_seconds=reset_s)
    return bench.says(e.RateLimitsUpdated(rate_limits=(limit,)), at=at)


def test_a_limit_of_which_four_fifths_are_used_is_told_with_what_is_left_and_when_it_is_full():
    (near,) = Limits().news(limits(3_649.0), 0.0)
    assert (near.severity, near.code) == ("warning", "limit_near")
    assert near.title == "Tokens for this minute are nearly used up: 3.6k of 40k left."
    assert near.hint == "The next answer may be refused. Full again in 0:37."


@pytest.mark.parametrize(("remaining", "near"), [(40_000, 0), (8_001, 0), (8_000, 1), (0, 1), (-5, 1)])
def test_it_is_near_from_exactly_four_fifths_on(remaining, near):
    assert len(Limits().news(limits(remaining), 0.0)) == near


def test_it_is_told_once_in_a_window_and_again_in_the_next():
    watched = Limits()
    found = [len(watched.news(limits(100.0, 30.0), at)) for at in (0.0, 5.0, 29.9, 30.0, 31.0, 61.0)]
    assert found == [1, 0, 0, 1, 0, 1]


def test_a_window_is_not_over_because_there_was_more_left_in_between():
    watched = Limits()
    found = [len(watched.news(limits(rest, 30.0), at)) for at, rest in ((0.0, 10.0), (5.0, 39_000.0), (6.0, 10.0))]
    assert found == [1, 0, 0]


def test_each_limit_has_its_own_window():
    watched = Limits()
    assert watched.news(limits(10.0), 0.0)
    (near,) = watched.news(limits(1.0, 12.0, "requests", 500.0), 1.0)
    assert near.title == "Requests for this minute are nearly used up: 1 of 500 left."


def test_where_nobody_says_when_it_is_full_it_is_told_until_there_is_more_left():
    watched = Limits()
    found = [
        watched.news(limits(rest, None), at) for at, rest in ((0.0, 10.0), (500.0, 10.0), (501.0, 3e4), (502.0, 1.0))
    ]
    assert [len(news) for news in found] == [1, 0, 0, 1]
    assert found[0][0].title == "Tokens are nearly used up: 10 of 40k left."
    assert found[0][0].hint == "The next answer may be refused."


@pytest.mark.parametrize(
    ("reset_s", "full"),
    [(0.2, "0:01"), (59.5, "1:00"), (61.0, "1:01"), (3_600.0, "1:00:00"), (86_399.0, "23:59:59")],
)
def test_when_it_is_full_is_told_in_whole_seconds_rounded_up(reset_s, full):
    (near,) = Limits().news(limits(0.0, reset_s), 0.0)
    assert near.hint.endswith(f"Full again in {full}.")
    assert ("for this minute" in near.title) is (reset_s <= 60)


@pytest.mark.parametrize(
    ("remaining", "limit", "words"),
    [
        (999.9, 40_000, "999 of 40k"),
        (1_000, 10_000, "1k of 10k"),
        (1_999, 100_000, "1.9k of 100k"),
        (199_999, 2_000_000, "199k of 2M"),
        (1_250_000, 150_000_000, "1.2M of 150M"),
    ],
)
def test_numbers_are_short_and_rounded_down(remaining, limit, words):
    (near,) = Limits().news(limits(remaining, limit=limit), 0.0)
    assert f": {words} left." in near.title


@pytest.mark.parametrize("remaining", [0.0, -5.0, float("-inf")])
def test_a_limit_of_which_nothing_is_left_is_not_told_as_nearly_used_up(remaining):
    (near,) = Limits().news(limits(remaining), 0.0)
    assert near.title == "Tokens for this minute are used up: 0 of 40k left."


def test_a_limit_of_another_name_is_called_by_it():
    near = limit_near(LimitNow(Foreign("images"), 10.0, 1.0, 30.0), 30.0)
    assert near.title == 'The server\'s limit "images" is nearly used up: 1 of 10 left.'
    assert limit_near(LimitNow(Foreign(""), 10.0, 1.0, None), 0.0).title.startswith("A limit of the server's is nearly")


NUMBERS = st.none() | st.integers(-(2**60), 2**60) | st.floats()


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, st.text(max_size=3)), max_size=40))
@example([(1.0, float("-inf"), None, "")])
def test_no_numbers_of_a_server_are_too_odd(rows):
    """G11: neither do many names make it grow."""
    watched = Limits()
    for n, (limit, remaining, reset_s, name) in enumerate(rows):
        for near in watched.news(limits(remaining, reset_s, name, limit), float(n)):
            assert len(near.title) < 150
        watched.spent(float(n))
        assert (due := watched.deadline(float(n))) is None or due > n


def test_no_more_limits_are_watched_than_a_server_has():
    watched = Limits()
    found = [len(watched.news(limits(0.0, name=f"n{n}"), 0.0)) for n in range(MOST + 5)]
    assert sum(found) == MOST


# ---- in a talk


def test_the_notice_comes_with_the_limits():
    bench = Bench().ready()
    effects = server_says(bench, 3_600)
    assert [type(effect.change) for effect in effects] == [LimitsNow, Told]
    server_says(bench, 3_000)
    assert len(told(bench)) == 1


def test_with_nothing_left_the_talk_waits_for_the_limit_until_it_is_full():
    bench = Bench().ready()
    server_says(bench, 0, 12.0, at=5.0)
    assert bench.phase == "waiting_for_the_limit"
    bench.until(16.9)
    assert bench.phase == "waiting_for_the_limit"
    bench.until(17.0)
    assert bench.phase == "listening"


def test_with_a_little_left_it_waits_for_nothing():
    bench = Bench().ready()
    server_says(bench, 1, 12.0)
    assert bench.phase == "listening"


def test_nothing_left_is_no_news_while_an_answer_is_given_or_the_microphone_is_off():
    bench = Bench().ready()
    bench.says(created())
    server_says(bench, 0, 12.0)
    assert bench.phase == "thinking"
    bench.says(done())
    assert bench.phase == "waiting_for_the_limit"
    bench.asks("mute")
    assert bench.phase == "muted"


def test_more_that_is_left_ends_the_waiting():
    bench = Bench(CHAT).ready()
    server_says(bench, 0, 12.0)
    assert bench.phase == "waiting_for_the_limit"
    server_says(bench, 20_000, 1.0)
    assert bench.phase == "waiting_for_you_to_type"


def test_where_nobody_says_when_it_is_full_nothing_is_waited_for():
    bench = Bench(replace(TALK, ptt=True, session=replace(TALK.session, turn_detection=None))).ready()
    server_says(bench, 0, None)
    assert bench.phase == "press_to_talk"
    assert "waiting_for_the_limit" not in [now.phase for now in bench.shown(PhaseNow)]


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        ((), None),
        ((RateLimit("tokens", 100, 0, None),), None),
        ((RateLimit("requests", 9, 0, 3.0), RateLimit("tokens", 100, 0, 12.0)), 10.0),
        ((RateLimit("requests", 9, 0, 3.0), RateLimit("tokens", 100, 50, 12.0)), 1.0),
        ((RateLimit("requests", 9, 8, 3.0), RateLimit("tokens", 100, 50, 12.0)), 10.0),
        ((RateLimit("tokens", 100, 0, 2.0),), None),
        ((RateLimit("tokens", 100, 0, 1e9), RateLimit("requests", 9, 0, -5)), None),
    ],
)
def test_how_long_to_wait_is_until_the_last_used_up_limit_is_full_again(told, wait_s):
    resets = Limits()
    assert resets.wait_s(0.0) is None
    resets.news(usage.limits(told), 1.0)
    assert resets.wait_s(3.0) == wait_s
