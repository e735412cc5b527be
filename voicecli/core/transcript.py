"""What the person saw and heard: rows in order, with what was heard of each. It outlives truncation and connection.

The conversation that both ends keep is another thing (`protocol/conversation.py`): the server forgets a text that was
cut; here it stays, parted into heard and unheard.
"""

from __future__ import annotations

from collections.abc import Callable

from voicecli.core.changes import (
    NOTHING,
    AnyChange,
    Foreign,
    Status,
    TurnConfirmed,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnRole,
    TurnSet,
    Via,
)
from voicecli.core.heard import Fate, Verdict
from voicecli.ports import SAMPLES_PER_MS
from voicecli.protocol.order import ROOT, Order

MOST_ROWS = 20_000
"""Older rows are forgotten here; the faces have shown them (G11)."""
MOST_TEXT = (1 << 20) + 64 * 1024
"""Characters of one text: the longest that can be asked about, 1 MiB, and what stands around it. More is cut off."""
MOST_KEPT = 16 << 20
"""Characters of all rows together, with what it takes to keep them."""
MOST_PIECES = 4_096
_PIECE, _ROW = 64, 512
"""What a piece and a row take besides their characters."""

OPEN: frozenset[Status] = frozenset({"reserved", "waiting", "streaming", "playing"})


class Row:
    """One turn. `pieces` of each part: (samples of the item received when the text came, text)."""

    def __init__(self, item: str, role: TurnRole, via: Via, after: str | None) -> None:
        self.item = item
        self.role: TurnRole = role
        self.via: Via = via
        self.after = after
        self.status: Status = "reserved" if role == "you" and via == "voice" else "streaming"
        self.parts: dict[float, list[tuple[int, str]]] = {}
        self.heard_ms: int | None = None
        self.received_ms: int | None = None
        self.ends: tuple[Status, str] = ("done", "")
        """What becomes of it once all that is here of it was heard or read, and the code of why; see `generated`."""
        self.size = 0
        """Characters of all parts."""
        self.pieces = 0
        self.clipped = False
        self.charged = 0
        """Its `cost` when it was last looked at."""

    @property
    def cost(self) -> int:
        return _ROW + self.size + _PIECE * self.pieces

    def add(self, part: float, received: int, text: str) -> str:
        """Takes what there is room for, and gives that back."""
        room = text[: MOST_TEXT - self.size]
        self.clipped = self.clipped or len(room) < len(text)
        text = room
        if not text:
            return ""
        pieces = self.parts.get(part)
        if pieces and (pieces[-1][0] == received or self.pieces >= MOST_PIECES):
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + text)
        elif self.pieces >= MOST_PIECES:
            self.clipped = True
            return ""
        else:
            self.parts.setdefault(part, []).append((received, text))
            self.pieces += 1
        self.size += len(text)
        return text

    def drop(self, part: float | None = None) -> None:
        """Empties one part, or all."""
        for index in [part] if part is not None else list(self.parts):
            pieces = self.parts.pop(index, [])
            self.size -= sum(len(text) for _, text in pieces)
            self.pieces -= len(pieces)

    def text(self) -> str:
        return "\n".join("".join(text for _, text in self.parts[index]) for index in sorted(self.parts))

    def characters(self, heard: int, received: int) -> int:
        """How many characters of the text `heard` of `received` samples are, by estimate.

        A text comes with the sound it belongs to, or a little before: the piece that came when p samples were there
        is taken to last until the next piece with another p, or to the end.
        """
        if heard >= received:
            return len(self.text())
        pieces: list[tuple[int, str]] = []
        for n, index in enumerate(sorted(self.parts)):
            if n:
                pieces.append((self.parts[index][0][0] if self.parts[index] else 0, "\n"))
            pieces.extend(self.parts[index])
        total, start = 0, 0
        while start < len(pieces):
            at = pieces[start][0]
            stop = start
            while stop < len(pieces) and pieces[stop][0] <= at:
                stop += 1
            run = "".join(text for _, text in pieces[start:stop])
            until = pieces[stop][0] if stop < len(pieces) else max(received, at)
            if heard < until:
                share = (heard - at) / (until - at) if until > at else 0.0
                return self._word(total + int(len(run) * max(0.0, share)))
            total += len(run)
            start = stop
        return total

    def _word(self, characters: int) -> int:
        """Back to the end of the last word that is whole."""
        text = self.text()
        if characters >= len(text) or text[characters].isspace():
            return characters
        while characters and not text[characters - 1].isspace():
            characters -= 1
        return characters


