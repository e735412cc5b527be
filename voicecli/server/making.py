"""One answer while it is made: by a responder at once or by a language model bit by bit, then voiced, then played.

It knows no conversation, and no time but what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, assert_never

from voicecli.protocol import events as e
from voicecli.protocol.conversation import ItemView
from voicecli.protocol.items import SessionConfig, StatusError
from voicecli.server.answers import Answer, AnswerCall, Ending, NewItem, NewPart, Piece, Sentence, Status, Step
from voicecli.server.limits import Spent
from voicecli.server.orders import Call, Drop, Enough, Grew, Order, Over, Prompt, Think
from voicecli.server.responses import RunningResponse
from voicecli.server.sentences import Sentences
from voicecli.server.voicing import Voicing

LONGEST: Final = 64 * 1024
"""Characters of one answer: a language model that goes on after them has no end."""


class Wanted(NamedTuple):
    """What an answer is for, as it was when it was asked for."""

    number: int
    config: SessionConfig
    own: tuple[ItemView, ...] | None
    """What to answer in the place of the conversation; None: the conversation."""
    typed: str
    spoken_items: tuple[str, ...]
    """The items in which the user spoke since the last answer."""
    heard_ms: int
    outputs: tuple[str, ...]
    images: int
    cost: Spent
    """What it has to hear."""
    known: int | None
    """How many tokens of that were heard before, and are cached; None: it has a context of its own."""
    reserved: bool
    """Whether tokens were reserved for it."""


class Making:
    """An answer from its `response.created` to its last event."""

    def __init__(
        self,
        running: RunningResponse,
        voicing: Voicing,
        wanted: Wanted,
        awaits: frozenset[str],
        order: Callable[[Order], None],
    ) -> None:
        """`awaits` are the items whose words have to be known before it can be made."""
        self.running = running
        self.wanted = wanted
        self.awaits = awaits
        self._voicing = voicing
        self._order = order
        self._sentences = Sentences()
        self._thinking = False
        self._in_message = False
        self._characters = 0
        self._made = False
        """Whether there is anything of it."""
        self.prompt: Prompt | None = None
        """What the language model was told."""

    def answer(self, answer: Answer, at: float) -> None:
        """All of it is known."""
        self.running.begin(at, answer.delay_s, answer.text_word_s)
        self._take(answer.steps(), at)

    def think(self, prompt: Prompt, at: float) -> None:
        """A language model makes it."""
        self.running.begin(at)
        self._thinking, self.prompt = True, prompt
        self._order(Think(self.running.id, prompt))

    def thought(self, what: Grew | Call | Over, at: float) -> None:
        """The next of what it makes."""
        if self._thinking:
            self._take(self._steps(what), at)

    def said(self, number: int, pcm: bytes | None, at: float) -> None:
        """A sentence was said."""
        self._voicing.said(number, pcm)
        self.flow(at)

    def flow(self, at: float) -> None:
        """Lets go on what has its sound."""
        if not self._voicing.empty:
            self.running.feed(self._voicing.ready(self.running.backlog_samples), at)

    def cut(self, status: Status, reason: str | None, error: StatusError | None = None) -> list[e.ServerEvent]:
        """Ends it now."""
        self._thinking = False
        self._order(Drop(self.running.id))
        return self.running.cut(status, reason, error)

    def _take(self, steps: Iterable[Step], at: float) -> None:
        self._voicing.take(steps)
        self.flow(at)

    def _steps(self, what: Grew | Call | Over) -> Iterator[Step]:
        match what:
            case Grew(text=text):
                yield from self._write(text)
                self._characters += len(text)
                if self._characters > LONGEST:
                    self._thinking = False
                    self._order(Enough(self.running.id))
                    yield from self._close()
                    yield Ending("failed", error=_wrong("llm_endless", "The language model did not come to an end."))
            case Call(call_id=call_id, name=name, arguments=arguments):
                yield from self._close()
                self._made = True
                yield AnswerCall(name, arguments, call_id or None)
            case Over(status=status, reason=reason, error=error, tokens=tokens):
                self._thinking = False
                yield from self._close()
                if status == "completed" and not self._made:
                    status, error = "failed", _wrong("llm_empty", "The language model answered without a word.")
                yield Ending(status, reason, error, tokens)
            case _:
                assert_never(what)

    def _write(self, text: str) -> Iterator[Step]:
        if not self._in_message:
            text = text.lstrip()
            if not text:
                return
            self._in_message = self._made = True
            yield NewItem.MESSAGE
            yield NewPart(self.running.spoken)
        if self.running.spoken:
            yield from map(Sentence, self._sentences.grow(text))
        else:
            yield Piece(text)

    def _close(self) -> Iterator[Step]:
        if rest := self._sentences.rest().rstrip():
            yield Sentence(rest)
        self._in_message = False


def _wrong(code: str, message: str) -> StatusError:
    return StatusError(type="llm_error", code=code, message=message)
