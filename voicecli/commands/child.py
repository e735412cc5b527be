"""What the child of a talk reads and says: what it is to be, where it listens, and its news. It serves nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from voicecli.core.stimuli import PartnerNews
from voicecli.printable import one_line
from voicecli.runtime.child import LONGEST, Llm, Wanted, news_line, read_wanted
from voicecli.server.engines import EngineNews, EngineState
from voicecli.server.llm import Mind, MindNews, MindState
from voicecli.speech.weights import Part
from voicecli.target import MindTarget

_PARTS: Final[dict[Part, Literal["ear", "voice"]]] = {Part.EAR: "ear", Part.VOICE: "voice"}
_STATES: Final[dict[EngineState, Literal["loading", "ready", "absent", "broken"]]] = {
    EngineState.LOADING: "loading",
    EngineState.READY: "ready",
    EngineState.ABSENT: "absent",
    EngineState.BROKEN: "broken",
}


def wanted() -> Wanted:
    """What the second line of standard input says; the first has been read. Raises BadLine."""
    return read_wanted(line_of_stdin(LONGEST))


def line_of_stdin(most: int) -> bytes:
    """Byte by byte from the descriptor: what comes after it is another reader's, and no buffer may keep a lock."""
    line = bytearray()
    while len(line) < most:
        byte = os.read(0, 1)
        if byte in (b"", b"\n"):
            break
        line += byte
    return bytes(line)


def mind_of(llm: Llm | MindTarget | None) -> Mind | None:
    """The client of a language model, where there is one."""
    return None if llm is None else Mind(llm.url, llm.model, llm.key, temperature=llm.temperature)


class Reports:
    """The child's lines: where it listens is the first, whatever there was to say before."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._early: list[PartnerNews] = []
        self._listening = False

    def listening(self, url: str) -> None:
        """Raises OSError, as `say` does."""
        self._say(json.dumps({"url": url}))
        self._listening = True
        for news in self._early:
            self.tell(news)

    def tell(self, news: PartnerNews) -> None:
        """That nobody listens any more is no failure here: the end of standard input tells."""
        if not self._listening:
            self._early.append(news)
            return
        with suppress(OSError):
            self._say(news_line(news))


def engine_news(news: EngineNews) -> PartnerNews:
    return PartnerNews(_PARTS[news.part], _STATES[news.state], news.words)


def mind_news(news: MindNews) -> PartnerNews:
    if news.state is MindState.READY:
        return PartnerNews("mind", "ready")
    absent = news.state in (MindState.UNREACHABLE, MindState.UNLISTED)
    return PartnerNews("mind", "absent" if absent else "broken", news.words, news.state.value)


def complaint(news: PartnerNews, mind: MindTarget | None) -> str:
    """What who runs `voicecli serve` is to know of it, in one printable line; "" where all is well."""
    if news.state not in ("absent", "broken"):
        return ""
    if news.part != "mind" or mind is None:
        return one_line(news.words, 400)
    from voicecli.core import notices  # the child of a talk needs no words

    told = notices.told(news.code, mind=f" {mind.model} at {mind.host}")
    return one_line(f"{told.title} {told.hint}" + (f' ("{one_line(news.words, 200)}")' if news.words else ""), 1000)


async def look_at(mind: Mind, tell: Callable[[PartnerNews], None]) -> None:
    """Finds out what there is behind its URL, and tells it. To be run in the background."""
    tell(PartnerNews("mind", "loading"))
    tell(mind_news(await mind.check()))
