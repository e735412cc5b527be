"""Scenarios as text: what they say, how their answers are taken, and how a bad one is refused (G26)."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.protocol.items import StatusError
from voicecli.server.answers import Answer, AnswerCall, AnswerItem, AnswerPart, Sentence
from voicecli.server.exercises import Exercise, request
from voicecli.server.partner import PracticePartner
from voicecli.server.responder import Asked
from voicecli.server.scenario import EVENTS, Close, Cue, Drop, Frame, Planned, Scenario, ScenarioResponder
from voicecli.server.scenario_file import BadScenario, read

DOCS = Path(__file__).parents[2] / "docs"
PARTNER = PracticePartner(lambda: datetime(2026, 1, 31, 14, 5))


def asked(text: str = "", number: int = 0, **more: object) -> Asked:
    return Asked(number, text, 0, True, **more)  # type: ignore[arg-type]


def message(*sentences: Sentence, spoken: bool = True) -> AnswerItem:
    return AnswerItem((AnswerPart(sentences, spoken),))


def only_answer(text: str) -> Answer:
    (planned,) = read(text).answers
    assert isinstance(planned.what, Answer)
    return planned.what


def test_the_documented_scenario_by_value() -> None:
    cafe = read((DOCS / "scenarios" / "cafe.toml").read_text())
    good, kitchen, soup, bill = cafe.answers
    pause = Sentence("One moment, please.", 0.8)
    assert good == Planned(
        "", Answer((message(Sentence("Good morning."), pause, Sentence("What would you like?")),), delay_s=0.3)
    )
    call = AnswerCall("ask_kitchen", '{"dish":"soup","count":2}', "call_soup")
    assert kitchen == Planned("", Answer((message(Sentence("I ask the kitchen.")), call)))
    cut = Answer(
        (message(Sentence("It is the tomato soup, with a little")),), status="incomplete", reason="max_output_tokens"
    )
    assert soup == Planned("", cut)
    error = StatusError("server_error", "server_error", "The till is broken.")
    assert bill == Planned("bill", Answer((), status="failed", error=error))
    first, limits, close = cafe.cues
    assert first[:3] == ("session.update", 0.25, 1)
    assert isinstance(first.act, Frame)
    assert first.act.text.startswith('{"type": "error", "event_id": "event_cue"')
    assert limits[:3] == ("response.create", 0.0, 1)
    assert isinstance(limits.act, Frame)
    assert limits.act.text.startswith('{"type":"rate_limits.updated"')
    assert close == Cue("response.create", 0.5, 3, Close(1011, "The cafe has closed."))
    assert not cafe.then_partner


def test_every_field_that_is_documented_is_read_and_no_other() -> None:
    described = (DOCS / "scenarios.md").read_text()
    fields = set(re.findall(r"^\| `(?:\[\[)?(\w+)(?:\]\])?` \|", described, re.MULTILINE))
    assert fields == {
        *("about", "then", "answer", "cue"),
        *("when", "say", "write", "call", "item", "delay_s", "word_s", "reason", "error", "status", "limited_s"),
        *("hang_up", "exercise", "on", "nth", "after_ms", "send", "close", "drop"),
    }
    assert all(f"`{exercise.value}`" in described for exercise in Exercise)


# ---- answers


@pytest.mark.parametrize("exercise", list(Exercise))
def test_each_exercise_is_a_scenario_that_does_what_asking_for_it_does(exercise: Exercise) -> None:
    played = ScenarioResponder(read(f'answer = [{{exercise = "{exercise.value}"}}]'), PARTNER)
    assert played.answer(asked("anything", 3)) == PARTNER.answer(asked(request(exercise), 3))


def test_the_documented_exercises_are_all_of_them() -> None:
    scenario = read((DOCS / "scenarios" / "exercises.toml").read_text())
    assert {planned.what for planned in scenario.answers} == set(Exercise)
    assert scenario.then_partner


def responder(text: str) -> ScenarioResponder:
    return ScenarioResponder(read(text), PARTNER)


def words(answer: Answer) -> str:
    (item,) = answer.items
    assert isinstance(item, AnswerItem)
    return item.parts[0].text


def test_answers_come_in_order_and_the_last_again() -> None:
    played = responder('answer = [{say = "one"}, {say = "two"}]')
    assert [words(played.answer(asked())) for _ in range(4)] == ["one", "two", "two", "two"]


def test_the_partner_comes_after_the_last_where_the_scenario_says_so() -> None:
    played = responder('then = "partner"\nanswer = [{say = "one"}]')
    assert words(played.answer(asked())) == "one"
    assert played.answer(asked("hello", 1)) == PARTNER.answer(asked("hello", 1))


def test_an_answer_for_a_text_comes_whenever_that_is_there_and_takes_no_place_in_the_order() -> None:
    played = responder('answer = [{say = "one"}, {when = "BILL", say = "money"}, {say = "two"}]')
    texts = [asked("the bill please"), asked(), asked(said="Bill!"), asked(outputs=('{"bill": 3}',)), asked("hi")]
    assert [words(played.answer(each)) for each in texts] == ["money", "one", "money", "money", "two"]


def test_without_answers_in_order_the_partner_answers_the_rest() -> None:
    played = responder('answer = [{when = "bill", say = "money"}]')
    assert played.answer(asked("hello")) == PARTNER.answer(asked("hello"))


def test_each_session_begins_at_the_beginning() -> None:
    scenario = read('answer = [{say = "one"}, {say = "two"}]')
    first = ScenarioResponder(scenario, PARTNER)
    first.answer(asked())
    first.answer(asked())
    assert words(ScenarioResponder(scenario, PARTNER).answer(asked())) == "one"


def test_an_answer_may_have_several_items_and_written_parts_and_text_for_arguments() -> None:
    answer = only_answer(
        """
        [[answer]]
        item = [{say = "One.", write = ["Two.", "Three."]}, {call = {name = "f", arguments = "none"}}, {write = "4."}]
        word_s = 0.5
        """
    )
    assert answer == Answer(
        (
            AnswerItem(
                (AnswerPart((Sentence("One."),)), AnswerPart((Sentence("Two."), Sentence("Three.")), spoken=False))
            ),
            AnswerCall("f", "none", None),
            message(Sentence("4."), spoken=False),
        ),
        text_word_s=0.5,
    )


def test_how_an_answer_ends() -> None:
    assert only_answer("answer = [{limited_s = 20, hang_up = true}]") == Answer((), limited_s=20.0, hang_up=True)
    assert only_answer('answer = [{status = "failed"}]') == Answer((), status="failed")
    assert only_answer('answer = [{reason = "content_filter", status = "incomplete"}]').reason == "content_filter"


# ---- cues


def test_a_cue_sends_anything_closes_or_drops() -> None:
    cues = read(
        """
        cue = [
            { on = "commit", send = "{ no json" },
            { on = "turn", after_ms = 1, close = { code = 4000 } },
            { on = "speech_started", after_ms = 0.5, drop = true },
        ]
        """
    ).cues
    assert cues == (
        Cue("input_audio_buffer.commit", 0.0, None, Frame("{ no json")),
        Cue("turn", 0.001, None, Close(4000, "")),
        Cue("speech_started", 0.0005, None, Drop()),
    )


def test_every_event_of_a_client_can_be_waited_for() -> None:
    assert {"session.update", "response.create", "input_audio_buffer.append", "conversation.item.create"} <= EVENTS
    assert len(read("\n".join(f'[[cue]]\non = "{event}"\ndrop = true' for event in EVENTS)).cues) == len(EVENTS)


# ---- what is wrong


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "", "it has neither an [[answer]] nor a [[cue]]"),
        ('answer = [\n{say = "x"', "end of document", "it is not TOML: Unclosed inline table"),
        ("a = ,", "line 1, column 5", "it is not TOML: Invalid value"),
        ('include = "other.toml"', "", "there is no field 'include'"),
        ('answer = [{sayy = "x"}]', "answer 1", "there is no field 'sayy'; did you mean say?"),
        (
            'answer = [{say = "x"}, {say = [{text = "x", file = "/etc/passwd"}]}]',
            "answer 2, say 1",
            "there is no field 'file'",
        ),
        ("answer = [{say = 3}]", "answer 1, say", "Expected `str | array | null`, got `int`"),
        ('answer = [{say = ["x", " "]}]', "answer 1, item 1", "a sentence is empty"),
        ('answer = [{delay_s = -1, say = "x"}]', "answer 1, delay_s", "Expected `float` >= 0.0"),
        ('answer = [{delay_s = nan, say = "x"}]', "answer 1, delay_s", "Expected `float` >= 0.0"),
        ("answer = [{limited_s = inf}]", "answer 1, limited_s", "Expected `float` <= 3600.0"),
        ("answer = [{call = {arguments = {}}}]", "answer 1, call", "Object missing required field `name`"),
        (
            'answer = [{say = "x", item = []}]',
            "answer 1",
            "say, write and call stand in the answer or in its items, not in both",
        ),
        (
            'answer = [{reason = "bored"}]',
            "answer 1, reason",
            "it is 'bored'; it must be one of max_output_tokens, content_filter",
        ),
        (
            'answer = [{reason = "content_filter", status = "failed"}]',
            "answer 1",
            '`reason` goes with status = "incomplete"',
        ),
        ('answer = [{reason = "content_filter", error = {}}]', "answer 1", "`reason` and `error` exclude each other"),
        ('answer = [{exercise = "count", say = "x"}]', "answer 1", "an exercise has nothing beside it but `when`"),
        ('answer = [{exercise = "sing"}]', "answer 1, exercise", "it is 'sing'; it must be one of help, repeat, count"),
        ('then = "else"\nanswer = [{say = "x"}]', "then", "it is 'else'; it must be one of repeat, partner"),
        ('cue = [{on = "respond.create", drop = true}]', "cue 1", "did you mean response.create?"),
        ('cue = [{on = "turn"}]', "cue 1", "it needs one of `send`, `close` and `drop = true`"),
        ('cue = [{on = "turn", drop = true, send = "x"}]', "cue 1", "it needs one of"),
        ("cue = [{drop = true}]", "cue 1", "Object missing required field `on`"),
        ('cue = [{on = "turn", nth = 0, drop = true}]', "cue 1, nth", "Expected `int` >= 1"),
        ('cue = [{on = "turn", close = {code = 1006}}]', "cue 1", "1006 is no code that a connection is closed with"),
        (f'cue = [{{on = "turn", close = {{code = 1000, reason = "{"é" * 62}"}}}}]', "cue 1", "123 bytes at most"),
        ("[[cue]]\non = 'turn'\ndrop = true\n" * 1_001, "cue", "Expected `array` of length <= 1000"),
        ("a = " + "[" * 100_000, "", "it is not TOML that anybody can read"),
        ("a = " + "9" * 10_000, "", "it is not TOML that anybody can read"),
    ],
)
def test_g26_what_is_wrong_is_refused_with_its_place(text: str, where: str, why: str) -> None:
    with pytest.raises(BadScenario) as bad:
        read(text)
    assert bad.value.where == where
    assert why in bad.value.why
    assert str(bad.value).startswith(where)


def test_g26_a_large_scenario_is_read_in_no_time() -> None:
    began = time.perf_counter()
    text = "".join(f'[[answer]]\nwhen = "w{n}"\nsay = "{"word " * 190}"\n' for n in range(1_000))
    assert len(text) < 2**20
    assert len(read(text).answers) == 1_000
    assert time.perf_counter() - began < 2.0


@given(st.text(max_size=60))
def test_any_text_is_a_scenario_or_a_bad_one(text: str) -> None:
    with suppress(BadScenario):
        assert isinstance(read(text), Scenario)
