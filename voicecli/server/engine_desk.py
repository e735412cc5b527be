"""One engine on the loop: its state, its process, who waits for it, and what happens when it dies (G25, G29)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from voicecli.ports import RATE
from voicecli.printable import one_line
from voicecli.server.engine_jobs import Hearing, Saying, WrongAnswer
from voicecli.server.engine_process import Ended, EngineProcess
from voicecli.server.rota import Rota
from voicecli.speech import weights
from voicecli.speech.frames import Failed, Heard, Lacking, Ready, Spoken
from voicecli.speech.weights import Lack, Part

QUEUED: Final[Mapping[Part, int]] = {Part.EAR: 2, Part.VOICE: 16}
"""What a session may have waiting: utterances; sentences, of up to eight responses at once."""
QUEUED_BYTES: Final = 2 * 600 * RATE
"""And no more than ten minutes of sound; one alone may be of any length."""


class EngineState(Enum):
    """Of one engine. It is loading from the beginning on, also before `Engines.start`."""

    ABSENT = "absent"
    """It is not installed."""
    LOADING = "loading"
    READY = "ready"
    BROKEN = "broken"


MOVES: Final[Mapping[EngineState, frozenset[EngineState]]] = {
    EngineState.LOADING: frozenset({EngineState.ABSENT, EngineState.READY, EngineState.BROKEN}),
    EngineState.READY: frozenset({EngineState.LOADING, EngineState.BROKEN}),
    EngineState.ABSENT: frozenset(),
    EngineState.BROKEN: frozenset(),
}


class EngineNews(NamedTuple):
    """An engine has moved, or is started anew."""

    part: Part
    state: EngineState
    words: str
    """For people: what is the case, and what to do where that is of use. One printable line."""


class Busy(Exception):
    """This session waits for so much already that no more is taken."""


class EngineFailed(Exception):
    """There is no answer, and there will be none to this. The text says why, printable."""


class Patience(NamedTuple):
    """How long an engine may take, and how often it may die."""

    ear_s: float = 10.0
    """And as long as the sound is."""
    voice_s: float = 10.0
    load_s: float = 60.0
    restarts: int = 3
    within_s: float = 60.0


class _Job(NamedTuple):
    task: Hearing | Saying
    done: asyncio.Future[None]

    def fail(self, words: str) -> None:
        if not self.done.done():
            self.done.set_exception(EngineFailed(words))


class Desk:
    """One engine: its state, its process, and who waits for it."""

    def __init__(
        self,
        part: Part,
        tell: Callable[[EngineNews], None],
        command: Sequence[str],
        environment: Mapping[str, str],
        found: Callable[[Part], Lack | None],
        patience: Patience,
    ) -> None:
        self.state = EngineState.LOADING
        self._part = part
        self._tell = tell
        self._command = command
        self._environment = environment
        self._found = found
        self._patience = patience
        self._rota: Rota[_Job] = Rota()
        self._running: tuple[str, _Job] | None = None
        self._bell = asyncio.Event()
        self._deaths: deque[float] = deque()
        self._closed: str | None = None
        """Why nothing is taken any more."""

    @property
    def _name(self) -> str:
        return "speech recognition" if self._part is Part.EAR else "the voice"

    async def give(self, session: str, task: Hearing | Saying) -> None:
        """Returns when it is done. Raises Busy, EngineFailed."""
        if self._closed is not None:
            raise EngineFailed(self._closed)
        waiting = [job for job in self._rota.waiting(session) if not job.task.begun and not job.done.done()]
        size = task.size + sum(job.task.size for job in waiting)
        if len(waiting) >= QUEUED[self._part] or (waiting and size > QUEUED_BYTES):
            raise Busy(f"{len(waiting)} are waiting for {self._name} already")
        job = _Job(task, asyncio.get_running_loop().create_future())
        self._rota.put(session, job)
        self._bell.set()
        await job.done

    def forget(self, session: str) -> None:
        """Drops all of one session."""
        jobs = self._rota.drop(session)
        if self._running is not None and self._running[0] == session:
            jobs += (self._running[1],)
        for job in jobs:
            job.fail("the session has ended")

    def close(self, words: str) -> None:
        """Takes nothing any more, and fails all that waits."""
        self._closed = words
        jobs = self._rota.drop_all()
        for job in jobs if self._running is None else (*jobs, self._running[1]):
            job.fail(words)

    async def run(self) -> None:
        """Until there is no use in going on, or it is cancelled."""
        try:
            await self._run()
        finally:
            if self._closed is None:
                self.close(f"{self._name} has ended")

    async def _run(self) -> None:
        if (lack := self._found(self._part)) is not None:
            self._give_up(lack, "")
            return
        self._tell(EngineNews(self._part, self.state, f"{self._name} is being loaded"))
        while True:
            process = EngineProcess(self._command, self._environment)
            try:
                await process.start()
                if (lacking := await self._loaded(process)) is not None:
                    self._give_up(lacking.lack, lacking.detail)
                    return
                self._move(EngineState.READY, f"{self._name} is ready")
                await self._serve(process)
            except Ended as ended:
                if not self._once_more():
                    self._break(f"{self._name} does not work: it {ended}. It stays off until voicecli is started again")
                    return
                self._again(f"{self._name} {ended}. It is started again")
            finally:
                self._running = None
                await _wholly(process.stop())

    async def _loaded(self, process: EngineProcess) -> Lacking | None:
        """Returns when it is ready, or says what it lacks. Raises Ended."""
        while True:
            match await process.next(self._patience.load_s):
                case Ready():
                    return None
                case Lacking() as lacking:
                    return lacking
                case Heard() | Spoken() | Failed():
                    raise Ended("answered before it was asked")

    async def _serve(self, process: EngineProcess) -> None:
        """One job after the other, until it ends: raises Ended then."""
        gone = asyncio.create_task(process.gone())
        try:
            while True:
                while (turn := self._rota.take()) is None:
                    self._bell.clear()
                    bell = asyncio.create_task(self._bell.wait())
                    await asyncio.wait((bell, gone), return_when=asyncio.FIRST_COMPLETED)
                    bell.cancel()
                    if gone.done():
                        raise await process.ended()
                await self._do(process, *turn)
        finally:
            gone.cancel()

    async def _do(self, process: EngineProcess, session: str, job: _Job) -> None:
        """One step of a job."""
        if job.done.done():
            return  # nobody waits for it any more
        self._running = session, job
        request = job.task.request(process.number())
        try:
            answer = await process.ask(request, self._limit_s(job.task))
            if isinstance(answer, Failed):
                job.fail(f"{self._name} failed here: {one_line(answer.detail)}")
            elif job.done.done():
                pass
            elif job.task.take(answer):
                job.done.set_result(None)
            else:
                self._rota.back(session, job)
        except WrongAnswer:
            ended = Ended("answered something else than it was asked")
            job.fail(f"{self._name} {ended}")
            raise ended from None
        except Ended as ended:
            job.fail(f"{self._name} {ended}")
            raise
        self._running = None

    def _limit_s(self, task: Hearing | Saying) -> float:
        return self._patience.ear_s + task.shown_s if isinstance(task, Hearing) else self._patience.voice_s

    def _once_more(self) -> bool:
        """Whether it may be started anew after this death."""
        now = asyncio.get_running_loop().time()
        self._deaths.append(now)
        while self._deaths and self._deaths[0] <= now - self._patience.within_s:
            self._deaths.popleft()
        return len(self._deaths) <= self._patience.restarts

    def _give_up(self, lack: Lack, detail: str) -> None:
        words = weights.words(self._part, lack)
        if detail:
            words = f"{words} ({one_line(detail, 120)})"
        if lack in (Lack.NOT_INSTALLED, Lack.NOT_HERE, Lack.NO_RUNTIME):
            self.close(words)
            self._move(EngineState.ABSENT, words)
        else:
            self._break(words)

    def _break(self, words: str) -> None:
        self.close(words)
        self._move(EngineState.BROKEN, words)

    def _again(self, words: str) -> None:
        if self.state is EngineState.LOADING:
            self._tell(EngineNews(self._part, self.state, words))
        else:
            self._move(EngineState.LOADING, words)

    def _move(self, to: EngineState, words: str) -> None:
        assert to in MOVES[self.state], f"{self.state} to {to}"
        self.state = to
        self._tell(EngineNews(self._part, to, words))


async def _wholly(work: Coroutine[None, None, None]) -> None:
    """Does it to its end, also where the task is cancelled in the middle of it; and is cancelled then."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
