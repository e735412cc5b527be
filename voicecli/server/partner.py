"""The practice partner: what voicecli says when no language model is behind it. It knows no session and no voice.

It is honest: it says what it is in its first answer, quotes what it was told, and does exercises; it never pretends to
understand anything else. An ordinary answer takes less than 15 s to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from voicecli.printable import one_line
from voicecli.protocol.items import StatusError, Tool
from voicecli.server.answers import Answer, AnswerCall, AnswerItem, AnswerPart, Sentence
from voicecli.server.exercises import Exercise, Wanted, wanted
from voicecli.server.responder import Asked
from voicecli.server.sample import arguments
from voicecli.server.stories import STORIES

HONEST: Final = "I am voicecli's practice partner and no language model."
_ASKS_WHAT: Final = re.compile(r"\b(who|what) are you\b|\bare you (an?|the|real|human|alive)\b|\blanguage model\b")
QUOTED_CHARACTERS: Final = 50
REPEATED_CHARACTERS: Final = 400
OUTPUT_CHARACTERS: Final = 120
"""Of what a tool gave."""
LARGEST_OUTPUT: Final = 65_536
"""Characters of an output that is looked into."""
COUNT_PAUSE_S: Final = 0.6
SLOW_S: Final = 6.0
LIMITED_S: Final = 20.0

HELP: Final = (
    "Ask: repeat what I said, count to twenty, tell a story, tell the time, ask for the weather, "
    "be refused, be slow, be rate limited, make an error, be cut short, hang up."
)
OFFERS: Final = (
    'I only do exercises: {say} "help" to hear them. What would you like?',
    'I do not know what it means, but {say} "repeat what I said", and I do. What shall I repeat?',
    'To practise interrupting, {say} "count to twenty". How far do you let me come?',
    'For a long answer, {say} "tell a long story". How soon will you stop me?',
    'For what can go wrong, {say} "be refused", "be slow", "make an error" or "hang up". Which shall it be?',
    'I am still only a practice partner: {say} "what time is it", or "help". What comes next?',
)

_COUNTED: Final = (
    *("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve", "Thirteen"),
    *("Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen", "Twenty"),
)
_TENS: Final = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty"}
_NO_TOOL: Final = (
    "This session has no tool that I could call.",
    "Start voicecli with --session and a file that has one; the README shows how.",
)


class PracticePartner:
    """Does exercises that it is asked for, in spoken or in written words; else it quotes, and offers one."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        """`clock` gives the time of day where the person is; without one it says that it has none."""
        self._clock = clock

    def answer(self, asked: Asked) -> Answer:
        """What it says to this; in the first answer of a session with what it is."""
        if (tool := asked.must_call) is not None:
            return Answer((AnswerCall(tool.name or "", json.dumps(arguments(tool.parameters))),))
        if asked.outputs:
            return _saying(asked, *_reported(asked.outputs))
        for text in _told(asked):
            exercise = wanted(text)
            if exercise is not None:
                return self._practised(asked, exercise)
        return _saying(asked, *_ordinary(asked), introduced=True)

    def _practised(self, asked: Asked, wish: Wanted) -> Answer:
        match wish.exercise:
            case Exercise.HELP:
                return _saying(asked, HELP)
            case Exercise.REPEAT:
                return _saying(asked, *_repeated(asked, wish.rest))
            case Exercise.COUNT:
                return _saying(asked, *(Sentence(f"{number}.", COUNT_PAUSE_S) for number in _COUNTED))
            case Exercise.STORY:
                return _saying(asked, *STORIES[asked.number % len(STORIES)])
            case Exercise.TIME:
                return _saying(
                    asked, "I have no clock here." if self._clock is None else f"It is {_time(self._clock())}."
                )
            case Exercise.WEATHER:
                return _called(asked, wish.rest)
            case Exercise.SLOW:
                return replace(
                    _saying(asked, "That took six seconds, as you asked.", "Did you see it?"), delay_s=SLOW_S
                )
            case Exercise.REFUSED:
                said = _saying(asked, "I begin to answer, and then the filter of contents, as practice,")
                return replace(said, status="incomplete", reason="content_filter")
            case Exercise.CUT_SHORT:
                said = _saying(asked, "I could go on for a long time, but there are no tokens left for the")
                return replace(said, status="incomplete", reason="max_output_tokens")
            case Exercise.LIMITED:
                words = f"The rate limit is reached for {LIMITED_S:.0f} seconds, as an exercise."
                return _failing(asked, "rate_limit_exceeded", words, LIMITED_S)
            case Exercise.FAIL:
                return _failing(asked, "server_error", "The server failed to answer, as an exercise.")
            case Exercise.HANG_UP:
                said = _saying(asked, "Now the connection breaks off, as you asked, in the middle of")
                return replace(said, hang_up=True)


def _told(asked: Asked) -> Iterator[str]:
    """What the person said and typed since the last answer, the last first."""
    texts = [text for text in (asked.said, asked.typed) if text]
    before = [message.text for message in asked.messages if message.role == "user"]
    yield from sorted(texts, key=lambda text: before[::-1].index(text) if text in before else len(before))


def _unknown(asked: Asked) -> bool:
    """Whether nobody has heard yet what it is: no answer was given, or those that were were cut before they said it."""
    heard = (" ".join(message.text.split()) for message in asked.messages if message.role == "assistant")
    return asked.number == 0 or (bool(asked.messages) and not any(HONEST in text for text in heard))


def _saying(asked: Asked, *said: str | Sentence, introduced: bool = False) -> Answer:
    """An answer of one part; before that what it is where nobody knows, unless `said` has it."""
    sentences = tuple(Sentence(each) if isinstance(each, str) else each for each in said)
    if _unknown(asked) and not introduced:
        sentences = (Sentence(HONEST), *sentences)
    return Answer((AnswerItem((AnswerPart(sentences, asked.spoken),)),))


def _failing(asked: Asked, code: str, words: str, limited_s: float | None = None) -> Answer:
    """Nothing but what it is, and that only in the first answer: who fails says nothing."""
    items = _saying(asked).items if _unknown(asked) else ()
    return Answer(items, "failed", error=StatusError(type=code, code=code, message=words), limited_s=limited_s)


# ---- exercises -------------------------------------------------------------------------------------------------------


def _repeated(asked: Asked, rest: str) -> Iterator[str]:
    """The words that came with it, or else those before."""
    before = [message.text for message in asked.messages if message.role == "user" and message.text.strip()]
    while before and not rest:
        text = before.pop()
        found = wanted(text)
        asks = found is not None and found.exercise is Exercise.REPEAT  # as the last one does, which is this
        rest = found.rest if found is not None and asks else text
    if not rest:
        yield "You have said nothing before that I could repeat."
        yield "Say repeat after me, and the words behind it."
        return
    yield one_line(rest, REPEATED_CHARACTERS)


def _called(asked: Asked, place: str) -> Answer:
    """A call of the tool that has to do with weather, or else of the first."""
    if not asked.tools:
        return _saying(asked, *_NO_TOOL)
    tool = next((tool for tool in asked.tools if _of_weather(tool)), asked.tools[0])
    call = AnswerCall(tool.name or "", json.dumps(arguments(tool.parameters, place), ensure_ascii=False))
    return Answer((*(_saying(asked).items if _unknown(asked) else ()), call))


def _of_weather(tool: Tool) -> bool:
    return "weather" in f"{tool.name} {tool.description}".lower()


def _reported(outputs: tuple[str, ...]) -> Iterator[str]:
    """What the client's functions gave back, in words."""
    for output in outputs[:3]:
        words = one_line(_flat(output), OUTPUT_CHARACTERS // min(len(outputs), 3)).rstrip(".")
        yield f"The tool says: {words}." if words else "The tool gave nothing back."
    if len(outputs) > 3:
        yield f"And {len(outputs) - 3} more."


def _flat(output: str) -> str:
    """JSON as words; anything else as it is."""
    text = output[:LARGEST_OUTPUT]
    try:
        return ", ".join(_pairs(json.loads(text), "", 0))
    except (ValueError, RecursionError):
        return text


def _pairs(value: Any, name: str, depth: int) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _pairs(inner, f"{name} {key}".strip() if depth else key, depth + 1)
        case list():
            for inner in value:
                yield from _pairs(inner, name, depth + 1)
        case _:
            words = {True: "yes", False: "no", None: "nothing"}.get(value) if isinstance(value, bool | None) else value
            yield f"{name.replace('_', ' ')} {words}".strip()


def _time(now: datetime) -> str:
    """The time of day as it is said: five minutes past two in the afternoon."""
    hour, minute = now.hour, now.minute
    day = "at night" if hour < 5 or hour > 21 else "in the morning" if hour < 12 else "in the afternoon"
    day = "in the evening" if 18 <= hour <= 21 else day
    if minute == 0:
        return f"{_hour(hour)} o'clock {day}"
    if minute <= 30:
        return f"{_minutes(minute)} past {_hour(hour)} {day}"
    return f"{_minutes(60 - minute)} to {_hour(hour + 1)} {day}"


def _hour(hour: int) -> str:
    return _COUNTED[(hour - 1) % 12].lower()


def _minutes(count: int) -> str:
    if count in (15, 30):
        return "a quarter" if count == 15 else "half"
    tens, ones = count // 10 * 10, count % 10
    words = _COUNTED[count - 1] if count <= 20 else f"{_TENS[tens]}-{_COUNTED[ones - 1]}"
    return f"{words.lower()} {'minute' if count == 1 else 'minutes'}"


# ---- anything else ---------------------------------------------------------------------------------------------------


def _ordinary(asked: Asked) -> Iterator[str]:
    facts = list(_facts(asked))
    yield from facts
    if _unknown(asked) or any(_ASKS_WHAT.search(text.lower()) for text in _told(asked)):
        yield HONEST
    if len(facts) < 3:
        offer = OFFERS[asked.number % len(OFFERS)]
        yield offer.format(say="say" if asked.spoken and asked.said is not None else "write")


def _quoted(text: str) -> str:
    """As the end of a sentence."""
    quotation = _quotation(text)
    return f'"{quotation}"' if quotation.endswith((".", "!", "?")) else f'"{quotation}".'


def _facts(asked: Asked) -> Iterator[str]:
    """What it knows of what it was told."""
    if asked.said:
        yield f"You said: {_quoted(asked.said)}"
    elif asked.heard_ms:
        yield f"I heard {asked.heard_ms / 1000:.1f} seconds of speech."
        yield "No words of it reach me." if asked.said is None else "No words were in it."
    if asked.typed:
        yield f"You wrote: {_quoted(asked.typed)}"
    if asked.images:
        yield f"You sent {asked.images} image{'' if asked.images == 1 else 's'}, which I cannot see."
    if not (asked.said or asked.heard_ms or asked.typed or asked.images):
        yield "You asked me to speak."


def _quotation(text: str) -> str:
    short = " ".join(text[: QUOTED_CHARACTERS * 4].split())
    if len(short) <= QUOTED_CHARACTERS:
        return short
    return short[:QUOTED_CHARACTERS].rsplit(" ", 1)[0] + " ..."