class Transcript:
    """Every method that changes a row shows it. `show` takes the changes."""

    def __init__(self, show: Callable[[AnyChange], None], *, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._show = show
        self._rows: dict[str, Row] = {}
        self._names: dict[str, str] = {}  # the server's id -> ours, on this connection
        self._order = Order()  # of our ids
        self._gone_behind: dict[str, str] = {}
        self._unwritten: set[str] = set()
        self._kept = 0
        self.turns = 0
        """Rows there ever were."""
        self.forgotten = 0
        """Old rows that were let go, because there were too many or too much in them."""
        self.clipped = 0
        """Texts of which only the beginning is kept, because they were too long."""
        self.now = 0.0
        """Seconds since the talk began; whoever calls sets it."""

    # ---- rows

    def lost(self, playing: dict[str, int]) -> None:
        """The link is gone: no row gets more text, and what waits to be sent waits on.

        `playing`: item -> samples received, of those not yet heard.
        """
        for item, name in list(self._names.items()):
            row = self._rows.get(name)
            if row is None or row.status not in OPEN or row.status == "waiting":
                continue
            if item in playing:
                self.generated(item, playing[item], "failed", "link_lost")
            elif row.role != "you":
                self.stopped(item, "failed", "link_lost")
            elif row.parts:
                self.said(item)
            else:
                self.failed(item, "link_lost", "")

    def reconnected(self, ours: tuple[str, ...], renamed: dict[str, str]) -> None:
        """A new server may give the ids of the old one again.

        `ours` are items that we send once more; `renamed` the ones that are still to be heard, under new names.
        """
        kept = {item: item for item in ours} | renamed
        self._names = {new: self._names[old] for old, new in kept.items() if old in self._names}

    def key(self, item: str) -> str:
        """Our id of the server's item."""
        if item not in self._names:
            name, n = item, 1
            while name in self._rows:
                n += 1
                name = f"{item}#{n}"
            self._names[item] = name
        return self._names[item]

    def known(self, item: str) -> bool:
        return item in self._names and self._names[item] in self._rows

    def is_open(self, item: str) -> bool:
        """There is a row, and more may come."""
        row = self._row(item)
        return row is not None and row.status in OPEN

    def has_failed(self, item: str) -> bool:
        row = self._row(item)
        return row is not None and row.status == "failed"

    def has_text(self, item: str) -> bool:
        row = self._row(item)
        return row is not None and any(row.parts.values())

    @property
    def unwritten(self) -> int:
        """Turns that were spoken and whose words have not come yet."""
        return len(self._unwritten)

    def close(self) -> None:
        """The talk is over: what is still open will never be whole."""
        for item, name in list(self._names.items()):
            row = self._rows.get(name)
            if row is not None and row.status in OPEN:
                if row.status == "waiting":
                    self.failed(item, "not_sent", "")
                elif row.role == "you":
                    self.said(item)
                else:
                    self.stopped(item, "cancelled")

    def _add(self, row: Row, part: float, received: int, text: str) -> str:
        before = row.clipped
        text = row.add(part, received, text)
        self.clipped += row.clipped and not before
        return text

    def _charge(self, row: Row) -> None:
        self._kept += row.cost - row.charged
        row.charged = row.cost
        while len(self._rows) > self._most_rows or (self._kept > MOST_KEPT and len(self._rows) > 1):
            self._forget(next(iter(self._rows)))

    def _forget(self, key: str) -> None:
        """The row is closed for the faces, and nothing is known of it any more."""
        row = self._rows[key]
        if row.status in OPEN and self._names.get(row.item) == key:
            if row.role == "you":
                self.said(row.item)
            else:
                self.stopped(row.item, "cancelled")
        if self._rows.pop(key, None) is None:
            return
        self._kept -= row.charged
        self.forgotten += 1
        if self._names.get(row.item) == key:
            del self._names[row.item]
        self._order.remove(key)
        self._gone_behind.pop(key, None)
        self._unwritten.discard(key)

    def _row(self, item: str) -> Row | None:
        name = self._names.get(item)
        return None if name is None else self._rows.get(name)

    def _place_of(self, after: str | None) -> str | None:
        """The row that what the server has behind its item `after` stands behind; None: not known.

        The server has forgotten the rows that are gone; the person has not.
        """
        key = self._names.get(after) if after else None
        if key not in self._rows:
            return None
        seen = {key}
        while key in self._gone_behind and self._gone_behind[key] in self._rows and self._gone_behind[key] not in seen:
            key = self._gone_behind[key]
            seen.add(key)
        return key

    def open(self, item: str, role: TurnRole, via: Via, after: str | None, image: str = "") -> None:
        """A row, unless there is one. `after` is a server's id; the end where it is None or has no row."""
        if self.known(item):
            return
        key = self.key(item)
        behind = self._place_of(after) or self._order.last()
        row = self._rows[key] = Row(item, role, via, behind)
        self.turns += 1
        if row.status == "reserved":
            self._unwritten.add(key)
        self._order.place(key, behind)
        self._show(TurnOpened(key, behind, role, via, self.now, Foreign(image) if image else NOTHING))
        self._charge(row)

    def place(self, item: str, after: str | None) -> None:
        """The server says where the row stands."""
        row = self._row(item)
        behind = self._place_of(after)
        if row is not None and behind is not None and behind not in (row.after, self._names[item]):
            self._move(row, self._names[item], behind)

    def put_before(self, item: str, other: str) -> None:
        """The server has the row at the beginning of its conversation, right before this other one."""
        row, before = self._row(item), self._names.get(other)
        if row is None or before is None or before not in self._order:
            return
        behind = self._order.before(before)
        if behind != self._names[item]:
            self._move(row, self._names[item], behind)

    def _move(self, row: Row, key: str, behind: str | None) -> None:
        row.after = behind
        self._order.remove(key)
        self._order.place(key, ROOT if behind is None else behind)
        self._show(TurnMoved(item=key, after=behind))

    # ---- text

    def grow(self, item: str, part: float, text: str, received: int = 0) -> None:
        """Text that comes now, when `received` samples of the item are there. Nothing is added to a settled row."""
        row = self._row(item)
        if row is None or row.status not in OPEN or not text:
            return
        separate = part not in row.parts and any(row.parts.values())
        text = self._add(row, part, received, text)
        if not text:
            return
        if row.status == "reserved":
            row.status = "streaming"
        self._show(TurnGrew(self._names[item], Foreign(f"\n{text}" if separate else text)))
        self._charge(row)

    def replace(self, item: str, part: float, text: str, received: int = 0) -> None:
        """The whole text of a part. Where the deltas said the same, nothing changes but what they lack."""
        row = self._row(item)
        if row is None or row.status not in OPEN:
            return
        so_far = "".join(piece for _, piece in row.parts.get(part, []))
        if text.startswith(so_far):
            self.grow(item, part, text[len(so_far) :], received)
        else:
            row.drop(part)
            self._add(row, part, 0, text)
            self._set(item, row)
            self._charge(row)

    # ---- outcomes

    def speech(self, item: str, ms: int | None) -> None:
        """How long the person spoke."""
        if row := self._row(item):
            row.received_ms = ms
            if ms is not None and row.status in OPEN:
                self._set(item, row)  # the words may be long in coming

    def waits(self, item: str, text: str) -> None:
        """What the person has typed, which cannot be sent yet."""
        if row := self._row(item):
            self._add(row, 0, 0, text)
            row.status = "waiting"
            self._set(item, row)
            self._charge(row)

    def said(self, item: str, text: str | None = None) -> None:
        """A turn of the person's is whole. With `text`, that is what it says."""
        row = self._row(item)
        if row is None:
            return
        if row.status == "done" and (text is None or text[:MOST_TEXT] == row.text()):
            return
        if text is not None:
            row.drop()
            self._add(row, 0, 0, text)
            self._charge(row)
        row.status = "done"
        self._set(item, row, heard=row.text(), ended=True)

    def failed(self, item: str, code: str, message: str) -> None:
        if row := self._row(item):
            row.status = "failed"
            self._set(item, row, error_code=code, error=message, ended=True)

    def generated(self, item: str, received: int, status: Status = "done", code: str = "") -> None:
        """All there will be of an answer is here; `received` samples of it wait to be heard, or none ever.

        Where that is not the whole answer, `code` says why, and `status` is what it ends as unless it is interrupted.
        """
        row = self._row(item)
        if row is None or row.status not in OPEN or row.status == "playing":
            return
        row.ends = (status, code)
        if received:
            row.status, row.received_ms = "playing", received // SAMPLES_PER_MS
            self._set(item, row)
        else:
            self._ends(item, row)

    def settled(self, verdict: Verdict) -> None:
        """What became of a turn that had sound."""
        row = self._row(verdict.item)
        if row is None or row.status not in OPEN:
            return
        if verdict.fate is Fate.READ and row.status != "playing":
            return  # more of its text will come, and is read
        text = row.text()
        row.heard_ms, row.received_ms = verdict.heard // SAMPLES_PER_MS, verdict.received // SAMPLES_PER_MS
        if verdict.fate in (Fate.WHOLE, Fate.READ):
            self._ends(verdict.item, row)
        else:
            count = row.characters(verdict.heard, verdict.received) if verdict.fate is Fate.CUT else 0
            row.status = "interrupted"
            self._set(verdict.item, row, heard=text[:count], unheard=text[count:], estimate=bool(text), ended=True)

    def _ends(self, item: str, row: Row) -> None:
        row.status, code = row.ends
        self._set(item, row, heard=row.text(), error_code=code, ended=True)

    def stopped(self, item: str, status: Status, code: str = "", message: str = "") -> None:
        """An answer that ended before it had sound: cancelled or failed. What there is of it was read."""
        row = self._row(item)
        if row is not None and row.status in OPEN:
            row.status = status
            self._set(item, row, heard=row.text(), error_code=code, error=message, ended=True)

    def gone(self, item: str) -> None:
        """Nobody heard it, and it is taken out of the conversation."""
        if self.known(item):
            key = self._names[item]
            if (before := self._order.before(key)) is not None:
                self._gone_behind[before] = key
            self._show(TurnGone(key))

    def confirmed(self, item: str, kept_ms: int | None) -> None:
        """What the server says that it keeps of the item; None: it has deleted it. What was heard is another thing."""
        if self.known(item):
            self._show(TurnConfirmed(self._names[item], kept_ms))

    def characters(self, item: str, heard: int, received: int) -> int:
        row = self._row(item)
        return row.characters(heard, received) if row else 0

    def _set(
        self,
        item: str,
        row: Row,
        *,
        heard: str = "",
        unheard: str = "",
        estimate: bool = False,
        error_code: str = "",
        error: str = "",
        ended: bool = False,
    ) -> None:
        text = row.text()
        if ended:
            self._unwritten.discard(self._names[item])
        self._show(
            TurnSet(
                item=self._names[item],
                status=row.status,
                text=Foreign(text),
                heard=Foreign(heard) if heard else NOTHING,
                unheard=Foreign(unheard) if unheard else NOTHING,
                heard_ms=row.heard_ms,
                received_ms=row.received_ms,
                estimate=estimate,
                error_code=error_code,
                error=Foreign(error) if error else NOTHING,
                ended=self.now if ended else None,
            )
        )
        if ended and row.role == "assistant":
            row.drop()  # nothing is added to it any more; the faces have the text
            self._charge(row)
