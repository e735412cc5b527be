"""What `voicecli serve` is to be, from its settings: address, TLS, bounds, limits. It serves nothing."""

from __future__ import annotations

import os
import ssl
import stat
import sys
from pathlib import Path
from typing import Final

from voicecli.config import ConfigError, text_of
from voicecli.loopback import loopback
from voicecli.ports import RATE
from voicecli.printable import one_line
from voicecli.secret import Redactor
from voicecli.server.limits import Limits
from voicecli.server.scenario import Scenario
from voicecli.server.serve import Bounds
from voicecli.settings import SERVE_KEY, Settings

DESCRIPTORS_BESIDE: Final = 64
"""What the process opens beside connections."""
MIB: Final = 2**20


class Refused(Exception):
    """Why it does not start: what is wrong, and what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def host_of(settings: Settings, key: str | None) -> str:
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


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """What encrypts the links; None: nothing does. Raises Refused."""
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


def origins_of(settings: Settings) -> frozenset[str]:
    """The pages that browsers may come from."""
    return frozenset(
        origin.strip().rstrip("/").lower() for origin in (settings.allow_origin or "").split(",") if origin.strip()
    )


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


def scenario_of(settings: Settings) -> Scenario | None:
    """What each session plays. Raises Refused."""
    if settings.scenario is None:
        return None
    from voicecli.server.scenario_file import LARGEST, BadScenario, read

    where = f"the scenario {one_line(str(settings.scenario))}"
    try:
        return read(text_of(settings.scenario, where, LARGEST))
    except ConfigError as bad:
        raise Refused(
            bad.message.rstrip("."), "Give --scenario a TOML file, as docs/scenarios.md describes it."
        ) from None
    except BadScenario as bad:
        why = Redactor()(one_line(str(bad), 400))
        raise Refused(
            f"{where} cannot be played: {why}", "docs/scenarios.md lists all that a scenario may say."
        ) from None


def make_room(connections: int) -> None:
    """Takes as many descriptors as that may need: without them nothing can be accepted or opened. Raises Refused."""
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
