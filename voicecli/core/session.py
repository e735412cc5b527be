"""The client's mind: a stimulus with its time in, effects out. It routes; the modules beside it say what follows.

`VoiceSession.handle` never raises for anything the world does, and the same stimuli at the same times give the same
effects. Each part of a talk keeps one thing; what one stimulus means to several of them stands in `linking`,
`answers`, `barge_in`, `person`, `ptt` and `sounding`, in order.
"""

from __future__ import annotations

from typing import assert_never

from voicecli.core import (
    answers,
    barge_in,
    linking,
    notices,
    patience,
    person,
    ptt,
    retrieval,
    sounding,
    stimuli,
    tools,
    unnamed,
)
from voicecli.core.changes import Ended, HeardNow, LinkNow, Phase, PhaseNow
from voicecli.core.connection import Cue as LinkCue
from voicecli.core.connection import Link
from voicecli.core.effective import window_ms
from voicecli.core.effects import AnyEffect, Hangup
from voicecli.core.ending import End
from voicecli.core.heard import Ledger
from voicecli.core.pending import Kind
from voicecli.core.plan import Plan
from voicecli.core.responses import SILENCE_LIMIT_S
from voicecli.core.stimuli import Stimulus
from voicecli.core.talk import LONGEST_NAME, Talk
from voicecli.core.uplink import Gate
from voicecli.core.usage import limits
from voicecli.ports import (
    RATE,
    SAMPLES_PER_MS,
    InputSpent,
    MicBlock,
    Passed,
    Side,
    Silent,
    SoundClosed,
    SoundFailed,
    SoundOpened,
    Stale,
)
from voicecli.protocol import events as e
from voicecli.protocol.dialects import Spelling

HEARD_EVERY_S = 0.1


