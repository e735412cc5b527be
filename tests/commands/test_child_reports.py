"""What the child of a talk says: where it listens first, then its news, in the words of whoever reads them."""

from __future__ import annotations

import json

import pytest

from voicecli.commands.child import Reports, complaint, engine_news, mind_news, mind_of
from voicecli.core.notices import WORDS
from voicecli.core.stimuli import PartnerNews
from voicecli.runtime.child import Llm, read_news
from voicecli.secret import Secret
from voicecli.server.engines import EngineNews, EngineState, Part
from voicecli.server.llm import MindNews, MindState
from voicecli.target import MindTarget

MINE = MindTarget("http://127.0.0.1:11434/v1", "llama3.2")
GONE = PartnerNews("mind", "absent", "Connection refused", "llm_unreachable")


def test_where_it_listens_is_the_first_line_whatever_was_told_before():
    lines: list[str] = []
    reports = Reports(lines.append)
    loading, ready = PartnerNews("ear", "loading"), PartnerNews("ear", "ready")
    reports.tell(loading)
    assert lines == []
    reports.listening("ws://127.0.0.1:1/")
    reports.tell(ready)
    assert json.loads(lines[0]) == {"url": "ws://127.0.0.1:1/"}
    assert [read_news(line.encode()) for line in lines[1:]] == [loading, ready]


def test_news_that_nobody_reads_any_more_is_no_failure_but_an_address_that_nobody_reads_is():
    def gone(line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Reports(gone).listening("ws://127.0.0.1:1/")
    lines: list[str] = []
    reports = Reports(lambda line: gone(line) if lines else lines.append(line))
    reports.listening("ws://127.0.0.1:1/")
    reports.tell(GONE)


@pytest.mark.parametrize("state", EngineState)
@pytest.mark.parametrize("part", Part)
def test_each_state_of_an_engine_is_news(part: Part, state: EngineState):
    assert engine_news(EngineNews(part, state, "words")) == PartnerNews(part.value, state.value, "words")  # type: ignore[arg-type]


@pytest.mark.parametrize("state", MindState)
def test_each_state_of_a_language_model_is_news_with_a_notice_of_its_own(state: MindState):
    news = mind_news(MindNews(state, "words", "remedy"))
    if state is MindState.READY:
        assert news == PartnerNews("mind", "ready")
    else:
        assert news.state in ("absent", "broken")
        assert news.code in WORDS
        assert "llama3.2 at 127.0.0.1:11434" in complaint(news, MINE)


def test_who_runs_the_server_is_told_what_is_wrong_and_what_to_do_in_one_line():
    assert complaint(GONE, MINE) == (
        "The language model llama3.2 at 127.0.0.1:11434 cannot be reached. Is its server running (ollama serve; "
        'llama-server -m FILE)? Is --llm-url right? ("Connection refused")'
    )
    assert complaint(PartnerNews("ear", "broken", "it is\x1b[2J not\nwhole"), None).count("\n") == 0
    assert "\x1b" not in complaint(PartnerNews("mind", "broken", "\x1b[2J", "llm_failed"), MINE)
    assert complaint(PartnerNews("ear", "ready", "it is there"), MINE) == ""


def test_a_language_model_is_asked_with_the_key_of_its_own():
    assert mind_of(None) is None
    mind = mind_of(Llm("http://127.0.0.1:1/v1", "m", Secret("sk-CANARY0123456789")))
    assert mind is not None
    assert mind.model == "m"
