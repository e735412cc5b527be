"""From the parts of a talk to its exit code: signals, descriptor 2, the embedded server where it is needed."""

from __future__ import annotations

import logging
from typing import Final

from voicecli.commands import console, planning
from voicecli.commands.conversing import END_S, Conversing, Parts, Where
from voicecli.runtime.descriptors import quiet_stderr
from voicecli.runtime.process import EmbeddedServer, ServerFailed, Signals, end_within, hard_end

NO_CONNECTION: Final = 3
_LOG = logging.getLogger("voicecli.talk")


class _Leave(BaseException):
    """A signal came before the talk could take it. No `except Exception` may swallow it."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Door:
    """Where signals go: to the talk, once there is one."""

    def __init__(self) -> None:
        self.talk: Conversing | None = None
        self._left = False

    def signalled(self, code: int) -> None:
        if self.talk is not None:
            self.talk.signalled(code)
            return
        if self._left:
            hard_end(code)
        self._left = True
        end_within(END_S, code)
        raise _Leave(code)


def converse(parts: Parts) -> int:
    """Runs the talk; its exit code."""
    door = _Door()
    server = EmbeddedServer(parts.log.path) if parts.config.target.offline else None
    with quiet_stderr(parts.log.path) as quiet:
        try:
            with Signals(door.signalled):
                door.talk = Conversing(parts, _where(parts, server)._replace(err=quiet.descriptor))
                code = door.talk.run()
            if door.talk.stuck:
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


def _where(parts: Parts, server: EmbeddedServer | None) -> Where:
    settings, target = parts.config.settings, parts.config.target
    if server is not None:
        return Where(server.start(), server.token, revive=server.revive)
    profile = planning.chosen(settings, target).profile
    return Where(planning.dialled(settings, target, profile), None if target.key_withheld else target.key)
