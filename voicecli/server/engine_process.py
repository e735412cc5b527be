"""One speech engine in a process of its own, as seen by an asyncio loop: it is asked, answers in time, or has ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from voicecli.printable import one_line
from voicecli.speech.frames import (
    HEAD,
    BadFrame,
    Failed,
    Heard,
    Reply,
    Request,
    Spoken,
    frame,
    reply,
    size,
)

GO_S: Final = 0.3
"""How long it may take to end when its standard input has closed; then it is killed."""
GONE_S: Final = 0.3
TAIL: Final = 2_000
"""Bytes of what it wrote to standard error that are kept."""

_NEEDED: Final = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
        *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
        *("NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
    }
)


class Ended(Exception):
    """It has ended, does not answer, or says what it must not. The text is ours, what it wrote is in brackets."""


def needed(environment: Mapping[str, str]) -> dict[str, str]:
    """What an interpreter needs to start, and no more: code of others runs there, so it gets no key (G29)."""
    return {name: value for name, value in environment.items() if name.upper() in _NEEDED}


class EngineProcess:
    """From its start to its end. One task may use it at a time."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._errors: asyncio.Task[None] | None = None
        self._tail = b""
        self._number = 0

    async def start(self) -> None:
        """Returns when it runs. Raises Ended where it cannot be started."""
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            options["start_new_session"] = True  # a Ctrl-C in the terminal is not for it; it ends with its stdin
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=needed(self._environment), **options
            )
        except (OSError, ValueError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
            raise Ended(f"could not be started: {reason}") from None
        self._errors = asyncio.create_task(self._read_errors(self._process))

    async def next(self, limit_s: float) -> Reply:
        """The next thing it says. Raises Ended, also where nothing comes in time."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(limit_s):
                head = await self._process.stdout.readexactly(HEAD)
                return reply(await self._process.stdout.readexactly(size(head)))
        except TimeoutError:
            raise Ended(f"did not answer within {limit_s:.0f} s") from None
        except BadFrame:
            raise Ended("answered with something that is no answer") from None
        except (asyncio.IncompleteReadError, OSError):
            raise Ended(await self._end()) from None

    async def ask(self, request: Request, limit_s: float) -> Heard | Spoken | Failed:
        """Its answer to this. Raises Ended."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            async with asyncio.timeout(limit_s):
                self._process.stdin.write(frame(request))
                await self._process.stdin.drain()
        except TimeoutError:
            raise Ended(f"took nothing within {limit_s:.0f} s") from None
        except OSError:
            raise Ended(await self._end()) from None
        answer = await self.next(limit_s)
        if not isinstance(answer, Heard | Spoken | Failed) or answer.number != request.number:
            raise Ended("answered something else than it was asked")
        return answer

    def number(self) -> int:
        """The number of the next request."""
        self._number += 1
        return self._number

    async def gone(self) -> None:
        """Returns when it has ended."""
        assert self._process is not None
        await self._process.wait()

    async def ended(self) -> Ended:
        """How it ended, after `gone`."""
        return Ended(await self._end())

    async def stop(self) -> None:
        """It has ended when this returns, within a second. May be called at any time, and twice."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        for limit_s in (GO_S, GONE_S):
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    await process.wait()
                    break
            with suppress(ProcessLookupError):
                process.kill()
        # The pipes are read to their ends, so that asyncio closes them now and not when it is too late for it.
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(GONE_S):
                assert process.stdout is not None
                while await process.stdout.read(1 << 16):
                    pass
                await process.stdin.wait_closed()
                if self._errors is not None:
                    await asyncio.wait([self._errors])
        if self._errors is not None:
            self._errors.cancel()

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while more := await process.stderr.read(TAIL):
            self._tail = (self._tail + more)[-TAIL:]

    async def _end(self) -> str:
        """How it ended, with the last line it wrote."""
        assert self._process is not None
        code: int | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(GO_S):
                code = await self._process.wait()
                if self._errors is not None:
                    await asyncio.wait([self._errors])
        lines = self._tail.decode("utf-8", "replace").strip().splitlines()
        how = "ended" if code is None else f"ended with {code}"
        return f'{how} ("{one_line(lines[-1], 120)}")' if lines else how
