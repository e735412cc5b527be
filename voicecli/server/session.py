"""One session of the server without I/O: client frames and times in, server frames out. It knows no socket, no clock.

What takes an ear, a voice or a language model is asked of the shell (`orders`) and given back (`give`).

What comes in is checked, carried out and answered in the order it came; what a session says is applied to its own
`Conversation`, the same that a client keeps, so both ends agree at rest.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Final, assert_never

from msgspec import UNSET
from msgspec.structs import replace

from voicecli.audio.vad import Vad
from voicecli.audio.wire import FromWire
from voicecli.ports import RATE, SAMPLES_PER_MS, Format
from voicecli.protocol import events as e
from voicecli.protocol.codec import decode_client, encode_server, spelling_of
from voicecli.protocol.conversation import Conversation, ItemView
from voicecli.protocol.dialects import HAS_IMAGES, Spelling
from voicecli.protocol.items import (
    FORMATS,
    ContentPart,
    ConversationInfo,
    ErrorInfo,
    Item,
    ResponseConfig,
    SessionConfig,
    TurnDetection,
)
from voicecli.protocol.order import ROOT
from voicecli.protocol.profiles import EMBEDDED_GA
from voicecli.protocol.rules import check
from voicecli.server import configuration
from voicecli.server.answering import Answering
from voicecli.server.buffer import Edge
from voicecli.server.fields import names_type, spelled, wrong_fields
from voicecli.server.guessing import Guess, Guessing, finished
from voicecli.server.limits import Limits
from voicecli.server.listening import Listening
from voicecli.server.memory import Memory
from voicecli.server.orders import Order, Outside, Recognised, Result, Said, Thought
from voicecli.server.oversized import oversized
from voicecli.server.refusals import cannot_update_voice, invalid, invalid_value, malformed, unknown
from voicecli.server.responder import Responder
from voicecli.server.responses import Ids
from voicecli.server.rows import Rows
from voicecli.server.transcribing import Transcribe, Transcribing, length_only

_EXPIRY_IS_AN_ERROR: Final = {Spelling.BETA: True, Spelling.GA: False}
"""GA only closes (4.9)."""

_TOLD: Final = {Spelling.BETA: True, Spelling.GA: False}
"""Whether who is greeted so has told by a header how he spells: one wrong name does not undo that, a `type` does."""


class ServerSession:
    """What is behind one connection. `receive` and `tick` never raise, whatever a client sends."""

    def __init__(
        self,
        responder: Responder,
        open_vad: Callable[[], Vad],
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        spelling: Spelling = Spelling.GA,
        prefix: str = "",
        model: str | None = None,
        transcribe: Transcribe = length_only,
        opened_at: float | None = None,
        outside: Outside = Outside(),  # noqa: B008 (frozen)
    ) -> None:
        """`prefix` stands in every id, so that those of two sessions differ; `spelling` is that of the greeting.

        `opened_at` is now in seconds since 1970, for `expires_at` where there is a cap.
        """
        self._limits = limits
        self._ids = Ids(prefix)
        expires_at = None if opened_at is None or limits.cap_s is None else int(opened_at + limits.cap_s)
        self._config = configuration.defaults(self._ids.new("sess"), model, expires_at)
        self._conversation = Conversation()
        self._conversation_id = self._ids.new("conv")
        self._spelling = spelling
        self._settled = False
        """Whether an update has said how the client spells."""
        self.rows: Final = Rows()
        self._listening = Listening(open_vad, limits.buffer_samples, limits.listen_samples, self.rows)
        self._listening.configure(self._detection)
        self._orders: list[Order] = []
        self._ear = outside.ear
        self._sees = outside.mind
        self._memory = Memory()
        self._answering = Answering(
            responder,
            limits,
            self._ids,
            self._conversation_id,
            self._conversation,
            self._say,
            self._tell,
            self.rows,
            outside,
            self._memory,
            self._orders.append,
        )
        self._speaking: str | None = None
        """The id of the item that the turn which is being spoken will become."""
        self._spoken_from = 0
        self._guessing = Guessing(outside.ear, self._orders.append)
        self._transcribing = Transcribing(transcribe, limits.transcription_delay_s, outside.ear, self._orders.append)
        self._out: list[str] = []
        self._at = float("-inf")
        """When it was called last."""
        self._ends_at: float | None = None
        self.over: str | None = None
        """Why the session has ended, to be said with the close 1001; None: it has not."""

    # ---- from outside ------------------------------------------------------------------------------------------------

    def greeting(self, at: float) -> list[str]:
        """The first frames of a connection (B1). From now on the session lasts."""
        if self._limits.cap_s is not None:
            self._ends_at = at + self._limits.cap_s
        self._say(e.SessionCreated(session=self._config))
        self._say(e.ConversationCreated(conversation=ConversationInfo(self._conversation_id, "realtime.conversation")))
        return self._sent(at)

    def receive(self, raw: str | bytes, at: float) -> list[str]:
        """What is to be sent now, after this frame. Sound that still waits to be heard is heard before it."""
        if self._ended(at):
            return self._sent(at)
        while self._listening.busy:
            self._listen(at)
        event = decode_client(raw)
        match event:
            case e.Unknown():
                self._refuse(unknown(event), event.event_id)
            case e.Malformed():
                self._refuse(self._wrong_fields(event.type, raw) or malformed(event), event.event_id)
            case _:
                named = None if event.event_id is UNSET else event.event_id
                wrong = self._wrong_fields(_type(event), raw)
                if wrong is None:
                    wrong = check(event, self._conversation, EMBEDDED_GA)
                    wrong = wrong or oversized(event, self._conversation, self._limits) or self._obey(event, at)
                    wrong = None if wrong is None else spelled(wrong, self._spelling)
                if wrong is not None:
                    self._refuse(wrong, named)
        self._listen(at)
        return self._sent(at)

    def tick(self, at: float) -> list[str]:
        """What is to be sent by now."""
        if not self._ended(at):
            self._listen(at)
        return self._sent(at)

    def give(self, result: Result, at: float) -> list[str]:
        """What is to be sent now that something that was asked of the shell is there."""
        if not self._ended(at):
            match result:
                case Recognised():
                    self._understand(result, at)
                case Said() | Thought():
                    self._answering.given(result, at)
                case _:
                    assert_never(result)
        return self._sent(at)

    def take_orders(self) -> list[Order]:
        """What is asked of the shell since the last time, in order."""
        out = self._orders[:]
        self._orders.clear()
        return out

    @property
    def broken(self) -> bool:
        """Whether the connection is to break off, without a close."""
        return self._answering.broken

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be called; at once where received sound still waits to be heard."""
        if self.over is not None:
            return None
        if self._listening.busy:
            return self._at
        deadlines = (self._transcribing.deadline, self._answering.deadline, self._idle_at, self._ends_at)
        return min((at for at in deadlines if at is not None), default=None)

    def view(self) -> tuple[ItemView, ...]:
        """The conversation, to be compared with the client's."""
        return self._conversation.view()

    # ---- what clients ask for ----------------------------------------------------------------------------------------

    def _obey(self, event: e.ClientEvent, at: float) -> ErrorInfo | None:
        """Carries it out, or says why not."""
        match event:
            case e.SessionUpdate(session=change):
                return self._configure(change)
            case e.InputAudioBufferAppend(audio=audio):
                if not self._listening.append(audio, self._input):
                    self._speaking = None
                    return invalid("input_audio_buffer_full", "The input audio buffer was full and has been cleared.")
            case e.InputAudioBufferCommit():
                return self._commit_all(at)
            case e.InputAudioBufferClear():
                self._listening.clear()
                self._speaking = None
                self._say(e.InputAudioBufferCleared())
            case e.ConversationItemCreate():
                return self._create(event, at)
            case e.ConversationItemTruncate():
                self._answering.stopped_listening(at)
                self._memory.truncate(event.item_id, int(event.audio_end_ms) * SAMPLES_PER_MS)
                self._say(
                    e.ConversationItemTruncated(
                        item_id=event.item_id, content_index=event.content_index, audio_end_ms=event.audio_end_ms
                    )
                )
            case e.ConversationItemDelete(item_id=item_id):
                self._transcribing.forget(item_id)
                self._memory.forget(item_id)
                self._answering.forget(item_id)
                self._say(e.ConversationItemDeleted(item_id=item_id))
                self._answering.understood(item_id, at)
            case e.ResponseCreate(response=asked):
                given = ResponseConfig() if asked is UNSET else asked
                return self._wrong_response(given) or self._answer(given, at)
            case e.ResponseCancel(response_id=response_id):
                return self._answering.cancel(None if response_id is UNSET else response_id, at)
            case e.ConversationItemRetrieve(item_id=item_id):
                if (item := self._conversation.item(item_id)) is not None:
                    self._say(e.ConversationItemRetrieved(item=item))
            case e.OutputAudioBufferClear():
                pass  # refused by the rules: there is no such buffer on a websocket
            case _:
                assert_never(event)
        return None

    def _wrong_fields(self, kind: str, raw: str | bytes) -> ErrorInfo | None:
        """What the spelling has not, in its own words."""
        if kind == "session.update":
            self._hear_spelling(raw)
        return wrong_fields(kind, raw, self._spelling)

    def _configure(self, change: SessionConfig) -> ErrorInfo | None:
        wrong = configuration.refused(change, "session", self._spelling)
        if wrong is not None:
            return wrong
        if self._changes_voice(change):
            return cannot_update_voice("session.voice")
        self._config = configuration.updated(self._config, change)
        self._listening.configure(self._detection)
        if self._detection is None:
            self._speaking = None
        self._say(e.SessionUpdated(session=self._config))
        return None

    def _wrong_response(self, asked: ResponseConfig) -> ErrorInfo | None:
        """What this session cannot do of a `response.create`."""
        wrong = configuration.refused(asked, "response", self._spelling)
        if wrong is not None:
            return wrong
        aside = asked.conversation == "none"
        if asked.conversation not in (UNSET, "auto", "none", self._conversation_id):
            return invalid_value("response.conversation", asked.conversation, "Supported values are: 'auto', 'none'.")
        if not aside and self._changes_voice(asked):
            return cannot_update_voice("response.voice")
        for n, item in enumerate(asked.input or ()):
            if item.type == "item_reference" and (item.id or "") not in self._conversation:
                return invalid_value(f"response.input[{n}].id", item.id, "There is no item of this id.")
        return None

    def _changes_voice(self, change: SessionConfig | ResponseConfig) -> bool:
        """Whether it asks for another voice than the one that was heard."""
        return self._conversation.spoke and change.voice not in (UNSET, self._config.voice)

    def _create(self, event: e.ConversationItemCreate, at: float) -> ErrorInfo | None:
        if event.item.id and event.item.id in self._conversation:
            return invalid_value("item.id", event.item.id, "There is an item of this id.")
        if self._samples_of(event.item) > self._limits.buffer_samples:
            most_s = self._limits.buffer_samples // RATE
            return invalid("input_audio_too_long", f"The sound of an item may last {most_s} seconds.", "item.content")
        if not HAS_IMAGES[self._spelling] and (wrong := _newer_part(event.item)) is not None:
            return wrong
        # Nobody is sent back sound or images.
        content = tuple(replace(part, audio=None, image_url=None) for part in event.item.content)
        item = replace(
            event.item,
            content=content,
            id=event.item.id or self._ids.new("item"),
            object="realtime.item",
            status=event.item.status or "completed",
        )
        self._add(item, self._conversation.last() if event.previous_item_id is UNSET else event.previous_item_id)
        if item.role == "user":
            self._hear(item.id or "", event.item, at)
        elif item.type == "function_call_output":
            self._answering.hear_output(item.id or "", item.output or "")
        return None

    def _hear(self, item_id: str, item: Item, at: float) -> None:
        """What the user wrote, or said elsewhere."""
        text = " ".join(part.text for part in item.content if part.text)
        if text:
            self._answering.hear_text(item_id, text)
        images = tuple(part.image_url or "" for part in item.content if part.type == "input_image")
        if images:
            self._answering.see(item_id, len(images))
        if self._sees and images:
            self._memory.see(item_id, tuple(filter(None, images)))
        samples = self._samples_of(item)
        if samples:
            self._answering.hear_sound(item_id, samples, samples)
            self._memory.speech(item_id, samples)
            if self._ear:
                wire = FromWire()
                sound = (part.audio for part in item.content if part.audio)
                pcm = b"".join(wire.read(b64decode(one), self._input) for one in sound)
                self._transcribing.begin(item_id, pcm, samples, False, at)

    def _samples_of(self, item: Item) -> int:
        """Of the sound that a client sends in an item."""
        return self._input.samples(sum(len(part.audio) for part in item.content if part.audio) * 3 // 4)

    # ---- the user's sound --------------------------------------------------------------------------------------------

    @property
    def _input(self) -> Format:
        return FORMATS[str(self._config.input_audio_format)]

    @property
    def _detection(self) -> TurnDetection | None:
        detection = self._config.turn_detection
        return detection if isinstance(detection, TurnDetection) else None

    def _listen(self, at: float) -> None:
        for edge in self._listening.listen():
            self._turn(edge, at)
        self._guessing.heard(self._listening.lull, self._listening.so_far)

    def _turn(self, edge: Edge, at: float) -> None:
        """B5, and the interruption of 4.4: speech_started, then the end of the response that it cuts."""
        detection = self._detection or configuration.DETECTION
        if edge.began:
            self._speaking = self._ids.new("item")
            self._spoken_from = edge.spoken
            self._say(e.SpeechStarted(item_id=self._speaking, audio_start_ms=edge.position // SAMPLES_PER_MS))
            self._answering.quiet_since = None
            if detection.interrupt_response is not False:
                self._answering.interrupt(at)
            return
        item_id = self._speaking or self._ids.new("item")
        self._speaking = None
        self._say(e.SpeechStopped(item_id=item_id, audio_end_ms=edge.position // SAMPLES_PER_MS))
        turn = self._listening.take_turn(edge.position)
        self._commit(item_id, turn, edge.spoken - self._spoken_from, at, guess=self._guessing.take(edge.spoken))
        self._answer_turn(detection, at)

    @property
    def _idle_at(self) -> float | None:
        """When the assistant takes the word, since nobody did: `idle_timeout_ms`, counted from its last sound."""
        since, detection = self._answering.quiet_since, self._detection
        if since is None or detection is None or detection.idle_timeout_ms is None or self._speaking is not None:
            return None
        return since + detection.idle_timeout_ms / 1000

    def _take_the_word(self, at: float) -> None:
        """The silence becomes the user's turn, and is answered."""
        detection = self._detection or configuration.DETECTION
        item_id = self._ids.new("item")
        end = self._listening.end
        waited = round((detection.idle_timeout_ms or 0) * SAMPLES_PER_MS)
        start = max(0, end - waited)
        self._answering.quiet_since = None
        self._say(
            e.TimeoutTriggered(
                item_id=item_id, audio_start_ms=start // SAMPLES_PER_MS, audio_end_ms=end // SAMPLES_PER_MS
            )
        )
        self._listening.take_all()
        self._commit(item_id, b"", 0, at, samples=end - start)
        self._answer_turn(detection, at)

    def _understand(self, result: Recognised, at: float) -> None:
        """The words of an item, or of a turn that pauses."""
        if self._guessing.recognised(result.name, result.words):
            if result.words is not None:
                self._listening.judge(finished(result.words))
        elif (item_id := self._transcribing.recognised(result, at)) is not None:
            self._memory.understand(item_id, result.words)
            self._answering.understood(item_id, at)

    def _answer(self, asked: ResponseConfig, at: float) -> ErrorInfo | None:
        return self._answering.start(self._config, asked, at, self._transcribing.pending)

    def _answer_turn(self, detection: TurnDetection, at: float) -> None:
        if detection.create_response is not False:
            wrong = self._answer(ResponseConfig(), at)
            if wrong is not None:
                self._refuse(wrong, None)

    def _commit_all(self, at: float) -> ErrorInfo | None:
        samples = self._listening.samples
        if samples < self._limits.commit_samples:
            return invalid(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{self._limits.commit_samples // SAMPLES_PER_MS}ms of audio, but buffer only has "
                f"{samples / SAMPLES_PER_MS:.2f}ms of audio.",
            )
        item_id, self._speaking = self._speaking or self._ids.new("item"), None
        pcm = self._listening.take_all()
        self._commit(item_id, pcm, len(pcm) // 2, at)
        return None

    def _commit(
        self,
        item_id: str,
        pcm: bytes,
        spoken: int,
        at: float,
        samples: int | None = None,
        guess: Guess | None = None,
    ) -> None:
        """`samples` is what the item costs where that is not its sound, `spoken` how much of it was speech."""
        after = self._conversation.last()
        self._say(e.InputAudioBufferCommitted(item_id=item_id, previous_item_id=after))
        self._add(
            Item(
                id=item_id,
                object="realtime.item",
                type="message",
                status="completed",
                role="user",
                content=(ContentPart(type="input_audio"),),
            ),
            after,
        )
        self._answering.hear_sound(item_id, len(pcm) // 2 if samples is None else samples, spoken)
        if spoken:
            self._memory.speech(item_id, spoken)
            told = self._config.input_audio_transcription not in (None, UNSET)
            self._transcribing.begin(item_id, pcm, spoken, told, at, None if guess is None else guess.id)
            if guess is not None and guess.known:
                self._understand(Recognised(guess.id, guess.words), at)

    # ---- what is said ------------------------------------------------------------------------------------------------

    def _ended(self, at: float) -> bool:
        """Whether the session has lasted as long as it may; the beta says so in an error before the close."""
        if self.over is None and self._ends_at is not None and at >= self._ends_at:
            self.over = f"Your session hit the maximum duration of {(self._limits.cap_s or 0.0) / 60:g} minutes."
            if _EXPIRY_IS_AN_ERROR[self._spelling]:
                self._refuse(invalid("session_expired", self.over), None)
        return self.over is not None

    def _sent(self, at: float) -> list[str]:
        """Everything that is due, as frames."""
        self._at = at
        if self.over is None:
            if self._idle_at is not None and self._idle_at <= at:
                self._take_the_word(at)
            self._answering.play(at)
            for event in self._transcribing.due(at):
                self._say(event)
        out, self._out = self._out, []
        return out

    def _add(self, item: Item, after: str | None) -> None:
        """The spelling keeps what it has a name for: created, or added and at once done."""
        told = None if after == ROOT else after
        for event in (e.ConversationItemCreated, e.ConversationItemAdded, e.ConversationItemDone):
            if self._tell(event(item=item, previous_item_id=told)):
                self._conversation.apply(event(item=item, previous_item_id=after))

    def _say(self, event: e.ServerEvent) -> None:
        if self._tell(event):
            self._conversation.apply(event)

    def _tell(self, event: e.ServerEvent) -> bool:
        """Whether the spelling has such an event."""
        text = encode_server(replace(event, event_id=self._ids.new("event")), self._spelling)
        if text is not None:
            self._out.append(text)
        return text is not None

    def _refuse(self, wrong: ErrorInfo, event_id: str | None) -> None:
        self._tell(e.ServerError(error=replace(wrong, event_id=event_id)))

    def _hear_spelling(self, raw: str | bytes) -> None:
        """The first update of the other shape switches; a client does not change its language later."""
        spelling = None if self._settled else spelling_of(raw)
        if spelling is None or (_TOLD[self._spelling] and not _TOLD[spelling] and not names_type(raw)):
            return
        self._spelling, self._settled = spelling, True


def _newer_part(item: Item) -> ErrorInfo | None:
    """What the beta has not: images."""
    for n, part in enumerate(item.content):
        if part.type == "input_image":
            path = f"item.content[{n}].type"
            return invalid_value(path, part.type, "Supported values are: 'input_text' and 'input_audio'.")
    return None


def _type(event: e.ClientEvent) -> str:
    return str(event.__struct_config__.tag)