class VoiceSession:
    def __init__(self, plan: Plan, ledger: Ledger | None = None) -> None:
        """`ledger`: one that is watched, in the place of a new one."""
        self.talk = Talk(plan, ledger)
        """The parts, to be looked at."""
        self._began: float | None = None
        self._last = 0.0
        self._ended = False
        self._phase: PhaseNow | None = None
        self._heard_at = 0.0
        self._gave_up_at: float | None = None

    @property
    def ended(self) -> bool:
        """`Ended` was shown; nothing follows from anything any more."""
        return self._ended

    def handle(self, stimulus: Stimulus, at: float) -> list[AnyEffect]:
        """Applies one stimulus; the effects are to be carried out, in order, before the next one."""
        if self._ended:
            return []
        talk = self.talk
        talk.out = []
        if self._began is None:
            self._began = at
            talk.ending.began(at)
            talk.levels.began(at)
        self._last = at
        talk.now = at
        talk.transcript.now = round(at - self._began, 3)
        self._route(stimulus, at)
        if not self._ended:
            self._settle(at)
            person.send_texts(talk, at)
            self._look(at)
            self._decide(at)
        return talk.out

    @property
    def deadline(self) -> float | None:
        """When to call with `Tick`, if nothing else happens before."""
        if self._ended:
            return None
        talk = self.talk
        times = [
            talk.connection.deadline,
            None if talk.intake.rests else talk.responses.deadline,
            patience.deadline(talk, self._last),
            talk.ledger.deadline,
            talk.interruption.deadline,
            talk.uplink.deadline,
            talk.recorder.deadline,
            talk.levels.deadline,
            talk.timings.deadline,
            talk.limits.deadline(self._last),
            talk.absences.deadline,
        ]
        if talk.connection.ready:
            times.append(
                talk.ending.deadline(
                    self._last,
                    microphone_there=talk.sides[Side.MICROPHONE].there,
                    rest=talk.rest,
                    unwritten=talk.transcript.unwritten > 0,
                )
            )
        return min((time for time in times if time is not None), default=None)

    # ---- routing

    def _route(self, stimulus: Stimulus, at: float) -> None:
        talk = self.talk
        match stimulus:
            case stimuli.Begin():
                linking.dial(talk, at)
                sounding.begin(talk)
            case stimuli.Opened():
                talk.connection.move(LinkCue.OPENED, at)
            case stimuli.Received(event=event, spelling=spelling):
                talk.ending.event(at)
                talk.silence.over()
                self._received(event, spelling, at)
            case stimuli.LinkEnded():
                talk.silence.over()
                linking.ended(talk, stimulus, at)
                if not (talk.was_ready or talk.plan.stays) and talk.connection.state is Link.LOST:
                    self._end(End(3, "no_connection"), at)
            case stimuli.LinkSlow(what=what):
                talk.tell("slow", what=what)
            case stimuli.LinkSilent():
                patience.link_silent(talk, stimulus, at)
            case stimuli.AudioDropped(samples=samples):
                talk.uplink.lost(samples)
                talk.recorder.lost(samples)
                talk.timings.lost(samples)
                sounding.tell_dropped(talk, at)
            case stimuli.NotCarried(path=path, why=why):
                linking.left_out(talk, path)
                talk.tell_once(f"not carried {path}", "not_carried", why, what=path)
            case stimuli.Laid(position=position, peaks=peaks):
                talk.levels.laid(position, peaks)
            case MicBlock():
                sounding.recorded(talk, stimulus, at)
            case Passed(spans=spans):
                for span in spans:
                    talk.ledger.passed(span)
                if (first := talk.timings.awaited) is not None:
                    talk.timings.handed(talk.ledger.heard_at(first))
                talk.ending.event(at)  # a long answer plays on after the server's last word
            case SoundOpened():
                sounding.opened(talk, stimulus)
            case SoundClosed(side=side):
                sounding.closed(talk, side)
            case SoundFailed():
                sounding.failed(talk, stimulus, at)
            case Silent(run=run, at=when):
                for change in talk.interruption.silent(run, when):
                    talk.show(change)
            case Stale(gap_s=gap_s):
                sounding.stale(talk, gap_s, at)
            case InputSpent():
                talk.ending.file_spent(at)
                ptt.cut_short(talk, at)
            case stimuli.Moved(url=url):
                linking.moved(talk, url)
            case stimuli.PartnerNews():
                for told in talk.partner.news(stimulus):
                    talk.show(told)
            case stimuli.Typed() | stimuli.Pictured():
                person.typed(talk, stimulus, at)
            case stimuli.KeyboardSpent():
                person.keyboard_spent(talk, at)
            case stimuli.Asked():
                person.asked(talk, stimulus, at)
            case stimuli.TalkPressed():
                ptt.pressed(talk, stimulus, at)
            case stimuli.TalkReleased():
                ptt.released(talk, stimulus, at)
            case stimuli.EchoSet(echo=echo):
                person.echo(talk, echo)
            case stimuli.Quit(exit_code=code, reason=reason):
                self._end(End(3 if code == 0 and not talk.was_ready else code, reason), at)
            case stimuli.Tick():
                self._tick(at)
            case _:
                assert_never(stimulus)

    def _received(self, event: e.Decoded, spelling: Spelling | None, at: float) -> None:
        talk = self.talk
        if isinstance(event, e.Unknown | e.Malformed):
            linking.not_ours(talk, event)
            return
        talk.conversation.apply(event)
        if isinstance(event, e.OutputItemAdded) and talk.responses.unsaid(event.response_id):
            self._created(event.response_id, at)
        if isinstance(event, e.OutputBase):
            event = unnamed.named(talk, event)
        match event:
            case e.ServerError():
                linking.error(talk, event, at)
            case e.SessionCreated():
                linking.greeted(talk, event, spelling, at)
            case e.SessionUpdated():
                linking.configured(talk, event, at)
            case e.ConversationCreated():
                linking.conversation(talk, event)
            case e.InputAudioBufferCleared():
                talk.pending.answered(Kind.CLEAR)
                talk.uplink.speaking = None  # a turn that had begun in it never was
            case e.SpeechStarted(item_id=item, audio_start_ms=start):
                talk.unheard.speech()
                if item not in talk.over:  # else this is told too late: the turn has ended or was taken
                    talk.uplink.speaks(item, float(start))
                    barge_in.interrupt(talk, "voice", at)
            case e.SpeechStopped(item_id=item, audio_end_ms=end):
                start = talk.uplink.spoke_from_ms if talk.uplink.speaking == item else 0.0
                talk.timings.speech_over(item, start, float(end), window_ms(talk.effective), at)
                if talk.uplink.speaking != item:  # its beginning comes late, if at all
                    talk.turn_over(item)
                talk.uplink.spoken(item, float(end))
                talk.ending.turn_over(at)
            case e.InputAudioBufferCommitted(item_id=item, previous_item_id=previous):
                answers.committed(talk, item, previous, at)
            case e.ConversationItemCreated() | e.ConversationItemAdded() | e.ConversationItemDone():
                answers.item(talk, event.item, event.previous_item_id)
            case (
                e.TranscriptionDelta() | e.TranscriptionSegment() | e.TranscriptionCompleted() | e.TranscriptionFailed()
            ):
                answers.transcription(talk, event)
            case e.ConversationItemRetrieved(item=whole):
                answers.retrieved(talk, whole)
                retrieval.told(talk, whole)
            case e.TimeoutTriggered(item_id=item):
                talk.timings.idle(item)
                talk.tell_of_server(notices.told("idle"))
            case e.DtmfReceived(event=key):
                talk.tell_of_server(notices.told("dtmf", what=key[:LONGEST_NAME]))
            case e.ConversationItemTruncated(item_id=item, audio_end_ms=end):
                talk.pending.answered(Kind.TRUNCATE, item)
                talk.transcript.confirmed(item, int(end))
            case e.ConversationItemDeleted(item_id=item):
                talk.pending.answered(Kind.DELETE, item)
                talk.transcript.confirmed(item, None)
            case e.ResponseCreated(response=response):
                talk.answered_in(response.output_audio_format)
                self._created(response.id or "", at)
            case e.ResponseDone():
                answers.done(talk, event, at)
            case e.OutputItemAdded() | e.OutputItemDone():
                answers.output_item(talk, event, at)
            case e.AudioDelta():
                answers.sound(talk, event, at)
            case e.TextDelta() | e.AudioTranscriptDelta() | e.TextDone() | e.AudioTranscriptDone():
                answers.text(talk, event, at)
            case e.AudioDone(response_id=response, item_id=item):
                talk.responses.saw(response, at)
                talk.ledger.complete(item)
            case e.ContentPartAdded() | e.ContentPartDone():
                answers.part(talk, event, at)
            case (
                e.FunctionCallArgumentsDelta()
                | e.FunctionCallArgumentsDone()
                | e.McpCallArgumentsDelta()
                | e.McpCallArgumentsDone()
            ):
                tools.arguments(talk, event, at)
            case (
                e.McpCallInProgress()
                | e.McpCallCompleted()
                | e.OutputAudioBufferStarted()
                | e.OutputAudioBufferStopped()
                | e.OutputAudioBufferCleared()
            ):
                talk.responses.saw(event.response_id, at)
            case e.McpListToolsInProgress() | e.McpListToolsCompleted():
                pass  # their items are shown
            case e.McpListToolsFailed(item_id=item):
                tools.failed(talk, item)
            case e.McpCallFailed(item_id=item, response_id=response):
                talk.responses.saw(response, at)
                tools.fails(talk, item)
            case e.RateLimitsUpdated(rate_limits=told):
                talk.show(now := limits(told))
                for near in talk.limits.news(now, at):
                    talk.tell_of_server(near)
            case _:
                assert_never(event)

    def _created(self, response: str, at: float) -> None:
        self.talk.timings.responding(response, at)
        if (cancel := self.talk.responses.created(response, at)) is not None:
            barge_in.cancel(self.talk, cancel)

    # ---- after every stimulus

    def _settle(self, at: float) -> None:
        talk = self.talk
        if (delay := talk.timings.heard(at)) is not None:
            talk.show(delay)
        for verdict in talk.ledger.settle(at):
            talk.interruption.heard(verdict.heard / RATE)
            talk.transcript.settled(verdict)
        if at - self._heard_at >= HEARD_EVERY_S and (item := talk.ledger.hearing(at)):
            self._heard_at = at
            heard, received = talk.ledger.heard(item, at), talk.ledger.received(item)
            count = talk.transcript.characters(item, heard, received)
            talk.show(HeardNow(talk.transcript.key(item), heard // SAMPLES_PER_MS, count))

    def _look(self, at: float) -> None:
        """What is now: the gate of half-duplex, and the state word."""
        talk = self.talk
        patience.look(talk, at)
        audible = talk.audible(at)
        talk.uplink.audible(audible and talk.echo == "half-duplex", at)
        held = {Gate.HELD: "held", Gate.LATCHED: "latched"}.get(talk.uplink.gate, "")
        if held and talk.plan.microphone == "file":
            held = "latched"  # it holds no key that could be let go
        dry_s = patience.dry_s(talk, at)
        phase = PhaseNow(self._phase_word(audible, dry_s is not None, at), held)
        if phase.phase == "waiting_for_sound":
            phase = PhaseNow(phase.phase, f"{dry_s:.0f} s" if dry_s and dry_s >= 1 else "")
        if phase != self._phase:
            self._phase = phase
            talk.show(phase)

    def _phase_word(self, audible: bool, dry: bool, at: float) -> Phase:
        talk = self.talk
        if not talk.connection.alive:
            return "not_connected"
        if not talk.connection.ready:
            return "connecting"
        if talk.uplink.recording:
            return "recording_full" if talk.uplink.gate is Gate.FULL else "recording"
        if talk.uplink.speaking is not None:
            return "you_are_speaking"
        if audible:
            return "assistant_speaking"
        if dry:
            return "waiting_for_sound"
        if talk.responses.to_come:
            return "thinking"
        if talk.uplink.muted:
            return "muted"
        if talk.limits.spent(at):
            return "waiting_for_the_limit"
        if not talk.sides[Side.MICROPHONE].there or (talk.plan.ptt and talk.ending.file_over):
            return "waiting_for_you_to_type"
        return "press_to_talk" if talk.plan.ptt else "listening"

    def _decide(self, at: float) -> None:
        """Whether the talk ends by itself now."""
        talk = self.talk
        linked = talk.connection.ready
        if not linked and talk.connection.state is not Link.LOST:
            return
        end = talk.ending.decide(
            at,
            microphone_there=talk.sides[Side.MICROPHONE].there,
            rest=talk.rest if linked else talk.ledger.rest,
            unwritten=talk.transcript.unwritten > 0,
            linked=linked,
        )
        if end is not None:
            self._end(end, at)

    def _tick(self, at: float) -> None:
        talk = self.talk
        linking.tick(talk, at)
        current = talk.responses.current
        if not talk.intake.rests and talk.responses.timed_out(at):
            self._gave_up_at = at
            doubted = current is not None and current.patience_s < SILENCE_LIMIT_S
            talk.tell("answer_refused" if doubted else "no_answer")
            talk.ending.answer_failed = True
            if current is not None:
                answers.given_up(talk, current, "no_answer", at)
        for change in talk.interruption.tick(at):
            talk.show(change)
        patience.tick(talk, at)
        sounding.tick(talk, at)

    def _end(self, end: End, at: float) -> None:
        """The last words: what was heard of what was being said, the devices, the link, `Ended`."""
        talk = self.talk
        _, verdicts = talk.ledger.cut(at)
        for verdict in verdicts:
            talk.transcript.settled(verdict)
        talk.transcript.close()
        for change in talk.interruption.flush():
            talk.show(change)
        sounding.end(talk, at)
        patience.count(talk)
        ptt.unsent(talk)
        if talk.connection.alive:
            talk.connection.move(LinkCue.HANGUP, at)
            talk.out.append(Hangup())
            talk.show(LinkNow(state="closed"))
        if end.reason == "no_input" or (end.reason == "no_answer" and self._gave_up_at != at):
            talk.tell(end.reason)
        talk.show(
            Ended(
                exit_code=end.exit_code,
                reason=end.reason,
                seconds=talk.transcript.now,
                turns=talk.transcript.turns,
                interruptions=talk.interruption.count,
            )
        )
        self._ended = True
