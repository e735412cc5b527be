"""Which provider stands behind a URL, and what each promises."""

from __future__ import annotations

import pytest

from voicecli.protocol.dialects import Spelling
from voicecli.protocol.profiles import (
    EMBEDDED_BETA,
    EMBEDDED_GA,
    GENERIC_BETA,
    GENERIC_GA,
    OPENAI,
    Dialect,
    Profile,
    profile_for,
)


@pytest.mark.parametrize(
    ("url", "dialect", "offline", "profile"),
    [
        ("wss://api.openai.com/v1/realtime?model=x", "auto", False, OPENAI),
        ("wss://API.OpenAI.com:443/v1/realtime", "ga", False, OPENAI),
        ("wss://api.openai.com./v1/realtime", "auto", False, OPENAI),
        ("wss://api.openai.com/v1/realtime", "beta", False, GENERIC_BETA),
        ("wss://api.openai.com.evil.example/v1/realtime", "auto", False, GENERIC_GA),
        ("wss://api.openai.com@evil.example/v1/realtime", "auto", False, GENERIC_GA),
        ("ws://127.0.0.1:8765/v1/realtime", "auto", False, GENERIC_GA),
        ("ws://127.0.0.1:8765/v1/realtime", "beta", False, GENERIC_BETA),
        ("ws://127.0.0.1:1/", "auto", True, EMBEDDED_GA),
        ("ws://127.0.0.1:1/", "beta", True, EMBEDDED_BETA),
        ("", "auto", False, GENERIC_GA),
        ("ws://[::1/", "ga", False, GENERIC_GA),
    ],
)
def test_the_host_and_the_wish_choose_the_profile(url: str, dialect: Dialect, offline: bool, profile: Profile) -> None:
    assert profile_for(url, dialect, offline) is profile


def test_only_beta_sends_the_beta_header_and_no_profile_carries_a_key() -> None:
    for profile in (OPENAI, GENERIC_GA, GENERIC_BETA, EMBEDDED_GA, EMBEDDED_BETA):
        beta = ("OpenAI-Beta", "realtime=v1")
        assert (beta in profile.headers) == (profile.spelling is Spelling.BETA)
        assert not any(name.lower() in ("authorization", "api-key") for name, _ in profile.headers)


def test_openai_offers_nothing_by_default_that_is_being_shut_down() -> None:
    assert OPENAI.model not in ("gpt-realtime", "gpt-realtime-mini")
    assert OPENAI.transcription_model not in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")
    assert OPENAI.cap_s == 3600
