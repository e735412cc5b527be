"""A talk given by hand: stimuli with their times in, effects out, and how to read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from voicecli.core.changes import Ended, Interrupted, PhaseNow, Told, TurnGone, TurnOpened, TurnSet
from voicecli.core.effects import AnyEffect, Move, Play, Send, SendAudio, Show
from voicecli.core.plan import Plan
from voicecli.core.session import VoiceSession
from voicecli.core.stimuli import (
    Asked,
    Begin,
    LinkEnded,
    Opened,
    Received,
    Stimulus,
    Tick,
    Typed,
)
from voicecli.ports import RATE, LinkFailure, MicBlock, Passed, Side, SoundFailed, SoundFailure, SoundOpened, Span
from voicecli.protocol import events as e
from voicecli.protocol.items import (
    ContentPart,
    ErrorInfo,
    Item,
    Response,
    SessionConfig,
    StatusDetails,
    StatusError,
    Transcription,
    TurnDetection,
    Usage,
)
from voicecli.protocol.profiles import EMBEDDED_GA, OPENAI

T = TypeVar("T")

URL = "wss://far.example/v1/realtime?model=m"
SPOKEN = SessionConfig(
    modalities=("text", "audio"),
    input_audio_transcription=Transcription(model="whisper-1"),
    turn_detection=TurnDetection(type="server_vad", silence_duration_ms=500, create_response=True),
)
WRITTEN = SessionConfig(modalities=("text",), turn_detection=None)

TALK = Plan(
    profile=OPENAI,
    url=URL,
    session=SPOKEN,
    microphone="device",
    speaker=True,
    keyboard="terminal",
    key_source="OPENAI_API_KEY in the environment",
)
CHAT = Plan(profile=EMBEDDED_GA, url=URL, session=WRITTEN, mode="chat", keyboard="terminal")
PIPE = Plan(profile=EMBEDDED_GA, url=URL, session=WRITTEN, mode="chat", keyboard="pipe")
WAV = Plan(profile=OPENAI, url=URL, session=SPOKEN, microphone="file", speaker=True)

MS = RATE // 1000
DROPPED = LinkEnded(LinkFailure.DROPPED, None, "")


class Bench:
    """One talk. `at` is the time of the last stimulus; what is given without a time happens then."""

    def __init__(self, plan: Plan = TALK) -> None:
        self.plan = plan
        self.session = VoiceSession(plan)
        self.at = 0.0
        self.log: list[tuple[float, Stimulus]] = []
        self.effects: list[AnyEffect] = []
        self.run = 0
        self.laid = 0
        """Where the next sample is laid."""

    # ---- giving

    def give(self, *stimuli: Stimulus, at: float | None = None) -> list[AnyEffect]:
        """What follows from `stimuli`, at `at`. Deadlines that lie before are kept first, as an engine would."""
        if at is not None:
            self.until(at)
        given: list[AnyEffect] = []
        for stimulus in stimuli:
            given += self._handle(stimulus)
        return given

    def until(self, at: float) -> list[AnyEffect]:
        """Lets time pass; every deadline is kept. It must come to an end."""
        given: list[AnyEffect] = []
        for _ in range(2_000):
            deadline = self.session.deadline
            if deadline is None or deadline > at:
                break
            self.at = max(self.at, deadline)
            given += self._handle(Tick())
        else:
            raise AssertionError(f"the deadline {deadline} is never over")
        self.at = max(self.at, at)
        return given

    def _handle(self, stimulus: Stimulus) -> list[AnyEffect]:
        self.log.append((self.at, stimulus))
        effects = self.session.handle(stimulus, self.at)
        for effect in effects:
            if isinstance(effect, Move):
                self.run = effect.playhead.run
            elif isinstance(effect, Play):
                assert effect.position == self.laid, "sound is laid without a gap"
                self.laid += effect.form.samples(len(effect.data))
        self.effects += effects
        return effects

    def says(self, *events: e.Decoded, at: float | None = None) -> list[AnyEffect]:
        """The server says something."""
        return self.give(*(Received(event, 100) for event in events), at=at)

    def types(self, text: str, at: float | None = None) -> list[AnyEffect]:
        return self.give(Typed(text), at=at)

    def asks(self, what: Any, at: float | None = None) -> list[AnyEffect]:
        return self.give(Asked(what), at=at)

    def records(self, ms: int = 20, value: int = 1, at: float | None = None) -> list[AnyEffect]:
        return self.give(MicBlock(bytes([value, 0]) * (ms * MS), self.at), at=at)

    def plays(self, position_ms: int, ms: int, dac_at: float | None = None) -> list[AnyEffect]:
        """The speaker takes `ms` of the timeline; the first of it is heard at `dac_at` (now)."""
        start = self.at if dac_at is None else dac_at
        return self.give(Passed((Span(self.run, position_ms * MS, ms * MS, start),)))

    # ---- usual beginnings

    def dialled(self) -> Bench:
        self.give(Begin(), at=0.0)
        for side, wanted in ((Side.MICROPHONE, self.plan.microphone == "device"), (Side.SPEAKER, self.plan.speaker)):
            if wanted:
                self.give(SoundOpened(side, "card", RATE, 0.02))
        return self

    def ready(self, at: float = 0.1, session: SessionConfig | None = None) -> Bench:
        """A connection that is configured."""
        if not self.log:
            self.dialled()
        self.give(Opened(1.8e9), at=at)
        self.says(e.SessionCreated(session=SessionConfig(turn_detection=TurnDetection(type="server_vad"))))
        self.says(e.SessionUpdated(session=session or self.plan.session))
        if self.plan.microphone == "file" and self.at == at:
            self.give(SoundOpened(Side.MICROPHONE, "question.wav", RATE, 0.0))
        return self

    # ---- reading

    def shown(self, kind: type[T], effects: Iterable[AnyEffect] | None = None) -> list[T]:
        return shown(kind, self.effects if effects is None else effects)

    def sent(self, effects: Iterable[AnyEffect] | None = None) -> list[Any]:
        return sent(self.effects if effects is None else effects)

    def codes(self, effects: Iterable[AnyEffect] | None = None) -> list[str]:
        return codes(self.effects if effects is None else effects)

    @property
    def phase(self) -> str:
        return self.shown(PhaseNow)[-1].phase

    def turn(self, item: str) -> TurnSet:
        """The turn as it was set last."""
        return [turn for turn in self.shown(TurnSet) if turn.item == item][-1]

    @property
    def rows(self) -> list[str]:
        """The items of all rows, in the order in which they were opened."""
        return [turn.item for turn in self.shown(TurnOpened)]

    @property
    def ended(self) -> Ended | None:
        found = self.shown(Ended)
        return found[0] if found else None

    @property
    def interrupted(self) -> Interrupted:
        (found,) = self.shown(Interrupted)
        return found

    @property
    def gone(self) -> list[str]:
        return [turn.item for turn in self.shown(TurnGone)]


def shown(kind: type[T], effects: Iterable[AnyEffect]) -> list[T]:
    return [effect.change for effect in effects if isinstance(effect, Show) and isinstance(effect.change, kind)]


def sent(effects: Iterable[AnyEffect]) -> list[Any]:
    return [effect.event for effect in effects if isinstance(effect, Send)]


def frames(effects: Iterable[AnyEffect]) -> list[Any]:
    """What was sent, short: a truncate as (item, ms), a delete, a cancel, a create, an item by what it says."""
    short: list[Any] = []
    for event in sent(effects):
        match event:
            case e.ConversationItemTruncate(item_id=item, audio_end_ms=ms):
                short.append(("truncate", item, ms))
            case e.ConversationItemDelete(item_id=item):
                short.append(("delete", item))
            case e.ResponseCancel(response_id=response):
                short.append(("cancel", response))
            case e.ResponseCreate():
                short.append("create")
            case e.ConversationItemCreate(item=item):
                short.append(("item", item.content[0].text))
            case e.SessionUpdate():
                short.append("update")
    return short


def codes(effects: Iterable[AnyEffect]) -> list[str]:
    return [told.code for told in shown(Told, effects)]


def uploaded(effects: Iterable[AnyEffect]) -> bytes:
    return b"".join(effect.pcm for effect in effects if isinstance(effect, SendAudio))


# ---- what a server says


def created(response: str = "r1") -> e.ResponseCreated:
    return e.ResponseCreated(response=Response(id=response or None, status="in_progress"))


def message(item: str, *parts: ContentPart, role: str = "assistant", status: str | None = None) -> Item:
    return Item(id=item, type="message", role=role, content=parts, status=status)


def added(item: str = "a1", response: str = "r1", *parts: ContentPart) -> e.OutputItemAdded:
    return e.OutputItemAdded(response_id=response, item=message(item, *parts, status="in_progress"))


def words(text: str, item: str = "a1", response: str = "r1", part: int = 0) -> e.AudioTranscriptDelta:
    return e.AudioTranscriptDelta(response_id=response, item_id=item, content_index=part, delta=text)


def written(text: str, item: str = "a1", response: str = "r1", part: int = 0) -> e.TextDelta:
    return e.TextDelta(response_id=response, item_id=item, content_index=part, delta=text)


def sound(ms: float, item: str = "a1", response: str = "r1", part: int = 0) -> e.AudioDelta:
    pcm = b"\x01\x02" * round(ms * MS)
    return e.AudioDelta(response_id=response, item_id=item, content_index=part, delta=pcm)


def whole(item: str = "a1", response: str = "r1", status: str = "completed", *parts: ContentPart) -> e.OutputItemDone:
    return e.OutputItemDone(response_id=response, item=message(item, *parts, status=status))


def done(
    response: str = "r1",
    *items: str,
    status: str = "completed",
    reason: str | None = None,
    error: StatusError | None = None,
    usage: Usage | None = None,
) -> e.ResponseDone:
    details = StatusDetails(type=status, reason=reason, error=error) if reason or error else None
    output = tuple(message(item, ContentPart(type="audio", transcript="...")) for item in items)
    return e.ResponseDone(
        response=Response(id=response or None, status=status, status_details=details, output=output, usage=usage)
    )


def cancelled(response: str = "r1", *items: str, reason: str = "turn_detected") -> e.ResponseDone:
    return done(response, *items, status="cancelled", reason=reason)


def started(item: str = "u1", ms: int = 0) -> e.SpeechStarted:
    return e.SpeechStarted(item_id=item, audio_start_ms=ms)


def stopped(item: str = "u1", ms: int = 1000) -> e.SpeechStopped:
    return e.SpeechStopped(item_id=item, audio_end_ms=ms)


def committed(item: str = "u1", previous: str | None = None) -> e.InputAudioBufferCommitted:
    return e.InputAudioBufferCommitted(item_id=item, previous_item_id=previous)


def heard_words(text: str, item: str = "u1") -> e.TranscriptionCompleted:
    return e.TranscriptionCompleted(item_id=item, transcript=text)


def error(message: str = "no", code: str | None = None, about: str | None = None, kind: str = "x") -> e.ServerError:
    return e.ServerError(error=ErrorInfo(message=message, type=kind, code=code, event_id=about))


def failed(side: Side, failure: SoundFailure, device: str = "card", detail: str = "") -> SoundFailed:
    return SoundFailed(side, failure, device, detail)


def answer(bench: Bench, ms: float = 1000, item: str = "a1", response: str = "r1", text: str = "") -> list[AnyEffect]:
    """A whole spoken answer of one item, all at once."""
    events: list[Any] = [created(response), added(item, response)]
    events += [words(text, item, response)] if text else []
    return bench.says(*events, sound(ms, item, response), whole(item, response), done(response, item))
