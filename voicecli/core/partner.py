"""How the engines of our own server stand, and what of it is told; it knows no process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from voicecli.core import notices
from voicecli.core.changes import Told
from voicecli.core.stimuli import PartnerNews

SPEECH: Final = ("ear", "voice")
LACKS: Final = ("absent", "broken")


class Partner:
    """Ear and voice come to rest one after the other: what is told of them waits until both have, and is told once."""

    def __init__(self, mind: str, *, listens: bool) -> None:
        """`mind`: `Plan.mind`. Without `listens` nobody needs ear or voice."""
        self._mind = mind
        self._listens = listens
        self._now: dict[str, PartnerNews] = {}
        self._told: set[str] = set()
        self._mind_told = ""

    def news(self, news: PartnerNews) -> Iterator[Told]:
        """What is to be told now."""
        if news.part == "mind":
            yield from self._of_mind(news)
        elif self._listens:
            self._now[news.part] = news
            yield from self._of_speech()

    def _of_mind(self, news: PartnerNews) -> Iterator[Told]:
        code = ""
        if news.state in LACKS:
            code = news.code if notices.of_mind(news.code) else "llm_unreachable"
        if code and code != self._mind_told:
            yield notices.told(code, news.words, mind=self._mind)
        self._mind_told = code

    def _of_speech(self) -> Iterator[Told]:
        states = {part: self._now[part].state if part in self._now else None for part in SPEECH}
        if "loading" in states.values() and not self._told:
            yield from self._once("speech_loading")
        if not set(states.values()) <= {"ready", *LACKS}:
            return
        if states["ear"] == states["voice"]:
            if states["ear"] != "ready" or "speech_loading" in self._told:
                yield from self._once(f"speech_{states['ear']}", *SPEECH)
            return
        for part, state in states.items():
            if state in LACKS:
                yield from self._once(f"{part}_{state}", part)

    def _once(self, code: str, *parts: str) -> Iterator[Told]:
        if code not in self._told:
            self._told.add(code)
            words = dict.fromkeys(self._now[part].words for part in parts if self._now[part].state == "broken")
            yield notices.told(code, "; ".join(filter(None, words)))
