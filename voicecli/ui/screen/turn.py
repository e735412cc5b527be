"""What is said of one turn: its text with the meaning of each stretch, and the words about what became of it.

Pure. It knows no width, no colour and no glyph but those handed in; a text that grows gives a text that grows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from voicecli.core.changes import Interrupted, Phase, Told
from voicecli.printable import one_line, printable
from voicecli.ui.reasons import REASONS
from voicecli.ui.screen.glyphs import Glyphs
from voicecli.ui.screen.wrap import joined, whole_cluster
from voicecli.ui.view import Row

Meaning = Literal["text", "not_heard", "struck", "cut", "interrupted", "about", "failed", "mark", "hearing", "name"]
"""not_heard: yet. struck: never heard. cut, mark: glyphs. about: quiet words of ours. hearing: in the place of words
that are to come. name: of a tool."""

LONGEST_REASON: Final = 200

Clean = Callable[[str], str]
"""Takes secrets out of words that are not ours."""

_STOPPED: Final[dict[str, str]] = {
    "voice": "interrupted",
    "key": "stopped by key",
    "text": "stopped by typing",
    "command": "stopped by command",
}


class Stretch(NamedTuple):
    """What the text from `begin` to `end` means."""

    begin: int
    end: int
    meaning: Meaning


class Said(NamedTuple):
    """Safe to draw. Where `stretches` say nothing it is plain text; they are in order and do not overlap."""

    text: str = ""
    stretches: tuple[Stretch, ...] = ()
    needle: int | None = None
    """The offset up to which the answer that plays was heard."""


class Safe:
    """The text of a turn made safe to draw, only what is new of it each time; and where an offset in it went."""

    def __init__(self) -> None:
        self._raw, self._safe = "", ""
        self._offset = (0, 0)
        self.text = ""

    def take(self, raw: str) -> None:
        if raw.startswith(self._raw):
            self._safe += printable(raw[len(self._raw) :])
        else:
            self._safe, self._offset = printable(raw), (0, 0)
        self._raw = raw
        self.text = joined(self._safe).rstrip()

    def offset(self, characters: int) -> int:
        """Where what follows the first `characters` of the raw text begins."""
        characters = min(characters, len(self._raw))  # it may be told that more is heard than there is yet
        known, offset = self._offset if characters >= self._offset[0] else (0, 0)
        offset += len(printable(self._raw[known:characters]))
        self._offset = (characters, offset)
        if len(self._safe) != len(self.text):
            offset = len(joined(self._safe[:offset]))
        return whole_cluster(self.text, min(offset, len(self.text)))


class _Writing:
    def __init__(self) -> None:
        self.text = ""
        self.stretches: list[Stretch] = []

    def put(self, text: str, meaning: Meaning = "text") -> _Writing:
        begin = len(self.text)
        self.text += text
        if meaning != "text" and text:
            self.stretches.append(Stretch(begin, len(self.text), meaning))
        return self

    def line(self, text: str, meaning: Meaning) -> _Writing:
        """In a line of its own, if there is a line before."""
        return self.put("\n" if self.text else "").put(text, meaning)

    def said(self, needle: int | None = None) -> Said:
        return Said(self.text, tuple(self.stretches), needle)


def turn(row: Row, shown: Safe, glyphs: Glyphs, heard: int | None, by: str | None, clean: Clean = str) -> Said:
    """`shown` has taken the row's text. `heard`: how many of its characters were heard of an answer that is to be
    heard; None: it is to be read. `by`: what it was interrupted by. An empty text: there is nothing to show.
    """
    match row.role:
        case "you" if row.via == "voice":
            return _spoken(row, shown.text, glyphs, clean)
        case "tool":
            return _called(row, shown.text, clean)
        case "assistant":
            return _answer(row, shown, glyphs, heard, by, clean)
    writing = _Writing().put(shown.text)
    if row.status == "waiting":
        writing.line("not sent yet", "about")
    elif row.status == "failed":
        writing.line(_why("not taken", row, clean), "failed")
    return writing.said()


def hearing(phase: Phase, glyphs: Glyphs) -> Said:
    """In the place of a turn that the person speaks, or has spoken, and that the server does not have yet."""
    words = {"thinking": "words follow", "recording_full": "recorded"}.get(phase, "hearing you")
    return _Writing().put(glyphs.needle, "mark").put(words, "hearing").said()


def quiet(told: Told, clean: Clean = str) -> Said:
    """An information, in one line or as few as it takes."""
    words = " ".join(one_line(text, 1000) for text in (told.title, told.hint) if text)
    return _Writing().put(joined(clean(words)), "about").said()


def interrupted_by(change: Interrupted) -> tuple[tuple[str, ...], str]:
    """The turns that were interrupted, and by what."""
    items = [change.item] if change.item else []
    return (*items, *(cut.item for cut in change.cut), *change.removed), change.by


def _spoken(row: Row, text: str, glyphs: Glyphs, clean: Clean) -> Said:
    if row.gone:
        return _Writing().put(glyphs.cut_text + " ", "cut").put(text, "struck").line("taken out", "about").said()
    if not row.over:
        writing = _Writing().put(text + " " if text else "")
        return writing.put(glyphs.needle, "mark").put("words follow", "hearing").said()
    if text:
        writing = _Writing().put(text)
        if row.status == "failed":
            writing.line(_why("not whole", row, clean), "about")
        return writing.said()
    ms = row.received_ms
    if ms is None and row.ended is not None:
        ms = round((row.ended - row.started) * 1000)
    writing = _Writing().put(f"(speech, {ms / 1000:.1f} s)" if ms else "(speech)", "hearing")
    if row.status == "failed":
        writing.line(_why("the words could not be written down", row, clean), "about")
    return writing.said()


def _called(row: Row, text: str, clean: Clean) -> Said:
    name, blank, arguments = text.partition(" ")
    writing = _Writing().put(name, "name").put(blank + arguments, "about")
    if row.status == "failed":
        writing.line(_why("failed", row, clean), "failed")
    elif row.status in ("cancelled", "interrupted"):
        writing.line("stopped", "about")
    return writing.said()


def _answer(row: Row, shown: Safe, glyphs: Glyphs, heard: int | None, by: str | None, clean: Clean) -> Said:
    text = shown.text
    if row.gone or row.status == "interrupted":
        return _cut(row, shown, glyphs, by)
    writing = _Writing()
    if not row.over:
        if heard is None:
            return writing.put(text).said()
        needle = shown.offset(heard)
        needle += text[needle : needle + 1] == " "
        return writing.put(text[:needle]).put(text[needle:], "not_heard").said(needle if text else None)
    writing.put(text)
    match row.status:
        case "failed":
            writing.line(_why("the answer ended here" if text else "no answer", row, clean), "failed")
        case "cancelled":
            writing.line("stopped here" if text else "stopped before it began", "about")
        case "done" if row.error_code:
            writing.line(_why("the answer ended here", row, clean), "about")
        case _ if not text and row.received_ms:
            writing.put(f"(speech, {row.received_ms / 1000:.1f} s)", "hearing")
    return writing.said()


def _cut(row: Row, shown: Safe, glyphs: Glyphs, by: str | None) -> Said:
    at = shown.offset(0 if row.gone else len(row.heard.raw))
    heard, unheard = shown.text[:at].rstrip(), shown.text[at:].strip()
    writing = _Writing().put(heard)
    if unheard:
        writing.put(" " if heard else "").put(glyphs.cut_text, "cut").put(" ").put(unheard, "struck")
    elif not heard and row.received_ms:
        writing.put(f"(speech, {row.received_ms / 1000:.1f} s)", "hearing")
    word = _STOPPED.get(by or "", "interrupted")
    if row.heard_ms and not row.gone:
        word += f" at {row.heard_ms / 1000:.1f} s"
    elif unheard:
        word += " before it was heard"
    writing.line(word, "interrupted")
    if unheard and heard:
        estimate = " (estimate)" if row.estimate else ""
        writing.put(f" {glyphs.dot} {_amount(unheard)} not heard{estimate}", "about")
    elif row.gone:
        writing.put(f" {glyphs.dot} taken out of the talk", "about")
    return writing.said()


def _amount(text: str) -> str:
    """How much it is, in words; in characters where words are not parted by blanks."""
    words = len(text.split())
    count, word = (words, "word") if len(text) <= 16 * words else (len(text), "character")
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _why(outcome: str, row: Row, clean: Clean) -> str:
    """What became of it and why, in the server's own words where there are such."""
    words = joined(clean(one_line(row.error.raw, LONGEST_REASON)))
    if row.error_code in REASONS:
        return REASONS[row.error_code]
    code = joined(one_line(row.error_code, 60)).replace("_", " ")
    return f"{outcome}: {words or code}" if words or code else outcome
