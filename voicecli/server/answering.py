"""The responses of one session: starts them, lets their events go when they are due, ends them. It knows no socket.

At most one writes to the default conversation; others (`conversation: none`) may run beside it and leave nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from voicecli.protocol import events as e
from voicecli.protocol.conversation import Conversation, ItemView, PartView
from voicecli.protocol.items import (
    FORMATS,
    ErrorInfo,
    Item,
    Response,
    ResponseConfig,
    SessionConfig,
    StatusError,
    Tool,
)
from voicecli.server import configuration
from voicecli.server.limits import Limits, RateLimits, Spent, heard_before, usage
from voicecli.server.refusals import invalid
from voicecli.server.responder import Answer, Asked, Responder
from voicecli.server.responses import Ids, Pace, RunningResponse
from voicecli.server.rows import Rows


class _Cost(NamedTuple):
    """What a response costs before it says anything."""

    heard: Spent
    known: int | None
    """How many tokens of it were heard before, and are cached; None: it has a context of its own."""
    reserved: bool
    """Whether tokens were reserved for it."""


class Answering:
    """Owns what is being answered."""

    def __init__(
        self,
        responder: Responder,
        limits: Limits,
        ids: Ids,
        conversation_id: str,
        conversation: Conversation,
        say: Callable[[e.ServerEvent], None],
        tell: Callable[[e.ServerEvent], object],
        rows: Rows,
    ) -> None:
        """`say` sends an event and applies it to the conversation, `tell` only sends it."""
        self._responder = responder
        self._limits = limits
        self._ids = ids
        self._conversation_id = conversation_id
        self._conversation = conversation
        self._say = say
        self._tell = tell
        self._rows = rows
        self._rates = RateLimits(limits)
        self._default: RunningResponse | None = None
        self._aside: list[RunningResponse] = []
        self._asked = 0
        self._typed = ""
        self._outputs: list[str] = []
        self.images = 0
        """How many images the user sent since the last answer."""
        self._heard_samples = 0
        self._sound_of: dict[str, int] = {}
        """Samples of each item of the user's."""
        self._costs: dict[str, _Cost] = {}
        """Of each running response."""
        self._known = 0
        """Input tokens of the last default response: the next one has them cached."""
        self._ear = float("-inf")
        """When all sound sent so far will have been heard by who listens in real time."""
        self.quiet_since: float | None = None
        """Since when nobody says anything after an answer: when its last sound will have been heard. None: somebody
        does, or there was no answer yet."""

    # ---- what is to be answered --------------------------------------------------------------------------------------

    def hear_text(self, text: str) -> None:
        """The user typed this."""
        self._typed = text

    def hear_output(self, output: str) -> None:
        """A function of the client's gave this back."""
        self._outputs.append(output)

    def hear_sound(self, item_id: str, samples: int, spoken: int) -> None:
        """The user said something: an item of `samples`, of which `spoken` were speech."""
        self._sound_of[item_id] = samples
        self._heard_samples += spoken

    # ---- starting and ending -----------------------------------------------------------------------------------------

    def start(self, session: SessionConfig, asked: ResponseConfig, at: float) -> ErrorInfo | None:
        """A new response, or why there is none."""
        aside = asked.conversation == "none"
        if not aside and self._default is not None:
            return invalid(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._default.id}. "
                "Wait until the response is finished before creating a new one.",
            )
        if len(self._running) >= self._limits.responses:
            return invalid("too_many_responses", "Too many responses are in progress.")
        config = configuration.for_response(session, asked)
        created = Response(
            id=self._ids.new("resp"),
            object="realtime.response",
            status="in_progress",
            metadata=None if asked.metadata is UNSET else asked.metadata,
            conversation_id=None if aside else self._conversation_id,
            modalities=_said(config.modalities),
            voice=_said(config.voice),
            output_audio_format=_said(config.output_audio_format),
            temperature=_said(config.temperature),
            max_output_tokens=_said(config.max_response_output_tokens),
        )
        if not aside:
            self.quiet_since = None
        allowed = self._rates.start(at)
        own = None if asked.input is UNSET else self._own(asked.input)
        answer = self._answer(config, asked, own) if allowed else _limited()
        self._tell(e.ResponseCreated(response=created))
        self._tell(e.RateLimitsUpdated(rate_limits=self._rates.now(at)))
        running = self._run(answer, created, config, at)
        history = self._conversation.view() if own is None else own
        heard = heard_before(str(config.instructions or ""), history, self._sound_of)
        self._costs[running.id] = _Cost(heard, None if own is not None else self._known, allowed)
        if aside:
            self._aside.append(running)
        else:
            self._default = running
        self.play(at)
        return None

    def cancel(self, response_id: str | None, at: float) -> ErrorInfo | None:
        """The client does not want it any more; without an id, the default one."""
        wanted = [self._default] if response_id is None else [one for one in self._running if one.id == response_id]
        for running in wanted:
            if running is not None:
                self._cut(running, "client_cancelled", at)
                return None
        return invalid("response_cancel_not_active", "Cancellation failed: no active response found")

    def interrupt(self, at: float) -> None:
        """The user speaks: the default response ends, and who listened has stopped listening."""
        if self._default is not None:
            self._cut(self._default, "turn_detected", at)
        self._ear = at
        self.quiet_since = None

    def stopped_listening(self, at: float) -> None:
        """The client says that it plays nothing any more."""
        self._ear = at
        if self.quiet_since is not None:
            self.quiet_since = min(self.quiet_since, at)

    # ---- going on ----------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When the next event of any response may leave."""
        return min((one.deadline for one in self._running if one.deadline is not None), default=None)

    def play(self, at: float) -> None:
        """Sends what is due, and ends what has given all."""
        for running in self._running:
            self._pass_on(running, running.due(at))
            if running.deadline is None:
                self._finish(running, at)

    @property
    def _running(self) -> list[RunningResponse]:
        return [*self._aside, *([] if self._default is None else [self._default])]

    def _run(self, answer: Answer, created: Response, config: SessionConfig, at: float) -> RunningResponse:
        start = at + answer.delay_s
        most = config.max_response_output_tokens
        return RunningResponse(
            answer,
            created,
            self._ids,
            Pace(self._limits, start, max(start, self._ear)),
            FORMATS[str(config.output_audio_format)],
            most if isinstance(most, int) else None,
            _wants_sound(config),
            self._rows,
        )

    def _own(self, given: tuple[Item, ...]) -> tuple[ItemView, ...]:
        """A context in the place of the conversation, with the items of it that this points to."""
        known = {item.id: item for item in self._conversation.view()}
        return tuple(known[item.id or ""] if item.type == "item_reference" else _viewed(item) for item in given)

    def _answer(self, config: SessionConfig, asked: ResponseConfig, own: tuple[ItemView, ...] | None) -> Answer:
        """`own` is the context that it has in the place of the conversation."""
        given = () if asked.input is UNSET else asked.input
        wanted = Asked(
            number=self._asked,
            typed=self._typed if own is None else _last_text(own),
            heard_ms=self._heard_samples // 24 if own is None else 0,
            spoken=_wants_sound(config),
            instructions=str(config.instructions or ""),
            tools=_callable(config),
            outputs=tuple(self._outputs) if own is None else (),
            images=self.images if own is None else _images(given),
            must_call=_demanded(config),
        )
        if own is None:
            self.images = 0
            self._typed, self._heard_samples, self._outputs = "", 0, []
        self._asked += 1
        return self._responder.answer(wanted)

    def _pass_on(self, running: RunningResponse, events: list[e.ServerEvent]) -> None:
        if running is not self._default:
            for event in events:
                self._tell(event)
            return
        self._conversation.output = running.form  # which may be another than the session's by now
        for event in events:
            self._say(event)
            match event:
                case e.OutputItemAdded(item=item):
                    after = self._conversation.after(item.id or "")
                    self._say(e.ConversationItemCreated(item=item, previous_item_id=after))
                    self._say(e.ConversationItemAdded(item=item, previous_item_id=after))
                case e.OutputItemDone(item=item):
                    after = self._conversation.after(item.id or "")
                    self._say(e.ConversationItemDone(item=item, previous_item_id=after))

    def _cut(self, running: RunningResponse, reason: str, at: float) -> None:
        self._pass_on(running, running.cut("cancelled", reason))
        self._finish(running, at)
        self.stopped_listening(at)

    def _finish(self, running: RunningResponse, at: float) -> None:
        self._ear = max(self._ear, running.ear)
        heard, known, reserved = self._costs.pop(running.id)
        fresh = max(0, heard.total - (known or 0)) + running.spent.total  # what is cached is not limited again
        spent = usage(heard, running.spent, known or 0)
        done = e.ResponseDone(response=replace(running.done(), usage=spent))
        if running is self._default:
            self._say(done)
            self._default = None
            self.quiet_since = max(self._ear, at)
            self._known = self._known if known is None else heard.total
        else:
            self._tell(done)
            self._aside.remove(running)
        if reserved:
            self._rates.settle(fresh, at)
        self._tell(e.RateLimitsUpdated(rate_limits=self._rates.now(at)))


