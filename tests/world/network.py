"""A simulated link behind `ports.Link`: delays in both directions that keep the order, stalls, drops, slow dialling."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from voicecli.core.stimuli import AudioDropped, LinkEnded, LinkSlow, Opened, Received, Stimulus
from voicecli.ports import PCM16, Format, LinkFailure
from voicecli.protocol.codec import decode_server
from voicecli.runtime.outbox import Outbox

from .clock import Clock

_AUDIO = re.compile(r'"audio":"([^"]*)"')


def samples_of(frame: str, form: Format = PCM16) -> int:
    """Of microphone sound in a client frame, at `RATE`; 0 where it is another one."""
    if "input_audio_buffer.append" not in frame[:200] and "input_audio_buffer.append" not in frame[-200:]:
        return 0
    found = _AUDIO.search(frame)
    text = found[1] if found else ""
    return form.samples(len(text) * 3 // 4 - text.count("="))


DROPPED = LinkEnded(LinkFailure.DROPPED, None, "reset by peer", "simulated")


@dataclass
class NetworkRecipe:
    dial_s: float = 0.02
    up_s: float = 0.01
    down_s: float = 0.01
    jitter_s: float = 0.0
    refused: tuple[LinkFailure | None, ...] = ()
    """How each attempt to dial ends, the first ones; None is well."""
    drop_s: float | None = None
    """The first link is lost so long after it was opened."""
    drop: LinkEnded = DROPPED
    stall: tuple[float, float] | None = None
    """Nothing leaves from so long after the opening on, for so long."""
    never_opens: bool = False


class Far(Protocol):
    """What is at the other end of a line."""

    def start(self) -> None:
        """The line is open."""

    def receive(self, frame: str) -> None:
        """A frame has arrived."""

    def hang_up(self) -> None:
        """The line is no more."""


class Network:
    def __init__(
        self,
        clock: Clock,
        recipe: NetworkRecipe,
        rng: Random,
        give: Callable[[Stimulus], None],
        serve: Callable[[Callable[[str | bytes], None]], Far],
        key: str,
    ) -> None:
        self.clock, self.recipe, self.rng, self.give, self.serve = clock, recipe, rng, give, serve
        self.line: Line | None = None
        self.lines: list[Line] = []
        self._key = key
        self.form: Callable[[], Format] = lambda: PCM16
        """How microphone sound is spelled now."""
        self.headers: tuple[tuple[str, str], ...] = ()
        """Of the last handshake, with the key: the link adds it by itself."""
        self.control = 0
        """Frames other than microphone sound that are on their way, both directions."""

    def open(self, url: str, headers: tuple[tuple[str, str], ...]) -> None:
        assert self.line is None, "the last link has not ended"
        self.headers = (*headers, ("Authorization", f"Bearer {self._key}"))
        self.line = Line(self, len(self.lines))
        self.lines.append(self.line)

    def send(self, text: str) -> None:
        if self.line is not None:
            self.line.put(text, 0)

    def send_audio(self, text: str, samples: int) -> None:
        if self.line is not None:
            self.line.put(text, samples)

    def close(self, code: int) -> None:
        if self.line is not None:
            self.line.close(code)


class Line:
    def __init__(self, network: Network, number: int) -> None:
        self._network, self._clock, self._recipe = network, network.clock, network.recipe
        self.put_samples = self.dropped_samples = self.delivered_samples = self.flying_samples = self.left_samples = 0
        self.far: Far | None = None
        self.lost = False
        """It ended and nobody hung up."""
        self._outbox = Outbox()
        self._over = False
        self._hung_up: int | None = None
        self._up_at = self._down_at = 0.0
        self._stalled = (float("inf"), float("inf"))
        refused = self._recipe.refused[number] if number < len(self._recipe.refused) else None
        if self._recipe.never_opens:
            self._clock.after(10.0, self.end, LinkEnded(LinkFailure.TIMEOUT, None, ""))
        elif refused is not None:
            self._clock.after(self._recipe.dial_s, self.end, LinkEnded(refused, None, "refused", "simulated"))
        else:
            self._clock.after(self._recipe.dial_s, self._open, number)
        self._clock.after(2.0, self._slow)

    def _slow(self) -> None:
        if self.far is None and not self._over:
            self._network.give(LinkSlow("an answer from the simulated server"))

    def _open(self, number: int) -> None:
        if self._over:
            return
        now = self._clock.now
        self._network.give(Opened(1.7e9 + now))
        if number == 0:
            if self._recipe.stall is not None:
                start, length = self._recipe.stall
                self._stalled = (now + start, now + start + length)
            if self._recipe.drop_s is not None:
                self._clock.after(self._recipe.drop_s, self.end, self._recipe.drop)
        self.far = self._network.serve(self.down)
        self.far.start()

    def end(self, end: LinkEnded) -> None:
        if self._over:
            return
        self._over = True
        self.lost = self._hung_up is None
        self.left_samples = self._outbox.drop_sound()
        while len(self._outbox):
            self._network.control -= not samples_of(self._outbox.pop())
        if self.far is not None:
            self.far.hang_up()
        self._network.line = None
        self._network.give(end)

    # ---- up

    @property
    def waiting(self) -> int:
        """Frames that could not leave yet."""
        return len(self._outbox)

    def put(self, text: str, samples: int) -> None:
        if self._hung_up is not None or self._over:
            return
        carried = samples_of(text, self._network.form())
        self.put_samples += carried
        self._network.control += not carried
        self._outbox.put(text, samples, self._clock.now)
        self._drop()
        self._send()

    def close(self, code: int) -> None:
        if self._hung_up is not None or self._over:
            return
        self._hung_up = code
        self.left_samples += self._outbox.drop_sound()
        self._send()
        after = 0.0 if self.far is None else self._recipe.up_s + self._recipe.down_s
        self._clock.after(after, self.end, LinkEnded(LinkFailure.CLOSED, code, "", "simulated"))

    def _drop(self) -> None:
        if dropped := self._outbox.drop(self._clock.now):
            self.dropped_samples += dropped
            self._network.give(AudioDropped(dropped))

    def _send(self) -> None:
        if self.far is None or self._over:
            return
        start, end = self._stalled
        if start <= self._clock.now < end:
            self._clock.at(end, self._send)
            return
        while len(self._outbox):
            frame = self._outbox.pop()
            self.flying_samples += samples_of(frame, self._network.form())
            self._up_at = max(self._up_at, self._clock.now + self._delay(self._recipe.up_s))
            self._clock.at(self._up_at, self._arrive, frame)
            self._drop()

    def _arrive(self, frame: str) -> None:
        samples = samples_of(frame, self._network.form())
        self._network.control -= not samples
        if self._over or self.far is None:
            return
        self.flying_samples -= samples
        self.delivered_samples += samples
        self.far.receive(frame)

    # ---- down

    def down(self, frame: str | bytes) -> None:
        self._network.control += 1
        self._down_at = max(self._down_at, self._clock.now + self._delay(self._recipe.down_s))
        self._clock.at(self._down_at, self._come, frame)

    def _come(self, frame: str | bytes) -> None:
        self._network.control -= 1
        if not self._over:
            self._network.give(Received(decode_server(frame), len(frame)))

    def _delay(self, seconds: float) -> float:
        return seconds + self._network.rng.random() * self._recipe.jitter_s
