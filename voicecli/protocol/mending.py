"""Second chances: what known servers and clients get wrong in a frame, put right before it is decoded again.

It works on parsed JSON, and only on frames that the decoder has refused; it knows no event.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from voicecli.protocol.flatten import OutcomeWire, SessionWire
from voicecli.protocol.items import ContentPart, InputTokens, Item, OutputTokens, StatusDetails, Usage

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
_OPAQUE: Final = frozenset(
    {"parameters", "metadata", "tool_choice", "tracing", "prompt", "truncation", "reasoning", "arguments"}
)
_ID_CHARS: Final = 512
_MEMBERS: Final = 4_096


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
    """In place: nulls, base64 without padding, and whatever of an error, a session, a response or an item does not fit.

    One value of a kind we do not know must not cost the whole event: it alone is left out, or taken by its words.
    """
    _drop_nulls(frame)
    kind = str(frame["type"])
    if not isinstance(frame.get("event_id", ""), str):
        del frame["event_id"]
    if isinstance(delta := frame.get("delta"), str) and kind.endswith("audio.delta"):
        frame["delta"] = delta.rstrip("=") + "=" * (-len(delta.rstrip("=")) % 4)
    if kind == "error":
        frame["error"] = _error(frame.get("error", frame))
    elif "error" in frame:
        frame["error"] = _error(frame["error"])
    if isinstance(session := frame.get("session"), dict):
        _mend_voice(session)
        _keep_what_fits(session, SessionWire)
    if isinstance(item := frame.get("item"), dict):
        _mend_item(item)
    if isinstance(response := frame.get("response"), dict):
        _mend_response(response)
    elif kind in ("response.created", "response.done"):
        frame.pop("response", None)  # that it begins or ends is worth more than what it says of itself


def _error(said: Any) -> dict[str, Any]:
    """An error is worth showing in whatever shape it comes."""
    if not isinstance(said, dict):
        said = {"message": said}
    names = ("message", "type", "code", "param", "event_id")
    return {name: str(said[name])[: _ID_CHARS if name == "event_id" else None] for name in names if name in said}


def _mend_response(response: dict[str, Any]) -> None:
    match response.get("status_details"):
        case str(said):
            response["status_details"] = {"reason": said}  # D12
        case dict(details):
            if "error" in details:
                details["error"] = _error(details["error"])
            _keep_what_fits(details, StatusDetails)
    if isinstance(usage := response.get("usage"), dict):
        for name, kind in (("input_token_details", InputTokens), ("output_token_details", OutputTokens)):
            if isinstance(inner := usage.get(name), dict):
                _keep_what_fits(inner, kind)
        _keep_what_fits(usage, Usage)
    if isinstance(output := response.get("output"), list):
        response["output"] = output = [item for item in output if isinstance(item, dict)]
        for item in output:
            _mend_item(item)
    _mend_voice(response)
    _keep_what_fits(response, OutcomeWire)


def _mend_item(item: dict[str, Any]) -> None:
    for name in ("arguments", "output"):
        if isinstance(item.get(name), dict | list):
            item[name] = json.dumps(item[name], ensure_ascii=False)
    content = item.pop("content", None)
    _keep_what_fits(item, Item)
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list):
        return
    item["content"] = content
    if len(content) <= _MEMBERS:  # else it is no slip, and stays what it is (G10)
        kind = "text" if item.get("role") == "assistant" else "input_text"
        parts = [{"type": kind, "text": part} if isinstance(part, str) else part for part in content]
        item["content"] = parts = [part for part in parts if isinstance(part, dict)]
        for part in parts:
            _keep_what_fits(part, ContentPart)


def _mend_voice(given: dict[str, Any]) -> None:
    """Azure's own voices are objects with a name and no id."""
    audio = given.get("audio")
    for holder in (given, audio.get("output") if isinstance(audio, dict) else None):
        voice = holder.get("voice") if isinstance(holder, dict) else None
        if isinstance(holder, dict) and isinstance(voice, dict) and "id" not in voice and "name" in voice:
            holder["voice"] = voice["name"]


def _keep_what_fits(given: dict[str, Any], kind: type[Struct]) -> None:
    """For kinds that require nothing."""
    for name in list(given):
        try:
            msgspec.convert({name: given[name]}, kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            del given[name]
