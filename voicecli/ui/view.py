"""The stream of changes folded to what is true now; it draws nothing and has no clock.

Joined neighbours of one `TurnGrew`, and `...Now`s that were passed over, give the same view.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, assert_never

from msgspec import Struct
from msgspec.structs import replace

from voicecli.core.changes import (
    NOTHING,
    AnyChange,
    Delayed,
    EchoNow,
    Ended,
    Foreign,
    HeardNow,
    Interrupted,
    LevelsNow,
    LimitsNow,
    LinkNow,
    PhaseNow,
    QueuedNow,
    SessionNow,
    SoundNow,
    Started,
    Status,
    Told,
    TurnConfirmed,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnRole,
    TurnSet,
    UsageNow,
    Via,
)

MOST_ROWS: Final = 20_000
"""Older turns that are over are forgotten (G11)."""
MOST_TEXT: Final = 16 << 20
"""Characters of all turns together."""

FINAL: Final[frozenset[Status]] = frozenset({"done", "interrupted", "failed", "cancelled"})


class Row(Struct, frozen=True, kw_only=True):
    """One turn as it is now. The fields are those of `TurnOpened` and `TurnSet`."""

    item: str
    after: str | None = None
    role: TurnRole = "assistant"
    via: Via = "text"
    started: float = 0.0
    image: Foreign = NOTHING
    status: Status = "reserved"
    text: Foreign = NOTHING
    heard: Foreign = NOTHING
    unheard: Foreign = NOTHING
    heard_ms: int | None = None
    received_ms: int | None = None
    estimate: bool = False
    error_code: str = ""
    error: Foreign = NOTHING
    ended: float | None = None
    delay: Delayed | None = None
    """How long it took to be heard."""
    gone: bool = False
    """Taken out of the conversation because nobody heard it."""
    confirmed: Literal["cut", "deleted"] | None = None
    """What the server says that it has done with it."""
    kept_ms: int | None = None
    """Of its sound, by the server; None where it did not say, or keeps nothing."""

    @property
    def over(self) -> bool:
        return self.gone or self.status in FINAL


class View:
    """What is true now."""

    def __init__(self, most_rows: int = MOST_ROWS, most_text: int = MOST_TEXT) -> None:
        self._most_rows, self._most_text = most_rows, most_text
        self._text = 0  # characters in `_rows`
        self.started: Started | None = None
        self.ended: Ended | None = None
        self.link: LinkNow | None = None
        self.phase: PhaseNow | None = None
        self.sound: dict[Literal["input", "output"], SoundNow] = {}
        self.half_duplex = False
        """The microphone is shut while the assistant speaks."""
        self.heard: HeardNow | None = None
        self.levels: LevelsNow | None = None
        self.queued: QueuedNow | None = None
        self.limits: LimitsNow | None = None
        self.usage: UsageNow | None = None
        self.session: SessionNow | None = None
        self.interruptions: list[Interrupted] = []
        self.notices: tuple[Told, ...] = ()
        """The last 100."""
        self._rows: dict[str, Row] = {}
        self._grown: dict[str, list[str]] = {}  # text that came since the row was put together
        self._order: list[str] = []

    @property
    def doing(self) -> str:
        """What the talk is doing, as the name of its phase; "" before the first."""
        return self.phase.phase if self.phase is not None else ""

    @property
    def order(self) -> tuple[str, ...]:
        """The items of the turns in the order of the conversation."""
        return tuple(self._order)

    def rows(self) -> Iterator[Row]:
        """The turns in the order of the conversation."""
        for item in self._order:
            yield self._whole(item)

    def __contains__(self, item: object) -> bool:
        return item in self._rows

    def head(self, item: str) -> Row | None:
        """The turn of `item`; its text may lack what has grown lately, which makes this cheap."""
        return self._rows.get(item)

    def row(self, item: str) -> Row | None:
        """The turn of `item`, None where there is none."""
        return self._whole(item) if item in self._rows else None

    def apply(self, change: AnyChange) -> None:
        """Takes one change. A turn that was never announced is opened by whatever is said of it first."""
        match change:
            case TurnOpened(item=item, after=after):
                status: Status = "reserved" if (change.role, change.via) == ("you", "voice") else "streaming"
                new = Row(
                    item=item, after=after, role=change.role, via=change.via, started=change.started, image=change.image
                )
                self._open(replace(new, status=status))
            case TurnMoved(item=item, after=after):
                if item in self._rows and item != after:
                    self._rows[item] = replace(self._rows[item], after=after)
                    self._order.remove(item)
                    self._place(item, after, 0)
            case TurnGrew(item=item, text=text):
                self._open(Row(item=item, status="streaming"))
                self._grown.setdefault(item, []).append(text.raw)
            case TurnSet(item=item):
                self._open(Row(item=item))
                self._set(change)
            case TurnGone(item=item):
                if (row := self.row(item)) is not None:
                    self._rows[item] = replace(row, gone=True, heard=NOTHING, unheard=row.text)
            case TurnConfirmed(item=item, kept_ms=ms):
                if item in self._rows:
                    word: Literal["cut", "deleted"] = "deleted" if ms is None else "cut"
                    self._rows[item] = replace(self._rows[item], confirmed=word, kept_ms=ms)
            case Started():
                self.started = change
            case Interrupted():
                self.interruptions.append(change)
                del self.interruptions[: -self._most_rows]
            case Delayed(item=item):
                if item in self._rows:
                    self._rows[item] = replace(self._rows[item], delay=change)
            case Told():
                self.notices = (*self.notices[-99:], change)
            case Ended():
                self.ended = change
            case LinkNow():
                self.link = change
            case PhaseNow():
                self.phase = change
            case SoundNow(side=side):
                self.sound[side] = change
            case EchoNow(echo=echo):
                self.half_duplex = echo == "half-duplex"
            case HeardNow():
                self.heard = change
            case LevelsNow():
                self.levels = change
            case QueuedNow():
                self.queued = change
            case LimitsNow():
                self.limits = change
            case UsageNow():
                self.usage = change
            case SessionNow():
                self.session = change
            case _:
                assert_never(change)

    def _open(self, row: Row) -> None:
        if row.item not in self._rows:
            self._rows[row.item] = row
            self._place(row.item, row.after, len(self._order))
            self._bound()

    def _place(self, item: str, after: str | None, otherwise: int) -> None:
        """Behind `after`; at `otherwise` where that is None, at the end where it is not known."""
        at = len(self._order)
        if after is None:
            at = otherwise
        elif after != item and after in self._rows and self._order[-1] != after:
            at = self._order.index(after) + 1
        self._order.insert(at, item)

    def _bound(self) -> None:
        while len(self._rows) > self._most_rows or self._text > self._most_text:
            oldest = next(iter(self._rows))
            if not self._rows[oldest].over:
                return
            self._text -= len(self._rows.pop(oldest).text.raw)
            self._grown.pop(oldest, None)
            self._order.remove(oldest)

    def _set(self, change: TurnSet) -> None:
        self._grown.pop(change.item, None)
        row = self._rows[change.item]
        self._text += len(change.text.raw) - len(row.text.raw)
        self._rows[change.item] = replace(
            row,
            status=change.status,
            text=change.text,
            heard=NOTHING if row.gone else change.heard,
            unheard=change.text if row.gone else change.unheard,
            heard_ms=change.heard_ms,
            received_ms=change.received_ms,
            estimate=change.estimate,
            error_code=change.error_code,
            error=change.error,
            ended=change.ended,
        )

    def _whole(self, item: str) -> Row:
        row = self._rows[item]
        if grown := self._grown.pop(item, None):
            status: Status = "streaming" if row.status == "reserved" else row.status
            text = row.text.raw + "".join(grown)
            self._text += len(text) - len(row.text.raw)
            row = self._rows[item] = replace(row, text=Foreign(text), status=status)
        return row
