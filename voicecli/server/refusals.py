"""What this server says no with: `ErrorInfo` values in the words and codes that clients know."""

from __future__ import annotations

from voicecli.protocol.events import Malformed, Unknown
from voicecli.protocol.items import ErrorInfo

SHOWN_CHARACTERS = 80
"""What is given back of a client's own value."""


def invalid(code: str, message: str, param: str | None = None) -> ErrorInfo:
    """A request that is wrong."""
    return ErrorInfo(message=message, type="invalid_request_error", code=code, param=param)


def invalid_value(param: str, value: object, why: str) -> ErrorInfo:
    """A value that is wrong, or not spoken here."""
    return invalid("invalid_value", f"Invalid value: '{str(value)[:SHOWN_CHARACTERS]}'. {why}", param)


def cannot_update_voice(param: str) -> ErrorInfo:
    """One conversation, one voice (4.6)."""
    return invalid("cannot_update_voice", "Cannot update a conversation's voice if assistant audio is present.", param)


def unknown(event: Unknown) -> ErrorInfo:
    """An event of a type that is not in the contract."""
    return invalid_value("type", event.type, "This server knows no such event.")


def malformed(event: Malformed) -> ErrorInfo:
    """A frame that is no JSON, or not of the shape its type has."""
    return invalid(event.code or "invalid_value", event.why, event.param)
