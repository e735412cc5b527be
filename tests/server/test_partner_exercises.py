"""Each exercise of the practice partner, by value: what it says, how it ends, and that it is honest about itself."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from voicecli.protocol.items import StatusError, Tool
from voicecli.server.answers import Answer, AnswerCall, AnswerItem, AnswerPart, Sentence, one_item
from voicecli.server.exercises import Exercise, request
from voicecli.server.orders import Message
from voicecli.server.partner import COUNT_PAUSE_S, HELP, HONEST, PracticePartner
from voicecli.server.responder import Asked

CHARACTERS_A_SECOND = 15
WEATHER = Tool(
    name="get_weather",
    description="Now",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CLOCK = datetime(2026, 1, 31, 14, 5)


def partner(hour: int = 14, minute: int = 5) -> PracticePartner:
    return PracticePartner(lambda: CLOCK.replace(hour=hour, minute=minute))


def asked(text: str, number: int = 1, **more: object) -> Asked:
    return Asked(number, text, 0, True, **more)  # type: ignore[arg-type]


def answer(text: str, number: int = 1, **more: object) -> Answer:
    return partner().answer(asked(text, number, **more))


def saying(*sentences: str) -> Answer:
    return one_item(AnswerPart(tuple(map(Sentence, sentences))))


def sentences(answer: Answer) -> list[str]:
    return [
        piece.text
        for item in answer.items
        if isinstance(item, AnswerItem)
        for part in item.parts
        for piece in part.pieces
        if isinstance(piece, Sentence)
    ]


KNOWN = Message("assistant", f"Hello. {HONEST} What would you like?")
"""The person has heard what it is."""


def history(*texts: str) -> tuple[Message, ...]:
    return KNOWN, *(Message("user" if n % 2 == 0 else "assistant", text) for n, text in enumerate(texts))


def test_who_cut_it_before_it_said_what_it_is_hears_it_in_the_next_answer() -> None:
    cut = (Message("user", "hi"), Message("assistant", 'You wrote: "hi". I am voicecli\'s'), Message("user", "be slow"))
    assert sentences(answer("be slow", 1, messages=cut))[0] == HONEST
    assert sentences(answer("be slow", 1, messages=(KNOWN, *cut)))[0] != HONEST


@pytest.mark.parametrize("text", ["Who are you?", "Are you a language model?", "what are you"])
def test_who_asks_what_it_is_is_told(text: str) -> None:
    assert HONEST in sentences(answer(text, 5, messages=history(text)))


@pytest.mark.parametrize("exercise", list(Exercise))
def test_a_first_answer_that_is_an_exercise_says_what_it_is_before_it(exercise: Exercise) -> None:
    first, later = (answer(request(exercise), number, tools=(WEATHER,)) for number in (0, 2))
    assert sentences(first) == [HONEST, *sentences(later)]
    assert (first.status, first.reason, first.error) == (later.status, later.reason, later.error)


@pytest.mark.parametrize("exercise", list(Exercise))
def test_an_exercise_is_asked_for_by_voice_as_in_writing(exercise: Exercise) -> None:
    heard = partner().answer(Asked(1, "", 1_500, True, said=f"{request(exercise).capitalize()}."))
    assert heard == answer(request(exercise))


def test_help_lists_all_exercises_in_less_than_15_seconds() -> None:
    assert answer("help") == saying(HELP)
    assert len(f"{HONEST} {HELP}") < 15 * CHARACTERS_A_SECOND
    for named in (
        *("repeat what I said", "count to twenty", "tell a story", "tell the time", "ask for the weather"),
        *("be refused", "be slow", "be rate limited", "make an error", "be cut short", "hang up"),
    ):
        assert named in HELP
        assert answer(named) != answer("anything else"), "what help names is understood"


def test_it_repeats_what_was_said_before() -> None:
    talk = history("The sky is blue.", "That is so.", "repeat what I said")
    assert answer("repeat what I said", messages=talk) == saying("The sky is blue.")


def test_it_repeats_the_same_again_however_often_it_is_asked() -> None:
    talk = history("The sky is blue.", "", "repeat what I said", "The sky is blue.", "Say that again.")
    assert answer("Say that again.", messages=talk) == saying("The sky is blue.")


def test_it_repeats_the_words_that_come_with_it_and_later_again() -> None:
    assert answer("Repeat after me: the cat sat.") == saying("the cat sat.")
    talk = history("Repeat after me: the cat sat.", "the cat sat.", "say that again")
    assert answer("say that again", messages=talk) == saying("the cat sat.")


def test_it_says_when_there_is_nothing_to_repeat() -> None:
    (first, second) = sentences(answer("repeat what I said", messages=history("repeat what I said")))
    assert first == "You have said nothing before that I could repeat."
    assert "repeat after me" in second


def test_a_repeated_text_has_an_end_and_nothing_that_steers_a_terminal() -> None:
    (repeated,) = sentences(answer("repeat after me " + "\x1b[2J word" * 10_000))
    assert len(repeated) <= 400
    assert repeated.isprintable()


def test_it_counts_to_twenty_with_pauses_to_interrupt_it_in() -> None:
    counted = answer("count slowly to twenty").items[0]
    assert isinstance(counted, AnswerItem)
    pieces = counted.parts[0].pieces
    assert isinstance(pieces, tuple)
    assert len(pieces) == 20
    assert (pieces[0], pieces[6], pieces[19]) == (
        Sentence("One.", COUNT_PAUSE_S),
        Sentence("Seven.", COUNT_PAUSE_S),
        Sentence("Twenty.", COUNT_PAUSE_S),
    )


@pytest.mark.parametrize("number", range(3))
def test_a_long_story_is_more_than_30_seconds_of_sound_in_sentences(number: int) -> None:
    told = sentences(answer("tell me a long story", number))
    assert len(" ".join(told)) > 30 * CHARACTERS_A_SECOND
    assert all(len(sentence) < 12 * CHARACTERS_A_SECOND and sentence.endswith(".") for sentence in told)


def test_another_story_is_another_one() -> None:
    assert answer("tell another story", 2) != answer("tell another story", 3)


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [
        (14, 5, "five minutes past two in the afternoon"),
        (0, 0, "twelve o'clock at night"),
        (9, 30, "half past nine in the morning"),
        (11, 45, "a quarter to twelve in the morning"),
        (12, 1, "one minute past twelve in the afternoon"),
        (18, 37, "twenty-three minutes to seven in the evening"),
        (23, 59, "one minute to twelve at night"),
        (21, 15, "a quarter past nine in the evening"),
    ],
)
def test_the_time_is_that_of_its_clock_in_words(hour: int, minute: int, words: str) -> None:
    assert partner(hour, minute).answer(asked("what time is it")) == saying(f"It is {words}.")


def test_every_minute_of_a_day_can_be_said() -> None:
    told = {
        sentences(partner(hour, minute).answer(asked("what time is it")))[0]
        for hour in range(24)
        for minute in range(60)
    }
    assert len(told) == 24 * 60


def test_without_a_clock_it_says_so() -> None:
    assert PracticePartner().answer(asked("what time is it")) == saying("I have no clock here.")


def test_the_weather_tool_is_called_with_the_place_that_was_named() -> None:
    other = Tool(name="lights", parameters={"type": "object", "required": ["room"]})
    called = answer("What is the weather in San Francisco?", tools=(other, WEATHER))
    assert called == Answer((AnswerCall("get_weather", '{"city": "San Francisco"}'),))
    assert answer("call the weather tool", tools=(WEATHER,)) == Answer((AnswerCall("get_weather", '{"city": "Oslo"}'),))


def test_without_a_tool_of_weather_the_first_is_called_and_a_description_counts_too() -> None:
    lights, sky = Tool(name="lights"), Tool(name="sky", description="The Weather, anywhere.")
    assert answer("call the weather tool", tools=(lights,)) == Answer((AnswerCall("lights", "{}"),))
    assert answer("call the weather tool", tools=(lights, sky)) == Answer((AnswerCall("sky", "{}"),))


def test_without_tools_it_says_how_to_give_it_one() -> None:
    first, second = sentences(answer("call the weather tool"))
    assert first == "This session has no tool that I could call."
    assert "--session" in second


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            '{"temperature_c": 4, "sky": {"cover": "cloudy", "rain": false}}',
            "temperature c 4, sky cover cloudy, sky rain no",
        ),
        ('["a", "b", null]', "a, b, nothing"),
        ("It rains.", "It rains"),
        ('"just words"', "just words"),
        ("4.5", "4.5"),
        ("\x1b[31mred\x1b[0m", "\u241b[31mred\u241b[0m"),
    ],
)
def test_what_the_tool_gave_is_told_in_words(output: str, words: str) -> None:
    assert answer("", outputs=(output,)) == saying(f"The tool says: {words}.")


def test_outputs_that_are_empty_many_or_endless_are_told_in_short() -> None:
    assert sentences(answer("", outputs=("", "{}"))) == ["The tool gave nothing back."] * 2
    assert sentences(answer("", outputs=tuple("abcde")))[-1] == "And 2 more."
    for output in (json.dumps({"a": "word " * 100_000}), "[" * 100_000, '{"a":' * 60_000, "9" * 60_000):
        (told,) = sentences(answer("", outputs=(output,)))
        assert len(told) < 15 * CHARACTERS_A_SECOND


def test_a_refusal_ends_by_the_filter_of_contents() -> None:
    refused = answer("be refused")
    assert (refused.status, refused.reason, refused.error) == ("incomplete", "content_filter", None)
    assert not sentences(refused)[-1].endswith(".")


def test_a_slow_answer_comes_after_six_seconds() -> None:
    slow = answer("be slow")
    assert (slow.delay_s, slow.status) == (6.0, "completed")


def test_a_rate_limit_is_reached_for_twenty_seconds() -> None:
    limited = answer("be rate limited")
    assert (limited.items, limited.status, limited.limited_s) == ((), "failed", 20.0)
    assert limited.error is not None
    assert limited.error.code == "rate_limit_exceeded"


def test_a_failure_fails_and_says_that_it_is_an_exercise() -> None:
    words = "The server failed to answer, as an exercise."
    error = StatusError(type="server_error", code="server_error", message=words)
    assert answer("fail") == Answer((), "failed", error=error)


def test_an_answer_cut_short_ends_in_mid_sentence_for_want_of_tokens() -> None:
    cut = answer("be cut short")
    assert (cut.status, cut.reason) == ("incomplete", "max_output_tokens")
    assert not sentences(cut)[-1].endswith(".")


def test_it_hangs_up_in_mid_sentence() -> None:
    gone = answer("cut the connection")
    assert gone.hang_up
    assert not sentences(gone)[-1].endswith(".")


def test_of_what_was_said_and_what_was_typed_the_later_is_done() -> None:
    for order, expected in (((0, 1), "count to twenty"), ((1, 0), "fail")):
        texts = ("fail", "count to twenty")
        talk = (KNOWN, *(Message("user", texts[n]) for n in order))
        found = partner().answer(Asked(1, "fail", 900, True, said="count to twenty", messages=talk))
        assert found == answer(expected)
