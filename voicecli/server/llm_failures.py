"""What goes wrong below HTTP, as the end of an answer. No text of an exception is quoted: a header may stand in it."""

from __future__ import annotations

import os
import socket
import ssl

import httpx2

from voicecli.protocol.items import StatusError
from voicecli.server.chat_wire import failed


def failure(error: Exception) -> StatusError:
    """What went wrong, by a code of ours."""
    match error:
        case httpx2.InvalidURL():
            return failed("llm_unreachable", "its URL is none")
        case httpx2.ProxyError() | ImportError() | ValueError():
            return failed("llm_unreachable", "the proxy of the environment did not let it through, or is none")
        case httpx2.ConnectTimeout():
            return failed("llm_unreachable", "nothing answers there")
        case httpx2.ConnectError():
            return failed("llm_unreachable", _below(error))
        case httpx2.RemoteProtocolError() if "disconnected" not in str(error) and "closed" not in str(error):
            return failed("llm_garbled", "it does not speak HTTP")
        case httpx2.HTTPError():
            return failed("llm_cut")
        case _:
            return failed("llm_failed", f"a failure of voicecli's own: {type(error).__name__}")


def _below(error: BaseException) -> str:
    """Why there is no connection, as the system says it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return "the connection would not be private: its certificate, or its scheme, is not right"
        if isinstance(seen, socket.gaierror):
            return "the name of its host could not be found"
        if isinstance(seen, OSError) and seen.strerror and seen.errno:
            return os.strerror(seen.errno)
        if isinstance(seen, BaseExceptionGroup):
            seen = seen.exceptions[0]
        else:
            seen = seen.__cause__ or seen.__context__
    return ""
