"""What the screen draws from: states in words, limits, delays, notices and what is over."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from screen_facts import START, interrupt, levels, limit, queue, rich, started, talk

from voicecli.core import notices
from voicecli.core.changes import (
    Delayed,
    EchoNow,
    Ended,
    Foreign,
    LevelsNow,
    LimitNow,
    LimitsNow,
    LinkNow,
    Phase,
    PhaseNow,
    SoundNow,
    Told,
    TurnOpened,
)
from voicecli.ports import Side, SoundFailed, SoundFailure
from voicecli.printable import UNSAFE
from voicecli.ui.screen.facts import Facts
from voicecli.ui.screen.standing import OVER, over_by
from voicecli.ui.screen.states import LOOKS, minutes, seconds

NOT_HERE = "no microphone in this talk"


def said(facts: Facts, at: float) -> tuple[str, str, str]:
    state = facts.state_words(at)
    return state.word, state.detail, state.right


def warning(code: str, title: str = "Something.") -> Told:
    return Told(severity="warning", code=code, title=title)


# ---- the state


@pytest.mark.parametrize(
    ("facts", "after", "words"),
    [
        (talk("not_connected", microphone=None), 1, ("not connected", "", "mic off")),
        (talk("connecting", microphone=None), 0.5, ("connecting", "", "mic off")),
        (talk("connecting", microphone=None), 2.5, ("connecting", "2 s", "mic off")),
        (talk("listening"), 9, ("listening", "", "mic on · no echo cancelling")),
        (talk("listening", half_duplex=True), 9, ("listening", "", "mic on · half-duplex")),
        (talk("assistant_speaking", half_duplex=True), 9, ("assistant speaking", "", "mic shut · half-duplex")),
        (talk("you_are_speaking"), 3.49, ("you are speaking", "3.4 s", "mic on · no echo cancelling")),
        (talk("thinking"), 0.3, ("thinking", "0.2 s", "mic on · no echo cancelling")),
        (talk("thinking"), 71.9, ("thinking", "71 s", "mic on · no echo cancelling")),
        (talk("muted", microphone="closed"), 1, ("muted", "", "mic off")),
        (talk("press_to_talk", mode="ptt"), 1, ("press space to talk", "", "mic on · push-to-talk")),
        (talk("recording", "held", mode="ptt"), 3.1, ("recording", "3.0 s · let go to send", "mic on · push-to-talk")),
        (
            talk("recording", "latched", mode="ptt"),
            3.1,
            ("recording", "3.0 s · space sends it", "mic on · push-to-talk"),
        ),
        (
            talk("recording_full", mode="ptt", microphone="closed"),
            1,
            ("recorded", "two minutes · space sends it, esc throws it away", "mic off"),
        ),
        (talk("waiting_for_sound", "3 s"), 1, ("waiting for sound", "3 s", "mic on · no echo cancelling")),
        (talk("waiting_for_you_to_type", microphone="lost"), 1, ("waiting for you to type", "", "no microphone")),
        (
            talk("waiting_for_you_to_type", mode="chat"),
            1,
            ("waiting for you to type", "", "no microphone in this talk"),
        ),
    ],
)
def test_each_state_has_its_words(facts: Facts, after: float, words: tuple[str, str, str]) -> None:
    assert said(facts, START + after) == words


def test_every_phase_has_words_and_a_short_one_that_fits_20_columns_beside_the_microphone() -> None:
    for phase in get_args(Phase):
        assert LOOKS[phase].word
        assert len(LOOKS[phase].short) <= 20 - len("x ") - len(" mic off"), phase


def test_before_anything_is_known_it_is_starting_and_the_microphone_is_off() -> None:
    assert said(Facts(), 5.0) == ("starting", "", "mic off")


def test_seconds_are_counted_since_the_phase_began_and_not_since_it_was_told_again() -> None:
    facts = talk("recording", "held", mode="ptt")
    facts.apply(PhaseNow("recording", "latched"), START + 2)
    assert said(facts, START + 3)[1] == "3.0 s · space sends it"
    facts.apply(PhaseNow("thinking"), START + 4)
    assert said(facts, START + 4.5)[1] == "0.4 s"
    assert said(facts, START + 3)[1] == "0.0 s"


def test_an_interruption_is_said_for_three_seconds() -> None:
    facts = talk("you_are_speaking")
    interrupt(facts, START + 1)
    assert said(facts, START + 1)[1] == "you interrupted at 8.4 s"
    assert said(facts, START + 3.9)[1] == "you interrupted at 8.4 s"
    assert said(facts, START + 4.1)[1] == "4.0 s"


def test_what_is_to_come_is_said_and_gone_with_an_interruption() -> None:
    facts = talk("assistant_speaking")
    queue(facts, START, *[-10.0] * 23)
    assert said(facts, START)[1] == "5.6 s to come"
    facts.apply(LevelsNow(-90, -10, 5.21), START + 0.5)
    assert said(facts, START + 0.5)[1] == "5.2 s to come"
    interrupt(facts, START + 1)
    assert said(facts, START + 5)[1] == ""


def test_waiting_for_the_limit_counts_down() -> None:
    facts = talk("waiting_for_the_limit")
    facts.apply(LimitsNow((limit("tokens", 100, 0, 12.9), limit("requests", 10, 5, 90.0))), START)
    assert said(facts, START + 0.5)[:2] == ("waiting for the limit", "0:12")
    assert said(facts, START + 20)[1] == ""


def test_half_duplex_follows_the_command() -> None:
    facts = talk()
    facts.apply(EchoNow("half-duplex"), START)
    assert said(facts, START)[2] == "mic on · half-duplex"
    facts.apply(Told(severity="info", code="echo_now", title="Echo: not half-duplex."), START)
    assert said(facts, START)[2] == "mic on · half-duplex", "words are words"
    facts.apply(EchoNow("off"), START)
    assert said(facts, START)[2] == "mic on · no echo cancelling"


def test_the_talk_key_is_called_as_it_is_bound() -> None:
    facts = Facts(talk_key="F2")
    facts.apply(PhaseNow("press_to_talk"), START)
    assert said(facts, START)[0] == "press F2 to talk"
    facts.apply(PhaseNow("recording", "latched"), START)
    assert said(facts, START)[1] == "0.0 s · F2 sends it"


def test_the_end_is_a_state_and_the_clock_stops() -> None:
    facts = talk("listening")
    assert facts.elapsed_s(START + 61) == 61
    facts.apply(Ended(exit_code=0, reason="quit", seconds=61.5, turns=3, interruptions=1), START + 62)
    assert said(facts, START + 99)[0] == "the talk is over"
    assert facts.elapsed_s(START + 99) == 61.5


def test_times_are_written_as_on_a_clock_and_as_a_number_of_seconds() -> None:
    assert [minutes(s) for s in (-1, 6.9, 724, 3600 + 61)] == ["0:00", "0:06", "12:04", "1:01:01"]
    assert [seconds(s) for s in (0, 0.39, 0.4, 3.4, 5.6, 9.99, 10, 11.9)] == [
        *("0.0 s", "0.2 s", "0.4 s", "3.4 s", "5.6 s", "9.8 s", "10 s", "11 s"),
    ]


# ---- limits and delays


def test_a_limit_counts_down_from_when_it_came() -> None:
    facts = talk()
    facts.apply(LimitsNow((limit("tokens", 40_000, 23_600, 37.0),)), START)
    assert facts.limit_left("tokens", START + 10) == pytest.approx(27)
    assert facts.limits[0].used(START + 10) == 41
    assert facts.limit_left("tokens", START + 37) is None
    assert facts.limits[0].used(START + 37) == 0
    assert facts.limit_left("nothing", START) is None


def test_used_is_rounded_down_so_that_it_is_never_full_before_it_is() -> None:
    facts = talk()
    facts.apply(LimitsNow((limit("tokens", 1000, 1, None), limit("requests", 1000, 0, None))), START)
    assert [each.used(START) for each in facts.limits] == [99, 100]


@pytest.mark.parametrize(
    "told",
    [
        limit("x", None, 3, 1),
        limit("x", 3, None, 1),
        limit("x", 0, 0, 1),
        limit("x", -1, 0, 1),
        limit("x", float("nan"), 1, 1),
        limit("x", float("inf"), 1, 1),
        limit("x", 1e300, 1, 1),
        limit("x", 3, float("nan"), 1),
    ],
)
def test_a_limit_without_possible_numbers_is_not_shown(told: object) -> None:
    facts = talk()
    facts.apply(LimitsNow((told,)), START)  # type: ignore[arg-type]
    assert facts.limits == ()
    assert facts.tightest(START) is None


@given(st.floats(), st.floats(), st.none() | st.floats(), st.floats(0, 1e9))
def test_any_numbers_of_a_server_give_a_percentage(
    whole: float, left: float, reset_s: float | None, after: float
) -> None:
    facts = talk()
    facts.apply(LimitsNow((limit("x", whole, left, reset_s),)), START)
    for each in facts.limits:
        assert 0 <= each.used(START + after) <= 100
        assert (each.left_s(START + after) or 0) >= 0


def test_the_tightest_limit_is_that_of_which_most_is_used() -> None:
    tightest = rich(talk()).tightest(START)
    assert tightest is not None
    assert tightest.name == "tokens"


def test_the_names_of_limits_are_safe_to_show() -> None:
    facts = talk()
    facts.apply(LimitsNow((limit("\x1b[31mto\u202ekens\n" + "x" * 99, 10, 5, None), limit("", 10, 5, None))), START)
    assert not UNSAFE.search(facts.limits[0].name)
    assert len(facts.limits[0].name) <= 20
    assert facts.limits[1].name == "limit"


def test_turns_delays_and_interruptions_are_counted() -> None:
    facts = rich(talk())
    facts.apply(TurnOpened("turn_0", None, "assistant", "voice", 1.0), START)
    facts.apply(TurnOpened("tool_1", None, "tool", "tool", 1.0), START)
    interrupt(facts, START)
    assert (facts.turns, facts.interruptions) == (4, 1)
    assert [item for item, _ in facts.delays] == [f"turn_{n}" for n in range(4)]
    for n in range(500):
        facts.apply(Delayed(f"more_{n}", None, 0.1, 0.1), START)
    assert len(facts.delays) == 200


# ---- notices


def test_warnings_stand_until_they_are_closed_and_the_newest_is_on_top() -> None:
    facts = talk()
    facts.apply(warning("one"), START)
    facts.apply(warning("two"), START)
    assert facts.notice == warning("two")
    assert facts.notices == 2
    assert facts.close_notice() == warning("two")
    assert facts.notice == warning("one")
    facts.close_notice()
    assert facts.notice is None
    assert facts.close_notice() is None


def test_the_same_notice_once_more_takes_the_place_of_the_one_before() -> None:
    facts = talk()
    for title in ("first", "second"):
        facts.apply(warning("one", title), START)
    assert facts.notices == 1
    assert facts.notice == warning("one", "second")
    for n in range(100):
        facts.apply(warning(f"code_{n}"), START)
    assert facts.notices == 20


def test_infos_are_quiet_and_know_their_place() -> None:
    facts = talk()
    facts.apply(notices.told("stale", seconds="3"), START)
    facts.apply(TurnOpened("a", None, "you", "voice", 1.0), START)
    facts.apply(notices.told("unmuted_now"), START)
    assert facts.notice is None
    assert [(quiet.after, quiet.told.code) for quiet in facts.quiet] == [(None, "stale"), ("a", "unmuted_now")]


def test_offline_practice_is_said_first() -> None:
    (quiet,) = talk(offline=True).quiet
    assert quiet.told.title == "Offline practice. No key is set."
    assert "not a language model" in quiet.told.hint
    assert "OPENAI_API_KEY" in quiet.told.hint


def test_a_lost_link_is_over_when_there_is_one_again() -> None:
    facts = talk()
    for code in ("dropped", "closed_1001", "closed_4711", "unauthorized"):
        facts.apply(Told(severity="error", code=code, title="x"), START)
    facts.apply(warning("settings_differ"), START)
    facts.apply(LinkNow(state="connecting"), START)
    assert facts.notices == 5
    facts.apply(LinkNow(state="open"), START)
    assert facts.notice == warning("settings_differ")


def test_a_device_that_works_again_settles_only_its_own_notice() -> None:
    facts = talk()
    facts.apply(notices.sound_failed(SoundFailed(Side.MICROPHONE, SoundFailure.LOST, "A speaker", "")), START)
    facts.apply(notices.sound_failed(SoundFailed(Side.SPEAKER, SoundFailure.IN_USE, "X", "")), START)
    facts.apply(SoundNow(side="input", state="opened"), START)
    assert facts.notice is not None
    assert facts.notice.code == "in_use"
    facts.apply(SoundNow(side="output", state="opened"), START)
    assert facts.notice is None


def test_a_notice_about_no_side_of_its_own_is_settled_by_either() -> None:
    for side in ("input", "output"):
        for told in (
            notices.told("no_sound_device", typing=""),
            notices.sound_failed(SoundFailed(Side.MICROPHONE, SoundFailure.NO_LIBRARY, "", "")),
        ):
            facts = talk()
            facts.apply(told, START)
            facts.apply(SoundNow(side=side, state="opened"), START)  # type: ignore[arg-type]
            assert facts.notice is None


def test_an_answer_that_failed_is_over_with_the_next_one() -> None:
    facts = talk()
    facts.apply(notices.told("answer_failed"), START)
    facts.apply(TurnOpened("a", None, "you", "voice", 1.0), START)
    assert facts.notice is not None
    facts.apply(TurnOpened("b", None, "assistant", "voice", 1.0), START)
    assert facts.notice is None


def test_a_full_recording_is_over_when_it_is_sent_or_thrown_away() -> None:
    facts = talk("recording_full", mode="ptt")
    facts.apply(notices.told("recording_full"), START)
    facts.apply(PhaseNow("recording_full", "x"), START)
    assert facts.notice is not None
    facts.apply(PhaseNow("press_to_talk"), START)
    assert facts.notice is None


def test_a_limit_is_no_longer_near_when_the_server_says_so() -> None:
    facts = talk()
    facts.apply(LimitsNow((limit("tokens", 100, 5, 30),)), START)
    facts.apply(warning("limit_near"), START)
    facts.apply(LimitsNow((limit("tokens", 100, 4, 30),)), START)
    assert facts.notice is not None
    facts.apply(LimitsNow((limit("tokens", 100, 90, 30),)), START)
    assert facts.notice is None


def test_a_limit_is_no_longer_near_when_its_window_is_over() -> None:
    facts = talk()
    near = LimitNow(Foreign("tokens"), 40_000.0, 3649.0, 38.0)
    facts.apply(LimitsNow((near,)), START)
    facts.apply(notices.limit_near(near, 38.0), START)
    said = []
    for after in (0.0, 0.5, 1.0, 37.5):
        facts.tick(START + after)
        assert facts.notice is not None
        said.append(facts.notice.hint)
    assert [hint[-5:] for hint in said] == ["0:38.", "0:38.", "0:37.", "0:01."]
    facts.tick(START + 38)
    assert facts.notice is None


def test_a_wait_for_the_limit_counts_down_and_is_over() -> None:
    facts = talk()
    facts.apply(notices.waiting("rate_limit", 36.0), START)
    facts.tick(START + 34.2)
    assert facts.notice is not None
    assert facts.notice.hint == "Wait 2 seconds, then ask again."
    facts.tick(START + 35)
    assert facts.notice.hint == "Wait 1 second, then ask again."
    facts.tick(START + 36)
    assert facts.notice is None


def test_a_long_wait_counts_down_in_minutes_as_it_is_told() -> None:
    facts = talk()
    facts.apply(notices.waiting("rate_limit", 300.0), START)
    said = []
    for after in (0.0, 100.0, 185.0):
        facts.tick(START + after)
        said.append(facts.notice.hint if facts.notice is not None else "")
    assert said == [f"Wait {words}, then ask again." for words in ("5 minutes", "4 minutes", "115 seconds")]
    facts.tick(START + 300)
    assert facts.notice is None


def test_no_word_of_a_notice_is_taken_for_a_time() -> None:
    facts = talk()
    hint = "Wait 5 seconds, then ask again. Full again in 0:05."
    for code in ("rate_limit", "limit_near"):
        facts.apply(replace(warning(code), hint=hint), START)
        facts.tick(START + 60)
        assert facts.notice is not None
        assert facts.notice.hint == hint


def test_a_wait_of_which_nobody_knows_how_long_stands() -> None:
    facts = talk()
    facts.apply(notices.told("rate_limit"), START)
    facts.tick(START + 3600)
    assert facts.notice is not None


def test_a_countdown_of_a_notice_that_was_closed_does_not_bring_it_back() -> None:
    facts = talk()
    facts.apply(notices.waiting("rate_limit", 36.0), START)
    facts.close_notice()
    facts.tick(START + 1)
    assert facts.notice is None


def test_what_is_over_by_itself_is_a_notice_that_exists() -> None:
    ours = {"closed", "paste_cut", "pasted_command", "again_to_quit", "bad_input"}
    assert set(OVER) - set(notices.WORDS) <= ours
    assert over_by("nothing_known") is None


def test_a_key_that_was_withheld_is_said() -> None:
    facts = Facts()
    facts.apply(replace(started(), key_withheld=True), START)
    assert [quiet.told.code for quiet in facts.quiet] == ["key_withheld"]


@pytest.mark.parametrize(
    ("local", "withheld", "words"),
    [
        (True, False, "Nothing leaves this machine."),
        (False, False, "What is said goes to models.example:1, as text."),
        (False, True, "Your key was not sent, because the link is not encrypted. What is said goes to"),
    ],
)
def test_a_language_model_of_ones_own_is_said_first(local: bool, withheld: bool, words: str) -> None:
    facts = Facts()
    asked = replace(started(offline=True), mind_model="llama3.2", mind_host="models.example:1", url_source="--llm-url")
    facts.apply(replace(asked, mind_local=local, key_withheld=withheld), START)
    (quiet,) = facts.quiet
    assert quiet.told.title == "Talking with the language model llama3.2 at models.example:1."
    source = "Asked for by --llm-url, with the key from config.env. "
    assert quiet.told.hint.startswith(f"{source}{words}")


def test_nothing_is_heard_of_a_talk_without_sound() -> None:
    assert not talk(mode="chat").sounds
    facts = talk()
    assert facts.sounds
    levels(facts, START, 1)
    for side in ("input", "output"):
        facts.apply(SoundNow(side=side, state="lost"), START)  # type: ignore[arg-type]
    assert not facts.sounds
