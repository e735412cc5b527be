"""Carries stimuli to the core and its effects to sound, link and face, in order; it knows no clock, thread or asyncio.

Whoever drives it calls `turn(at)` when something has come in, and again at the time it answered: a thread in the
program, a loop over a virtual clock in the pair test.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol, assert_never

from msgspec.structs import replace

from voicecli.audio.wire import FromWire, ToWire, peaks
from voicecli.core.changes import AnyChange, Ended, Foreign, Interrupted, Told, TurnOpened
from voicecli.core.effects import (
    AnyEffect,
    CloseSound,
    Connect,
    Hangup,
    Move,
    OpenSound,
    Play,
    Read,
    Send,
    SendAudio,
    Show,
    Spell,
)
from voicecli.core.stimuli import Laid, LinkEnded, NotCarried, Pictured, Received, Stimulus, Tick
from voicecli.ports import (
    Link,
    MicBlock,
    Side,
    Sound,
)
from voicecli.protocol.codec import encode
from voicecli.protocol.events import (
    AudioDelta,
    ClientEvent,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    Unknown,
)
from voicecli.protocol.profiles import Profile
from voicecli.runtime.fetching import POLL_S, Fetching

MOST: Final = 64
"""Stimuli taken from one mailbox in one turn; whoever drives gets a word in between."""
LAST: Final = 200
"""Stimuli kept for whoever has to understand a bug."""
KEPT_SIZE: Final = 4096
BUG: Final = 70
"""The exit code of a bug of ours."""

_LOG = logging.getLogger("voicecli.engine")

Log = Callable[[Stimulus, float, Sequence[AnyEffect]], None]


class Mind(Protocol):
    """The core, `VoiceSession`; in the engine's own tests a scripted one."""

    @property
    def deadline(self) -> float | None:
        """When it wants a `Tick`."""

    def handle(self, stimulus: Stimulus, at: float) -> list[AnyEffect]:
        """What follows from it, in order."""


