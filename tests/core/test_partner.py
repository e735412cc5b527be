"""How the engines of our own server stand is told once, in words, with what to do; what goes well stays quiet."""

from __future__ import annotations

from itertools import permutations

import pytest
from core_talk import CHAT, TALK, Bench, created, done
from msgspec.structs import replace

from voicecli.core.changes import Told
from voicecli.core.notices import WORDS, outcome
from voicecli.core.stimuli import PartnerNews
from voicecli.protocol import events as e
from voicecli.protocol.items import Item, StatusDetails, StatusError

EAR, VOICE = "ear", "voice"
MINDED = replace(TALK, mind_model="llama3.2", mind_host="127.0.0.1:11434")
CODES = sorted(code for code in WORDS if code.startswith("llm_"))


def news(part: str, state: str, words: str = "", code: str = "") -> PartnerNews:
    return PartnerNews(part, state, words, code)  # type: ignore[arg-type]


def codes(*told: PartnerNews, plan=TALK) -> list[str]:
    bench = Bench(plan).ready()
    bench.give(*told)
    return bench.codes()


def test_loading_and_being_ready_are_each_told_once():
    loading, ready = [news(EAR, "loading"), news(VOICE, "loading")], [news(EAR, "ready"), news(VOICE, "ready")]
    assert codes(*loading, ready[0]) == ["speech_loading"]
    assert codes(*loading, *ready) == ["speech_loading", "speech_ready"]
    assert codes(*loading, *ready, loading[0], ready[0]) == ["speech_loading", "speech_ready"]
    assert codes(*ready) == []


@pytest.mark.parametrize("state", ["absent", "broken"])
def test_what_both_lack_is_one_notice_with_the_remedy(state: str):
    for order in permutations((EAR, VOICE)):
        assert codes(*(news(part, state) for part in order)) == [f"speech_{state}"]
    assert "pip install" in WORDS[f"speech_{state}"].hint


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(EAR, "absent")], []),
        ([(EAR, "absent"), (VOICE, "loading")], ["speech_loading"]),
        ([(EAR, "absent"), (VOICE, "ready")], ["ear_absent"]),
        ([(VOICE, "absent"), (EAR, "ready")], ["voice_absent"]),
        ([(VOICE, "broken"), (EAR, "ready")], ["voice_broken"]),
        ([(EAR, "ready"), (VOICE, "ready"), (EAR, "broken")], ["ear_broken"]),
        ([(EAR, "broken"), (VOICE, "absent")], ["ear_broken", "voice_absent"]),
        ([(EAR, "ready"), (VOICE, "broken"), (VOICE, "broken")], ["voice_broken"]),
    ],
)
def test_what_one_lacks_is_told_of_that_one(told: list[tuple[str, str]], expected: list[str]):
    assert codes(*(news(part, state) for part, state in told)) == expected


def test_why_an_engine_is_broken_is_told_and_is_no_word_of_the_servers():
    bench = Bench().ready()
    bench.give(news(EAR, "broken", "the weights are not whole"), news(VOICE, "broken", "the weights are not whole"))
    (told,) = bench.shown(Told)
    assert (told.detail.raw, told.ours) == ("the weights are not whole", True)


def test_nobody_needs_ear_or_voice_in_writing():
    assert codes(news(EAR, "absent"), news(VOICE, "absent"), plan=CHAT) == []


@pytest.mark.parametrize("code", CODES)
def test_what_is_wrong_with_the_language_model_is_told_by_its_code(code: str):
    bench = Bench(MINDED).ready()
    bench.give(news("mind", "absent", "in detail", code), news("mind", "absent", "in detail", code))
    (told,) = bench.shown(Told)
    assert told.code == code
    assert "llama3.2 at 127.0.0.1:11434" in told.title
    assert told.hint
    assert told.detail.raw == "in detail"


def test_a_language_model_that_is_there_is_no_news_and_one_that_is_gone_again_is():
    lost = news("mind", "broken", "", "llm_unreachable")
    assert codes(news("mind", "loading"), news("mind", "ready"), plan=MINDED) == []
    assert codes(lost, news("mind", "ready"), lost, plan=MINDED) == ["llm_unreachable", "llm_unreachable"]
    assert codes(news("mind", "absent"), plan=MINDED) == ["llm_unreachable"]
    assert codes(news("mind", "broken", "", "nonsense"), plan=MINDED) == ["llm_unreachable"]


# ---- its answers


@pytest.mark.parametrize("code", CODES)
def test_every_failure_of_a_language_model_is_a_notice_with_a_remedy(code: str):
    details = StatusDetails(type="failed", error=StatusError("server_error", code, "Rate limit of their words"))
    told = outcome("failed", details, "", mind=MINDED.mind)
    assert told is not None
    assert told.code == code
    assert told.hint
    assert "{" not in told.title + told.hint
    assert told.detail.raw == "Rate limit of their words"
    bare = outcome("failed", StatusDetails(error=StatusError(code=code)), "")
    assert bare is not None
    assert "  " not in bare.title
    assert " ." not in bare.title


def test_a_code_that_only_looks_like_one_of_ours_is_told_as_any_other():
    told = outcome("failed", StatusDetails(error=StatusError(code="llm_new")), "")
    assert told is not None
    assert told.code == "answer_failed"


def test_a_failed_answer_names_model_and_host():
    bench = Bench(MINDED).ready()
    bench.types("hello", at=1.0)
    failed = StatusDetails(type="failed", error=StatusError("server_error", "llm_cut"))
    over = done("r1")
    bench.says(created("r1"), replace(over, response=replace(over.response, status="failed", status_details=failed)))
    (told,) = bench.shown(Told)
    assert told.title == "The language model llama3.2 at 127.0.0.1:11434 broke off its answer."


# ---- its slowness: G15


def test_g15_a_language_model_that_has_not_begun_after_ten_seconds_is_told_of_once():
    bench = Bench(MINDED).ready()
    bench.types("hello", at=1.0)
    bench.says(created("r1"), at=1.1)
    bench.until(10.9)
    assert bench.codes() == []
    bench.until(25.0)
    assert bench.codes() == ["mind_waits"]
    bench.until(40.0)
    assert bench.codes() == ["mind_waits", "no_answer"]


def test_nothing_is_told_of_one_that_has_begun_or_of_another_server():
    for plan, begun in ((MINDED, True), (TALK, False)):
        bench = Bench(plan).ready()
        bench.types("hello", at=1.0)
        bench.says(created("r1"), at=1.1)
        if begun:
            item = Item(id="a1", type="message", role="assistant", status="in_progress")
            bench.says(e.OutputItemAdded(response_id="r1", output_index=0, item=item), at=2.0)
        bench.until(25.0)
        assert bench.codes() == []
