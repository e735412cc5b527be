"""A session with a cap: it says when it expires, and ends then."""

from __future__ import annotations

from typing import Any

import pytest
from server_talk import FIVE_SECONDS, LoudnessVad, Talk, kinds, only

from voicecli.protocol.dialects import Spelling
from voicecli.server.limits import Limits
from voicecli.server.partner import PracticePartner
from voicecli.server.session import ServerSession

BOTH = pytest.mark.parametrize("spelling", list(Spelling))
REASON = "Your session hit the maximum duration of 30 minutes."


@BOTH
def test_a_capped_session_ends_with_its_reason_and_says_nothing_more(spelling: Spelling) -> None:
    talk = Talk(FIVE_SECONDS, spelling=spelling, limits=Limits(cap_s=1800.0))
    talk.wait(1799.0)
    talk.send("response.create")
    talk.wait(0.5)
    assert talk.session.over is None
    frames = talk.wait(1.0)
    assert talk.session.over == REASON
    assert talk.session.deadline is None
    errors: list[dict[str, Any]] = [frame["error"] for frame in frames if frame["type"] == "error"]
    assert [told["code"] for told in errors] == (["session_expired"] if spelling is Spelling.BETA else [])
    assert all(told["message"] == REASON for told in errors)
    assert talk.send("response.create") == []
    assert talk.session.tick(talk.at + 10.0) == []


def test_a_frame_that_comes_at_the_end_ends_the_session_too() -> None:
    talk = Talk(limits=Limits(cap_s=60.0))
    talk.at = 60.0
    assert talk.type("hello") == []
    assert talk.session.over == "Your session hit the maximum duration of 1 minutes."


@BOTH
def test_the_greeting_of_a_capped_session_says_when_it_expires(spelling: Spelling) -> None:
    session = ServerSession(PracticePartner(), LoudnessVad, Limits(cap_s=1800.0), spelling, opened_at=1_000_000.5)
    talk = Talk(spelling=spelling)
    assert only(talk.take(session.greeting(0.0)), "session.created")["session"]["expires_at"] == 1_001_800


@BOTH
def test_a_session_without_a_cap_never_expires(spelling: Spelling) -> None:
    talk = Talk(spelling=spelling)
    assert "expires_at" not in talk.seen[0]["session"]
    talk.wait(100_000.0)
    assert talk.session.deadline is None
    assert "session.updated" in kinds(talk.update(instructions="x"))