class Engine:
    """One talk, driven from one thread; only `give` may be called from another.

    Sound comes first, so that what was heard is known before anything is decided on it; then the link, the person and
    the clock. All effects of one stimulus are carried out before the next is taken. An exception of the core or of
    whoever carries out an effect is our bug: it ends the talk with `Told` and `Ended(70)`, and is kept in `failure`.
    `log` is called with every stimulus, its time and its effects, before they are carried out.
    """

    def __init__(
        self,
        session: Mind,
        sound: Sound | None,
        link: Link,
        show: Callable[[AnyChange], None],
        *,
        levels: bool = False,
        log: Log | None = None,
    ) -> None:
        self._session = session
        self._sound = sound
        self._link = link
        self._show = show
        self._levels = levels
        self._log = log
        self._from_link: deque[Stimulus] = deque()
        self._from_person: deque[Stimulus] = deque()
        self._own: deque[Stimulus] = deque()
        self._profile: Profile | None = None
        self._not_carried: set[str] = set()
        self._sides: set[Side] = set()
        self._fetching = Fetching()
        self._to_wire, self._from_wire = ToWire(), FromWire()
        self._linked = False
        self._hung_up = False
        self._began: float | None = None
        self._turns = 0
        self._interruptions = 0
        self.ended = False
        """`Ended` was shown; nothing reaches the core any more."""
        self.failure: BaseException | None = None
        self.last: deque[tuple[float, Stimulus]] = deque(maxlen=LAST)
        """The last stimuli and their times, without sound and without long frames."""

    @property
    def done(self) -> bool:
        """The talk has ended and its link is closed."""
        return self.ended and not self._linked

    @property
    def playing(self) -> bool:
        """Something that was laid has not been handed to the speaker yet."""
        return self._fetching.playing

    def give(self, stimulus: Stimulus) -> None:
        """The person's mailbox. From any one thread, also from inside an effect; `turn` takes it."""
        self._from_person.append(stimulus)

    def give_link(self, stimulus: Stimulus) -> None:
        """The link's mailbox, on the engine's own thread; also from inside an effect."""
        self._from_link.append(stimulus)

    def turn(self, at: float) -> float | None:
        """Takes what has come in. Gives when it wants to be called again at the latest; None: when something comes."""
        try:
            self._hear(at)
            for mailbox in (self._from_link, self._from_person):
                for _ in range(min(len(mailbox), MOST)):
                    self._apply(mailbox.popleft(), at)
                    self._hear(at)
            deadline = self._session.deadline
            if deadline is not None and deadline <= at and not self.ended:
                self._apply(Tick(), at)
        except Exception as bug:
            self.fail(bug, at)
        self._close_what_is_left()
        return self._next(at)

    def fail(self, bug: BaseException, at: float) -> None:
        """Ends the talk because of a bug of ours, once."""
        if self.failure is None:
            self.failure = bug
            kinds = " ".join(type(stimulus).__name__ for _, stimulus in list(self.last)[-20:])
            _LOG.error("a bug ended the talk; the last stimuli were: %s", kinds, exc_info=bug)
        if self.ended:
            return
        self.ended = True
        for change in (
            Told(
                severity="error",
                code="internal_error",
                title="voicecli made a mistake of its own and has to end this talk.",
                hint="Please report it with the log file.",
                detail=Foreign(type(bug).__name__),
                ours=True,
            ),
            Ended(
                exit_code=BUG,
                reason="error",
                seconds=max(0.0, at - self._began) if self._began is not None else 0.0,
                turns=self._turns,
                interruptions=self._interruptions,
            ),
        ):
            with suppress(Exception):
                self._show(change)
        self._close_what_is_left()

    # ---- in

    def _hear(self, at: float) -> None:
        if self._sound is None:
            return
        for event in self._sound.take():
            self._fetching.note(event)
            self._apply(event, at)

    def _apply(self, stimulus: Stimulus, at: float) -> None:
        self._own.append(stimulus)
        while self._own:
            stimulus = self._own.popleft()
            if isinstance(stimulus, LinkEnded):
                self._linked = False
            if self.ended:
                continue
            if self._began is None:
                self._began = at
            self.last.append((at, _kept(stimulus)))
            effects = self._session.handle(stimulus, at)
            if self._log is not None:
                self._log(stimulus, at, effects)
            for effect in effects:
                self._carry_out(effect, at)

    def _next(self, at: float) -> float | None:
        if self._from_link or self._from_person:
            return at
        if self.ended:
            return None
        times = []
        if (deadline := self._session.deadline) is not None:
            times.append(deadline if deadline > at else at + POLL_S)
        if self._fetching.to_be_fetched(at):
            times.append(at + POLL_S)
        return min(times, default=None)

    # ---- out

    def _carry_out(self, effect: AnyEffect, at: float) -> None:
        match effect:
            case Connect(profile, url):
                self._profile = profile
                self._linked, self._hung_up = True, False
                self._to_wire.restart()
                self._from_wire.restart()
                self._link.open(url, profile.headers)
            case Spell(profile):
                self._profile = profile
            case Hangup(code):
                self._hang_up(code)
            case Read(on):
                self._link.read(on)
            case Send(event):
                if isinstance(event, InputAudioBufferCommit | InputAudioBufferClear):
                    self._to_wire.restart()  # what comes next is another recording
                if (text := self._spell(event)) is not None:
                    self._link.send(text)
            case SendAudio():
                self._send_audio(effect)
            case Play():
                self._play(effect)
            case Move(playhead):
                self._from_wire.restart()
                self._fetching.move(playhead, at)
                if self._sound is not None:
                    self._sound.move(playhead)
            case OpenSound(side):
                self._sides.add(side)
                if self._sound is not None:
                    self._sound.open(side)
            case CloseSound(side):
                self._sides.discard(side)
                if self._sound is not None:
                    self._sound.close(side)
            case Show(change):
                self._present(change)
            case _:
                assert_never(effect)

    def _present(self, change: AnyChange) -> None:
        if self.ended:
            return
        match change:
            case TurnOpened():
                self._turns += 1
            case Interrupted():
                self._interruptions += 1
            case Ended():
                self.ended = True
        self._show(change)

    def _spell(self, event: ClientEvent) -> str | None:
        if self._profile is None:
            raise RuntimeError(f"{type(event).__name__} before any connection")
        text, lost = encode(event, self._profile)
        for path, value, why in lost:
            if path not in self._not_carried:
                self._not_carried.add(path)
                self._own.append(NotCarried(path, str(value)[:200], why))
        return text

    def _send_audio(self, effect: SendAudio) -> None:
        data = self._to_wire.spell(effect.pcm, effect.form)
        if not data or (text := self._spell(InputAudioBufferAppend(audio=data))) is None:
            return
        if effect.kept:
            self._link.send(text)
        else:
            self._link.send_audio(text, len(effect.pcm) // 2)

    def _play(self, effect: Play) -> None:
        """The timeline is one stream, so what an item leaves in the filter ends in front of the next one."""
        if self._sound is None:
            return
        pcm = self._from_wire.read(effect.data, effect.form)
        if effect.position != self._fetching.end or len(pcm) // 2 != effect.form.samples(len(effect.data)):
            raise RuntimeError(f"laid {len(pcm) // 2} samples at {self._fetching.end}, the core counts otherwise")
        self._fetching.end += len(pcm) // 2
        self._sound.lay(pcm)
        if self._levels and pcm:
            self._own.append(Laid(effect.position, peaks(pcm)))

    def _hang_up(self, code: int) -> None:
        self._hung_up = True
        self._link.close(code)

    def _close_what_is_left(self) -> None:
        if not self.ended:
            return
        if self._sound is not None:
            for side in sorted(self._sides, key=lambda side: side.value):
                with suppress(Exception):
                    self._sound.close(side)
        self._sides.clear()
        if self._linked and not self._hung_up:
            with suppress(Exception):
                self._hang_up(1000)


def _kept(stimulus: Stimulus) -> Stimulus:
    match stimulus:
        case MicBlock():
            return replace(stimulus, pcm=b"")
        case Pictured():
            return replace(stimulus, url="")
        case Received(event, size) if size > KEPT_SIZE or isinstance(event, AudioDelta):
            return Received(Unknown(type(event).__name__, b""), size)
        case _:
            return stimulus
