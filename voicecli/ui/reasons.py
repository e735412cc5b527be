"""Why an answer is not whole, in words of its own where its code has any; what the faces share."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "link_lost": "the connection dropped here",
    "content_filter": "stopped by the server's content rules",
    "max_output_tokens": "cut at the limit of tokens",
    "not_sent": "not sent: there was no connection",
    "mcp_failed": "the server could not carry it out",
}
"""By `TurnSet.error_code`."""


def sentence(code: str, otherwise: str) -> str:
    """In brackets, as it stands behind what was said."""
    said = REASONS.get(code, otherwise)
    return f"({said[:1].upper()}{said[1:]}.)" if said else ""
