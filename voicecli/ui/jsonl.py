"""The talk as JSON, one object a line: the projection of the stream of changes for programs. Pure, ASCII (G17)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final, Protocol, assert_never

import msgspec

from voicecli.core.changes import (
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
    Tokens,
    Told,
    TurnConfirmed,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnSet,
    UsageNow,
)
from voicecli.printable import escaped
from voicecli.ui.view import MOST_ROWS, Row, View

VERSION: Final = 1


class Secrets(Protocol):
    """What takes secrets out of texts: a `Redactor`."""

    def __call__(self, text: str) -> str:
        """What looks like one as well: for words about the talk."""

    def parted(self, text: str) -> tuple[str, str]:
        """Without those that are known: what may be shown, and the end that may be the beginning of one."""


class Jsonl:
    """Gives the lines of each change, without secrets, also where a secret comes in pieces."""

    def __init__(self, clean: Secrets | None = None, most_rows: int = MOST_ROWS) -> None:
        self.view = View(most_rows)
        self._clean: Callable[[str], str] = clean or str
        self._secrets = clean
        self._held: dict[str, str] = {}  # item -> the end of its text so far, which may be the beginning of a secret
        self._most_told = most_rows
        self._seq = 0
        self._begun: float | None = None
        self._told: dict[str, int] = {}  # item -> hash of the last line about it that nothing has overtaken

    def show(self, change: AnyChange, at: float) -> list[str]:
        """The lines of `change`, which came at `at`."""
        if self._begun is None:
            self._begun = at
        lines: list[str] = []
        if isinstance(change, TurnGrew) and change.item not in self.view:
            lines.append(self._line(at, "turn", _turn(Row(item=change.item))))
        self.view.apply(change)
        if isinstance(change, TurnGone | Ended) or (isinstance(change, TurnSet) and change.ended is not None):
            items = (*self._held,) if isinstance(change, Ended) else (change.item,)
            rest = {item: self._held.pop(item) for item in items if item in self._held}
            lines += (self._line(at, "delta", {"turn": item, "text": text}) for item, text in rest.items())
        said = self._said(change)
        return lines if said is None else [*lines, self._line(at, *said)]

    def _line(self, at: float, kind: str, fields: dict[str, Any]) -> str:
        self._seq += 1
        t = round(at - (at if self._begun is None else self._begun), 3)
        whole = {"v": VERSION, "seq": self._seq, "t": t, "type": kind, **fields}
        return escaped(json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":")))

    def _said(self, change: AnyChange) -> tuple[str, dict[str, Any]] | None:
        match change:
            case Started():
                return "start", {
                    **{name: getattr(change, name) for name in ("at", "version", "mode", "url", "model", "voice")},
                    "dialect": None,
                    "offline": change.offline,
                    "input": None,
                    "output": None,
                    **{name: getattr(change, name) or None for name in ("url_source", "key_source")},
                    "key_withheld": change.key_withheld,
                    "llm": {"model": change.mind_model, "host": change.mind_host, "local": change.mind_local}
                    if change.mind_model
                    else None,
                }
            case LinkNow():
                return "link", {
                    "state": change.state,
                    "dialect": change.dialect,
                    "code": change.code,
                    "reason": self._clean(change.reason.raw) or None,
                    "attempt": None,
                    "retry_in": None,
                }
            case PhaseNow():
                return "state", {"state": change.phase, "detail": change.detail or None}
            case (
                TurnOpened(item=item)
                | TurnMoved(item=item)
                | TurnSet(item=item)
                | TurnGone(item=item)
                | Delayed(item=item)
                | TurnConfirmed(item=item)
            ):
                row = self.view.row(item)
                return self._news(self._safe(row)) if row else None
            case TurnGrew():
                self._told.pop(change.item, None)
                text = self._streamed(change.item, change.text.raw)
                return ("delta", {"turn": change.item, "text": text}) if text else None
            case Interrupted():
                cut = [
                    {"item_id": cut.item, "content_index": cut.content_index, "audio_end_ms": cut.audio_end_ms}
                    for cut in change.cut
                ]
                return "interrupt", {
                    "turn": change.item,
                    "by": change.by,
                    "cut": cut,
                    "removed": list(change.removed),
                    "silent_ms": _finite(change.silent_ms, 1),
                }
            case LimitsNow():
                return "limits", {
                    "limits": [
                        {
                            "name": limit.name.raw,
                            **{n: _finite(getattr(limit, n), 3) for n in ("limit", "remaining", "reset_seconds")},
                        }
                        for limit in change.limits
                    ]
                }
            case UsageNow():
                return "usage", {"turn": change.item, **_tokens(change.turn), "total": _tokens(change.total), **_PRICE}
            case SessionNow():
                refused = [
                    {"field": field, "value": self._value(asked), "reason": None} for field, asked in change.refused
                ]
                settings = {name: self._value(text) for name, text in change.settings}
                names = {n: self._clean(getattr(change, n).raw) or None for n in ("id", "model", "conversation")}
                return "session", {**names, "settings": settings, "refused": refused}
            case SoundNow():
                fields = {"side": change.side, "state": change.state, "name": change.name.raw or None}
                return "device", {**fields, "rate": change.rate, "latency_ms": change.latency_ms}
            case EchoNow():
                return "sound", {"echo": change.echo.replace("-", "_")}
            case LevelsNow():
                return "level", {n: _finite(getattr(change, n), 2) for n in ("input_db", "output_db", "queued_s")}
            case Told():
                return "notice", {
                    "severity": change.severity,
                    "code": change.code,
                    "title": self._clean(change.title),
                    "hint": self._clean(change.hint) or None,
                    "detail": self._clean(change.detail.raw) or None,
                    "retry_in": None,
                    "wait_s": _finite(change.wait_s, 1),
                    "side": change.side,
                }
            case Ended():
                usage = _tokens(self.view.usage.total) if self.view.usage else None
                return "end", {
                    "reason": change.reason,
                    "exit_code": change.exit_code,
                    "seconds": _finite(change.seconds, 3),
                    "turns": change.turns,
                    "interruptions": change.interruptions,
                    "usage": usage,
                    "cost": None,
                }
            case HeardNow() | QueuedNow():
                return None
            case _:
                assert_never(change)

    def _news(self, turn: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The line of a turn, unless the last one about it said the same."""
        said = hash(repr(turn))
        if self._told.get(turn["id"]) == said:
            return None
        self._told[turn["id"]] = said
        if len(self._told) > self._most_told:
            del self._told[next(iter(self._told))]
        return "turn", turn

    def _safe(self, row: Row) -> dict[str, Any]:
        """The turn; of one that goes on the end waits here too, for what comes next is added to it."""
        turn = _turn(row)
        if not row.over:
            self._held.pop(row.item, None)
            turn["text"] = self._streamed(row.item, row.text.raw)
        return turn

    def _streamed(self, item: str, text: str) -> str:
        """The end waits while it may be the beginning of a secret: whoever puts the pieces together has the whole."""
        if self._secrets is None:
            return text
        shown, held = self._secrets.parted(self._held.pop(item, "") + text)
        if held:
            self._held[item] = held
        return shown

    def _value(self, text: Foreign) -> Any:
        """A setting as the server said it; what is no JSON stays text."""
        raw = self._clean(text.raw)
        try:
            value = msgspec.json.decode(raw)
            json.dumps(value, allow_nan=False)
        except (ValueError, RecursionError):  # MsgspecError and UnicodeError are ValueErrors
            return raw
        return value


