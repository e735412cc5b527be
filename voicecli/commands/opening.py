"""From the parts of a talk to its exit code: signals, descriptor 2, the embedded server where it is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Protocol

from voicecli.commands import console, planning
from voicecli.commands.conversing import END_S, Conversing, Parts, Where
from voicecli.commands.faces import Face
from voicecli.commands.lines import Lines
from voicecli.runtime.child import Llm, Wanted
from voicecli.runtime.descriptors import quiet_stderr
from voicecli.runtime.process import EmbeddedServer, ServerFailed, Signals, end_within, hard_end

NO_CONNECTION: Final = 3
_LOG = logging.getLogger("voicecli.talk")


class Run(Protocol):
    """What shows a talk from its beginning to its end: the lines, or the screen."""

    def run(self) -> int:
        """Until the end; the exit code."""

    def signalled(self, code: int) -> None:
        """A signal that ends the talk with `code`, or stops the answer. Called between two lines of main."""


Show = Callable[[Conversing, int], Run]
"""Makes the run of a talk; it is given the descriptor for our own words beside it."""


def by_lines(parts: Parts, face: Face, question: str | None = None) -> Show:
    """A talk shown by one of the faces that give lines."""
    return lambda talk, err: Lines(talk, face, parts.sides.keyboard, parts.config.redactor, err, question)


class _Leave(BaseException):
    """A signal came before the talk could take it. No `except Exception` may swallow it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Door:
    """Where signals go: to the talk, once there is one."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self._left = False

    def signalled(self, code: int) -> None:
        if self.run is not None:
            self.run.signalled(code)
            return
        if self._left:
            hard_end(code)
        self._left = True
        end_within(END_S, code)
        raise _Leave(code)


def converse(parts: Parts, show: Show) -> int:
    """Runs the talk; its exit code."""
    door = _Door()
    config = parts.config
    server = EmbeddedServer(parts.log.path, wanted=wanted(parts)) if config.target.offline else None
    with quiet_stderr(parts.log.path) as quiet:
        try:
            with Signals(door.signalled):
                talk = Conversing(parts, _where(parts, server))
                if server is not None:
                    server.ring = talk.ring
                door.run = show(talk, quiet.descriptor)
                code = door.run.run()
            if talk.stuck:
                hard_end(code, server.abandon if server is not None else None)
            return code
        except _Leave as leave:
            return leave.code
        except ServerFailed as failed:
            _LOG.error("%s: %s", failed.what, failed.tail)
            quiet.undo()
            where = f" The log has more: {parts.log.path}" if parts.log.path else ""
            return console.refuse(f"{failed.what}.", f"voicecli serve shows why.{where}", NO_CONNECTION)
        finally:
            if server is not None:
                server.stop()


def wanted(parts: Parts) -> Wanted:
    """What the embedded server is to be. A written talk needs neither ear nor voice."""
    mind = parts.config.mind
    return Wanted(
        None if mind is None else Llm(mind.url, mind.model, mind.key, mind.temperature),
        tones=parts.mode == "chat" or parts.config.settings.tones,
    )


def _where(parts: Parts, server: EmbeddedServer | None) -> Where:
    settings, target = parts.config.settings, parts.config.target
    if server is not None:
        return Where(server.start(), server.token, revive=server.revive, news=server.news)
    profile = planning.chosen(settings, target).profile
    return Where(planning.dialled(settings, target, profile), None if target.key_withheld else target.key)
