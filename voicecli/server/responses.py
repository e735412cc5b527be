"""A running response: one answer as events, each with the time it may leave. It knows no conversation and no wire.

The order of the events is B7, with every `.done` also when it is cut short (B8). The sound is paced: a burst at once,
then a few times real time, until it is as far ahead of the listener's ear as it may be; so "during generation" exists.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import Any, Final, NamedTuple, assert_never

from msgspec.structs import replace

from voicecli.audio.wire import ToWire
from voicecli.ports import RATE, Format
from voicecli.protocol.events import (
    AudioDelta,
    AudioDone,
    AudioTranscriptDelta,
    AudioTranscriptDone,
    ContentPartAdded,
    ContentPartDone,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    OutputItemAdded,
    OutputItemDone,
    ServerEvent,
    TextDelta,
    TextDone,
)
from voicecli.protocol.items import ContentPart, Item, Response, StatusDetails, StatusError
from voicecli.server.answers import AnswerCall, Ending, NewItem, NewPart, Piece, Sentence, Status, Step, Toned
from voicecli.server.limits import CHARACTERS_PER_TOKEN, OUTPUT_TOKEN_SAMPLES, Limits, Spent, sound_tokens
from voicecli.server.rows import Rows

ARGUMENTS_PIECE: Final = 16
"""Characters of a function call's arguments in one delta."""


