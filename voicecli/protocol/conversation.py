"""The item list that both ends keep: client and server apply the same events, and at rest their views are equal.

It knows what the *server* has of each item: what a person saw or heard is not in it, and neither is any sound, which is
only counted.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar, assert_never

from msgspec import UNSET, UnsetType

from voicecli.ports import PCM16, SAMPLES_PER_MS, Format
from voicecli.protocol import events as e
from voicecli.protocol.items import KNOWN_FORMATS, ContentPart, Item, Number, Response, SessionConfig
from voicecli.protocol.order import ROOT, Order

_DEAD: Final = 256
"""Deleted ids that are remembered, so that what comes late for them opens nothing."""
_ITEMS: Final = 20_000
"""More items are not kept: the oldest goes (G11)."""

_CALLS: Final = 4_096
"""Function calls that an output may still answer."""

_KEPT: Final = 16 << 20
"""Characters of all items together, with what it takes to keep them."""

_LONGEST: Final = 1 << 20
"""Characters of one text; what comes after them is not kept."""

_PARTS: Final = 64
"""Content parts of one item."""

_PIECES: Final = 256
"""Pieces of a text are joined when there are so many."""

_PIECE: Final = 64
_PART: Final = 512
"""What a piece and a part take besides their characters."""

_WRITTEN: Final = frozenset({"input_text", "text"})
"""Parts that have a text, be it empty."""

_RESPONSES: Final = 256
"""Responses of which something is remembered."""


class PartView(NamedTuple):
    """One content part, as both ends must have it."""

    type: str | None
    text: str
    transcript: str


class ItemView(NamedTuple):
    """One item, as both ends must have it."""

    id: str
    type: str | None
    role: str | None
    status: str | None
    parts: tuple[PartView, ...]
    samples: int
    """Of assistant sound, at `ports.RATE`."""
    call_id: str | None
    name: str | None
    arguments: str
    output: str | None


class _Text:
    """A text that grows by pieces without being copied each time."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def __str__(self) -> str:
        return "".join(self._pieces)

    @property
    def cost(self) -> int:
        """What it takes to keep it, in characters."""
        return self._size + _PIECE * len(self._pieces)

    def grow(self, text: str) -> None:
        if text := text[: _LONGEST - self._size]:
            self._pieces.append(text)
            self._size += len(text)
            if len(self._pieces) >= _PIECES:
                self._pieces = ["".join(self._pieces)]

    def set(self, text: str) -> None:
        self._pieces, self._size = [], 0
        self.grow(text)

    def fill(self, text: str | None) -> None:
        if text and not self._pieces:
            self.set(text)


class _Part:
    __slots__ = ("form", "size", "text", "transcript", "type")

    def __init__(self) -> None:
        self.type: str | None = None
        self.text = _Text()
        self.transcript = _Text()
        self.form: Format = PCM16
        self.size = 0
        """Bytes of sound, in `form`."""


class _Entry:
    __slots__ = (
        "arguments",
        "call_id",
        "charged",
        "cut",
        "label",
        "name",
        "output",
        "parts",
        "role",
        "status",
        "type",
    )

    def __init__(self) -> None:
        self.type: str | None = None
        self.role: str | None = None
        self.status: str | None = None
        self.call_id: str | None = None
        self.name: str | None = None
        self.label: str | None = None
        """Of the MCP server that is called."""
        self.arguments = _Text()
        self.output: str | None = None
        self.parts: dict[Number, _Part] = {}
        self.charged = 0
        """Its `cost` when it was last looked at."""
        self.cut: int | None = None
        """Samples that a truncation left; from then on its sound does not grow and it has no transcript."""

    def part(self, index: Number) -> _Part:
        part = self.parts.get(index)
        if part is None:
            part = _Part()
            if len(self.parts) < _PARTS:  # else it is written to and forgotten
                self.parts[index] = part
        return part

    def cost(self) -> int:
        """What it takes to keep it, in characters, roughly."""
        texts = sum(_PART + part.text.cost + part.transcript.cost for part in self.parts.values())
        return _PART + texts + self.arguments.cost + len(self.output or "")

    def samples(self) -> int:
        """The parts of one item are one run of samples."""
        laid = sum(part.form.samples(part.size) for part in self.parts.values())
        return laid if self.cut is None else min(laid, self.cut)

    def ordered(self) -> list[_Part]:
        return [self.parts[index] for index in sorted(self.parts)]


V = TypeVar("V")


def _keep(kept: dict[str, V], name: str, value: V) -> None:
    """The oldest goes where there are too many."""
    if len(kept) >= _RESPONSES:
        del kept[next(iter(kept))]
    kept[name] = value


