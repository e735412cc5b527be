"""When a talk ends by itself: every input that ends is spent, none is endless, and nothing is unanswered or unheard."""

from __future__ import annotations

from typing import Literal, NamedTuple

from voicecli.core.responses import SILENCE_LIMIT_S

SETTLE_S = 1.0
"""After the VAD's silence window the server has so long to say that it heard a turn."""
WORDS_LIMIT_S = 2.0
"""Late transcripts are waited for so long once all else is done."""


class End(NamedTuple):
    exit_code: int
    reason: str


class Ending:
    def __init__(
        self,
        microphone: Literal["device", "file", "none"],
        keyboard: Literal["terminal", "pipe", "none"],
        vad_silence_s: float,
        keyed: bool = False,
    ) -> None:
        """`keyed`: push-to-talk, so a microphone without a keyboard says nothing."""
        self._microphone = microphone
        self._keyboard = keyboard
        self._vad_silence_s = vad_silence_s
        self._keyed = keyed
        self._file_spent_at: float | None = None
        self._keyboard_spent = keyboard == "none"
        self._event_at = 0.0
        self._turn_over_at: float | None = None
        self._rest_since: float | None = None
        self.used = False
        """Something was typed or spoken."""
        self.answer_failed = False

    def began(self, at: float) -> None:
        self._event_at = at

    def event(self, at: float) -> None:
        """The server gave a sign of life, or the speaker said something of an answer."""
        self._event_at = at

    def turn_over(self, at: float) -> None:
        """The server's VAD heard the end of a turn; that it takes the turn comes next."""
        self._turn_over_at = at

    def turn_taken(self) -> None:
        self._turn_over_at = None

    def file_spent(self, at: float) -> None:
        self._file_spent_at = at
        self.used = True

    def keyboard_spent(self) -> None:
        self._keyboard_spent = True

    @property
    def file_over(self) -> bool:
        """The file that speaks is at its end."""
        return self._file_spent_at is not None

    @property
    def somebody_types(self) -> bool:
        """A person sits at the keyboard."""
        return self._keyboard == "terminal" and not self._keyboard_spent

    def spent(self, microphone_there: bool) -> bool:
        """Nobody will say anything any more."""
        if not self._keyboard_spent:
            return False
        if not microphone_there or (self._keyed and self._microphone == "device"):
            return True
        return self._microphone != "device" and (self._microphone == "none" or self._file_spent_at is not None)

    def decide(self, at: float, *, microphone_there: bool, rest: bool, unwritten: bool, linked: bool) -> End | None:
        """Whether it ends now. `rest`: nothing is unanswered or unheard; `unwritten`: words of the person are late.

        Without a link what came is still played; then a talk that nobody at a keyboard can mend ends with 3.
        """
        if not linked:
            return None if self.somebody_types or not rest else End(3, "no_connection")
        if not self.spent(microphone_there):
            self._rest_since, self._event_at = None, at  # nobody was waited for so far
            return None
        if not self.used and self._microphone != "none":
            return End(4, "no_input")
        if not rest:
            self._rest_since = None
            if at >= self._event_at + SILENCE_LIMIT_S:
                return End(1, "no_answer")
            return None
        if self._rest_since is None:
            self._rest_since = at
        if at < self._ready_at(unwritten):
            return None
        return End(1, "answer_failed") if self.answer_failed else End(0, "done")

    def _ready_at(self, unwritten: bool) -> float:
        since = self._rest_since or 0.0
        if self._file_spent_at is not None:
            since = max(since, self._file_spent_at + self._vad_silence_s + SETTLE_S)
        if self._turn_over_at is not None:
            since = max(since, self._turn_over_at + SETTLE_S)
        return since + (WORDS_LIMIT_S if unwritten else 0.0)

    def deadline(self, at: float, *, microphone_there: bool, rest: bool, unwritten: bool) -> float | None:
        """When `decide` should be asked again, if nothing happens before."""
        if not self.spent(microphone_there):
            return None
        if not rest:
            return max(at, self._event_at + SILENCE_LIMIT_S)
        return self._ready_at(unwritten)
