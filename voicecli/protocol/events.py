"""The events of the contract as values: its names without the suffix `Event` (`ErrorEvent` is `ServerError`).

One set for either spelling and either end. `protocol/codec.py` reads and writes them. Server events have a default for
whatever a lenient reader may have to do without; client events carry what the contract requires.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from voicecli.protocol.items import (
    ContentPart,
    ConversationInfo,
    ErrorInfo,
    Item,
    Number,
    RateLimit,
    Response,
    ResponseConfig,
    SessionConfig,
    TranscriptionError,
)


class Event(Struct, frozen=True, tag_field="type", kw_only=True):
    """Base of all events; the tag is the contract's (beta) name."""


# ---- client events, C1 to C9 -----------------------------------------------------------------------------------------


class ClientBase(Event, frozen=True, kw_only=True):
    event_id: str | UnsetType = UNSET


class SessionUpdate(ClientBase, frozen=True, kw_only=True, tag="session.update"):
    session: SessionConfig


class InputAudioBufferAppend(ClientBase, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    audio: bytes
    """base64 on the wire, in the session's input format."""


class InputAudioBufferCommit(ClientBase, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    pass


class InputAudioBufferClear(ClientBase, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    pass


class ConversationItemCreate(ClientBase, frozen=True, kw_only=True, tag="conversation.item.create"):
    item: Item
    previous_item_id: str | UnsetType = UNSET


class ConversationItemTruncate(ClientBase, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    item_id: str
    content_index: Number = 0
    audio_end_ms: Number


class ConversationItemDelete(ClientBase, frozen=True, kw_only=True, tag="conversation.item.delete"):
    item_id: str


class ResponseCreate(ClientBase, frozen=True, kw_only=True, tag="response.create"):
    response: ResponseConfig | UnsetType = UNSET


class ResponseCancel(ClientBase, frozen=True, kw_only=True, tag="response.cancel"):
    response_id: str | UnsetType = UNSET


ClientEvent = (
    SessionUpdate
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | ConversationItemCreate
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCreate
    | ResponseCancel
)


# ---- server events, S1 to S28 ----------------------------------------------------------------------------------------


class ServerBase(Event, frozen=True, kw_only=True):
    event_id: str = ""


class ServerError(ServerBase, frozen=True, kw_only=True, tag="error"):
    error: ErrorInfo


class SessionCreated(ServerBase, frozen=True, kw_only=True, tag="session.created"):
    session: SessionConfig


class SessionUpdated(ServerBase, frozen=True, kw_only=True, tag="session.updated"):
    session: SessionConfig


class ConversationCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.created"):
    conversation: ConversationInfo = ConversationInfo()


class InputAudioBufferCommitted(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    item_id: str = ""
    previous_item_id: str | None = None


class InputAudioBufferCleared(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    pass


class SpeechStarted(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    item_id: str = ""
    """The *user's* item that will be created."""
    audio_start_ms: Number = 0


class SpeechStopped(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    item_id: str = ""
    audio_end_ms: Number = 0


class ConversationItemCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.created"):
    item: Item
    previous_item_id: str | None = None


class ConversationItemAdded(ServerBase, frozen=True, kw_only=True, tag="conversation.item.added"):
    """GA only: the item is in the conversation, perhaps not yet whole."""

    item: Item
    previous_item_id: str | None = None


class ConversationItemDone(ServerBase, frozen=True, kw_only=True, tag="conversation.item.done"):
    """GA only: the item is whole."""

    item: Item
    previous_item_id: str | None = None


class TranscriptionCompleted(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    item_id: str = ""
    content_index: Number = 0
    transcript: str = ""
    usage: Any = None
    """Newer than the contract; GA clients demand it, {type: duration, seconds} or tokens; beta frames go without it."""


class TranscriptionDelta(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """Newer than the contract: words as they are recognised."""

    item_id: str = ""
    content_index: Number = 0
    delta: str = ""


class TranscriptionFailed(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    item_id: str = ""
    content_index: Number = 0
    error: TranscriptionError = TranscriptionError()


class ConversationItemTruncated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    item_id: str = ""
    content_index: Number = 0
    audio_end_ms: Number = 0


class ConversationItemDeleted(ServerBase, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    item_id: str = ""


class ResponseCreated(ServerBase, frozen=True, kw_only=True, tag="response.created"):
    response: Response = Response()


class ResponseDone(ServerBase, frozen=True, kw_only=True, tag="response.done"):
    response: Response = Response()


class OutputBase(ServerBase, frozen=True, kw_only=True):
    """What every event inside a response has."""

    response_id: str = ""
    output_index: Number = 0


class OutputItemAdded(OutputBase, frozen=True, kw_only=True, tag="response.output_item.added"):
    item: Item


class OutputItemDone(OutputBase, frozen=True, kw_only=True, tag="response.output_item.done"):
    item: Item


class PartBase(OutputBase, frozen=True, kw_only=True):
    """What every event about one content part has."""

    item_id: str = ""
    content_index: Number = 0


class ContentPartAdded(PartBase, frozen=True, kw_only=True, tag="response.content_part.added"):
    part: ContentPart = ContentPart()


class ContentPartDone(PartBase, frozen=True, kw_only=True, tag="response.content_part.done"):
    part: ContentPart = ContentPart()


class TextDelta(PartBase, frozen=True, kw_only=True, tag="response.text.delta"):
    delta: str = ""


class TextDone(PartBase, frozen=True, kw_only=True, tag="response.text.done"):
    text: str = ""


class AudioTranscriptDelta(PartBase, frozen=True, kw_only=True, tag="response.audio_transcript.delta"):
    delta: str = ""


class AudioTranscriptDone(PartBase, frozen=True, kw_only=True, tag="response.audio_transcript.done"):
    transcript: str = ""


class AudioDelta(PartBase, frozen=True, kw_only=True, tag="response.audio.delta"):
    delta: bytes = b""
    """base64 on the wire, in the session's output format."""


class AudioDone(PartBase, frozen=True, kw_only=True, tag="response.audio.done"):
    pass


class FunctionCallArgumentsDelta(OutputBase, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"):
    item_id: str = ""
    call_id: str = ""
    delta: str = ""


class FunctionCallArgumentsDone(OutputBase, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    item_id: str = ""
    call_id: str = ""
    arguments: str = ""
    name: str | None = None
    """Newer than the contract, wanted by client libraries."""


class RateLimitsUpdated(ServerBase, frozen=True, kw_only=True, tag="rate_limits.updated"):
    rate_limits: tuple[RateLimit, ...] = ()


ServerEvent = (
    ServerError
    | SessionCreated
    | SessionUpdated
    | ConversationCreated
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | SpeechStarted
    | SpeechStopped
    | ConversationItemCreated
    | ConversationItemAdded
    | ConversationItemDone
    | TranscriptionCompleted
    | TranscriptionDelta
    | TranscriptionFailed
    | ConversationItemTruncated
    | ConversationItemDeleted
    | ResponseCreated
    | ResponseDone
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | TextDelta
    | TextDone
    | AudioTranscriptDelta
    | AudioTranscriptDone
    | AudioDelta
    | AudioDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | RateLimitsUpdated
)


class Unknown(Struct, frozen=True):
    """A frame whose type is not ours (`binary` for one that is not text): kept, counted, shown; never fatal."""

    type: str
    raw: bytes
    event_id: str | None = None
    """What the frame called itself, for the error that a server answers with."""


class Malformed(Struct, frozen=True):
    """A frame that is not JSON, or not of the shape its type has."""

    type: str
    raw: bytes
    why: str
    code: str | None = None
    """How an `error` event names it: invalid_json, missing_required_parameter, invalid_type, invalid_value."""
    param: str | None = None
    """The field that is wrong or missing, like `item.content`."""
    event_id: str | None = None


Decoded = ServerEvent | Unknown | Malformed
DecodedClient = ClientEvent | Unknown | Malformed