def _said(value: Any) -> Any:
    return None if value is UNSET else value


def _wants_sound(config: SessionConfig) -> bool:
    return "audio" in (config.modalities or ())


def _callable(config: SessionConfig) -> tuple[str, ...]:
    """The functions that an answer may call."""
    if config.tool_choice == "none" or config.tools is UNSET:
        return ()
    return tuple(tool.name for tool in config.tools if tool.name)


def _demanded(config: SessionConfig) -> Tool | None:
    """The function that `tool_choice` demands; of any that would do, the first."""
    tools = () if config.tools is UNSET else tuple(tool for tool in config.tools if tool.name)
    match config.tool_choice:
        case "required":
            return next(iter(tools), None)
        case {"type": "function", "name": str(name)} | {"type": "function", "function": {"name": str(name)}}:
            return next((tool for tool in tools if tool.name == name), None)
    return None


def _last_text(items: tuple[ItemView, ...]) -> str:
    for item in reversed(items):
        text = " ".join(part.text for part in item.parts if part.text)
        if item.role == "user" and text:
            return text
    return ""


def _images(items: tuple[Item, ...]) -> int:
    return sum(part.type == "input_image" for item in items for part in item.content)


def _viewed(item: Item) -> ItemView:
    """An item that is in no conversation, as one that is."""
    return ItemView(
        id=item.id or "",
        type=item.type,
        role=item.role,
        status=item.status,
        parts=tuple(PartView(part.type, part.text or "", part.transcript or "") for part in item.content),
        samples=0,
        call_id=item.call_id,
        name=item.name,
        arguments=item.arguments or "",
        output=item.output,
    )


def _limited() -> Answer:
    error = StatusError(
        type="rate_limit_exceeded", code="rate_limit_exceeded", message="Rate limit reached. Try again later."
    )
    return Answer(status="failed", error=error)
