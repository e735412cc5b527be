"""Holds the invariants: it sees every stimulus with its effects, knows what the ear had, and believes the core nothing.

The names that `hold` is given are those of the invariants; a mutant is caught by one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import UNSET

from voicecli.core.changes import Delayed, Ended, LinkNow, PhaseNow, TurnConfirmed, TurnGone, TurnOpened, TurnSet
from voicecli.core.effects import AnyEffect, Connect, Move, Play, Send, SendAudio, Show
from voicecli.core.heard import Fate, Verdict
from voicecli.core.plan import Plan
from voicecli.core.stimuli import (
    Asked,
    EchoSet,
    KeyboardSpent,
    LinkEnded,
    Received,
    Stimulus,
    TalkPressed,
    TalkReleased,
    Tick,
    Typed,
)
from voicecli.core.uplink import TAIL_S
from voicecli.ports import (
    RATE,
    SAMPLES_PER_MS,
    Format,
    InputSpent,
    MicBlock,
    Side,
    SoundFailed,
    SoundFailure,
    Stale,
)
from voicecli.protocol import events as e
from voicecli.protocol.items import FORMATS, SessionConfig

from .card import Card
from .ear import Ear, hold
from .voice import Voice, spoken_at
from .watched import Watched

VAD_S = 0.1
"""A server's VAD is not more exact than that."""
WORKS_STILL = (SoundFailure.NO_PERMISSION, SoundFailure.DISK)


@dataclass
class Said:
    """An item of the assistant's, of one connection."""

    response: str
    message: bool = True
    received: dict[float, bytearray] = field(default_factory=dict)
    """Part -> bytes of sound."""
    laid: dict[float, int] = field(default_factory=dict)
    """Part -> bytes that were laid."""
    forms: dict[float, Format] = field(default_factory=dict)
    """Part -> the format it began in."""
    pieces: list[tuple[int, int]] = field(default_factory=list)
    sounded_at: float = 0.0
    """When the first of it was laid."""
    has_text: bool = False
    """That was shown, so it was read."""
    whole: bool = False
    """Nothing more of it will come."""
    verdict: Verdict | None = None
    truncates: int = 0
    deletes: int = 0
    claim: int | None = None
    """Samples."""
    cut_run: int = 0
    cut_at: float = 0.0

    def add(self, position: int, n: int) -> None:
        if self.pieces and sum(self.pieces[-1]) == position:
            position, before = self.pieces.pop()
            n += before
        self.pieces.append((position, n))

    @property
    def samples(self) -> int:
        return sum(n for _, n in self.pieces)

    @property
    def received_samples(self) -> int:
        return sum(self.forms[part].samples(len(data)) for part, data in self.received.items())


@dataclass
class Reply:
    """A response of one connection."""

    items: list[str] = field(default_factory=list)
    done: bool = False
    dead: bool = False
    owed: list[str] = field(default_factory=list)
    """Items to be deleted once it is done."""


