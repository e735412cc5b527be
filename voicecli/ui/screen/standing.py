"""Notices that stand until they are closed or over, and what each of them is over by; it draws nothing."""

from __future__ import annotations

from enum import Enum
from typing import Final

from voicecli.core.changes import AnyChange, LinkNow, PhaseNow, SoundNow, Told, TurnOpened

MOST: Final = 20


class Over(Enum):
    """What makes a notice a thing of the past."""

    CONNECTED = "connected"
    SOUND_BACK = "sound back"
    NEXT_ANSWER = "next answer"
    NEXT_TURN = "next turn"


_LINK: Final = (
    *("dns", "refused_tcp", "tls", "proxy", "redirect", "unauthorized", "forbidden", "rate_limited", "not_realtime"),
    *("timeout", "silent", "no_greeting", "dropped", "closed", "flood", "too_big", "no_link", "ask_unready"),
    *("server_failed", "refused_http"),
    *("dialect_ga", "dialect_beta", "session_expired", "invalid_api_key", "practice_failed", "recording_lost"),
)
_SOUND: Final = ("no_library", "no_microphone", "no_speaker", "no_sound_device", "in_use", "refused_format")
_BROKEN: Final = ("no_permission", "device_lost", "device_stalled", "sound_other", "muted_after_sleep")
_ANSWER: Final = (
    *("rate_limit", "limited", "content_filter", "max_output_tokens", "answer_failed", "no_answer", "answer_refused"),
    *("text_refused", "voice_refused", "transcription_failed", "cut_refused", "cut_nothing", "item_unknown"),
    *("audio_dropped", "malformed", "text_missing", "too_long", "event_unknown", "server_error", "insufficient_quota"),
    *(
        "answer_stopped",
        "llm_unreachable",
        "llm_model_unknown",
        "llm_model_unlisted",
        "llm_unauthorized",
        "llm_refused",
        "llm_no_api",
    ),
    *("llm_rate_limited", "llm_failed", "llm_slow", "llm_cut", "llm_garbled", "llm_endless", "llm_empty"),
)
_TURN: Final = ("bad_input", "paste_cut", "pasted_command", "again_to_quit")

OVER: Final[dict[str, Over]] = {
    **dict.fromkeys(_LINK, Over.CONNECTED),
    **dict.fromkeys((*_SOUND, *_BROKEN), Over.SOUND_BACK),
    **dict.fromkeys(_ANSWER, Over.NEXT_ANSWER),
    **dict.fromkeys(_TURN, Over.NEXT_TURN),
}
"""The others stand until they are closed."""


def over_by(code: str) -> Over | None:
    return Over.CONNECTED if code.startswith("closed") else OVER.get(code)


class Standing:
    """Warnings and errors, the newest on top."""

    def __init__(self) -> None:
        self._told: list[Told] = []

    @property
    def top(self) -> Told | None:
        return self._told[-1] if self._told else None

    def __len__(self) -> int:
        return len(self._told)

    def add(self, told: Told) -> None:
        """The same once more takes the place of the one before it."""
        self.drop(told.code)
        self._told = [*self._told[-(MOST - 1) :], told]

    def told(self, code: str) -> Told | None:
        return next((told for told in self._told if told.code == code), None)

    def put(self, new: Told) -> None:
        """In the place of the one of the same code."""
        self._told = [new if told.code == new.code else told for told in self._told]

    def close(self) -> Told | None:
        """Takes the top one away."""
        return self._told.pop() if self._told else None

    def drop(self, code: str) -> None:
        self._told = [told for told in self._told if told.code != code]

    def look(self, change: AnyChange) -> None:
        """Takes away what `change` makes a thing of the past."""
        match change:
            case LinkNow(state="open"):
                self._drop(Over.CONNECTED)
            case SoundNow(state="opened", side=side):
                self._told = [
                    told
                    for told in self._told
                    if over_by(told.code) is not Over.SOUND_BACK or told.side not in (None, side)
                ]
            case PhaseNow(phase=phase) if phase != "recording_full":
                self.drop("recording_full")
            case TurnOpened(role="assistant"):
                self._drop(Over.NEXT_ANSWER)
                self._drop(Over.NEXT_TURN)
            case TurnOpened():
                self._drop(Over.NEXT_TURN)

    def _drop(self, by: Over) -> None:
        self._told = [told for told in self._told if over_by(told.code) is not by]
