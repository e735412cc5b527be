"""`--dialect auto`: the four ways in which a server tells what it speaks, one more connection at most, and no loop."""

from __future__ import annotations

from typing import Any

import pytest
from core_talk import DROPPED, TALK, Bench, error, frames, sent
from msgspec.structs import replace

from voicecli.core.changes import LinkNow, Told
from voicecli.core.effects import AnyEffect, Connect, Hangup, Spell
from voicecli.core.plan import Plan
from voicecli.core.stimuli import LinkEnded, Moved, Opened, Received
from voicecli.ports import LinkFailure
from voicecli.protocol import events as e
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.items import SessionConfig
from voicecli.protocol.profiles import EMBEDDED_GA, GENERIC_BETA, GENERIC_GA

GA, BETA = Spelling.GA, Spelling.BETA
GA_URL, BETA_URL = "wss://far.example/v1/realtime?model=new", "wss://far.example/v1/realtime?model=old"
GA_ONLY = replace(TALK, profile=GENERIC_GA, url=GA_URL)
BETA_ONLY = replace(TALK, profile=GENERIC_BETA, url=BETA_URL, session=SessionConfig(voice="alloy"))
AUTO = replace(GA_ONLY, other=BETA_ONLY)
AUTO_BETA = replace(BETA_ONLY, other=GA_ONLY)
CREATED = e.SessionCreated(session=SessionConfig())
CLOSED_4000 = LinkEnded(LinkFailure.CLOSED, 4000, "invalid_request_error.beta_api_shape_disabled", "far.example")
GONE = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."


def opened(plan: Plan, at: float = 1.0) -> Bench:
    bench = Bench(plan).dialled()
    bench.give(Opened(1.8e9), at=at)
    return bench


def greets(bench: Bench, spelling: Spelling | None, at: float | None = None) -> list[AnyEffect]:
    return bench.give(Received(CREATED, 100, spelling), at=at)


def dialled(bench: Bench) -> list[tuple[Spelling, str]]:
    return [(each.profile.spelling, each.url) for each in bench.effects if isinstance(each, Connect)]


def refuses(bench: Bench, message: str, code: str | None = None) -> list[AnyEffect]:
    """The server's answer to the `session.update` that was sent last."""
    (*_, update) = sent(bench.effects)
    return bench.says(error(message, code, update.event_id))


def of(kind: type[Any], effects: list[AnyEffect]) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def test_by_url_the_first_connection_is_in_the_first_dialect():
    assert dialled(opened(AUTO)) == [(GA, GA_URL)]
    assert dialled(opened(AUTO_BETA)) == [(BETA, BETA_URL)]


@pytest.mark.parametrize("spelling", [GA, None])
def test_a_greeting_in_our_spelling_or_in_none_changes_nothing(spelling):
    bench = opened(AUTO)
    effects = greets(bench, spelling)
    assert of(Spell, effects) == []
    (update,) = sent(effects)
    assert update.session == AUTO.session
    assert bench.codes() == []


def test_a_greeting_in_the_other_spelling_decides_it_without_another_connection():
    bench = opened(AUTO)
    effects = greets(bench, BETA)
    assert [type(effect).__name__ for effect in effects if isinstance(effect, Spell | e.Event) or sent([effect])] == [
        "Spell",
        "Send",
    ], "the update is spelled as the server speaks"
    (spell,) = of(Spell, effects)
    assert spell.profile == GENERIC_BETA
    (update,) = sent(effects)
    assert update.session == BETA_ONLY.session
    bench.says(e.SessionUpdated(session=SessionConfig()))
    assert bench.shown(LinkNow)[-1].dialect == "beta"
    assert bench.codes() == []
    assert dialled(bench) == [(GA, GA_URL)]


def test_the_next_connection_stays_in_the_dialect_and_at_the_url_that_worked():
    bench = opened(AUTO)
    greets(bench, BETA)
    bench.says(e.SessionUpdated(session=SessionConfig()))
    bench.give(DROPPED, at=3.0)
    bench.asks("retry")
    assert dialled(bench)[-1] == (BETA, GA_URL)


def test_close_4000_is_followed_by_one_connection_in_the_other_dialect_said_aloud():
    bench = opened(AUTO_BETA)
    bench.give(CLOSED_4000)
    (told,) = bench.shown(Told)
    assert (told.code, told.title) == ("dialect_ga", "The server speaks the newer dialect.")
    assert told.hint == "Connecting again once, in that dialect. Set --dialect ga to skip this."
    assert dialled(bench) == [(BETA, BETA_URL), (GA, GA_URL)]
    assert bench.phase == "connecting"
    bench.give(Opened(1.8e9), at=2.0)
    greets(bench, GA)
    bench.says(e.SessionUpdated(session=TALK.session))
    assert bench.phase == "listening"
    assert bench.codes() == ["dialect_ga"], "nothing was said before that could be forgotten"


def test_the_error_of_a_dead_beta_hangs_up_and_connects_again_once_told_once():
    bench = opened(AUTO_BETA)
    effects = bench.says(error(GONE, "beta_api_shape_disabled"))
    assert len(of(Hangup, effects)) == 1
    assert dialled(bench) == [(BETA, BETA_URL)], "the old link has to end first"
    bench.give(LinkEnded(LinkFailure.CLOSED, 1000, ""))
    assert dialled(bench) == [(BETA, BETA_URL), (GA, GA_URL)]
    assert bench.codes() == ["dialect_ga"]
    assert bench.ended is None


