"""`voicecli serve`: the embedded server for other clients, and as the child of a talk (G19). It decides nothing.

What it says goes to stderr, for whoever looks after it, and into the log: one line as a session begins, one as it ends.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import select
import signal
import ssl
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from voicecli.loopback import loopback
from voicecli.ports import RATE
from voicecli.server import door
from voicecli.server.limits import Limits
from voicecli.server.serve import Bounds, House
from voicecli.server.serve import run as run_house
from voicecli.settings import SERVE_KEY, Settings

CHILD_BOUNDS: Final = Bounds(sessions=1, connections=4, ping_s=None, deaf_s=None, idle_s=None)
"""A talk that was stopped (Ctrl-Z) finds its server again; stdin tells when it is gone."""
LEAST_TOKEN: Final = 32
"""128 bits in hexadecimal."""
MOST_TOKEN: Final = 256
DESCRIPTORS_BESIDE: Final = 64
"""What the process opens beside connections."""
MIB: Final = 2**20

LOG: Final = logging.getLogger("voicecli.serve")


class Refused(Exception):
    """Why it does not start: what is wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def run(settings: Settings, key: str | None = None, clean: Callable[[str], str] = str) -> int:
    """Serves until SIGTERM or SIGINT; 0 then, 2 where it cannot. Says in one line where it listens.

    Without a `key` any credentials are taken, which is for this machine only (G20). `clean` takes secrets out of a
    line.
    """
    try:
        host = _host(settings, key)
        tls = _tls(settings)
        limits, bounds = limits_of(settings), bounds_of(settings)
        _make_room(bounds.connections)
    except Refused as refused:
        return _refused(refused.what, refused.remedy)
    here = loopback(host) is not None
    entry = door.Door(
        digest=None if key is None else door.digest(key),
        hosts=door.LOCAL_HOSTS | {f"[{host}]" if ":" in host else host} if here else None,
        origins=_origins(settings.allow_origin or ""),
    )
    del key
    noted = settings.log_level in ("debug", "info")

    def tell(line: str) -> None:
        LOG.warning("%s", line)
        _complain(clean(line))

    def note(line: str) -> None:
        LOG.info("%s", line)
        if noted:
            _complain(clean(line))

    house = House(entry, bounds, limits, tell, note, tls)
    if tls is None and not here:
        tell("nothing is encrypted: whoever is on the way to a client can read its key and the talk")

    def ready(url: str) -> None:
        _say(f"voicecli serve: listening on {url}")

    try:
        asyncio.run(_serve(house, host, settings.port, ready, child=False))
    except OSError as failure:
        return _cannot_listen(failure, host, settings.port)
    return 0


