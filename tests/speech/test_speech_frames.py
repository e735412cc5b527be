"""Frames between an engine and its house: what goes in comes out, and anything else is told as bad."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.speech import frames as f
from voicecli.speech.weights import Lack

REQUESTS = [f.Listen(1, b"\x00\x01", True), f.Speak(2, "é")]
REPLIES = [
    f.Loading(),
    f.Ready(),
    f.Lacking(Lack.WRONG_WEIGHTS, "why"),
    f.Heard(1, "so", 2),
    f.Spoken(2, b"\x00\x01"),
    f.Failed(3, "KeyError"),
]


def test_a_frame_is_its_length_and_its_body() -> None:
    for request in REQUESTS:
        framed = f.frame(request)
        assert f.size(framed[: f.HEAD]) == len(framed) - f.HEAD
        assert f.request(framed[f.HEAD :]) == request
    for reply in REPLIES:
        assert f.reply(f.frame(reply)[f.HEAD :]) == reply


def test_no_frame_is_longer_than_the_bound() -> None:
    with pytest.raises(ValueError, match="bytes in one frame"):
        f.frame(f.Spoken(1, bytes(f.MOST)))
    with pytest.raises(f.BadFrame):
        f.size(b"\xff\xff\xff\xff")


@given(st.binary())
def test_any_bytes_are_a_message_or_bad(body: bytes) -> None:
    for read in (f.request, f.reply):
        with suppress(f.BadFrame):
            read(body)
