"""The responses of one session: starts them, lets their events go when they are due, ends them. It knows no socket.

A response waits for the words of what was said before it is made.

At most one writes to the default conversation; others (`conversation: none`) may run beside it and leave nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from voicecli.ports import SAMPLES_PER_MS
from voicecli.protocol import events as e
from voicecli.protocol.conversation import Conversation, ItemView, PartView
from voicecli.protocol.items import FORMATS, ErrorInfo, Item, Response, ResponseConfig, SessionConfig, StatusError, Tool
from voicecli.server import configuration
from voicecli.server.answers import Answer
from voicecli.server.limits import Limits, RateLimits, counted, heard_before, reckoned, usage
from voicecli.server.making import Making, Wanted
from voicecli.server.memory import Memory
from voicecli.server.orders import Order, Outside, Prompt, Said, Thought
from voicecli.server.refusals import invalid
from voicecli.server.responder import Asked, Responder
from voicecli.server.responses import Ids, Pace, RunningResponse
from voicecli.server.rows import Rows
from voicecli.server.voicing import Voicing


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
        outside: Outside,
        memory: Memory,
        order: Callable[[Order], None],
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
        self._outside = outside
        self._memory = memory
        self._order = order
        self._rates = RateLimits(limits)
        self._default: Making | None = None
        self._aside: list[Making] = []
        self._asked = 0
        self._typed: dict[str, str] = {}
        self._outputs: dict[str, str] = {}
        self._images: dict[str, int] = {}
        """What came since the last answer, by its item."""
        self._spoken_items: dict[str, int] = {}
        """Samples of speech, since the last answer."""
        self._sound_of: dict[str, int] = {}
        """Samples of each item of the user's."""
        self._known = 0
        """Input tokens of the last default response: the next one has them cached."""
        self._ear = float("-inf")
        """When all sound sent so far will have been heard by who listens in real time."""
        self.broken = False
        """Whether an answer broke off the connection."""
        self.quiet_since: float | None = None
        """Since when nobody says anything after an answer: when its last sound will have been heard. None: somebody
        does, or there was no answer yet."""

    # ---- what is to be answered --------------------------------------------------------------------------------------

    def hear_text(self, item_id: str, text: str) -> None:
        """The user typed this."""
        self._typed = {item_id: text}

    def hear_output(self, item_id: str, output: str) -> None:
        """A function of the client's gave this back."""
        self._outputs[item_id] = output

    def see(self, item_id: str, images: int) -> None:
        """The user sent so many."""
        self._images[item_id] = images

    def forget(self, item_id: str) -> None:
        """The item is gone: nobody answers it."""
        for kept in (self._typed, self._outputs, self._images, self._spoken_items, self._sound_of):
            kept.pop(item_id, None)

    def hear_sound(self, item_id: str, samples: int, spoken: int) -> None:
        """The user said something: an item of `samples`, of which `spoken` were speech."""
        self._sound_of[item_id] = samples
        self._spoken_items[item_id] = spoken

    # ---- starting and ending -----------------------------------------------------------------------------------------

    def start(
        self, session: SessionConfig, asked: ResponseConfig, at: float, awaits: frozenset[str] = frozenset()
    ) -> ErrorInfo | None:
        """A new response, or why there is none; `awaits` are the items whose words are being found."""
        aside = asked.conversation == "none"
        if not aside and self._default is not None:
            return invalid(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._default.running.id}. "
                "Wait until the response is finished before creating a new one.",
            )
        if len(self._all) >= self._limits.responses:
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
        allowed = self._outside.mind or self._rates.start(at)
        self._tell(e.ResponseCreated(response=created))
        self._tell_rates(at)
        wanted = self._wanted(config, asked, allowed)
        if wanted.own is not None:
            awaits &= {item.id for item in wanted.own}
        elif not aside:
            self._typed, self._outputs, self._images, self._spoken_items = {}, {}, {}, {}
        making = self._making(created, wanted, awaits if allowed else frozenset())
        if aside:
            self._aside.append(making)
        else:
            self._default = making
        if not allowed:
            making.answer(_limited(), at)
        elif not making.awaits:
            self._make(making, at)
        self.play(at)
        return None

    def understood(self, item_id: str, at: float) -> None:
        """The words of this item are known now, or that they never will be."""
        for making in self._all:
            if item_id in making.awaits:
                making.awaits -= {item_id}
                if not making.awaits:
                    self._make(making, at)

    def given(self, result: Said | Thought, at: float) -> None:
        """What was made outside for one of the responses; for none that there still is, it is nobody's."""
        for making in self._all:
            if making.running.id == result.response_id:
                match result:
                    case Said(number=number, pcm=pcm):
                        making.said(number, pcm, at)
                    case Thought(what=what):
                        making.thought(what, at)
                    case _:
                        assert_never(result)

    def cancel(self, response_id: str | None, at: float) -> ErrorInfo | None:
        """The client does not want it any more; without an id, the default one."""
        for making in self._all:
            if (making is self._default) if response_id is None else (making.running.id == response_id):
                self._cut(making, "client_cancelled", at)
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
        deadlines = (making.running.deadline for making in self._all)
        return min((at for at in deadlines if at is not None), default=None)

    def play(self, at: float) -> None:
        """Sends what is due, and ends what has given all."""
        for making in self._all:
            making.flow(at)
            self._pass_on(making, making.running.due(at))
            if making.running.over:
                self._finish(making, at)

    @property
    def _all(self) -> list[Making]:
        return [*self._aside, *([] if self._default is None else [self._default])]

    def _wanted(self, config: SessionConfig, asked: ResponseConfig, allowed: bool) -> Wanted:
        given = () if asked.input is UNSET else asked.input
        own = None if asked.input is UNSET else self._own(given)
        history = self._conversation.view() if own is None else own
        wanted = Wanted(
            number=self._asked,
            config=config,
            own=own,
            typed=" ".join(self._typed.values()) if own is None else _last_text(own),
            spoken_items=tuple(self._spoken_items) if own is None else tuple(item.id for item in own),
            heard_ms=sum(self._spoken_items.values()) // SAMPLES_PER_MS if own is None else 0,
            outputs=tuple(self._outputs.values()) if own is None else (),
            images=sum(self._images.values()) if own is None else _images(given),
            cost=heard_before(str(config.instructions or ""), history, self._sound_of),
            known=self._known if own is None else None,
            reserved=allowed and not self._outside.mind,
        )
        self._asked += 1
        return wanted

    def _own(self, given: tuple[Item, ...]) -> tuple[ItemView, ...]:
        """A context in the place of the conversation, with the items of it that this points to."""
        return tuple(
            self._conversation.view_of(item.id or "") or _viewed(item)
            if item.type == "item_reference"
            else _viewed(item)
            for item in given
        )

    def _making(self, created: Response, wanted: Wanted, awaits: frozenset[str]) -> Making:
        config = wanted.config
        most = config.max_response_output_tokens
        running = RunningResponse(
            created,
            self._ids,
            Pace(self._limits, float("-inf"), self._ear),
            FORMATS[str(config.output_audio_format)],
            most if isinstance(most, int) and not self._outside.mind else None,  # a language model counts its own
            _wants_sound(config),
            self._rows,
        )
        voicing = Voicing(running.id, wanted.number, running.spoken, self._outside.voice, self._order)
        return Making(running, voicing, wanted, awaits, self._order)

    def _make(self, making: Making, at: float) -> None:
        wanted, config = making.wanted, making.wanted.config
        spoken = _wants_sound(config)
        messages = self._memory.messages(self._conversation.view() if wanted.own is None else wanted.own)
        if self._outside.mind:
            most = config.max_response_output_tokens
            making.think(
                Prompt(
                    instructions=str(config.instructions or ""),
                    messages=messages,
                    tools=_callable(config),
                    tool_choice=_said(config.tool_choice) or "auto",
                    # The contract's own value is nobody's wish: the model's server knows better what suits it.
                    temperature=_wished(config.temperature),
                    max_tokens=most if isinstance(most, int) else None,
                    spoken=spoken,
                ),
                at,
            )
            return
        asked = Asked(
            number=wanted.number,
            typed=wanted.typed,
            heard_ms=wanted.heard_ms,
            spoken=spoken,
            instructions=str(config.instructions or ""),
            tools=_callable(config),
            outputs=wanted.outputs,
            images=wanted.images,
            must_call=_demanded(config),
            said=self._memory.understood(wanted.spoken_items),
            messages=messages,
        )
        making.answer(self._responder.answer(asked), at)

    def _pass_on(self, making: Making, events: list[e.ServerEvent]) -> None:
        if making is not self._default:
            for event in events:
                self._tell(event)
            return
        self._conversation.output = making.running.form  # which may be another than the session's by now
        for event in events:
            self._memory.note(event, making.running.form)
            self._say(event)
            match event:
                case e.OutputItemAdded(item=item):
                    after = self._conversation.after(item.id or "")
                    self._say(e.ConversationItemCreated(item=item, previous_item_id=after))
                    self._say(e.ConversationItemAdded(item=item, previous_item_id=after))
                case e.OutputItemDone(item=item):
                    after = self._conversation.after(item.id or "")
                    self._say(e.ConversationItemDone(item=item, previous_item_id=after))

    def _cut(self, making: Making, reason: str, at: float) -> None:
        self._pass_on(making, making.cut("cancelled", reason))
        self._finish(making, at)
        self.stopped_listening(at)

    def _finish(self, making: Making, at: float) -> None:
        running, heard, known = making.running, making.wanted.cost, making.wanted.known
        self._ear = max(self._ear, running.ear)
        ending = running.ending
        if ending.hang_up:
            self.broken = True
            return
        if self._outside.mind:
            tokens = ending.tokens or reckoned(making.prompt, running.letters)
            fresh = 0
            spent = counted(tokens)
        else:
            fresh = max(0, heard.total - (known or 0)) + running.spent.total  # what is cached is not limited again
            spent = usage(heard, running.spent, known or 0)
        if ending.limited_s is not None:  # told before the end, which says how long to wait
            self._rates.exhaust(at + ending.limited_s)
            self._tell(e.RateLimitsUpdated(rate_limits=self._rates.now(at)))
        done = e.ResponseDone(response=replace(running.done(), usage=spent))
        if making is self._default:
            self._say(done)
            self._default = None
            self.quiet_since = max(self._ear, at)
            self._known = self._known if known is None else heard.total
        else:
            self._tell(done)
            self._aside.remove(making)
        if making.wanted.reserved:
            self._rates.settle(fresh, at)
        self._tell_rates(at)

    def _tell_rates(self, at: float) -> None:
        """A language model of one's own has limits of its own, which nobody knows: it has none of ours."""
        if not self._outside.mind:
            self._tell(e.RateLimitsUpdated(rate_limits=self._rates.now(at)))


def _said(value: Any) -> Any:
    return None if value is UNSET else value


def _wished(temperature: float | UnsetType) -> float | None:
    """The contract's own value is nobody's wish: a language model's server knows better what suits it."""
    return None if temperature is UNSET or temperature == configuration.TEMPERATURE else temperature


def _wants_sound(config: SessionConfig) -> bool:
    return "audio" in (config.modalities or ())


def _callable(config: SessionConfig) -> tuple[Tool, ...]:
    """The functions that an answer may call."""
    if config.tool_choice == "none" or config.tools is UNSET:
        return ()
    return tuple(tool for tool in config.tools if tool.name)


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


def _limited() -> Answer:
    error = StatusError(
        type="rate_limit_exceeded", code="rate_limit_exceeded", message="Rate limit reached. Try again later."
    )
    return Answer(status="failed", error=error)


def _viewed(item: Item) -> ItemView:
    """An item that is in no conversation, as one that is."""
    parts = tuple(PartView(part.type, part.text or "", part.transcript or "") for part in item.content)
    return ItemView(
        item.id or "",
        item.type,
        item.role,
        item.status,
        parts,
        0,
        item.call_id,
        item.name,
        item.arguments or "",
        item.output,
    )