class Ids:
    """Names from a counter with a prefix, so that a replay gives the same ones."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._count = 0

    def new(self, kind: str) -> str:
        """A name no other thing of this session has, like item_x0007."""
        self._count += 1
        return f"{kind}_{self._prefix}{self._count:04}"


class Pace(NamedTuple):
    """When a sample of sound may leave, as seconds of the clock."""

    limits: Limits
    start: float
    """When the first word may leave."""
    ear: float
    """When everything sent before will have been heard in real time, or `start` where that is later."""

    def due(self, samples: int, written_s: float) -> float:
        """When sound up to `samples` of this response may have left, after `written_s` of written words."""
        sound_s = samples / RATE
        at = self.start + written_s + max(0.0, sound_s - self.limits.burst_s) / self.limits.speed
        if self.limits.ahead_s is None:
            return at
        return max(at, self.ear + sound_s - self.limits.ahead_s)


class Progress(Enum):
    """How far a response is."""

    RUNNING = auto()
    CUT = auto()
    """No more deltas; what is open is being closed."""
    DONE = auto()


class Cue(Enum):
    """What moves a response."""

    CUT = auto()
    SPENT = auto()


MOVES: Final[dict[Progress, dict[Cue, Progress]]] = {
    Progress.RUNNING: {Cue.CUT: Progress.CUT, Cue.SPENT: Progress.DONE},
    Progress.CUT: {Cue.SPENT: Progress.DONE},
    Progress.DONE: {},
}


class RunningResponse:
    """One response from its first output to its last; `response.created` and `response.done` are the session's.

    It plays the steps it is fed. Where they run out before the `Ending` it waits for more.
    """

    def __init__(
        self,
        response: Response,
        ids: Ids,
        pace: Pace,
        form: Format,
        max_tokens: int | None = None,
        spoken: bool = True,
        rows: Rows | None = None,
    ) -> None:
        """`response` is as it was created, `form` how its sound is spelled; without `spoken` all is written."""
        self.form = form
        self.spoken = spoken
        self._response = response
        self._ids = ids
        self._pace = pace
        self._max_tokens = max_tokens
        self._word_s = 0.0
        self._progress = Progress.RUNNING
        self._rows = Rows() if rows is None else rows
        self._steps: deque[Step] = deque()
        self._fed = 0
        self._ending = Ending()
        self._samples = 0
        self._written_s = 0.0
        self._letters = 0
        self._item: _Message | _Call | None = None
        self._output: list[Item] = []
        self._out: list[ServerEvent] = []
        self._play = self._played()
        self._deadline: float | None = None
        self._advance()

    def begin(self, at: float, delay_s: float = 0.0, word_s: float = 0.0) -> None:
        """The answer is being made: its first word may leave after the delay, each written one takes `word_s`."""
        start = at + delay_s
        self._pace = self._pace._replace(start=start, ear=max(start, self._pace.ear))
        self._word_s = word_s
        self._deadline = start

    def feed(self, steps: Iterable[Step], at: float) -> None:
        """More of the answer; what comes after an `Ending` or a cut is nobody's."""
        for step in steps:
            self._steps.append(step)
            if isinstance(step, Piece):
                self._fed += len(step.pcm) // 2
        if self._starved and self._steps:
            # Who listens in real time has waited too.
            self._pace = self._pace._replace(ear=max(self._pace.ear, at - self._samples / RATE))
            self._advance()

    @property
    def id(self) -> str:
        """Its id."""
        return self._response.id or ""

    @property
    def deadline(self) -> float | None:
        """When its next events may leave; None where it has given all, or waits to be fed."""
        return self._deadline

    @property
    def over(self) -> bool:
        """Whether it has given all."""
        return self._progress is Progress.DONE

    @property
    def backlog_samples(self) -> int:
        """Sound that was fed as pieces and has not left."""
        return max(0, self._fed - self._samples)

    @property
    def ending(self) -> Ending:
        """How it has ended."""
        return self._ending

    @property
    def ear(self) -> float:
        """When what has left so far will have been heard in real time."""
        return self._pace.ear + self._samples / RATE

    @property
    def letters(self) -> int:
        """Characters of what has left so far."""
        return self._letters

    @property
    def spent(self) -> Spent:
        """The tokens of what has left so far."""
        return self._spent_with(0, 0)

    def due(self, at: float) -> list[ServerEvent]:
        """What may leave by now."""
        while self._deadline is not None and self._deadline <= at:
            self._advance()
        return self._take()

    def cut(self, status: Status, reason: str | None, error: StatusError | None = None) -> list[ServerEvent]:
        """Ends it now: no delta more, but every `.done` of what is open."""
        if self._move(Cue.CUT):
            self._ending = Ending(status, reason, error)
        while not self.over:
            self._advance()
        return self._take()

    def done(self) -> Response:
        """The payload of `response.done`, without the usage."""
        status, reason, error = self._ending.status, self._ending.reason, self._ending.error
        details = None if status == "completed" else StatusDetails(type=status, reason=reason, error=error)
        return replace(self._response, status=status, status_details=details, output=tuple(self._output))

    @property
    def _starved(self) -> bool:
        return self._deadline is None and not self.over

    def _advance(self) -> None:
        try:
            self._deadline = next(self._play)
        except StopIteration:
            self._deadline = None
            self._move(Cue.SPENT)

    def _move(self, cue: Cue) -> bool:
        """Takes the row for it; False where there is none."""
        to = MOVES[self._progress].get(cue)
        if to is None:
            return False
        self._rows[self._progress, cue] += 1
        self._progress = to
        return True

    def _take(self) -> list[ServerEvent]:
        out, self._out = self._out, []
        return out

    @property
    def _running(self) -> bool:
        return self._progress is Progress.RUNNING

    def _played(self) -> Iterator[float | None]:
        """Yields when it wants to go on, None for: when there is more. After a cut nothing is waited for."""
        yield None
        while self._running:
            if not self._steps:
                yield None
                continue
            step = self._steps.popleft()
            match step:
                case NewItem():
                    self._close_item(whole=True)
                    self._open_message()
                case NewPart():
                    self._open_part(step.spoken)
                case Piece():
                    yield from self._play_piece(step)
                case Toned():
                    yield from self._play_tones(step)
                case AnswerCall():
                    self._close_item(whole=True)
                    yield from self._play_call(step)
                case Ending():
                    self._ending = step
                    break
                case Sentence():
                    raise AssertionError("a sentence is given its sound before it is played")
                case _:
                    assert_never(step)
        self._close_item(whole=self._running and self._ending.status == "completed")

    def _play_tones(self, toned: Toned) -> Iterator[float]:
        for piece in toned:
            if not self._running:
                return
            yield from self._play_piece(piece)

    def _open_message(self) -> None:
        item = Item(
            id=self._ids.new("item"),
            object="realtime.item",
            type="message",
            status="in_progress",
            role="assistant",
        )
        self._item = _Message(item)
        self._out.append(OutputItemAdded(response_id=self.id, output_index=len(self._output), item=item))

    def _open_part(self, spoken: bool) -> None:
        if not isinstance(self._item, _Message):
            self._close_item(whole=True)
            self._open_message()
        assert isinstance(self._item, _Message)
        self._close_part(self._item)
        spoken = spoken and self.spoken
        place = _Place(self.id, len(self._output), self._item.item.id or "", len(self._item.content))
        self._item.part = _Part(place, ToWire() if spoken else None)
        opened = ContentPart(type="audio", transcript="") if spoken else ContentPart(type="text", text="")
        self._out.append(ContentPartAdded(**place.fields, part=opened))

    def _close_part(self, message: _Message) -> None:
        part, message.part = message.part, None
        if part is None:
            return
        text, place = "".join(part.said), part.place
        if part.voice is not None:
            whole = ContentPart(type="audio", transcript=text)
            self._out.append(AudioTranscriptDone(**place.fields, transcript=text))
            self._out.append(AudioDone(**place.fields))
        else:
            whole = ContentPart(type="text", text=text)
            self._out.append(TextDone(**place.fields, text=text))
        message.content.append(whole)
        self._out.append(ContentPartDone(**place.fields, part=whole))

    def _close_item(self, whole: bool) -> None:
        open_item, self._item = self._item, None
        match open_item:
            case None:
                return
            case _Message():
                self._close_part(open_item)
                item = replace(open_item.item, content=tuple(open_item.content))
            case _Call():
                item = replace(open_item.item, arguments=open_item.said)
                self._out.append(
                    FunctionCallArgumentsDone(
                        **self._call_place(item), arguments=open_item.said, name=open_item.item.name
                    )
                )
            case _:
                assert_never(open_item)
        item = replace(item, status="completed" if whole else "incomplete")
        index = len(self._output)
        self._output.append(item)
        self._out.append(OutputItemDone(response_id=self.id, output_index=index, item=item))

    def _play_call(self, answer: AnswerCall) -> Iterator[float]:
        item = Item(
            id=self._ids.new("item"),
            object="realtime.item",
            type="function_call",
            status="in_progress",
            call_id=answer.call_id or self._ids.new("call"),
            name=answer.name,
            arguments="",
        )
        call = self._item = _Call(item)
        place = self._call_place(item)
        self._out.append(OutputItemAdded(response_id=self.id, output_index=len(self._output), item=item))
        for n in range(0, len(answer.arguments), ARGUMENTS_PIECE):
            self._written_s += self._word_s
            piece = answer.arguments[n : n + ARGUMENTS_PIECE]
            yield self._pace.due(self._samples, self._written_s)
            if not self._may_go_on(len(piece)):
                return
            call.said += piece
            self._letters += len(piece)
            self._out.append(FunctionCallArgumentsDelta(**place, delta=piece))

    def _call_place(self, item: Item) -> dict[str, Any]:
        return {
            "response_id": self.id,
            "output_index": len(self._output),
            "item_id": item.id,
            "call_id": item.call_id,
        }

    def _play_piece(self, piece: Piece) -> Iterator[float]:
        if not isinstance(self._item, _Message) or self._item.part is None:
            self._open_part(True)
        assert isinstance(self._item, _Message)
        part = self._item.part
        assert part is not None
        size = 2 * self._pace.limits.delta_samples
        chunks = [piece.pcm[n : n + size] for n in range(0, len(piece.pcm), size)] if part.voice is not None else []
        if not chunks:
            self._written_s += self._word_s
        first = len(chunks[0]) // 2 if chunks else 0
        yield self._pace.due(self._samples + first, self._written_s)
        if not self._may_go_on(len(piece.text), first):
            return
        if piece.text:
            part.said.append(piece.text)
            self._letters += len(piece.text)
            delta = TextDelta if part.voice is None else AudioTranscriptDelta
            self._out.append(delta(**part.place.fields, delta=piece.text))
        for n, chunk in enumerate(chunks):
            if n:
                yield self._pace.due(self._samples + len(chunk) // 2, self._written_s)
                if not self._may_go_on(0, len(chunk) // 2):
                    return
            self._samples += len(chunk) // 2
            if part.voice is not None and (data := part.voice.spell(chunk, self.form)):
                self._out.append(AudioDelta(**part.place.fields, delta=data))

    def _spent_with(self, letters: int, samples: int) -> Spent:
        text = math.ceil((self._letters + letters) / CHARACTERS_PER_TOKEN)
        return Spent(text, sound_tokens(self._samples + samples, OUTPUT_TOKEN_SAMPLES))

    def _may_go_on(self, letters: int, samples: int = 0) -> bool:
        """Not cut, and within `max_response_output_tokens` with what comes next."""
        most = self._max_tokens
        if self._running and most is not None and self._spent_with(letters, samples).total > most:
            self._ending = Ending("incomplete", "max_output_tokens")
            self._move(Cue.CUT)
        return self._running


class _Place(NamedTuple):
    """Where in a response a part is."""

    response_id: str
    output_index: int
    item_id: str
    content_index: int

    @property
    def fields(self) -> dict[str, Any]:
        return self._asdict()


class _Part:
    """A content part that is being said."""

    def __init__(self, place: _Place, voice: ToWire | None) -> None:
        self.place = place
        self.voice = voice
        """None: it is written."""
        self.said: list[str] = []


class _Message:
    """A message that is being said."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.content: list[ContentPart] = []
        self.part: _Part | None = None


class _Call:
    """A function call that is being written."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.said = ""
