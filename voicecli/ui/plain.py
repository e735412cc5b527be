"""The talk as lines: one for each finished thing, role word first, for pipes and screen readers.

Pure: it is given changes and times and gives lines back. No foreign character stands in column 0: what follows in a
turn is indented, so no model can write a line that begins with one of our role words (G16).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl

from voicecli.core.changes import AnyChange, Ended, PhaseNow, Started, Told, TurnGrew, TurnSet
from voicecli.printable import one_line, painted, printable
from voicecli.ui.reasons import sentence
from voicecli.ui.sentences import where_words_go
from voicecli.ui.view import MOST_ROWS, Row, View

WORDS_WAIT_S: Final = 2.0
"""How long a turn that is over waits for the words of one before it."""

LONGEST_QUOTE: Final = 200
_TIDIED: Final = 256
"""After so many items of one answer it is looked which of them the view has forgotten."""

_TO_DO: Final = {
    "listening": "listening",
    "muted": "muted",
    "waiting_for_you_to_type": "waiting for you to type",
    "not_connected": "not connected",
    "press_to_talk": "press enter to talk",
    "recording": "recording, press enter to send it",
    "recording_full": "the recording is full; press enter to send it, /interrupt throws it away",
}
"""Phases in which the person should do another thing than before."""

_SHORT: Final = re.compile(r"\b(\d+(?:\.\d)?)([kM])\b")

Clean = Callable[[str], str]


def block(role: str, text: str) -> list[str]:
    """`text`, not yet printable, as the lines of `role`."""
    first, *rest = printable(text).strip().split("\n")
    return [painted(f"{role}: {first}"), *(painted(f"  {line}") for line in rest)]


def start_line(started: Started) -> str:
    """What the talk is with, and whose key from where."""
    if started.mind_model:
        return _with_mind(started)
    if started.offline:
        why = f"asked for by {started.url_source}" if started.url_source else "no key is set"
        return (
            f"notice: Offline practice ({one_line(why)}): this is voicecli's own practice partner, not a language "
            "model. Nothing leaves this machine."
        )
    said = f"notice: Connecting to {one_line(started.url, 1000)}"
    if started.url_source:
        said += f" (from {one_line(started.url_source)})"
    if started.model and not _names(started.url, started.model):
        said += f", model {one_line(started.model)}"
    if started.key_withheld:
        return f"{said}. The link is not encrypted, key not sent."
    if not started.key_source:
        return f"{said}, without a key."
    return f"{said}, with the key from {one_line(started.key_source)}."


def _with_mind(started: Started) -> str:
    """Of a talk with a language model behind voicecli's own server."""
    model, host = one_line(started.mind_model), one_line(started.mind_host)
    said = f"notice: Talking with the language model {model} at {host} (from {one_line(started.url_source)})"
    if started.key_withheld:
        said += ". The link is not encrypted, key not sent"
    elif started.key_source:
        said += f", with the key from {one_line(started.key_source)}"
    return f"{said}. {where_words_go(started)}"


def _names(url: str, model: str) -> bool:
    """The URL has the model in its query, so that it need not be said again."""
    return any(value == model for _, value in parse_qsl(url.partition("?")[2]))


def notice_line(told: Told, clean: Clean) -> str:
    """A notice in one line; the server's words are quoted and short."""
    role = "error" if told.severity == "error" else "notice"
    title, hint = _spoken(told) if told.code == "limit_near" else (told.title, told.hint)
    # Cleaned before it is cut, and after characters were left out that may have been put into a secret.
    said = one_line(clean(printable(f"{title} {hint}")), 1000)
    if told.detail.raw.strip():
        who = "in detail" if told.ours else "server says"
        said += f' ({who}: "{one_line(clean(printable(told.detail.raw)), LONGEST_QUOTE)}")'
    return f"{role}: {said}"


def _spoken(told: Told) -> tuple[str, str]:
    """Title and hint with numbers and times as they are said: "3.6k" and "0:37" are nothing for a screen reader."""
    title = _SHORT.sub(lambda number: f"{number[1]} {'thousand' if number[2] == 'k' else 'million'}", told.title)
    known = told.wait_s is not None and told.wait
    return title, told.hint.replace(told.wait, _span(math.ceil(told.wait_s or 0))) if known else told.hint


