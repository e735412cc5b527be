"""The device thread: the only one that touches its streams, ordered by a mailbox; it ignores what a stream is."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Final, NamedTuple, TypeVar, assert_never

from voicecli.devices.stream import Player, Stream, Trouble
from voicecli.ports import RATE, Bell, Side, Silent, SoundClosed, SoundEvent, SoundFailed, SoundFailure, SoundOpened

LIMIT_S: Final = 2.0
"""A call into the sound library that takes longer is given up (G15): the talk goes on without that side."""

_NOTHING_TO_DO_S: Final = 3600.0

AnyStream = TypeVar("AnyStream", bound=Stream)
Tell = Callable[[Side, SoundEvent], None]


class Open(NamedTuple):
    side: Side


class Close(NamedTuple):
    side: Side


class Moved(NamedTuple):
    """There is a playhead of `run` since `at`."""

    run: int
    at: float


class Leave(NamedTuple):
    pass


Order = Open | Close | Moved | Leave


class Call(NamedTuple):
    """A call that has not returned yet."""

    side: Side
    since: float


class Worker:
    """One thread with its orders. It is a daemon, because a call into a sound library may never return."""

    def __init__(self, name: str, microphone: Callable[[], Stream], speaker: Callable[[], Player], tell: Tell) -> None:
        self.call: Call | None = None
        """Cell, written here: what this thread is in just now."""
        self.given_up: Call | None = None
        """Cell, written by `Watch`: the call that nobody waits for any more."""
        self._make_microphone, self._make_speaker, self._tell = microphone, speaker, tell
        self._orders: deque[Order] = deque()
        self._bell = Bell()
        self._microphone: Stream | None = None
        self._speaker: Player | None = None
        self._left = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def order(self, order: Order) -> None:
        """From the session thread. The first order starts the thread."""
        self._orders.append(order)
        self._bell.ring()
        if self._thread.ident is None:
            self._thread.start()

    def ended(self, seconds: float) -> bool:
        """Waits for the end that `Leave` brings; whether it came. True if it never began."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as bug:
            # A talk without sound is told of; the traceback goes where tracebacks of threads go.
            for side in Side:
                self._tell(side, SoundFailed(side, SoundFailure.OTHER, "", repr(bug)))
            raise

    def _serve(self) -> None:
        again = 0.0
        while not self._left:
            self._bell.wait(again - perf_counter())
            while self._orders:
                self._obey(self._orders.popleft())
            again = self._beat(perf_counter())

    def _obey(self, order: Order) -> None:
        match order:
            case Open(Side.MICROPHONE):
                if self._microphone is None:
                    self._microphone = self._opened(Side.MICROPHONE, self._make_microphone)
            case Open(Side.SPEAKER):
                if self._speaker is None:
                    self._speaker = self._opened(Side.SPEAKER, self._make_speaker)
            case Close(side):
                if self._close(side):
                    self._tell(side, SoundClosed(side))
            case Moved(run, at):
                self._silence(run, at)
            case Leave():
                self._left = True
                self._close(Side.MICROPHONE)
                self._close(Side.SPEAKER)
            case Open(_):
                raise AssertionError(order)
            case _:
                assert_never(order)

    def _opened(self, side: Side, make: Callable[[], AnyStream]) -> AnyStream | None:
        call = self._begin(side)
        try:
            stream = make()
        except Trouble as trouble:
            if self._returned(call):
                self._tell(side, SoundFailed(side, trouble.failure, trouble.device, trouble.detail))
            return None
        try:
            if self.given_up is not call:
                # Told before the start: so its sound never comes before its opening.
                self._tell(side, SoundOpened(side, stream.device, RATE, stream.latency_s))
                stream.start()
        except Trouble as trouble:
            self._fail(side, stream, trouble)
            self._returned(call)
            return None
        if not self._returned(call):
            self._quietly_close(stream)
            return None
        return stream

    def _close(self, side: Side) -> bool:
        """Whether it returned in time."""
        stream = self._taken(side)
        call = self._begin(side)
        if stream is not None:
            self._quietly_close(stream)
        return self._returned(call)

    def _silence(self, run: int, at: float) -> None:
        if self._speaker is None:
            self._tell(Side.SPEAKER, Silent(run, at))
            return
        call = self._begin(Side.SPEAKER)
        try:
            silent_at = self._speaker.silence(run, at)
        except Trouble as trouble:
            self._fail(Side.SPEAKER, self._taken(Side.SPEAKER), trouble)
            self._returned(call)
            return
        if self._returned(call):
            self._tell(Side.SPEAKER, Silent(run, silent_at))
        else:
            self._quietly_close(self._taken(Side.SPEAKER))

    def _beat(self, now: float) -> float:
        again = now + _NOTHING_TO_DO_S
        for side, stream in ((Side.SPEAKER, self._speaker), (Side.MICROPHONE, self._microphone)):
            if stream is not None:
                call = self._begin(side)
                try:
                    again = min(again, stream.beat(now))
                except Trouble as trouble:
                    self._fail(side, self._taken(side), trouble)
                self._returned(call)
        return again

    def _fail(self, side: Side, stream: Stream | None, trouble: Trouble) -> None:
        name = trouble.device or (stream.device if stream else "")
        self._tell(side, SoundFailed(side, trouble.failure, name, trouble.detail))
        self._quietly_close(stream)

    def _taken(self, side: Side) -> Stream | None:
        if side is Side.SPEAKER:
            speaker, self._speaker = self._speaker, None
            return speaker
        microphone, self._microphone = self._microphone, None
        return microphone

    @staticmethod
    def _quietly_close(stream: Stream | None) -> None:
        if stream is not None:
            with suppress(Trouble):
                stream.close()

    def _begin(self, side: Side) -> Call:
        self.call = call = Call(side, perf_counter())
        return call

    def _returned(self, call: Call) -> bool:
        """False where it was given up in the meantime, which has been told."""
        self.call = None
        return self.given_up is not call


class Watch:
    """Tells of a call that does not return (G15), which its own thread cannot. It decides nothing else."""

    def __init__(self, worker: Worker, tell: Tell, limit_s: float = LIMIT_S) -> None:
        self._worker, self._tell, self._limit_s = worker, tell, limit_s
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="voicecli-watch", daemon=True)

    def start(self) -> None:
        """Begins to watch; once is enough."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Returns at once."""
        self._enough.set()

    def _run(self) -> None:
        while not self._enough.wait(self._limit_s / 10):
            call = self._worker.call
            if call is None or call is self._worker.given_up or perf_counter() - call.since < self._limit_s:
                continue
            self._worker.given_up = call
            detail = f"the sound library has not answered for {self._limit_s:.0f} seconds"
            self._tell(call.side, SoundFailed(call.side, SoundFailure.STALLED, "", detail))