def test_a_server_that_closes_before_we_hang_up_is_told_once_too():
    bench = opened(AUTO_BETA)
    bench.says(error(GONE, "beta_api_shape_disabled"))
    bench.give(CLOSED_4000)
    assert bench.codes() == ["dialect_ga"]
    assert len(dialled(bench)) == 2


@pytest.mark.parametrize(
    ("plan", "message", "code"),
    [
        (AUTO, "Unknown parameter: 'session.type'.", None),
        (AUTO, "Unknown parameter: 'session.audio'.", "unknown_parameter"),
        (AUTO_BETA, "Unknown parameter: 'session.modalities'.", "unknown_parameter"),
        (AUTO_BETA, "Missing required parameter: 'session.type'.", "missing_required_parameter"),
    ],
)
def test_a_refused_field_of_one_spelling_only_connects_again_in_the_other(plan, message, code):
    bench = opened(plan)
    greets(bench, None)
    refuses(bench, message, code)
    bench.give(LinkEnded(LinkFailure.CLOSED, 1000, ""))
    assert dialled(bench) == [(plan.profile.spelling, plan.url), (plan.other.profile.spelling, plan.other.url)]
    assert bench.codes() == [f"dialect_{plan.other.profile.spelling.value}"]
    bench.give(Opened(1.8e9), at=2.0)
    (update,) = sent(greets(bench, None))
    assert update.session == plan.other.session


def test_a_server_that_greets_in_one_dialect_and_takes_only_the_other_is_asked_once_more():
    bench = opened(AUTO)
    greets(bench, BETA)
    refuses(bench, "Missing required parameter: 'session.type'.")
    bench.give(LinkEnded(LinkFailure.CLOSED, 1000, ""))
    bench.give(Opened(1.8e9), at=2.0)
    effects = greets(bench, BETA)
    assert of(Spell, effects) == [], "what it greets in is no news any more"
    refuses(bench, "Unknown parameter: 'session.type'.")
    assert [spelling for spelling, _ in dialled(bench)] == [GA, GA]
    assert bench.codes() == ["dialect_ga", "wrong_dialect"]
    assert bench.phase == "listening", "the talk goes on with the server's own settings"


def test_two_refusals_are_no_loop():
    bench = opened(AUTO_BETA)
    bench.give(CLOSED_4000)
    bench.give(Opened(1.8e9), at=2.0)
    bench.give(LinkEnded(LinkFailure.CLOSED, 4000, "no"))
    assert bench.codes() == ["dialect_ga", "closed_4000"]
    assert len(dialled(bench)) == 2
    assert bench.ended.exit_code == 3


def test_a_server_that_says_the_other_dialect_is_over_is_not_asked_for_it():
    bench = opened(AUTO)
    bench.give(CLOSED_4000)
    assert dialled(bench) == [(GA, GA_URL)]
    assert bench.codes() == ["closed_4000"]


@pytest.mark.parametrize("plan", [GA_ONLY, BETA_ONLY])
def test_what_the_person_has_set_is_never_changed_and_it_is_said_what_to_set(plan):
    bench = opened(plan)
    bench.give(CLOSED_4000)
    assert bench.codes() == ["closed_4000"]
    assert len(dialled(bench)) == 1

    bench = opened(plan)
    theirs = BETA if plan is GA_ONLY else GA
    effects = greets(bench, theirs)
    assert of(Spell, effects) == []
    (told,) = bench.shown(Told)
    assert (told.code, told.hint) == ("wrong_dialect", f"Set --dialect {theirs.value}.")


def test_a_set_dialect_whose_fields_are_refused_goes_on_and_says_what_to_set():
    bench = opened(GA_ONLY)
    greets(bench, None)
    refuses(bench, "Unknown parameter: 'session.type'.")
    assert bench.codes() == ["wrong_dialect"]
    assert bench.phase == "listening"


def test_a_dead_beta_that_was_set_says_to_set_the_other():
    bench = opened(BETA_ONLY)
    bench.says(error(GONE, "beta_api_shape_disabled"))
    bench.give(CLOSED_4000)
    assert bench.codes() == ["beta_api_shape_disabled"]
    assert "--dialect ga" in bench.shown(Told)[0].hint


def test_what_was_typed_meanwhile_goes_to_the_connection_that_works():
    bench = opened(AUTO_BETA)
    bench.types("are you there?")
    bench.give(CLOSED_4000)
    bench.give(Opened(1.8e9), at=2.0)
    greets(bench, GA)
    bench.says(e.SessionUpdated(session=SessionConfig()))
    assert frames(bench.effects) == ["update", ("item", "are you there?"), "create"]


def test_4000_in_a_talk_that_was_configured_is_not_about_the_dialect():
    bench = Bench(AUTO).ready()
    bench.give(LinkEnded(LinkFailure.CLOSED, 4000, "idle too long"), at=9.0)
    assert bench.codes() == ["closed_4000"]
    assert len(dialled(bench)) == 1


def test_a_field_refused_later_in_a_talk_connects_nobody_again():
    bench = Bench(AUTO).ready()
    bench.says(error("Unknown parameter: 'session.type'."), at=9.0)
    assert len(dialled(bench)) == 1
    assert of(Hangup, bench.effects) == []


def test_a_server_of_our_own_that_was_started_anew_is_dialled_where_it_is_now():
    bench = Bench(replace(TALK, profile=EMBEDDED_GA, url="ws://127.0.0.1:1/v1/realtime")).ready()
    bench.give(DROPPED, at=1.0)
    bench.give(Moved("ws://127.0.0.1:2/v1/realtime"))
    bench.asks("retry")
    assert [url for _, url in dialled(bench)] == ["ws://127.0.0.1:1/v1/realtime", "ws://127.0.0.1:2/v1/realtime"]
