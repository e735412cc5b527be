"""Which exercise a person asks for, by what was typed or understood. It knows no answers and no session.

Who writes down speech errs ("count slowly too twenty"), so a request is known by its words: all that carry meaning must
be there, in order, each itself or near to itself, and no others. So "do not count on it" asks for nothing.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from enum import Enum
from functools import cache
from typing import Final, NamedTuple


class Exercise(Enum):
    """What can be practised; the value is its name in files."""

    HELP = "help"
    REPEAT = "repeat"
    COUNT = "count"
    STORY = "story"
    TIME = "time"
    WEATHER = "weather"
    REFUSED = "refused"
    SLOW = "slow"
    LIMITED = "limited"
    FAIL = "fail"
    CUT_SHORT = "cut_short"
    HANG_UP = "hang_up"


class Wanted(NamedTuple):
    """What is asked for."""

    exercise: Exercise
    rest: str = ""
    """What follows on the request: the words to repeat, the place whose weather it is."""


PHRASES: Final[dict[Exercise, tuple[str, ...]]] = {
    Exercise.HELP: (
        "help",
        "what can you do",
        "tell me what you can do",
        "what can i say",
        "what can i ask",
        "what can i ask you",
        "what can we practise",
        "what exercises are there",
        "which exercises are there",
        "what exercises do you have",
        "what exercises do you know",
        "what are the exercises",
        "list the exercises",
    ),
    Exercise.REPEAT: (
        "repeat what i said",
        "repeat what i just said",
        "repeat what i have said",
        "say what i said",
        "repeat my words",
        "repeat that",
        "repeat it",
        "repeat",
        "say that again",
        "say it again",
        "what did i say",
        "what did i just say",
    ),
    Exercise.COUNT: (
        "count slowly to twenty",
        "count to twenty slowly",
        "slowly count to twenty",
        "count to twenty",
        "count from one to twenty",
        "count slowly from one to twenty",
        "count up to twenty",
        "count slowly",
        "count",
    ),
    Exercise.STORY: (
        "tell a long story",
        "tell a story",
        "tell another story",
        "tell another long story",
        "read a story",
        "read a long story",
        "story",
    ),
    Exercise.TIME: (
        "what time is it",
        "what time it is",
        "what is the time",
        "tell the time",
        "tell what time it is",
        "do you know what time it is",
        "do you know the time",
        "time",
    ),
    Exercise.WEATHER: (
        "call the weather tool",
        "call the weather",
        "use the weather tool",
        "try the weather tool",
        "ask the weather tool",
        "ask for the weather",
        "get the weather",
        "check the weather",
        "tell the weather",
        "what is the weather",
        "what is the weather like",
        "how is the weather",
        "how is the weather like",
        "weather tool",
        "weather",
    ),
    Exercise.REFUSED: (
        "be refused",
        "refuse",
        "refuse to answer",
        "refuse this",
        "refuse it",
        "refuse the answer",
        "be filtered",
    ),
    Exercise.SLOW: ("be slow", "be very slow", "answer slowly", "be a slow one", "wait before you answer"),
    Exercise.LIMITED: (
        "be rate limited",
        "rate limited",
        "rate limit",
        "be limited",
        "hit the rate limit",
        "reach the rate limit",
    ),
    Exercise.FAIL: ("make an error", "give an error", "answer with an error", "fail to answer", "fail"),
    Exercise.CUT_SHORT: (
        "be cut short",
        "be cut short by max tokens",
        "cut short",
        "be cut off",
        "cut yourself short",
        "run out of tokens",
    ),
    Exercise.HANG_UP: (
        "hang up",
        "hang up on me",
        "cut the connection",
        "drop the connection",
        "break the connection",
        "cut the line",
        "disconnect",
    ),
}
"""What is understood, each also with SMALL words more or less. The first of each is how it is offered."""

REPEATED: Final = ("repeat after me", "say after me", "repeat these words", "repeat the words")
"""Behind them stands what is to be repeated."""
WHERE: Final = frozenset({"in", "at", "for", "near", "of"})
"""Behind them stands a place."""
LONGEST: Final = 4_000
"""Characters that are looked at."""
MOST_WORDS: Final = 24
"""Of a request that has nothing behind it."""

SMALL: Final = frozenset({"a", "an", "the", "to", "too", "two", "me", "please", "just", "now", "really", "very"})
"""Words that change nothing where they come, go or are misheard."""
_BEFORE: Final = tuple(
    words.split()
    for words in (
        *(
            "please",
            "now",
            "and",
            "then",
            "so",
            "well",
            "ok",
            "okay",
            "hey",
            "hi",
            "hello",
            "um",
            "uh",
            "yes",
            "thanks",
        ),
        *("can you", "could you", "would you", "will you", "lets", "let us", "thanks", "thank you", "good"),
        *("i want you to", "i would like you to", "id like you to"),
    )
)
_BEHIND: Final = tuple(
    words.split()
    for words in (
        *("please", "now", "right now", "for me", "then", "thanks", "thank you", "again", "once more"),
        *("today", "tomorrow", "tonight"),
    )
)
_SAME: Final = {
    "20": "twenty",
    "1": "one",
    "whats": "what is",
    "hows": "how is",
    "dont": "do not",
    "practice": "practise",
    "whether": "weather",
}
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_END: Final = re.compile(r"[.!?;]+\s+")
_LEAST: Final = 0.6
"""How near each word must come, from 0 to 1; the SMALL ones are not asked."""
_EXACT_TO: Final = 2
"""Letters of a word that must be itself."""
_MISHEARD: Final = {("he", "be"): 0.6}
"""But for these, among other words."""


def wanted(text: str) -> Wanted | None:
    """What `text` asks for, as a whole or in its last sentence; None where it asks for no exercise."""
    text = text[:LONGEST].strip()
    for part in dict.fromkeys((text, _END.split(text.rstrip(".!?; "))[-1])):
        found = _repeated(part) or _whole(part) or _placed(part)
        if found is not None:
            return found
    return None


def request(exercise: Exercise) -> str:
    """How it is asked for."""
    return PHRASES[exercise][0]


def _repeated(text: str) -> Wanted | None:
    words = list(_WORD.finditer(text))
    skipped = _fillers([_same(word[0]) for word in words[:MOST_WORDS]])
    for phrase in REPEATED:
        wished = phrase.split()
        heard = words[skipped : skipped + len(wished)]
        if len(heard) == len(wished) and _near([_same(word[0]) for word in heard], wished):
            rest = text[heard[-1].end() :]
            return Wanted(Exercise.REPEAT, " ".join(rest.lstrip(" ,;:.-").split()))
    return None


def _whole(text: str) -> Wanted | None:
    words = [word[0] for word in _WORD.finditer(text)]
    if not 0 < len(words) <= MOST_WORDS:
        return None
    said = " ".join(map(_same, words)).split()
    said = said[_fillers(said) :]
    while True:
        meant = [word for word in said if word not in SMALL]
        for exercise, phrases in _meaning().items():
            if any(_near(meant, phrase) for phrase in phrases):
                return Wanted(exercise)
        behind = next((end for end in _BEHIND if len(said) > len(end) and said[-len(end) :] == end), None)
        if behind is None:
            return None
        said = said[: -len(behind)]


def _placed(text: str) -> Wanted | None:
    """The weather of a place."""
    for place in _WORD.finditer(text):
        if place[0].lower() in WHERE:
            found = _whole(text[: place.start()])
            if found is not None and found.exercise is Exercise.WEATHER:
                return Wanted(Exercise.WEATHER, _place(text[place.end() :]))
    return None


def _place(text: str) -> str:
    """The name of a place, without what people say behind it."""
    words = [word[0] for word in _WORD.finditer(text)]
    while words:
        said = [word.lower() for word in words]
        behind = next((end for end in (*_BEHIND, ["like"]) if said[-len(end) :] == end), None)
        if behind is None:
            break
        words = words[: -len(behind)]
    if words and words[0].lower() == "the":
        words = words[1:]
    name = " ".join(words[:4])
    return name.title() if name.islower() else name


@cache
def _meaning() -> dict[Exercise, tuple[list[str], ...]]:
    """The words of each phrase that carry its meaning."""
    return {
        exercise: tuple([word for word in phrase.split() if word not in SMALL] for phrase in phrases)
        for exercise, phrases in PHRASES.items()
    }


def _near(heard: list[str], wished: list[str]) -> bool:
    """Whether these are the same words, as far as who wrote them down may err."""
    if len(heard) != len(wished):
        return False
    if len(wished) == 1:
        return heard == wished
    alike = [_alike(one, other) for one, other in zip(heard, wished, strict=True)]
    return min(alike) >= _LEAST and sum(alike) / len(alike) >= (0.85 if len(alike) == 2 else 0.8)


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if (one, other) in _MISHEARD:
        return _MISHEARD[one, other]
    if min(len(one), len(other)) <= _EXACT_TO or max(len(one), len(other)) > 2 * min(len(one), len(other)):
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _same(word: str) -> str:
    plain = word.lower().replace("'", "").replace("’", "")
    return _SAME.get(plain, plain)


def _fillers(words: list[str]) -> int:
    """How many words stand before the request."""
    at = 0
    while True:
        found = next((before for before in _BEFORE if words[at : at + len(before)] == before), None)
        if found is None or at + len(found) >= len(words):
            return at
        at += len(found)