def run_child() -> int:
    """The server of one talk: token in the first line of stdin, `{"url": ...}` on stdout, ends when stdin does.

    0, or 2 where the token is none, 3 where it cannot listen. Ctrl-C in the terminal is the talk's affair, not ours.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    token = _first_line()
    if len(token) < LEAST_TOKEN or not token.isalnum() or not token.isascii():
        return 2
    house = House(door.Door(digest=door.digest(token)), CHILD_BOUNDS, Limits(ahead_s=None), _complain)
    del token

    def ready(url: str) -> None:
        _say(json.dumps({"url": url}))

    try:
        asyncio.run(_serve(house, "127.0.0.1", 0, ready, child=True))
    except BrokenPipeError:
        return 0
    except OSError:
        return 3
    return 0


# ---- from settings to what the server knows --------------------------------------------------------------------------


def _host(settings: Settings, key: str | None) -> str:
    """The address to listen on. Raises Refused where it opens a door that nothing guards."""
    host = settings.host.removeprefix("[").removesuffix("]")
    here = loopback(host)
    if here is not None:
        return here
    if key is None:
        raise Refused(
            f"beyond this machine (--host {host}) a key is needed",
            f"Put one into {SERVE_KEY}, or into a file for --key-file: openssl rand -hex 32",
        )
    if settings.tls_cert is None and not settings.plaintext:
        raise Refused(
            f"beyond this machine (--host {host}) the link must be encrypted",
            "Give --tls-cert and --tls-key; or --plaintext behind a proxy that encrypts.",
        )
    return host


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise Refused("--tls-key has no certificate", "Give --tls-cert too.")
        return None
    for path, name in ((settings.tls_cert, "--tls-cert"), (settings.tls_key, "--tls-key")):
        if path is not None and not _regular(path):
            raise Refused(f"the file that {name} names cannot be read", "It must be a regular file, in PEM.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
    except (OSError, ValueError):  # ssl.SSLError is an OSError; its words are about bytes in files
        raise Refused(
            "certificate and private key cannot be used",
            "Both must be PEM, belong to each other, and the key must have no passphrase.",
        ) from None
    return context


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.access(path, os.R_OK)
    except (OSError, ValueError):
        return False


def _origins(said: str) -> frozenset[str]:
    return frozenset(origin.strip().rstrip("/").lower() for origin in said.split(",") if origin.strip())


def bounds_of(settings: Settings) -> Bounds:
    """What may come at once, as the options say it."""
    return Bounds(
        sessions=settings.max_sessions,
        connections=settings.max_sessions + settings.spare_connections,
        deaf_s=settings.unread_s,
        handshake_s=settings.handshake_s,
        frame_bytes=settings.max_frame_mib * MIB,
        unsent_bytes=settings.max_unsent_kib * 1024,
        events_per_s=settings.max_events_per_s,
        errors=settings.max_errors,
        idle_s=settings.idle_minutes * 60,
    )


def limits_of(settings: Settings) -> Limits:
    """What one session may use, as the options say it."""
    return Limits(
        ahead_s=settings.ahead_s,
        buffer_samples=round(settings.max_buffer_minutes * 60 * RATE),
        cap_s=settings.max_session_s,
        items=settings.max_items,
        append_bytes=settings.max_append_mib * MIB,
        text_bytes=settings.max_text_kib * 1024,
        instructions_bytes=settings.max_instructions_kib * 1024,
        tools=settings.max_tools,
    )


def _make_room(connections: int) -> None:
    """Takes as many descriptors as that may need: where they run out, nothing can be accepted or opened any more."""
    if sys.platform != "win32":
        import resource

        wanted = connections + DESCRIPTORS_BESIDE
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft >= wanted or soft == resource.RLIM_INFINITY:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            raise Refused(
                f"{connections} connections need {wanted} open files, and this process may have {soft}",
                "Give a smaller --max-sessions, or raise the limit (ulimit -n).",
            ) from None


# ---- its life --------------------------------------------------------------------------------------------------------


async def _serve(house: House, host: str, port: int, ready: Callable[[str], None], child: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        # The loop may be closed already when the reader of stdin or a second signal comes.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    numbers = (signal.SIGTERM,) if child else (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: end()) for number in numbers]
    try:
        if child:
            threading.Thread(target=_until_stdin_closes, args=(end,), name="stdin", daemon=True).start()
        await run_house(house, host, port, ready, stop)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _first_line() -> str:
    """Byte by byte from the descriptor: what comes after it is another reader's, and no buffer may keep a lock."""
    line = bytearray()
    while len(line) < MOST_TOKEN:
        byte = os.read(0, 1)
        if byte in (b"", b"\n"):
            break
        line += byte
    return line.decode("ascii", "replace").strip()


def _until_stdin_closes(end: Callable[[], None]) -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    end()


def _cannot_listen(failure: OSError, host: str, port: int) -> int:
    match failure.errno:
        case errno.EADDRINUSE:
            return _refused(f"port {port} is in use", "Choose another --port; 0 takes a free one.")
        case errno.EACCES:
            return _refused(f"port {port} may not be opened by you", "Choose a --port above 1023.")
        case _:
            return _refused(f"cannot listen on {host}, port {port}", "Use --host 127.0.0.1.")


def _refused(what: str, remedy: str) -> int:
    _complain(f"{what}\n  {remedy}")
    return 2


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    """A line on stderr. One that nobody takes (a full pipe, a terminal that is held) is lost: the talks go on."""
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        if os.name == "posix" and not select.select((), (sys.stderr,), (), 0)[1]:
            return
    with suppress(OSError, ValueError):
        sys.stderr.write(f"voicecli serve: {line}\n")
        sys.stderr.flush()
