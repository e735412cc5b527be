"""One world: the real engine and core against the real server, over a simulated card and network, under a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import Random

from voicecli.core.changes import AnyChange
from voicecli.core.connection import Link
from voicecli.core.effects import AnyEffect
from voicecli.core.heard import Ledger
from voicecli.core.plan import Plan
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import (
    Asked,
    Begin,
    EchoSet,
    KeyboardSpent,
    Quit,
    Stimulus,
    TalkPressed,
    TalkReleased,
    Typed,
)
from voicecli.ports import Side
from voicecli.protocol.conversation import ItemView
from voicecli.protocol.items import SessionConfig, Transcription, TurnDetection
from voicecli.runtime.engine import Engine

from .card import Card
from .clock import Clock, Stuck
from .ear import Broken, Ear, hold
from .network import Network
from .recipe import Deed, Recipe
from .rows import Row
from .server import Server
from .voice import Voice
from .watched import watched
from .witness import Witness

CANARY = "sk-canary-0123456789abcdef"
SETTLED_S = 0.4
LAST = 40

Log = Callable[[Stimulus, float, Sequence[AnyEffect]], None]


class World:
    """`run` raises `Broken` where an invariant does not hold, and `Stuck` where nothing goes on any more."""

    def __init__(self, recipe: Recipe, ledger: type[Ledger] = Ledger, log: Log | None = None) -> None:
        self.recipe = recipe
        self._last: deque[tuple[float, Stimulus, list[AnyEffect]]] = deque(maxlen=LAST)
        self.clock = Clock(recipe.began)
        self.ear, self.voice = Ear(), Voice(recipe.ptt)
        self.plan = _plan(recipe)
        sound = recipe.microphone != "none" or recipe.speaker
        rng = Random(f"card {recipe.seed}")
        self.card = Card(self.clock, recipe.card, rng, self.ear, self.voice, self._ring) if sound else None
        rng = Random(f"network {recipe.seed}")
        self.network = Network(self.clock, recipe.network, rng, self._give, self._serve, CANARY)
        self.servers: list[Server] = []
        self.shown: list[AnyChange] = []
        book = watched(ledger)
        self.session = VoiceSession(self.plan, book)
        self.witness = Witness(self.plan, self.ear, self.card, book)
        self.witness.voice = self.voice
        self.witness.patient = recipe.server.hangs != "never"
        self.network.form = lambda: self.session.talk.input
        self.engine = Engine(self.session, self.card, self.network, self._show, levels=recipe.levels, log=self._log)
        self._more_log = log
        self._broken: Broken | None = None
        self._rng = Random(f"world {recipe.seed}")
        self._turn_at = float("inf")
        self._begun_answers = 0
        self._heard_up_to = 0
        self._busy_until = recipe.began
        self._deeds = 0
        self._quiet_since: float | None = None

    @property
    def last(self) -> list[str]:
        """The last stimuli with what followed, for whoever has to understand a failure."""
        return [
            f"{at:.6f} {str(stimulus)[:300]} -> {' '.join(str(effect)[:200] for effect in effects)}"
            for at, stimulus, effects in self._last
        ]

    @property
    def rows(self) -> set[Row]:
        """Of the tables of both ends, as far as they were taken."""
        return set(self.session.talk.rows).union(*(server.session.rows for server in self.servers))

    # ---- the thread of the session

    def _give(self, stimulus: Stimulus) -> None:
        self.engine.give_link(stimulus)
        self._ring()

    def _ring(self) -> None:
        self._turn_by(self.clock.now + self._rng.choice(self.recipe.lags_s))

    def _turn_by(self, when: float) -> None:
        if when < self._turn_at:
            self._turn_at = when
            self.clock.at(when, self._turn, when)

    def _turn(self, when: float) -> None:
        if when != self._turn_at:
            return
        self._turn_at = float("inf")
        wish = self.engine.turn(self.clock.now)
        if self._broken is not None:
            raise self._broken
        if self.engine.failure is not None:
            raise self.engine.failure
        if wish is not None:
            self._turn_by(max(wish, self.clock.now))
        self._react()

    def _log(self, stimulus: Stimulus, at: float, effects: list[AnyEffect]) -> None:
        self._last.append((at, stimulus, effects))
        if self._more_log is not None:
            self._more_log(stimulus, at, effects)
        try:
            self.witness.saw(stimulus, at, effects)
        except Broken as why:  # not to be taken for a bug of the engine, which this is called from
            self._broken = self._broken or why

    def _show(self, change: AnyChange) -> None:
        self.shown.append(change)

    def _serve(self, send: Callable[[str | bytes], None]) -> Server:
        number = len(self.servers)
        rng = Random(f"server {self.recipe.seed} {number}")
        self.servers.append(Server(self.clock, self.recipe.server, rng, number, send))
        return self.servers[-1]

    # ---- the person

    def _react(self) -> None:
        """A person who hears an answer begin does what is next on the list."""
        sounded = self.ear.sounded
        for n in range(min(self._heard_up_to, len(sounded)), len(sounded)):
            before, now = sounded[n - 1] if n else None, sounded[n]
            if before is None or now.position != before.position + before.n or now.at > before.at + 0.2:
                self._begun_answers += 1
                if self._begun_answers <= len(self.recipe.reactions):
                    self._plan_deed(self.recipe.reactions[self._begun_answers - 1], now.at)
        self._heard_up_to = len(sounded)

    def _plan_deed(self, deed: Deed, since: float) -> None:
        self._deeds += 1
        self.clock.at(since + deed.at, self._do, deed)

    def _do(self, deed: Deed) -> None:
        self._deeds -= 1
        self._busy_until = max(self._busy_until, self.clock.now)
        match deed.what:
            case "speak":
                self.voice.speak(self.clock.now if self.recipe.microphone == "device" else 0.0, deed.value)
                self._busy_until = max(self._busy_until, self.voice.until)
            case "sleep":
                if self.card is not None and self.recipe.microphone == "device":
                    self.card.sleep(deed.value)
                    self._busy_until = self.clock.now + deed.value
            case "type":
                self._say(Typed(f"typed {self.clock.now:.3f}"))
            case "hold":
                self._press(True)
                self._later(deed.value, self._release)
            case "toggle":
                self._press(False)
                if deed.value:
                    self._later(deed.value, self._press, False)
            case "talk":
                self._say(Asked("talk"))
                if deed.value:
                    self._later(deed.value, self._say, Asked("talk"))
            case "interrupt" | "mute" | "unmute" | "retry" | "answer":
                self._say(Asked(deed.what))
            case "half-duplex":
                self._say(EchoSet("half-duplex"))
            case "echo off":
                self._say(EchoSet("off"))
            case "keyboard ends":
                self._say(KeyboardSpent())
            case "quit":
                self._say(Quit(int(deed.value)))

    def _press(self, releases_seen: bool) -> None:
        self._say(TalkPressed(self.clock.now, releases_seen))

    def _release(self) -> None:
        self._say(TalkReleased(self.clock.now))

    def _later(self, seconds: float, do: Callable[..., None], *what: object) -> None:
        """The second half of a deed."""
        self._busy_until = max(self._busy_until, self.clock.now + seconds)
        self.clock.after(seconds, do, *what)

    def _say(self, stimulus: Stimulus) -> None:
        self.engine.give(stimulus)
        self._ring()

    # ---- from the beginning to the end

    def run(self) -> Witness:
        recipe, clock = self.recipe, self.clock
        for deed in recipe.deeds:
            self._plan_deed(deed, recipe.began)
        self._say(Begin())
        self._look()
        if recipe.quits_at is not None:
            clock.at(recipe.began + recipe.quits_at, self._say, Quit(130, "interrupted"))
            self._wait(lambda: self.engine.ended, "the person leaves")
        else:
            self._wait(lambda: self.engine.ended or self._settled(), "the talk comes to rest")
            if not self.engine.ended:
                self._at_rest()
                self._say(Quit())
                self._wait(lambda: self.engine.ended, "the person leaves")
        self._wait(lambda: self.engine.done, "the link is closed", 5.0)
        clock.run(lambda: False, clock.now + 0.1)  # whatever comes late changes nothing
        self.witness.end()
        return self.witness

    def _wait(self, until: Callable[[], bool], what: str, seconds: float | None = None) -> None:
        seconds = self.recipe.patience_s if seconds is None else seconds
        if not self.clock.run(until, self.clock.now + seconds):
            talk = self.session.talk
            raise Stuck(
                f"{what}: not within {seconds} s; link {talk.connection.state} current {talk.responses.current} wanted "
                f"{talk.responses.wanted} speaking {talk.uplink.speaking} rest {talk.rest} ledger {talk.ledger.rest}"
            )

    def _look(self) -> None:
        """Somebody looks at the clock, so that time goes by where nothing else happens, and forgets no key."""
        forgotten = self.session.talk.uplink.recording and self.recipe.microphone == "device" and not self._deeds
        if forgotten and self.clock.now > self._busy_until + 1.0:
            self._say(Asked("talk"))
        self.clock.after(0.2, self._look)

    def _settled(self) -> bool:
        """Nothing goes on, nothing is on its way, and that for a while."""
        now = self.clock.now
        quiet = now > self._busy_until + 0.9 + self.recipe.silence_ms / 1000 and not self._deeds and self._resting()
        if not quiet:
            self._quiet_since = None
            return False
        if self._quiet_since is None:
            self._quiet_since = now
        return now >= self._quiet_since + SETTLED_S

    def _resting(self) -> bool:
        talk = self.session.talk
        if talk.connection.state is Link.LOST:
            return talk.ledger.rest
        return (
            talk.connection.ready
            and talk.rest
            and not self.network.control
            and all(server.rest for server in self.servers)
        )

    def _at_rest(self) -> None:
        talk = self.session.talk
        server = self.recipe.server
        if server.truncate != "ignored" and server.update != "ignored" and server.hangs == "never":
            hold("pending is empty at rest", not len(talk.pending) or not talk.connection.ready, talk.pending.kinds())
        hold("no answer is owed at rest", not talk.responses.busy or not talk.connection.ready)
        if not talk.connection.ready:
            return
        line = self.network.line
        assert line is not None
        gone = line.delivered_samples + line.flying_samples + line.dropped_samples
        exact = line.put_samples == gone if not line.waiting else line.put_samples >= gone
        hold("captured = sent + told as dropped", exact, line.put_samples, gone)
        if server.hangs == "never":
            self._views(self.servers[-1])

    def _views(self, server: Server) -> None:
        ours = self._comparable(self.session.talk.conversation.view(), server)
        theirs = self._comparable(server.session.view(), server)
        if self.recipe.server.truncate == "obeyed":
            hold("both ends have the same conversation", ours == theirs, ours, "\n", theirs)
            self._believed(theirs)
        else:
            hold("both ends have the same items", [item.id for item in ours] == [item.id for item in theirs])

    @staticmethod
    def _comparable(view: tuple[ItemView, ...], server: Server) -> list[ItemView]:
        found = []
        for item in view:
            if item.id in server.strangers:
                continue
            if item.id in server.untranscribed:
                item = item._replace(parts=tuple(part._replace(transcript="") for part in item.parts))
            found.append(item)
        return found

    def _believed(self, view: list[ItemView]) -> None:
        """What the server believes was heard is what the ear had."""
        card, witness = self.card, self.witness
        if (
            card is None
            or not self.recipe.speaker
            or card.lost_at is not None
            or Side.SPEAKER in self.recipe.card.missing
        ):
            return
        if self.plan.profile.unheard != "delete" or not {"truncate", "delete"} <= self.plan.profile.can:
            return
        for item in view:
            # What was read of an item stays, so its sound stays too: no server we know mixes them.
            if item.role == "assistant" and item.samples and not witness.items[item.id].has_text:
                heard = self.ear.heard(witness.items[item.id].pieces)
                hold("the server believes what was heard", item.samples <= heard + 1, item, heard)


def _plan(recipe: Recipe) -> Plan:
    talk = recipe.mode == "talk"
    detection = TurnDetection(
        type="server_vad",
        threshold=0.5,
        prefix_padding_ms=100,
        silence_duration_ms=recipe.silence_ms,
        create_response=True,
    )
    session = SessionConfig(
        modalities=("text", "audio") if talk else ("text",),
        input_audio_format=recipe.input_format,
        output_audio_format=recipe.server.output_format,
        input_audio_transcription=Transcription(model="whisper-1"),
        turn_detection=detection if talk and not recipe.ptt else None,
    )
    return Plan(
        profile=recipe.profile,
        url="wss://simulated/v1/realtime?model=practice",
        session=session,
        mode=recipe.mode,
        microphone=recipe.microphone,
        speaker=recipe.speaker,
        keyboard=recipe.keyboard,
        echo=recipe.echo,
        levels=recipe.levels,
        ptt=recipe.ptt,
        auto_answer=recipe.auto_answer,
        key_source="OPENAI_API_KEY in the environment",
    )