_PRICE: Final = {"cost": None, "total_cost": None, "currency": None, "prices": None}


def _tokens(tokens: Tokens) -> dict[str, Any]:
    return {
        "input": {
            "text": tokens.input_text,
            "audio": tokens.input_audio,
            "image": tokens.input_image,
            **{name: getattr(tokens, name) for name in ("cached", "cached_text", "cached_audio")},
        },
        "output": {"text": tokens.output_text, "audio": tokens.output_audio},
    }


def _finite(number: float | None, digits: int) -> float | None:
    """JSON has no infinity."""
    if number is None or isinstance(number, int):
        return number
    return round(number, digits) if math.isfinite(number) else None


def _turn(row: Row) -> dict[str, Any]:
    """The turn, whole."""
    error = {"code": row.error_code or None, "message": row.error.raw or None}
    return {
        "id": row.item,
        "item_id": row.item,
        **{name: getattr(row, name) for name in ("after", "role", "via")},
        "status": "interrupted" if row.gone and row.status != "interrupted" else row.status,
        "text": row.text.raw,
        "heard": row.heard.raw,
        "unheard": row.unheard.raw,
        **{name: getattr(row, name) for name in ("heard_ms", "received_ms", "estimate")},
        "error": error if row.error_code or row.error.raw else None,
        "started": _finite(row.started, 3),
        "ended": _finite(row.ended, 3),
        "delay": None if row.delay is None else _delay(row.delay),
        **{name: getattr(row, name) for name in ("confirmed", "kept_ms")},
        "image": row.image.raw or None,
    }


def _delay(delay: Delayed) -> dict[str, Any]:
    """In seconds; `from_commit`: nobody can say when the speech ended."""
    seconds = {name: _finite(getattr(delay, name), 3) for name in ("noticed", "first_sent", "first_heard")}
    return {**seconds, "from_commit": delay.from_commit}