def _span(whole: int) -> str:
    parts = ((whole // 3600, "hour"), (whole // 60 % 60, "minute"), (whole % 60, "second"))
    return " ".join(_count(number, word) for number, word in parts if number)


def end_line(ended: Ended, view: View) -> str:
    """How long it was, how many turns, what it used."""
    minutes, seconds = round(ended.seconds / 60), round(ended.seconds)
    said = [_count(minutes, "minute") if seconds >= 120 else _count(seconds, "second")]
    said += [_count(ended.turns, "turn"), _count(ended.interruptions, "interruption")]
    if view.usage is not None:
        said.append(_count(view.usage.total.total, "token"))
    return f"end: {', '.join(said)}."


def turn_text(row: Row) -> str:
    """What is said of a turn that is over, foreign; "" where there is nothing to say."""
    text = row.text.raw.strip()
    if row.image.raw:
        text = f"(image {row.image.raw}) {text}".rstrip()
    if row.gone:
        return f"(Not heard: {text})" if text else ""
    if row.role == "you" and not text and row.via == "voice":
        return _speech(row, "the words could not be written down" if row.status == "failed" else "")
    match row.status:
        case "interrupted":
            return _interrupted(row)
        case "failed" if row.role == "tool":
            return f"{text} (It failed.)".lstrip()
        case "failed":
            return f"{text} {sentence(row.error_code, 'the answer failed here')}" if text else "(No answer.)"
        case "cancelled":
            return f"{text} (Stopped here.)" if text else ""
        case _:
            said = text or (_speech(row, "") if row.received_ms else "")
            return f"{said} {sentence(row.error_code, '')}".rstrip() if said else ""


def transcript(view: View) -> list[str]:
    """The whole talk as it is shown afterwards and saved: every turn that says something, in order."""
    lines: list[str] = []
    for row in view.rows():
        if text := turn_text(row) if row.over else _unfinished(row):
            lines += block(row.role, text)
    return lines


class Plain:
    """The lines of a talk. `deadline` is when `tick` wants to be called; None: never."""

    def __init__(self, *, echo_typed: bool, states: bool, clean: Clean = str, most_rows: int = MOST_ROWS) -> None:
        """`echo_typed`: typed texts came from a pipe. `states`: somebody is there to be told what to do now."""
        self.view = View(most_rows)
        self.deadline: float | None = None
        self._echo_typed = echo_typed
        self._states = states
        self._clean = clean
        self._state = ""
        self._waits = False
        self._unshown: set[str] = set()
        self._over_at: dict[str, float] = {}
        self._late: set[str] = set()  # later turns were shown before them

    def show(self, change: AnyChange, at: float) -> list[str]:
        """The lines that `change` makes due at `at`."""
        item = getattr(change, "item", None)
        fresh = isinstance(item, str) and item not in self.view
        self.view.apply(change)
        match change:
            case Started():
                return [start_line(change)]
            case Told():
                return [notice_line(change, self._clean)]
            case PhaseNow():
                return self._phase(change)
            case Ended():
                return [*self._rest(), end_line(change, self.view)]
        if isinstance(item, str) and (row := self.view.head(item)):
            if fresh and (row.role != "you" or row.via != "text" or self._echo_typed or row.image.raw):
                self._unshown.add(item)
            if row.over and item in self._unshown:
                self._over_at.setdefault(item, at)
                return self._due(at)
        return []

    def tick(self, at: float) -> list[str]:
        """The lines that are due because time has passed."""
        return self._due(at) if self.deadline is not None and at >= self.deadline else []

    def _phase(self, change: PhaseNow) -> list[str]:
        waits, self._waits = self._waits, change.phase == "waiting_for_sound"
        if self._waits and not waits and self._states:
            return ["state: waiting for sound"]
        word = _TO_DO.get(change.phase, "")
        if not word and self._state == _TO_DO["recording"]:
            self._state = ""  # the next recording is news again, also right after this one
        if not word or word == self._state:
            return []
        self._state = word
        # Why there is no connection has been told; that there is none is news only once there is one again.
        return [f"state: {word}"] if self._states and change.phase != "not_connected" else []

    def _in_order(self) -> list[Row]:
        rows = [row for item in self.view.order if item in self._unshown and (row := self.view.row(item))]
        if len(rows) < len(self._unshown):  # the view has forgotten some
            for item in self._unshown.difference(row.item for row in rows):
                self._shown(item)
        return rows

    def _shown(self, item: str) -> None:
        """Nothing more has to be known of it."""
        self._unshown.discard(item)
        self._over_at.pop(item, None)
        self._late.discard(item)

    def _due(self, at: float) -> list[str]:
        lines: list[str] = []
        before: list[Row] = []
        self.deadline = None
        for row in self._in_order():
            if not row.over:
                before.append(row)
            elif row.item in self._late:
                lines += self._line(row, "(earlier) ")
            elif all(other.item in self._late for other in before) or at >= self._over_at[row.item] + WORDS_WAIT_S:
                lines += self._promise(before)
                lines += self._line(row)
            else:
                due = self._over_at[row.item] + WORDS_WAIT_S
                self.deadline = due if self.deadline is None else min(self.deadline, due)
                before.append(row)
        return lines

    def _promise(self, rows: Iterable[Row]) -> list[str]:
        lines: list[str] = []
        for row in rows:
            if row.item not in self._late:
                self._late.add(row.item)
                if row.role == "you" and row.via == "voice":
                    lines += block("you", _speech(row, "words follow"))
        return lines

    def _line(self, row: Row, before: str = "") -> list[str]:
        self._shown(row.item)
        text = turn_text(row)
        return block(row.role, before + text) if text else []

    def _rest(self) -> list[str]:
        lines: list[str] = []
        for row in self._in_order():
            before = "(earlier) " if row.item in self._late else ""
            if row.over:
                lines += self._line(row, before)
            elif (text := _unfinished(row)) and (not before or row.text.raw.strip()):
                lines += block(row.role, before + text)
        self._unshown.clear()
        self.deadline = None
        return lines


class Written(NamedTuple):
    """What goes where: `out` as it is, `err` as lines."""

    out: str = ""
    err: tuple[str, ...] = ()


class OneShot:
    """One question: the bare answer as it streams on stdout, everything else on stderr."""

    def __init__(self, clean: Clean = str, most_rows: int = MOST_ROWS) -> None:
        self.view = View(most_rows)
        self._clean = clean
        self._so_far: dict[str, list[str]] = {}
        self._column = 0
        self._said = False

    def show(self, change: AnyChange, at: float) -> Written:  # noqa: ARG002 - every face is called so
        """What `change` makes due."""
        self.view.apply(change)
        match change:
            case Started():
                return Written(err=(start_line(change),))
            case Told():
                return Written(err=(notice_line(change, self._clean),))
            case TurnGrew(item=item, text=text) if self._answers(item):
                return Written(self._more(item, text.raw))
            case TurnSet(item=item, text=text) if self._answers(item):
                return Written(self._whole(item, text.raw))
            case Ended():
                return Written(self._put("\n") if self._column else "", self._unsaid() if change.exit_code == 0 else ())
        return Written()

    def _unsaid(self) -> tuple[str, ...]:
        """What of an answer that did not fail is not on stdout."""
        calls = [row.text.raw.strip() for row in self.view.rows() if row.role == "tool" and row.text.raw.strip()]
        if not calls:
            return () if self._said else ("notice: The answer came without words.",)
        said = one_line(self._clean(printable("; ".join(calls))), LONGEST_QUOTE)
        what = "The answer calls a tool too" if self._said else "The answer is only a call of a tool"
        return (painted(f"notice: {what}, which voicecli does not carry out: {said}"),)

    def _answers(self, item: str) -> bool:
        row = self.view.head(item)
        return row is not None and row.role == "assistant"

    def _more(self, item: str, text: str) -> str:
        if not text:
            return ""
        begin = ""
        if item not in self._so_far:
            begin = self._put("\n") if self._column else ""
            if len(self._so_far) % _TIDIED == 0:
                self._so_far = {name: pieces for name, pieces in self._so_far.items() if name in self.view}
        self._so_far.setdefault(item, []).append(text)
        return begin + self._put(text)

    def _whole(self, item: str, text: str) -> str:
        so_far = "".join(self._so_far.get(item, ()))
        if text.startswith(so_far):
            return self._more(item, text[len(so_far) :])
        del self._so_far[item]  # the server corrects itself: a new line, and all of it
        return self._more(item, text)

    def _put(self, text: str) -> str:
        shown = printable(text)
        self._said = self._said or bool(shown.strip())
        self._column = len(shown.rpartition("\n")[2]) + (0 if "\n" in shown else self._column)
        return shown


def _interrupted(row: Row) -> str:
    heard, unheard = row.heard.raw.strip(), row.unheard.raw.strip()
    at = "" if row.heard_ms is None else f" at {row.heard_ms / 1000:.1f} seconds"
    if not heard and unheard and not row.heard_ms:
        return f"(Not heard: {unheard})"
    said = f"Interrupted{at}."
    if unheard:
        said += f" Not heard{', by estimate' if row.estimate else ''}: {unheard}"
    return f"{heard} ({said})".strip()


def _unfinished(row: Row) -> str:
    text = row.text.raw.strip()
    if row.status == "waiting":
        image = f"(image {row.image.raw})" if row.image.raw else ""
        return " ".join(filter(None, (image, text, "(Not sent yet.)")))
    if row.role == "you" and row.via == "voice":
        return f"{text} (Not finished.)" if text else _speech(row, "the words did not come")
    return f"{text} (Not finished.)" if text else ""


def _speech(row: Row, remark: str) -> str:
    ms = row.received_ms
    if ms is None and row.ended is not None:
        ms = round((row.ended - row.started) * 1000)
    return f"(speech{f', {ms / 1000:.1f} seconds' if ms else ''}{f'; {remark}' if remark else ''})"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


Role = Literal["you", "assistant", "system", "tool", "notice", "error", "state", "end"]
ROLES: Final[tuple[Role, ...]] = ("you", "assistant", "system", "tool", "notice", "error", "state", "end")
"""What a line may begin with."""
