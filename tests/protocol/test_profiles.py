"""Which provider stands behind a URL, in which dialect it is spoken to, and what each promises."""

from __future__ import annotations

import pytest

from voicecli.ports import Format
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.profiles import (
    AZURE_OPENAI,
    AZURE_OPENAI_DATED,
    CAN,
    EMBEDDED_BETA,
    EMBEDDED_GA,
    GENERIC_BETA,
    GENERIC_GA,
    GLM,
    MISTAKEN,
    OPENAI,
    QWEN,
    STEPFUN,
    VOICE_LIVE,
    Dialect,
    Profile,
    choose,
    ignored,
)

ALL = (
    AZURE_OPENAI,
    AZURE_OPENAI_DATED,
    EMBEDDED_BETA,
    EMBEDDED_GA,
    GENERIC_BETA,
    GENERIC_GA,
    GLM,
    OPENAI,
    QWEN,
    STEPFUN,
    VOICE_LIVE,
)
URLS = [
    "wss://api.openai.com/v1/realtime",
    "wss://res.openai.azure.com/openai/v1/realtime?model=d",
    "wss://res.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=d",
    "wss://res.services.ai.azure.com/voice-live/realtime?api-version=2026-07-15",
    "wss://dashscope.aliyuncs.com/api-ws/v1/realtime",
    "wss://open.bigmodel.cn/api/paas/v4/realtime",
    "wss://api.stepfun.com/v1/realtime",
    "wss://other.example/v1/realtime",
]


@pytest.mark.parametrize(
    ("url", "dialect", "offline", "profile"),
    [
        ("wss://api.openai.com/v1/realtime?model=x", "auto", False, OPENAI),
        ("wss://API.OpenAI.com:443/v1/realtime", "ga", False, OPENAI),
        ("wss://api.openai.com./v1/realtime", "auto", False, OPENAI),
        ("wss://api.openai.com/v1/realtime", "beta", False, GENERIC_BETA),
        ("wss://api.openai.com.evil.example/v1/realtime", "auto", False, GENERIC_GA),
        ("wss://api.openai.com@evil.example/v1/realtime", "auto", False, GENERIC_GA),
        ("wss://other.example/openai/v1/realtime", "auto", False, GENERIC_GA),
        ("ws://127.0.0.1:8765/v1/realtime", "auto", False, GENERIC_GA),
        ("ws://127.0.0.1:8765/v1/realtime", "beta", False, GENERIC_BETA),
        ("ws://127.0.0.1:1/", "auto", True, EMBEDDED_GA),
        ("ws://127.0.0.1:1/", "beta", True, EMBEDDED_BETA),
        ("", "auto", False, GENERIC_GA),
        ("ws://[::1/", "ga", False, GENERIC_GA),
        (URLS[1], "auto", False, AZURE_OPENAI),
        (URLS[2], "auto", False, AZURE_OPENAI_DATED),
        ("wss://res.cognitiveservices.azure.com/openai/v1/realtime", "auto", False, AZURE_OPENAI),
        (URLS[3], "auto", False, VOICE_LIVE),
        (URLS[3], "beta", False, VOICE_LIVE),
        ("wss://res.services.ai.azure.com.evil.example/voice-live/realtime", "auto", False, GENERIC_GA),
        ("wss://evil-services.ai.azure.com.example/voice-live/", "auto", False, GENERIC_GA),
        (URLS[4], "auto", False, QWEN),
        ("wss://dashscope-intl.aliyuncs.com/api-ws/v1/realtime", "auto", False, QWEN),
        ("wss://ws1.ap-southeast-1.maas.aliyuncs.com/api-ws/v1/realtime", "auto", False, QWEN),
        (URLS[5], "auto", False, GLM),
        (URLS[6], "auto", False, STEPFUN),
    ],
)
def test_host_path_and_wish_choose_the_profile(url: str, dialect: Dialect, offline: bool, profile: Profile) -> None:
    assert choose(url, dialect, offline).profile is profile


@pytest.mark.parametrize("url", URLS)
def test_auto_has_the_same_provider_in_the_other_dialect_and_a_wish_has_none(url: str) -> None:
    first, other = choose(url, "auto", False)
    assert other is not None
    assert {first.spelling, other.spelling} == set(Spelling)
    assert other.key_header == first.key_header, "the link is made for one of them"
    for spelling in Spelling:
        wished = choose(url, "beta" if spelling is Spelling.BETA else "ga", False)
        assert (wished.profile.spelling, wished.other) == (spelling, None)
        assert wished.profile in (first, other)


def test_our_own_server_is_not_asked_what_it_speaks() -> None:
    assert choose("ws://127.0.0.1:1/", "auto", True).other is None


def test_only_beta_sends_the_beta_header_and_no_profile_carries_a_key() -> None:
    others = [choose(url, "auto", False).other for url in URLS]
    for profile in (*ALL, *filter(None, others)):
        beta = ("OpenAI-Beta", "realtime=v1")
        assert (beta in profile.headers) == (profile.spelling is Spelling.BETA)
        assert not any(name.lower() in ("authorization", "api-key") for name, _ in profile.headers)


def test_openai_offers_nothing_by_default_that_is_being_shut_down() -> None:
    assert OPENAI.model not in ("gpt-realtime", "gpt-realtime-mini")
    assert OPENAI.transcription_model not in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
    assert OPENAI.cap_s == 3600


def test_azure_takes_its_key_in_a_header_of_its_own_and_names_its_version() -> None:
    for profile in (AZURE_OPENAI, AZURE_OPENAI_DATED, VOICE_LIVE):
        assert profile.key_header == ("api-key", "")
    assert dict(VOICE_LIVE.query) == {"api-version": "2026-07-15"}
    assert AZURE_OPENAI_DATED.model_query == "deployment"


def test_qwen_hears_at_16_khz_speaks_at_24_and_is_sent_neither_truncate_nor_delete() -> None:
    assert (QWEN.input, QWEN.output) == (Format("pcm", 16_000, 2), Format("pcm", 24_000, 2))
    assert QWEN.names == {"pcm", "pcm16", "pcm24"}
    assert not QWEN.can & {"truncate", "delete", "text"}
    assert QWEN.unheard == "leave"


def test_no_profile_promises_what_nobody_asks_for_and_what_cannot_be_deleted_is_left() -> None:
    for profile in ALL:
        assert profile.can <= CAN
        assert profile.unheard != "delete" or "delete" in profile.can
        assert profile.unheard != "truncate" or "truncate" in profile.can
        assert profile.benign, "no server is free of crossing messages"


@pytest.mark.parametrize(
    ("kind", "passed"),
    [
        ("ping", True),
        ("response.audio_timestamp.delta", True),
        ("response.audio_timestamp", False),
        ("warning", True),
        ("localai.status", False),
        ("", False),
    ],
)
def test_extras_of_a_provider_need_no_notice_by_name_or_by_their_beginning(kind: str, passed: bool) -> None:
    assert ignored(VOICE_LIVE, kind) is passed
    assert not ignored(GENERIC_GA, "response.audio_timestamp.delta")
    for profile in (GENERIC_GA, GENERIC_BETA):
        assert ignored(profile, "localai.status")
        assert ignored(profile, "conversation.item.speaker")


def test_no_field_that_both_spellings_have_tells_one_from_the_other() -> None:
    both = {"session.instructions", "session.tools", "session.tool_choice", "session.model", "session.voice"}
    assert not both & (MISTAKEN[Spelling.GA].fields | MISTAKEN[Spelling.BETA].fields)
