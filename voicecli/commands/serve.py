"""`voicecli serve`: the embedded server for other clients, and as the child of a talk (G19). It decides nothing.

What it says goes to stderr, for whoever looks after it, and into the log: one line as a session begins, one as it ends.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from voicecli.commands import child, serving
from voicecli.commands.serving import Refused
from voicecli.core.stimuli import PartnerNews
from voicecli.loopback import loopback
from voicecli.runtime.child import BadLine
from voicecli.runtime.process import without_secrets
from voicecli.server import door
from voicecli.server.engines import Engines
from voicecli.server.limits import Limits
from voicecli.server.llm import Mind
from voicecli.server.serve import Bounds, House
from voicecli.server.serve import run as run_house
from voicecli.settings import Settings
from voicecli.target import MindTarget

CHILD_BOUNDS: Final = Bounds(sessions=1, connections=4, ping_s=None, deaf_s=None, idle_s=None)
"""A talk that was stopped (Ctrl-Z) finds its server again; stdin tells when it is gone."""
LEAST_TOKEN: Final = 32
"""128 bits in hexadecimal."""
MOST_TOKEN: Final = 256

LOG: Final = logging.getLogger("voicecli.serve")


def run(
    settings: Settings,
    key: str | None = None,
    clean: Callable[[str], str] = str,
    mind: MindTarget | None = None,
) -> int:
    """Serves until SIGTERM or SIGINT; 0 then, 2 where it cannot. Says in one line where it listens.

    Without a `key` any credentials are taken, which is for this machine only (G20). `clean` takes secrets out of a
    line. With `mind` a language model answers.
    """
    try:
        host = serving.host_of(settings, key)
        tls = serving.tls_of(settings)
        limits, bounds = serving.limits_of(settings), serving.bounds_of(settings)
        scenario = serving.scenario_of(settings)
        serving.make_room(bounds.connections)
    except Refused as refused:
        return _refused(refused.what, refused.remedy)
    here = loopback(host) is not None
    entry = door.Door(
        digest=None if key is None else door.digest(key),
        hosts=door.LOCAL_HOSTS | {f"[{host}]" if ":" in host else host} if here else None,
        origins=serving.origins_of(settings),
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

    def reported(news: PartnerNews) -> None:
        if words := child.complaint(news, mind):
            tell(words)

    engines = None if settings.tones else _engines(reported)
    llm = child.mind_of(mind)
    house = House(entry, bounds, limits, tell, note, tls, engines, llm, scenario)
    if tls is None and not here:
        tell("nothing is encrypted: whoever is on the way to a client can read its key and the talk")

    def ready(url: str) -> None:
        _say(f"voicecli serve: listening on {url}")

    try:
        asyncio.run(_serve(house, Outside(engines, llm, reported), host, settings.port, ready, is_child=False))
    except OSError as failure:
        return _cannot_listen(failure, host, settings.port)
    return 0


def run_child() -> int:
    """The server of one talk: a token and what it is to be in two lines of stdin; ends when stdin does.

    On stdout it says `{"url": ...}`, then its news. 0, or 2 where the lines are none, 3 where it cannot listen. Ctrl-C
    in the terminal is the talk's affair, not ours.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    token = child.line_of_stdin(MOST_TOKEN).decode("ascii", "replace").strip()
    if len(token) < LEAST_TOKEN or not token.isalnum() or not token.isascii():
        return 2
    try:
        wanted = child.wanted()
    except BadLine:
        return 2
    reports = child.Reports(_say)
    engines = None if wanted.tones else _engines(reports.tell)
    llm = child.mind_of(wanted.llm)
    house = House(
        door.Door(digest=door.digest(token)), CHILD_BOUNDS, Limits(ahead_s=None), _complain, speech=engines, mind=llm
    )
    del token, wanted
    try:
        asyncio.run(
            _serve(house, Outside(engines, llm, reports.tell), "127.0.0.1", 0, reports.listening, is_child=True)
        )
    except BrokenPipeError:
        return 0
    except OSError:
        return 3
    return 0


def _engines(tell: Callable[[PartnerNews], None]) -> Engines:
    return Engines(lambda news: tell(child.engine_news(news)), without_secrets(os.environ))


class Outside(NamedTuple):
    """What works beside the server, and who is told how it stands."""

    engines: Engines | None
    mind: Mind | None
    tell: Callable[[PartnerNews], None]

    async def start(self) -> asyncio.Task[None] | None:
        """Returns at once; what takes time goes on in the background, and in the task where there is one."""
        if self.engines is not None:
            await self.engines.start()
        return None if self.mind is None else asyncio.create_task(child.look_at(self.mind, self.tell))

    async def stop(self) -> None:
        """Within a second."""
        if self.engines is not None:
            await self.engines.stop()
        if self.mind is not None:
            await self.mind.close()


async def _serve(
    house: House, outside: Outside, host: str, port: int, ready: Callable[[str], None], is_child: bool
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        # The loop may be closed already when the reader of stdin or a second signal comes.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    numbers = (signal.SIGTERM,) if is_child else (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: end()) for number in numbers]
    try:
        if is_child:
            threading.Thread(target=_until_stdin_closes, args=(end,), name="stdin", daemon=True).start()
        looking = await outside.start()
        await run_house(house, host, port, ready, stop)
        if looking is not None:
            looking.cancel()
    finally:
        await outside.stop()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


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
