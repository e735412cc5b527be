"""Why there is no link: from the exceptions of sockets, TLS and websockets to `LinkEnded`, in words without a key.

An exception's own text is used only where it is known to hold nothing of ours: websockets prints whole headers.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from msgspec.structs import replace
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import CloseCode
from websockets.http11 import Response

from voicecli.core.stimuli import LinkEnded
from voicecli.ports import LinkFailure
from voicecli.runtime.route import BadProxy, BadUrl, Place

WORDS: Final = 200
"""Characters kept of what a server says."""

LONGEST_WAIT_S: Final = 24 * 3600
"""A server that asks to be left alone for longer is not believed."""

STATUSES: Final = {
    401: LinkFailure.UNAUTHORIZED,
    402: LinkFailure.NO_CREDIT,
    403: LinkFailure.FORBIDDEN,
    407: LinkFailure.PROXY,
    429: LinkFailure.RATE_LIMITED,
    503: LinkFailure.RATE_LIMITED,
}

Clean = Callable[[str], str]
"""Takes secrets out of foreign text and bounds it."""


def refused(bug: Exception, url: str, where: Place | None, proxy: str, clean: Clean) -> LinkEnded:
    """What an exception while dialling means. `proxy` is the host of the proxy that was dialled, "" for none."""
    host = where.shown if where else ""

    def ended(failure: LinkFailure, reason: str, code: int | None = None, at: str = host) -> LinkEnded:
        return LinkEnded(failure, code, clean(reason), clean(at), ours=code is None)

    match bug:
        case BadUrl():
            return ended(LinkFailure.NOT_REALTIME, str(bug))
        case InvalidURI():
            return ended(LinkFailure.NOT_REALTIME, "the URL is not well formed")
        case BadProxy():
            return ended(LinkFailure.PROXY, str(bug), at="")
        case InvalidProxy():
            return ended(LinkFailure.PROXY, "the proxy named in the environment is not a valid one", at="")
        case InvalidProxyStatus():
            return ended(LinkFailure.PROXY, _words(bug.response), bug.response.status_code, proxy)
        case ProxyError():
            return ended(LinkFailure.PROXY, "the proxy's answer is not an answer of a proxy", at=proxy)
        case ImportError():
            return ended(LinkFailure.PROXY, "a SOCKS proxy needs the package python-socks", at=proxy)
        case InvalidStatus():
            return _answered(bug.response, url, ended, clean)
        case InvalidMessage() if isinstance(bug.__cause__, EOFError):
            if where and where.secure:
                return ended(LinkFailure.DROPPED, "the server closed the connection without an answer")
            return ended(LinkFailure.NOT_REALTIME, "the server hung up without an answer; is it a wss:// server?")
        case InvalidMessage():
            return ended(LinkFailure.NOT_REALTIME, "the answer is not HTTP; is it a wss:// server?")
        case InvalidHandshake():
            return ended(
                LinkFailure.NOT_REALTIME, f"the answer is not that of a websocket server: {type(bug).__name__}"
            )
        case socket.gaierror() | UnicodeError():
            what = bug.strerror if isinstance(bug, OSError) and bug.strerror else "the name is not a valid one"
            if proxy:
                return ended(LinkFailure.PROXY, what, at=proxy)
            return ended(LinkFailure.DNS, what)
        case ssl.SSLCertVerificationError():
            return ended(LinkFailure.TLS, bug.verify_message)
        case ssl.SSLEOFError() | ConnectionResetError() | ConnectionAbortedError() if where and where.secure:
            # asyncio's word for a server that hangs up during the TLS handshake; later, websockets has its own.
            return ended(LinkFailure.TLS, "the server cut the encryption handshake; is it a ws:// server?")
        case ssl.SSLError() if bug.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"):
            return ended(LinkFailure.TLS, "the server does not speak TLS there; is it a ws:// server?")
        case ssl.SSLError():
            return ended(LinkFailure.TLS, (bug.reason or "TLS failed").replace("_", " ").lower())
        case TimeoutError():
            return ended(LinkFailure.TIMEOUT, "no answer in time", at=proxy or host)
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():
            return ended(LinkFailure.DROPPED, "the connection was cut before it was answered")
        case OSError():
            what = os.strerror(bug.errno) if bug.errno else "the address cannot be reached"
            if proxy:
                return ended(LinkFailure.PROXY, what, at=proxy)
            return ended(LinkFailure.REFUSED_TCP, what)
        case _:
            return ended(LinkFailure.DROPPED, type(bug).__name__)


def closed(end: ConnectionClosed, hung_up: int | None, host: str, clean: Clean) -> LinkEnded:
    """What the end of an open connection means. `hung_up` is our own close code, where we closed it."""
    if hung_up is not None:
        return LinkEnded(LinkFailure.CLOSED, hung_up, "", host, ours=True)
    if end.rcvd is not None and (end.sent is None or end.rcvd_then_sent):
        return LinkEnded(LinkFailure.CLOSED, end.rcvd.code, clean(end.rcvd.reason), host)
    if end.sent is not None and end.sent.code == CloseCode.MESSAGE_TOO_BIG:
        return LinkEnded(LinkFailure.TOO_BIG, end.sent.code, clean(end.sent.reason), host, ours=True)
    if end.sent is not None and end.sent.code == CloseCode.INTERNAL_ERROR:
        return LinkEnded(LinkFailure.DROPPED, None, "the server does not answer any more", host, ours=True)
    if end.sent is not None and end.sent.code in (CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA):
        return LinkEnded(LinkFailure.CLOSED, end.sent.code, clean(end.sent.reason), host, ours=True)
    return LinkEnded(LinkFailure.DROPPED, None, "the connection was cut", host, ours=True)


def _answered(response: Response, url: str, ended: Callable[..., LinkEnded], clean: Clean) -> LinkEnded:
    """An HTTP answer in the place of a websocket."""
    status = response.status_code
    if 300 <= status < 400:
        target = _host(url, response.headers.get("Location", ""))
        return ended(LinkFailure.REDIRECT, response.reason_phrase, status, target)
    error = _error(response)
    other = LinkFailure.NOT_REALTIME
    if status >= 500:
        other = LinkFailure.SERVER_FAILED
    elif status >= 400 and any(isinstance(error.get(name), str) for name in ("code", "message")):
        other = LinkFailure.REFUSED_HTTP
    code = error.get("code") or error.get("type")
    end = ended(STATUSES.get(status, other), _words(response), status)
    return replace(end, error_code=clean(code) if isinstance(code, str) else "", wait_s=_wait_s(response))


def _host(url: str, location: str) -> str:
    """Where a redirect leads: a host, perhaps with its port, in ASCII."""
    try:
        host = urlsplit(urljoin(url, location)).netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return host.encode("ascii", "backslashreplace").decode()


def _text(response: Response) -> str:
    return bytes(response.body or b"").decode("utf-8", "replace")


def _words(response: Response) -> str:
    """What the server says: the message of an error in JSON, else the text of the body, else the status line."""
    text = _text(response)
    try:
        found = _message(json.loads(text))
    except (ValueError, RecursionError):
        found = None if text.lstrip()[:1] == "<" else text.strip()
    return found or response.reason_phrase


def _error(response: Response) -> dict[str, Any]:
    """`{"error": {...}}`, as APIs have it; else nothing."""
    try:
        body = json.loads(_text(response))
    except (ValueError, RecursionError):
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _wait_s(response: Response) -> float | None:
    """`Retry-After`, in seconds or as a date, which is read beside the server's own clock."""
    headers = response.headers
    said = (headers.get_all("Retry-After") or [""])[0].strip()
    if said.isascii() and said.isdigit() and len(said) <= len(str(LONGEST_WAIT_S)):
        seconds = float(said)
    else:
        try:
            then, now = (parsedate_to_datetime(text) for text in (said, (headers.get_all("Date") or [""])[0]))
            seconds = (then - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if 0 < seconds <= LONGEST_WAIT_S else None


def _message(body: Any) -> str | None:
    """`{"error": {"message": ...}}` and its relatives."""
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            return _message(body[name])
    return body if isinstance(body, str) else None