class Conversation:
    """Items in order. Nothing that a server sends makes it raise, and no event costs more in a longer conversation."""

    def __init__(self, output: Format = PCM16, *, most_items: int = _ITEMS, most_kept: int = _KEPT) -> None:
        """`output` is how assistant sound is spelled; a session that names another format changes it."""
        self.output = output
        self.spoke = False
        """Whether there ever was assistant sound: from then on the voice is fixed (E3)."""
        self._entries: dict[str, _Entry] = {}
        self._order = Order()
        self._calls: dict[str, str] = {}
        self._dead: dict[str, None] = {}
        self._most_items, self._most_kept = most_items, most_kept
        self._touched = ""
        self._charged = 0
        self.forgotten = 0
        """Old items that were let go because there were too many, or too much in them."""
        self._chained = False
        """Whether this server says of its items which one they follow."""
        self._named = False
        """Whether this server says which conversation there is: a response without one is then out of band."""
        self._nulls = False
        """Whether it was seen to write null for the conversation of a response that is in it."""
        self._aside: dict[str, None] = {}
        """Responses out of band: their items enter no conversation."""
        self._beside: dict[str, str] = {}
        """Item of a response out of band -> that response."""
        self._forms: dict[str, Format] = {}
        """Response -> the format it has of its own."""

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def after(self, item_id: str) -> str | None:
        """Its predecessor now; None: it is the first, or not there."""
        return self._order.before(item_id)

    def before(self, item_id: str) -> str | None:
        """The one it stands before now; None: it is the last, or not there."""
        return self._order.after(item_id)

    def order(self) -> tuple[str, ...]:
        """All ids, first to last."""
        return tuple(self._order)

    def last(self) -> str | None:
        """The id that an appended item will have as its predecessor."""
        return self._order.last()

    def samples(self, item_id: str) -> int:
        """Samples of assistant sound it has, at `ports.RATE`; 0 for an unknown one."""
        entry = self._entries.get(item_id)
        return 0 if entry is None else entry.samples()

    def form(self, item_id: str, index: Number) -> Format:
        """How the sound of a part is spelled: as it was when it began, whatever the session says since."""
        entry = self._entries.get(item_id)
        part = None if entry is None else entry.parts.get(index)
        return self.output if part is None or not part.size else part.form

    def has_call(self, call_id: str) -> bool:
        """Whether there is a function call of this id, which an output may answer."""
        return call_id in self._calls

    def item(self, item_id: str) -> Item | None:
        """The item as an event would carry it, without its sound; what is nothing but words has them, be they empty."""
        entry = self._entries.get(item_id)
        if entry is None:
            return None
        return Item(
            id=item_id,
            type=entry.type,
            status=entry.status,
            role=entry.role,
            content=tuple(
                ContentPart(
                    type=part.type,
                    text=str(part.text) or ("" if part.type in _WRITTEN else None),
                    transcript=str(part.transcript) or None,
                )
                for part in entry.ordered()
            ),
            call_id=entry.call_id,
            name=entry.name,
            arguments=str(entry.arguments) or ("" if entry.type == "function_call" else None),
            output=entry.output,
            server_label=entry.label,
        )

    def view(self) -> tuple[ItemView, ...]:
        """Everything both ends must agree on when nothing is under way."""
        return tuple(self._view(item_id, self._entries[item_id]) for item_id in self._order)

    def view_of(self, item_id: str) -> ItemView | None:
        """One item of the view; None: there is none."""
        entry = self._entries.get(item_id)
        return None if entry is None else self._view(item_id, entry)

    def apply(self, event: e.ServerEvent) -> None:
        """Brings the list up to what the event says. Events about unknown or deleted items are no fault.

        What a server can make us keep is bounded (G11): where it is too much, the oldest items are forgotten.
        """
        self._touched = ""
        self._apply(event)
        if self._touched:
            self._charge(self._touched)

    def _apply(self, event: e.ServerEvent) -> None:
        if isinstance(event, e.OutputBase) and event.response_id in self._aside:
            if isinstance(event, e.OutputItemAdded) and event.item.id:
                _keep(self._beside, event.item.id, event.response_id)
            return
        match event:
            case e.AudioDelta():
                if (entry := self._output(event.item_id, "message")) and entry.cut is None and event.delta:
                    part = self._part(entry, event.content_index, "audio")
                    if not part.size:
                        part.form = self._forms.get(event.response_id, self.output)
                    part.size += len(event.delta)
                    self.spoke = True
            case e.AudioTranscriptDelta():
                if (entry := self._output(event.item_id, "message")) and entry.cut is None:
                    self._part(entry, event.content_index, "audio").transcript.grow(event.delta)
            case e.AudioTranscriptDone():
                if (entry := self._output(event.item_id, "message")) and entry.cut is None:
                    self._part(entry, event.content_index, "audio").transcript.set(event.transcript)
            case e.TextDelta():
                if entry := self._output(event.item_id, "message"):
                    self._part(entry, event.content_index, "text").text.grow(event.delta)
            case e.TextDone():
                if entry := self._output(event.item_id, "message"):
                    self._part(entry, event.content_index, "text").text.set(event.text)
            case e.FunctionCallArgumentsDelta():
                if entry := self._output(event.item_id, "function_call"):
                    self._call(event.item_id, entry, event.call_id)
                    entry.arguments.grow(event.delta)
            case e.FunctionCallArgumentsDone():
                if entry := self._output(event.item_id, "function_call"):
                    self._call(event.item_id, entry, event.call_id)
                    entry.name = entry.name or event.name
                    entry.arguments.set(event.arguments)
            case e.McpCallArgumentsDelta():
                if entry := self._output(event.item_id, "mcp_call"):
                    entry.arguments.grow(event.delta)
            case e.McpCallArgumentsDone():
                if entry := self._output(event.item_id, "mcp_call"):
                    entry.arguments.set(event.arguments)
            case e.ContentPartAdded() | e.ContentPartDone():
                if entry := self._output(event.item_id, "message"):
                    self._write(entry, event.content_index, event.part, final=isinstance(event, e.ContentPartDone))
            case e.OutputItemAdded():
                self._open(event.item)
            case e.OutputItemDone():
                self._open(event.item, final=True)
            case e.ConversationItemCreated() | e.ConversationItemAdded():
                self._create(event.item, event.previous_item_id)
            case e.ConversationItemDone():
                self._create(event.item, event.previous_item_id, final=True)
            case e.InputAudioBufferCommitted():
                self._create(Item(id=event.item_id, type="message", role="user"), event.previous_item_id or UNSET)
            case e.TranscriptionDelta():
                if entry := self._input(event.item_id):
                    self._part(entry, event.content_index, "input_audio").transcript.grow(event.delta)
            case e.TranscriptionCompleted():
                if entry := self._input(event.item_id):
                    self._part(entry, event.content_index, "input_audio").transcript.set(event.transcript)
            case e.ConversationItemTruncated():
                self._truncate(event.item_id, int(event.audio_end_ms * SAMPLES_PER_MS))
            case e.ConversationItemDeleted():
                self._delete(event.item_id)
            case e.ConversationItemRetrieved():
                if event.item.id in self._entries:
                    self._open(event.item, final=True)
            case e.ResponseCreated():
                self._begin(event.response)
            case e.ResponseDone() if event.response.id not in self._aside:
                for item in event.response.output:
                    if item.id in self._entries:
                        self._open(item, final=True)
            case e.SessionCreated() | e.SessionUpdated():
                self._configure(event.session)
            case e.ConversationCreated(conversation=told):
                self._named = self._named or bool(told.id)
            case (
                e.ServerError()
                | e.InputAudioBufferCleared()
                | e.SpeechStarted()
                | e.SpeechStopped()
                | e.TranscriptionFailed()
                | e.ResponseDone()
                | e.AudioDone()
                | e.RateLimitsUpdated()
                | e.TranscriptionSegment()
                | e.TimeoutTriggered()
                | e.DtmfReceived()
                | e.OutputAudioBufferStarted()
                | e.OutputAudioBufferStopped()
                | e.OutputAudioBufferCleared()
                | e.McpListToolsInProgress()
                | e.McpListToolsCompleted()
                | e.McpListToolsFailed()
                | e.McpCallInProgress()
                | e.McpCallCompleted()
                | e.McpCallFailed()
            ):
                pass
            case _:
                assert_never(event)

    def _begin(self, response: Response) -> None:
        """Whether it is out of band, and how its sound is spelled.

        A null stands for out of band only with a server that has told of a conversation, and only as long as no item
        of such a response comes into it: many write null for whatever they do not know.
        """
        name, form = response.id or "", response.output_audio_format
        if isinstance(response.conversation_id, str):
            self._named = True
        elif response.conversation_id is None and self._named and not self._nulls:
            _keep(self._aside, name, None)
        if form is not None and form != self.output.name and form in KNOWN_FORMATS:
            _keep(self._forms, name, KNOWN_FORMATS[form])

    def _output(self, item_id: str, kind: str) -> _Entry | None:
        """The item that a response speaks of, opened if it is not there yet."""
        self._touched = item_id
        entry = self._entries.get(item_id) or self._late(item_id)
        if entry is not None and entry.type is None:
            entry.type = kind
            entry.role = "assistant" if kind == "message" else None
        return entry

    def _input(self, item_id: str) -> _Entry | None:
        """The same for what the user said."""
        self._touched = item_id
        entry = self._entries.get(item_id) or self._late(item_id)
        if entry is not None and entry.type is None:
            entry.type, entry.role = "message", "user"
        return entry

    def _charge(self, item_id: str) -> None:
        if (entry := self._entries.get(item_id)) is not None:
            cost = entry.cost()
            self._charged += cost - entry.charged
            entry.charged = cost
        while len(self._entries) > self._most_items or (self._charged > self._most_kept and len(self._entries) > 1):
            self._forget(next(iter(self._entries)))
            self.forgotten += 1

    def _forget(self, item_id: str) -> None:
        entry = self._entries.pop(item_id, None)
        self._order.remove(item_id)
        if entry is not None:
            self._charged -= entry.charged
            if entry.call_id and self._calls.get(entry.call_id) == item_id:
                del self._calls[entry.call_id]

    def _late(self, item_id: str) -> _Entry | None:
        if not item_id or item_id in self._dead:
            return None
        self._order.open(item_id)
        entry = self._entries[item_id] = _Entry()
        return entry

    def _open(self, item: Item, *, final: bool = False) -> None:
        """An item whose place will be told by another event."""
        if item.id and item.id not in self._dead:
            self._order.open(item.id)
            self._fill(item.id, item, final)

    def _create(self, item: Item, previous: str | UnsetType | None, *, final: bool = False) -> None:
        """An item with its place. One that is known already only gets what it lacked."""
        if item.id:
            if not final:
                self._dead.pop(item.id, None)
            elif item.id in self._dead:
                return
            if (response := self._beside.pop(item.id, None)) is not None:
                self._aside.pop(response, None)
                self._nulls = True
            self._order.place(item.id, self._behind(item.id, previous))
            self._fill(item.id, item, final)

    def _behind(self, item_id: str, previous: str | UnsetType | None) -> str | None:
        """The predecessor as `Order` takes it.

        A null stands for "the first" only with a server that says which item another one follows, and only for an item
        that somebody put there: what was said or generated comes at the end, and many write null for all of them.
        """
        if previous:
            self._chained = self._chained or previous in self._order
            return previous
        return ROOT if previous is None and self._chained and item_id not in self._order else None

    def _fill(self, item_id: str, item: Item, final: bool) -> None:
        entry = self._entries.get(item_id)
        if entry is None:
            entry = self._entries[item_id] = _Entry()
        entry.type = entry.type or item.type
        entry.role = entry.role or item.role
        entry.status = (item.status or entry.status) if final else (entry.status or item.status)
        entry.name = entry.name or item.name
        entry.label = entry.label or item.server_label
        entry.output = entry.output if entry.output is not None else item.output
        if entry.type == "function_call":
            self._call(item_id, entry, item.call_id)
        else:
            entry.call_id = entry.call_id or item.call_id
        if final and item.arguments:
            entry.arguments.set(item.arguments)
        else:
            entry.arguments.fill(item.arguments)
        for index, part in enumerate(item.content[:_PARTS]):
            self._write(entry, index, part, final)
        self._charge(item_id)

    def _call(self, item_id: str, entry: _Entry, call_id: str | None) -> None:
        if call_id and not entry.call_id:
            entry.call_id = call_id
            self._calls[call_id] = item_id
            if len(self._calls) > _CALLS:
                del self._calls[next(iter(self._calls))]

    def _part(self, entry: _Entry, index: Number, kind: str) -> _Part:
        part = entry.part(index)
        part.type = part.type or kind
        return part

    def _write(self, entry: _Entry, index: Number, given: ContentPart, final: bool) -> None:
        part = entry.part(index)
        part.type = part.type or given.type
        if final and given.text:
            part.text.set(given.text)
        else:
            part.text.fill(given.text)
        if entry.cut is None:
            if final and given.transcript:
                part.transcript.set(given.transcript)
            else:
                part.transcript.fill(given.transcript)

    def _truncate(self, item_id: str, samples: int) -> None:
        if entry := self._entries.get(item_id):
            entry.cut = max(0, min(samples, entry.samples()))
            for part in entry.parts.values():
                part.transcript.set("")

    def _delete(self, item_id: str) -> None:
        self._forget(item_id)
        if item_id:
            self._dead[item_id] = None
            if len(self._dead) > _DEAD:
                del self._dead[next(iter(self._dead))]

    def _configure(self, session: SessionConfig) -> None:
        if session.output_audio_format is not UNSET:
            self.output = KNOWN_FORMATS.get(session.output_audio_format, self.output)

    def _view(self, item_id: str, entry: _Entry) -> ItemView:
        return ItemView(
            item_id,
            entry.type,
            entry.role,
            entry.status,
            tuple(PartView(part.type, str(part.text), str(part.transcript)) for part in entry.ordered()),
            entry.samples(),
            entry.call_id,
            entry.name,
            str(entry.arguments),
            entry.output,
        )
