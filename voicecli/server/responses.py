"""A running response: one answer as events, each with the time it may leave. It knows no conversation and no wire.

The order of the events is B7, with every `.done` also when it is cut short (B8). The sound is paced: a burst at once,
then a few times real time, until it is as far ahead of the listener's ear as it may be; so "during generation" exists.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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
from voicecli.server.limits import CHARACTERS_PER_TOKEN, OUTPUT_TOKEN_SAMPLES, Limits, Spent, sound_tokens
from voicecli.server.responder import Answer, AnswerCall, AnswerItem, AnswerPart, Piece
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
    """One response from its first output to its last; `response.created` and `response.done` are the session's."""

    def __init__(
        self,
        answer: Answer,
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
        self._spoken = spoken
        self._answer = answer
        self._response = response
        self._ids = ids
        self._pace = pace
        self._max_tokens = max_tokens
        self._progress = Progress.RUNNING
        self._rows = Rows() if rows is None else rows
        self._ending = StatusDetails(type=answer.status, reason=answer.reason, error=answer.error)
        self._samples = 0
        self._written_s = 0.0
        self._letters = 0
        self._output: list[Item] = []
        self._out: list[ServerEvent] = []
        self._steps = self._play()
        self._deadline: float | None = pace.start
        self._advance()

    @property
    def id(self) -> str:
        """Its id."""
        return self._response.id or ""

    @property
    def deadline(self) -> float | None:
        """When its next events may leave; None when it has given all."""
        return self._deadline

    @property
    def ear(self) -> float:
        """When what has left so far will have been heard in real time."""
        return self._pace.ear + self._samples / RATE

    @property
    def spent(self) -> Spent:
        """The tokens of what has left so far."""
        return self._spent_with(0, 0)

    def due(self, at: float) -> list[ServerEvent]:
        """What may leave by now."""
        while self._deadline is not None and self._deadline <= at:
            self._advance()
        return self._take()

    def cut(self, status: str, reason: str | None, error: StatusError | None = None) -> list[ServerEvent]:
        """Ends it now: no delta more, but every `.done` of what is open."""
        if self._move(Cue.CUT):
            self._ending = StatusDetails(type=status, reason=reason, error=error)
        while self._deadline is not None:
            self._advance()
        return self._take()

    def done(self) -> Response:
        """The payload of `response.done`, without the usage."""
        ending = self._ending
        return replace(
            self._response,
            status=ending.type,
            status_details=None if ending.type == "completed" else ending,
            output=tuple(self._output),
        )

    def _advance(self) -> None:
        self._deadline = next(self._steps, None)
        if self._deadline is None:
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

    def _play(self) -> Iterator[float]:
        """Yields when it wants to go on; what leaves by then is put out. After a cut nothing is waited for."""
        yield self._pace.start
        for index, answer in enumerate(self._answer.items):
            if not self._running:
                break
            match answer:
                case AnswerItem():
                    yield from self._play_item(index, answer)
                case AnswerCall():
                    yield from self._play_call(index, answer)
                case _:
                    assert_never(answer)

    def _play_item(self, index: int, answer: AnswerItem) -> Iterator[float]:
        item = Item(
            id=self._ids.new("item"),
            object="realtime.item",
            type="message",
            status="in_progress",
            role="assistant",
        )
        self._out.append(OutputItemAdded(response_id=self.id, output_index=index, item=item))
        content: list[ContentPart] = []
        for part in answer.parts:
            if not self._running:
                break
            place = _Place(self.id, index, item.id or "", len(content))
            yield from self._play_part(place, part, content)
        self._finish_item(index, replace(item, content=tuple(content)))

    def _play_call(self, index: int, answer: AnswerCall) -> Iterator[float]:
        item = Item(
            id=self._ids.new("item"),
            object="realtime.item",
            type="function_call",
            status="in_progress",
            call_id=answer.call_id or self._ids.new("call"),
            name=answer.name,
            arguments="",
        )
        place: dict[str, Any] = {
            "response_id": self.id,
            "output_index": index,
            "item_id": item.id,
            "call_id": item.call_id,
        }
        self._out.append(OutputItemAdded(response_id=self.id, output_index=index, item=item))
        said = ""
        for n in range(0, len(answer.arguments), ARGUMENTS_PIECE):
            self._written_s += self._answer.text_word_s
            piece = answer.arguments[n : n + ARGUMENTS_PIECE]
            yield self._pace.due(self._samples, self._written_s)
            if not self._may_go_on(len(piece)):
                break
            said += piece
            self._letters += len(piece)
            self._out.append(FunctionCallArgumentsDelta(**place, delta=piece))
        self._out.append(FunctionCallArgumentsDone(**place, arguments=said, name=answer.name))
        self._finish_item(index, replace(item, arguments=said))

    def _finish_item(self, index: int, item: Item) -> None:
        whole = self._running and (self._answer.status == "completed" or index + 1 < len(self._answer.items))
        item = replace(item, status="completed" if whole else "incomplete")
        self._output.append(item)
        self._out.append(OutputItemDone(response_id=self.id, output_index=index, item=item))

    def _play_part(self, place: _Place, part: AnswerPart, content: list[ContentPart]) -> Iterator[float]:
        spoken = part.spoken and self._spoken
        opened = ContentPart(type="audio", transcript="") if spoken else ContentPart(type="text", text="")
        self._out.append(ContentPartAdded(**place.fields, part=opened))
        said: list[str] = []
        voice = ToWire()
        for piece in part.pieces:
            yield from self._play_piece(place, voice if spoken else None, piece, said)
            if not self._running:
                break
        text = "".join(said)
        if spoken:
            whole = ContentPart(type="audio", transcript=text)
            self._out.append(AudioTranscriptDone(**place.fields, transcript=text))
            self._out.append(AudioDone(**place.fields))
        else:
            whole = ContentPart(type="text", text=text)
            self._out.append(TextDone(**place.fields, text=text))
        content.append(whole)
        self._out.append(ContentPartDone(**place.fields, part=whole))

    def _play_piece(self, place: _Place, voice: ToWire | None, piece: Piece, said: list[str]) -> Iterator[float]:
        size = 2 * self._pace.limits.delta_samples
        chunks = [piece.pcm[n : n + size] for n in range(0, len(piece.pcm), size)] if voice is not None else []
        if not chunks:
            self._written_s += self._answer.text_word_s
        first = len(chunks[0]) // 2 if chunks else 0
        yield self._pace.due(self._samples + first, self._written_s)
        if not self._may_go_on(len(piece.text), first):
            return
        if piece.text:
            said.append(piece.text)
            self._letters += len(piece.text)
            delta = TextDelta if voice is None else AudioTranscriptDelta
            self._out.append(delta(**place.fields, delta=piece.text))
        for n, chunk in enumerate(chunks):
            if n:
                yield self._pace.due(self._samples + len(chunk) // 2, self._written_s)
                if not self._may_go_on(0, len(chunk) // 2):
                    return
            self._samples += len(chunk) // 2
            if voice is not None and (data := voice.spell(chunk, self.form)):
                self._out.append(AudioDelta(**place.fields, delta=data))

    def _spent_with(self, letters: int, samples: int) -> Spent:
        text = math.ceil((self._letters + letters) / CHARACTERS_PER_TOKEN)
        return Spent(text, sound_tokens(self._samples + samples, OUTPUT_TOKEN_SAMPLES))

    def _may_go_on(self, letters: int, samples: int = 0) -> bool:
        """Not cut, and within `max_response_output_tokens` with what comes next."""
        most = self._max_tokens
        if self._running and most is not None and self._spent_with(letters, samples).total > most:
            self._ending = StatusDetails(type="incomplete", reason="max_output_tokens")
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
