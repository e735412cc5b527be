"""What is understood as a request for an exercise, and what is not: recognition errs, and people just talk."""

from __future__ import annotations

import time

import pytest

from voicecli.server.exercises import PHRASES, Exercise, Wanted, wanted

NEAR = {
    Exercise.HELP: ("Help!", "Help me, please.", "What can you do?", "what exercises are there", "Okay, help."),
    Exercise.REPEAT: (
        *("repeat what i sad", "Repeat what I said.", "Please repeat what I just said.", "Can you say that again?"),
        *("what did I say", "Repete what I said", "repeat that please"),
    ),
    Exercise.COUNT: (
        *(
            "count slowly too twenty",
            "Count slowly to 20.",
            "Can you count to twenty, please?",
            "Now count two twenty.",
        ),
        *(
            "Hello, count to twenty",
            "Count up to twenty.",
            "counts slowly to twenty",
            "Please count slowly to twenty now",
        ),
    ),
    Exercise.STORY: (
        *(
            "tell me a long storey",
            "Tell me a story.",
            "Could you tell me a long story again, please?",
            "till me a long story",
        ),
        "That was nice. Tell me another story.",
    ),
    Exercise.TIME: (
        *(
            "what's the time",
            "What’s the time?",
            "What time is it now?",
            "Tell me the time.",
            "Do you know what time it is?",
        ),
        "Hello there. What time is it?",
    ),
    Exercise.WEATHER: (
        "call the whether tool",
        "How's the weather today?",
        "What is the weather like tomorrow?",
        "Use the weather tool.",
        "Whether.",
        "call a weather tool",
    ),
    Exercise.REFUSED: ("be refused", "Be refuse.", "Refuse to answer me.", "Now be refused, please."),
    Exercise.SLOW: ("Be slow.", "be slow now", "Answer slowly, please."),
    Exercise.LIMITED: ("be great limited", "He rate limited.", "Be rate limited.", "Hit the rate limit."),
    Exercise.FAIL: ("Fail.", "Please fail now.", "Make an error."),
    Exercise.CUT_SHORT: ("Be cut short.", "be cut shorts", "He cut short.", "Be cut short by max tokens."),
    Exercise.HANG_UP: (
        "Hang up!",
        "Cut the connections.",
        "Please drop the connection.",
        "hung up on me",
        "Hang up now.",
    ),
}

ORDINARY = (
    "I was late, what a time we had",
    "do not count on it",
    "Don't count to twenty.",
    "It's a long story.",
    "He told me a long story about the weather.",
    "What a time!",
    "Do you have time tomorrow?",
    "The weather was bad yesterday.",
    "What is the weather doing to my garden?",
    "I repeat what I said.",
    "Repeat offenders are a problem.",
    "Can you help me with my homework?",
    "That helps a lot.",
    "Help yourself to some cake.",
    "I failed my exam.",
    "Never fail again.",
    "They hung up their coats.",
    "Hang on a second.",
    "The connection was slow this morning.",
    "My internet is slow.",
    "Slow down.",
    "What is this?",
    "what is it",
    "What do you think about the time of day?",
    "I can count to twenty in Spanish.",
    "Twenty people came.",
    "How are you today?",
    "To cut a long story short, we left.",
    "I ran out of milk.",
    "He refused to answer.",
    "He refused.",
    "Is there a limit?",
    "Once upon a time there was a king.",
    "What did you say to her?",
    "Say hello to your mother.",
    "It rains again, I think.",
    "hello",
    "yes please",
    "Thank you.",
    "",
    "?!",
    "12 + 8",
)


@pytest.mark.parametrize("exercise", list(Exercise))
def test_each_phrase_asks_for_its_own_exercise(exercise: Exercise) -> None:
    for phrase in PHRASES[exercise]:
        assert wanted(phrase) == Wanted(exercise), phrase
        assert wanted(f"Could you {phrase}, please?") == Wanted(exercise), phrase


@pytest.mark.parametrize(("exercise", "text"), [(each, text) for each, texts in NEAR.items() for text in texts])
def test_a_near_miss_is_understood(exercise: Exercise, text: str) -> None:
    assert wanted(text) == Wanted(exercise)


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_sentence_asks_for_no_exercise(text: str) -> None:
    assert wanted(text) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Repeat after me: the cat sat. On the mat!", "the cat sat. On the mat!"),
        ("please repeat after me, good morning", "good morning"),
        ("Say after me  one\ntwo", "one two"),
        ("repeat after me", ""),
    ],
)
def test_what_stands_behind_is_what_is_repeated(text: str, rest: str) -> None:
    assert wanted(text) == Wanted(Exercise.REPEAT, rest)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("What is the weather in Oslo?", "Oslo"),
        ("what's the weather like in san francisco today", "San Francisco"),
        ("Call the weather tool for the Bay of Fundy, please.", "Bay of Fundy"),
        ("weather in Rome", "Rome"),
        ("How is the weather in Paris like tomorrow", "Paris"),
        ("what is the weather in", ""),
    ],
)
def test_the_place_of_the_weather_is_taken_from_the_request(text: str, place: str) -> None:
    assert wanted(text) == Wanted(Exercise.WEATHER, place)


def test_any_text_is_looked_at_in_no_time() -> None:
    """What a stranger's client sends may not hold up the loop."""
    began = time.perf_counter()
    for text in (
        "in " * 100_000,
        "x" * 1_000_000,
        "be " * 24,
        "what is the weather " * 5_000,
        "a. " * 100_000,
        "é" * 9_999,
    ):
        wanted(text)
    assert time.perf_counter() - began < 1.0