class Witness:
    def __init__(self, plan: Plan, ear: Ear, card: Card | None, ledger: Watched) -> None:
        self._plan, self._ear, self._card, self._ledger = plan, ear, card, ledger
        self.items: dict[str, Said] = {}
        """Of this connection; those of the ones before are in `older`."""
        self.older: list[Said] = []
        self._renamed: dict[str, Said] = {}
        """What of older connections is still to be heard, under its new name."""
        self.replies: dict[str, Reply] = {}
        self._taken: set[str] = set()
        """Turns of the person's that the server has taken."""
        self.patient = False
        """The server does not tell when responses begin or end: it cannot be waited for."""
        self.voice = Voice()
        """What the person says."""
        self._sent_at: list[float] = []
        """When a turn of the person's ended that is no matter of the server's VAD."""
        self._muted_at: list[float] = []
        """When the microphone went off, which the server's VAD hears as silence."""
        self._file_at: float | None = None
        self._commits: list[float] = []
        """When the server told that it has taken a turn."""
        self._delays: set[str] = set()
        self.ended: Ended | None = None
        self.cuts = self.truncates = self.deletes = self.blocks = 0
        self.worst_s = 0.0
        """The most that the ear had beyond a claim."""
        self._speaker = plan.speaker
        self._muted = False
        self._open = False
        """The link is shown as open."""
        self._configured = False
        self._greeted_at: float | None = None
        self._input, self._output = plan.profile.input, plan.profile.output
        self._echo = plan.echo
        self._echo_since = float("-inf")
        self._cut_at = float("-inf")
        self._recording = self._was_recording = self._holding = self._let_go = False
        self._pressed_at = self._key_at = self._sent_up_to = self._open_at = float("-inf")
        self._pressed_samples = 0
        self._rows: dict[str, str] = {}
        self._done_rows: dict[str, int] = {}
        self._asked = 0
        """Our creates that nothing was heard of yet."""

    # ---- each stimulus

    def saw(self, stimulus: Stimulus, at: float, effects: Sequence[AnyEffect]) -> None:
        """Called with the effects before they are carried out."""
        hold("Ended is the last", self.ended is None, stimulus, effects)
        verdicts, self._ledger.given = self._ledger.given, []
        was_open = self._open
        self._says(stimulus, effects, at)
        if isinstance(stimulus, Received):
            self._received(stimulus.event, at)
        elif isinstance(stimulus, LinkEnded):
            self._open = False
            for said in self.items.values():
                said.whole = True
        elif isinstance(stimulus, SoundFailed) and stimulus.side is Side.SPEAKER:
            self._speaker = self._speaker and stimulus.failure in WORKS_STILL
        self._was_recording, before = self._recording, self._holding
        self._recording, self._holding = _records(effects, self._recording, self._holding)
        self._let_go = before and not self._holding
        self._sound(stimulus, effects, at)
        self._verdicts(stimulus, verdicts, at)
        for effect in effects:
            match effect:
                case Connect():
                    self._connected()
                case Send(event):
                    self._sent(event, at)
                case Move():
                    self.cuts += 1
                    self._cut_at = at
                case Show(change):
                    self._shown(change, at)
                case _:
                    pass
        self._interrupted(stimulus)
        self._repaid(stimulus)
        self._uplink(stimulus, effects, at, was_open)
        if isinstance(stimulus, EchoSet):
            self._echo, self._echo_since = stimulus.echo, at

    def _says(self, stimulus: Stimulus, effects: Sequence[AnyEffect], at: float) -> None:
        match stimulus:
            case TalkPressed(pressed_at=key_at) | TalkReleased(released_at=key_at):
                self._sent_at.append(key_at)
            case Asked("talk" | "answer") | KeyboardSpent():
                self._sent_at.append(at)
            case Asked("mute") | InputSpent() | SoundFailed() | Stale():
                self._sent_at.append(at)
                self._muted_at.append(at)
            case MicBlock(adc_at=recorded_at) if self._file_at is None:
                self._file_at = recorded_at
            case Received(event=e.InputAudioBufferCommitted()):
                self._commits.append(at)
        if any(isinstance(effect, Send) and isinstance(effect.event, e.ConversationItemCreate) for effect in effects):
            self._sent_at.append(at)

    def _connected(self) -> None:
        self.older += self.items.values()
        renamed, self._ledger.renamed = self._ledger.renamed, {}
        for old, new in renamed.items():
            if (said := self._said(old)) is not None:
                self._renamed[new] = said
        self.items, self.replies, self._taken = {}, {}, set()
        self._input, self._output = self._plan.profile.input, self._plan.profile.output
        self._configured, self._greeted_at, self._asked = False, None, 0

    # ---- what comes

    def _received(self, event: e.Decoded, at: float) -> None:
        match event:
            case e.SessionCreated(session=session):
                self._greeted_at = at if self._greeted_at is None else self._greeted_at
                self._input, self._output = self._formats(session)
            case e.SessionUpdated(session=session):
                self._configured = True
                self._input, self._output = self._formats(session)
            case e.InputAudioBufferCommitted(item_id=item):
                self._taken.add(item)
            case e.ServerError():
                self._configured = self._configured or self._greeted_at is not None
                self._asked = 0
            case e.ResponseCreated(response=response):
                self._asked = 0
                self.replies.setdefault(response.id or "", Reply())
            case e.ResponseDone(response=response):
                self._asked = 0
                if reply := self.replies.get(response.id or ""):
                    reply.done = True
                    for item in reply.items:
                        self.items[item].whole = True
            case e.OutputItemAdded(item=item, response_id=response) | e.OutputItemDone(item=item, response_id=response):
                said = self._item(item.id or "", response)
                said.message = item.type in ("message", None)
                said.has_text = said.has_text or self._read(
                    said, any(part.type == "text" and part.text for part in item.content)
                )
                said.whole = said.whole or isinstance(event, e.OutputItemDone)
            case e.TextDelta(item_id=item, response_id=response, delta=text):
                said = self._item(item, response)
                said.has_text = said.has_text or self._read(said, bool(text))
            case e.AudioDelta(item_id=item, response_id=response, content_index=part, delta=data) if item:
                said = self._item(item, response)
                said.received.setdefault(part, bytearray()).extend(data)
                said.forms.setdefault(part, self._output)
            case _:
                pass

    def _formats(self, session: SessionConfig) -> tuple[Format, Format]:
        """What the server hears and what it says; ours always tells, Qwen-Omni by names of its own."""
        profile = self._plan.profile
        heard, said = str(session.input_audio_format), str(session.output_audio_format)
        return (
            profile.input if heard in profile.names else FORMATS[heard],
            profile.output if said in profile.names else FORMATS[said],
        )

    def _item(self, item: str, response: str) -> Said:
        said = self.items.get(item)
        if said is None:
            said = self.items[item] = Said(response)
            self.replies.setdefault(response, Reply()).items.append(item)
        return said

    def _read(self, said: Said, text: bool) -> bool:
        """Whether it was shown: what comes of a dead response is not."""
        return text and not self.replies[said.response].dead

    # ---- what is laid

    def _sound(self, stimulus: Stimulus, effects: Sequence[AnyEffect], at: float) -> None:
        plays = [effect for effect in effects if isinstance(effect, Play)]
        event = stimulus.event if isinstance(stimulus, Received) else None
        if not isinstance(event, e.AudioDelta):
            hold("sound is laid when it comes", not plays, stimulus)
            return
        said = self.items.get(event.item_id)
        if said is None:
            return
        part = event.content_index
        dead = self.replies[said.response].dead or (said.verdict is not None)
        hold("a dead response lays nothing", not (dead and plays), event.item_id, said.verdict)
        for play in plays:
            start = said.laid.get(part, 0)
            hold("what is laid is what came", said.received[part][start : start + len(play.data)] == play.data)
            hold("sound is what the server says it is", _alike(play.form, said.forms[part]), play.form)
            n = play.form.samples(len(play.data))
            said.laid[part] = start + len(play.data)
            said.sounded_at = said.sounded_at if said.pieces else at
            said.add(play.position, n)
        if not dead and self._speaker:
            unit = said.forms[part].unit
            all_of_it = said.laid.get(part, 0) == len(said.received[part]) // unit * unit
            hold("all that came is laid", all_of_it, event.item_id)

    # ---- what the ledger says

    def _verdicts(self, stimulus: Stimulus, verdicts: Sequence[Verdict], at: float) -> None:
        for verdict in verdicts:
            said = self._said(verdict.item)
            if said is None:
                hold("a verdict is about what was laid", verdict.received == 0, verdict)
                continue
            hold("each sample is settled once", said.verdict is None, verdict, said.verdict)
            said.verdict = verdict
            hold("a verdict counts what was laid", verdict.received == said.samples, verdict, said.samples)
            true = self._ear.heard(said.pieces, at)
            if self._lost(at):  # it goes on in the ledger as far as it was handed over
                true = max(true, verdict.heard)
            hold("claim <= ear", verdict.heard <= true + 1, verdict, "ear", true)
            hold("claim >= ear at the decision", true - verdict.heard <= 1, verdict, "ear", true)
            match verdict.fate:
                case Fate.WHOLE:
                    hold("whole is whole", said.whole and verdict.heard == said.samples, verdict)
                case Fate.CUT:
                    hold("what is whole is not cut", not (said.whole and true >= said.samples), verdict)
                case Fate.UNHEARD:
                    hold("what was heard is not unheard", true < SAMPLES_PER_MS + 1, verdict, true)
                    if said.whole and said.samples and true >= said.samples:
                        hold("what is whole is not cut", False, verdict)
                case Fate.READ:
                    hold("only without a speaker it is read", not self._speaker, verdict)

    def _said(self, item: str) -> Said | None:
        return self.items.get(item) or self._renamed.get(item)

    def _lost(self, at: float) -> bool:
        return self._card is not None and self._card.lost_at is not None and self._card.lost_at <= at

    # ---- what is sent

    def _sent(self, event: e.ClientEvent, at: float) -> None:
        match event:
            case e.SessionUpdate():
                hold("one update for a connection", self._greeted_at is not None)
            case e.ConversationItemTruncate(item_id=item, audio_end_ms=ms, content_index=index):
                self._truncate(self.items.get(item), item, int(ms), at)
                hold("content_index is 0", index == 0)
            case e.ConversationItemDelete(item_id=item):
                self._delete(self.items.get(item), item)
            case e.ResponseCreate():
                active = [name for name, reply in self.replies.items() if not reply.done]
                hold("nobody is answered while talking", not (self._was_recording and self._recording), at)
                hold("one default response", self.patient or not (active or self._asked), active)
                self._asked = 1
            case e.ResponseCancel(response_id=response):
                for name, reply in self.replies.items():
                    reply.dead = reply.dead or (not reply.done and response in (name, UNSET))
            case _:
                pass

    def _truncate(self, said: Said | None, item: str, ms: int, at: float) -> None:
        hold("only what is there is truncated", said is not None and self._open, item)
        assert said is not None
        self.truncates += 1
        said.truncates += 1
        hold("one truncate for an item", said.truncates == 1 and not said.deletes, item)
        hold("only sound is truncated", said.message and self._speaker, item)
        claim = ms * SAMPLES_PER_MS
        true = self._ear.heard(said.pieces, at)
        if not self._lost(at):
            hold("claim <= ear", claim <= true + 1, item, "claim", claim, "ear", true)
            hold("claim >= ear at the decision", true - claim <= SAMPLES_PER_MS, item, "claim", claim, "ear", true)
        hold("claim <= received", claim <= said.received_samples, item, claim, said.received_samples)
        hold("what is whole is not cut", not (said.whole and said.samples and true >= said.samples), item)
        said.claim, said.cut_at = claim, at

    def _delete(self, said: Said | None, item: str) -> None:
        hold("only what is there is deleted", said is not None and self._open, item)
        assert said is not None
        self.deletes += 1
        said.deletes += 1
        hold("one delete for an item", said.deletes == 1 and not said.truncates, item)
        hold("only sound is deleted", said.message and self._plan.speaker and (said.pieces or not said.has_text), item)
        hold("a delete waits for the end of the response", self.replies[said.response].done or self.patient, item)
        verdict = said.verdict
        hold("only the unheard is deleted", not said.pieces or (verdict and verdict.fate is Fate.UNHEARD), item)

    def _interrupted(self, stimulus: Stimulus) -> None:
        """A stimulus that stops the answer: what is generated is dead, and every item has its verdict."""
        match stimulus:
            case Received(e.SpeechStarted(item_id=item)) if item in self._taken:
                return  # it was told after its turn was taken, and what came since answers it
            case Received(e.SpeechStarted()) | Asked("interrupt"):
                pass
            case Typed() if self._plan.keyboard == "terminal":
                pass
            case TalkPressed() | Asked("talk") if self._recording and not self._was_recording:
                pass
            case _:
                return
        for reply in self.replies.values():
            reply.dead = reply.dead or not reply.done
        for item, said in self.items.items():
            hold("a cut settles all", not said.pieces or said.verdict is not None, item)
            if said.verdict is None or not self._open:
                continue
            can = self._plan.profile.can
            if said.verdict.fate is Fate.CUT and "truncate" in can:
                hold("what is cut is truncated", said.truncates == 1, said.verdict)
            unheard = said.verdict.fate is Fate.UNHEARD and "delete" in can and self._plan.profile.unheard == "delete"
            reply = self.replies[said.response]
            if unheard and not said.deletes and item not in reply.owed:
                reply.owed.append(item)

    def _repaid(self, stimulus: Stimulus) -> None:
        for reply in self.replies.values():
            if reply.done and reply.owed and self._open:
                for item in reply.owed:
                    hold("what nobody heard is deleted", self.items[item].deletes == 1, item, stimulus)
                reply.owed.clear()

    # ---- the microphone

    def _uplink(self, stimulus: Stimulus, effects: Sequence[AnyEffect], at: float, was_open: bool) -> None:
        sent = [effect for effect in effects if isinstance(effect, SendAudio)]
        if sent:
            late = self._greeted_at is not None and at >= self._greeted_at + 10.0
            hold("not one byte before ready", self._configured or late, at)
            hold("not one byte without a link", was_open, at)
            hold("sound is what the server says it is", all(effect.form == self._input for effect in sent), self._input)
        muted = self._muted
        if self._plan.ptt:
            self._keyed(stimulus, effects, at, was_open)
        match stimulus:
            case Asked("mute") if self._plan.microphone != "none":
                self._muted = True
            case Stale(gap_s=gap_s) if gap_s > 30.0:
                self._muted = True
            case Asked("unmute") if self._muted:
                self._muted = False
            case _:
                pass
        if self._plan.ptt:
            if muted != self._muted:
                self._open_at = at
            self.blocks += isinstance(stimulus, MicBlock)
            return
        if not isinstance(stimulus, MicBlock):
            ends_turn = (self._muted and not muted) or isinstance(stimulus, SoundFailed)
            hold("only silence that ends a turn is sent besides", not sent or ends_turn, stimulus)
            hold("what ends a turn is silence", all(not any(effect.pcm) for effect in sent), stimulus)
            return
        self.blocks += 1
        if muted or not was_open:
            hold("not one byte while muted" if muted else "not one byte before ready", not sent, at)
            return
        hold("captured while open = sent", [len(effect.pcm) for effect in sent] == [len(stimulus.pcm)], at)
        if self._echo == "half-duplex" and sent[0].pcm.strip(b"\0"):
            quiet = self._ear.quiet_since(at)
            quiet = min(quiet, self._cut_at) if quiet > self._cut_at and self._stops(quiet) else quiet
            since = self._echo_since
            hold("half-duplex sends nothing but zeros", quiet <= since or at - quiet >= TAIL_S - 0.001, at, quiet)

    def _keyed(self, stimulus: Stimulus, effects: Sequence[AnyEffect], at: float, was_open: bool) -> None:
        """Push-to-talk: what leaves is from 300 ms before a press to its release, and less than 100 ms is nothing."""
        if not was_open or (isinstance(stimulus, Received) and isinstance(stimulus.event, e.SessionUpdated)):
            self._open_at = max(self._open_at, at if not was_open else self._open_at)
        if self._recording and not self._was_recording:
            self._pressed_at = stimulus.pressed_at if isinstance(stimulus, TalkPressed) else at
            self._pressed_samples, self._sent_up_to = 0, float("-inf")
        elif self._was_recording and self._let_go:
            match stimulus:
                case TalkPressed(pressed_at=key_at) | TalkReleased(released_at=key_at):
                    self._key_at = max(key_at, self._sent_up_to)
                case Asked("talk"):
                    self._key_at = max(at, self._sent_up_to)
                case _:
                    pass
        counted = self._plan.microphone == "device"
        for effect in effects:
            match effect:
                case SendAudio(pcm=pcm):
                    hold("not one byte while muted", not self._muted, at)
                    hold("sound leaves only for a press", self._recording or self._was_recording, stimulus)
                    first = spoken_at(pcm[:2], at) if counted else at
                    last = spoken_at(pcm[-2:], at) if counted else at
                    hold("nothing older than 300 ms before a press", first >= self._pressed_at - 0.3 - 2 / RATE, at)
                    hold("nothing from before it was open", first >= self._open_at - 0.1 or not counted, first)
                    hold("nothing leaves twice or out of order", first > self._sent_up_to or not counted, first)
                    early = max(0, round((self._pressed_at - first) * RATE)) if counted else 0
                    self._pressed_samples += max(0, len(pcm) // 2 - early)
                    self._sent_up_to = last
                case Send(event=e.InputAudioBufferCommit()):
                    hold("less than 100 ms creates nothing", self._pressed_samples >= 0.1 * RATE - 24, at)
                    key = isinstance(stimulus, TalkPressed | TalkReleased) or stimulus == Asked("talk")
                    if counted and (isinstance(stimulus, MicBlock | Tick) or (key and self._let_go)):
                        late = self._sent_up_to - self._key_at
                        hold("nothing leaves from after the release", late <= 2 / RATE, late)
                        whole = self._key_at - self._sent_up_to <= 0.0011 or at >= self._key_at + 0.15 - 1e-6
                        hold("the last word is in it", whole, self._key_at, self._sent_up_to, at)
                case _:
                    pass

    def _stops(self, quiet: float) -> bool:
        """Whether what was heard last was only the device coming to a stop after a cut."""
        assert self._card is not None
        return quiet <= max(self._card.silent_at.values(), default=0.0) + 0.001

    # ---- what is shown

    def _shown(self, change: object, at: float) -> None:
        match change:
            case Delayed():
                self._delayed(change, at)
            case LinkNow(state=state):
                self._open = state == "open"
            case TurnOpened(item=item, role=role):
                hold("a row is opened once", item not in self._rows, item)
                self._rows[item] = role
            case TurnSet(item=item, text=text, heard=heard, unheard=unheard, ended=ended, error_code=code):
                hold("a row is opened first", item in self._rows, item)
                if ended is not None:
                    self._done_rows[item] = self._done_rows.get(item, 0) + 1
                    words = (heard.raw + unheard.raw).split()
                    hold("heard + unheard is the text", code or words == text.raw.split(), item, heard, unheard)
                    if self._rows[item] == "assistant":
                        hold("an answer ends once", self._done_rows[item] == 1, item)
            case TurnGone(item=item) | TurnConfirmed(item=item):
                hold("a row is opened first", item in self._rows, item)
            case Ended():
                hold("Ended comes once", self.ended is None)
                self.ended = change
            case _:
                hold("Ended is the last", self.ended is None, change)

    def _delayed(self, delay: Delayed, at: float) -> None:
        """What is told of an answer's delay is what the ear had to wait."""
        hold("a delay is told once", delay.item not in self._delays, delay)
        self._delays.add(delay.item)
        hold("an unknown end of speech is said", (delay.noticed is None) is delay.from_commit, delay)
        parts = (delay.noticed or 0.0, delay.first_sent, delay.first_heard)
        hold("no delay is negative", min(parts) >= 0.0, delay)
        hold("the delay is the sum of its parts", abs(sum(parts) - delay.total) < 1e-9, delay)
        said = self.items.get(delay.item)
        if said is None or self._lost(at):
            return  # of an older connection, under the name of its row; or nobody has told that there is no ear
        heard_at = self._ear.first(said.pieces[0][0]) if said.pieces else None
        hold("only what is heard has a delay", heard_at is not None and heard_at <= at + 1e-6, delay, heard_at, at)
        assert heard_at is not None
        hold("the last part ends at the ear", abs(said.sounded_at + delay.first_heard - heard_at) <= 1e-4, delay)
        hold("a delay is what the ear waited", self._ended_about(heard_at - delay.total, delay), delay, heard_at)

    def _ended_about(self, began_at: float, delay: Delayed) -> bool:
        """Whether somebody had said all, or sent a text, at that time."""
        if delay.from_commit:
            return any(abs(began_at - at) <= 1e-6 for at in self._commits)
        if any(abs(began_at - at) <= 1e-6 for at in self._sent_at) or self._echo_since > float("-inf"):
            return True
        if self._echo == "half-duplex":  # what the server hears ends where the gate shuts
            return True
        spoken = self.voice.ends
        if self._plan.microphone == "file":  # it speaks from its own beginning on
            spoken = tuple(end + (self._file_at or 0.0) for end in spoken)
        return any(abs(began_at - at) <= VAD_S for at in (*spoken, *self._muted_at))

    # ---- at the end

    def end(self) -> None:
        """All is over: what can only be said of the whole."""
        hold("Ended comes once", self.ended is not None)
        self._ear.check()
        for said in [*self.older, *self.items.values()]:
            if not said.pieces:
                continue
            hold("each sample is settled once", said.verdict is not None, said.response)
            assert said.verdict is not None
            heard = self._ear.heard(said.pieces)
            lost = self._card is not None and self._card.lost_at is not None
            if said.verdict.fate is Fate.WHOLE and not lost:
                hold("what is not cut is heard whole", heard == said.samples, said.verdict, heard)
            if said.claim is not None and not lost:
                self._lag(said, heard)
        rows = [item for item in self._rows if item not in self._done_rows]
        hold("every row ends", not rows, rows)

    def _lag(self, said: Said, heard: int) -> None:
        assert self._card is not None
        assert said.claim is not None
        later = [when for when in self._card.silent_at.values() if when >= said.cut_at]
        lag_s = min(later, default=float("inf")) - said.cut_at
        beyond_s = (heard - said.claim) / RATE
        self.worst_s = max(self.worst_s, beyond_s)
        hold("claim >= ear minus the stop lag", beyond_s <= lag_s + 0.001 + 2 / RATE, said.verdict, heard, lag_s)


def _alike(one: Format, other: Format) -> bool:
    """Whether it is the same sound by another name."""
    return one == other or (one.width == other.width == 2 and one.rate == other.rate)


def _records(effects: Sequence[AnyEffect], recording: bool, holding: bool) -> tuple[bool, bool]:
    """Whether somebody talks by push-to-talk after these, and has not let go."""
    for effect in effects:
        if isinstance(effect, Show) and isinstance(effect.change, PhaseNow):
            recording = effect.change.phase in ("recording", "recording_full")
            holding = bool(effect.change.detail)
    return recording, holding
