"""Second chances: what known servers and clients get wrong in a frame, put right before it is decoded again.

It works on parsed JSON, and only on frames that the decoder has refused; it knows no event.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from voicecli.protocol.flatten import SessionWire

_LONE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)
"""An escape of JSON, with its pair where it is a surrogate that has one."""


def heal(text: bytes) -> bytes:
    """JSON in which each lone surrogate has become U+FFFD: Python and msgspec can write none of them."""
    return _LONE.sub(_healed, text)


def _healed(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if len(escape[0]) == 6 else escape[0]


_NULL_MEANS_OFF: Final = frozenset(
    {
        "turn_detection",
        "input_audio_transcription",
        "transcription",
        "input_audio_noise_reduction",
        "noise_reduction",
        "tracing",
        "include",
        "prompt",
        "metadata",
        "conversation_id",
    }
)
_OPAQUE: Final = frozenset({"parameters", "metadata", "tool_choice", "tracing", "prompt", "truncation", "reasoning"})


def _drop_nulls(value: Any) -> None:
    """In place: a null where the contract has none is as good as absent. What the peer owns is left alone."""
    if isinstance(value, dict):
        for name in [name for name, inner in value.items() if inner is None and name not in _NULL_MEANS_OFF]:
            del value[name]
        for name, inner in value.items():
            if name not in _OPAQUE:
                _drop_nulls(inner)
    elif isinstance(value, list):
        for inner in value:
            _drop_nulls(inner)


def mend_client(frame: dict[str, Any]) -> None:
    """In place: nulls in optional fields. The rest of a client frame has to be right."""
    _drop_nulls(frame)


def mend_server(frame: dict[str, Any]) -> None:
    """In place: nulls, base64 without padding, `status_details` as a word, errors and sessions of strange shape."""
    _drop_nulls(frame)
    if isinstance(delta := frame.get("delta"), str) and str(frame["type"]).endswith("audio.delta"):
        frame["delta"] = delta.rstrip("=") + "=" * (-len(delta.rstrip("=")) % 4)
    if isinstance(response := frame.get("response"), dict) and isinstance(said := response.get("status_details"), str):
        response["status_details"] = {"reason": said}  # D12
    if frame["type"] == "error":
        frame["error"] = _mended_error(frame)
    if isinstance(session := frame.get("session"), dict):
        _keep_what_fits(session)


def _mended_error(frame: dict[str, Any]) -> dict[str, Any]:
    """An error is worth showing in whatever shape it comes."""
    said = frame.get("error", frame)
    if not isinstance(said, dict):
        said = {"message": said}
    return {name: str(said[name]) for name in ("message", "type", "code", "param", "event_id") if name in said}


def _keep_what_fits(session: dict[str, Any]) -> None:
    """One value of a kind we do not know must not cost the whole greeting: it alone is left out."""
    for name in list(session):
        try:
            msgspec.convert({name: session[name]}, SessionWire)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            del session[name]
