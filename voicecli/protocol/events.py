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
    Few,
    Id,
    Index,
    Item,
    Moment,
    Ms,
    Number,
    RateLimit,
    Response,
    ResponseConfig,
    SessionConfig,
    TranscriptionError,
)


class Event(Struct, frozen=True, tag_field="type", kw_only=True):
    """Base of all events; the tag is the contract's (beta) name."""


# ---- client events, C1 to C9, then newer ones ------------------------------------------------------------------------


class ClientBase(Event, frozen=True, kw_only=True):
    event_id: Id | UnsetType = UNSET


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
    previous_item_id: Id | UnsetType = UNSET


class ConversationItemTruncate(ClientBase, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    item_id: Id
    content_index: Number = 0
    audio_end_ms: Number


class ConversationItemDelete(ClientBase, frozen=True, kw_only=True, tag="conversation.item.delete"):
    item_id: Id


class ResponseCreate(ClientBase, frozen=True, kw_only=True, tag="response.create"):
    response: ResponseConfig | UnsetType = UNSET


class ResponseCancel(ClientBase, frozen=True, kw_only=True, tag="response.cancel"):
    response_id: Id | UnsetType = UNSET


class ConversationItemRetrieve(ClientBase, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    """Newer than the contract: asks for an item as the server has it."""

    item_id: Id


class OutputAudioBufferClear(ClientBase, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    """Newer than the contract, and only where the server plays the sound itself (WebRTC, SIP)."""


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
    | ConversationItemRetrieve
    | OutputAudioBufferClear
)


# ---- server events, S1 to S28, then newer ones -----------------------------------------------------------------------


class ServerBase(Event, frozen=True, kw_only=True):
    event_id: Id = ""


class ServerError(ServerBase, frozen=True, kw_only=True, tag="error"):
    error: ErrorInfo


class SessionCreated(ServerBase, frozen=True, kw_only=True, tag="session.created"):
    session: SessionConfig


class SessionUpdated(ServerBase, frozen=True, kw_only=True, tag="session.updated"):
    session: SessionConfig


class ConversationCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.created"):
    conversation: ConversationInfo = ConversationInfo()


class InputAudioBufferCommitted(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    item_id: Id = ""
    previous_item_id: Id | UnsetType | None = UNSET


class InputAudioBufferCleared(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    pass


class SpeechStarted(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"):
    item_id: Id = ""
    """The *user's* item that will be created."""
    audio_start_ms: Ms = 0


class SpeechStopped(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    item_id: Id = ""
    audio_end_ms: Ms = 0


class ConversationItemCreated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.created"):
    item: Item
    previous_item_id: Id | UnsetType | None = UNSET


class ConversationItemAdded(ServerBase, frozen=True, kw_only=True, tag="conversation.item.added"):
    """GA only: the item is in the conversation, perhaps not yet whole."""

    item: Item
    previous_item_id: Id | UnsetType | None = UNSET


class ConversationItemDone(ServerBase, frozen=True, kw_only=True, tag="conversation.item.done"):
    """GA only: the item is whole."""

    item: Item
    previous_item_id: Id | UnsetType | None = UNSET


class TranscriptionCompleted(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    item_id: Id = ""
    content_index: Index = 0
    transcript: str = ""
    usage: Any = None
    """Newer than the contract, as is all that follows. GA clients demand it, {type: duration, seconds} or tokens; beta
    frames go without it."""
    logprobs: Any = None
    languages: Any = None


class TranscriptionDelta(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """Newer than the contract: words as they are recognised."""

    item_id: Id = ""
    content_index: Index = 0
    delta: str = ""
    logprobs: Any = None


class TranscriptionFailed(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    item_id: Id = ""
    content_index: Index = 0
    error: TranscriptionError = TranscriptionError()


class ConversationItemTruncated(ServerBase, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    item_id: Id = ""
    content_index: Index = 0
    audio_end_ms: Ms = 0


class ConversationItemDeleted(ServerBase, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    item_id: Id = ""


class ResponseCreated(ServerBase, frozen=True, kw_only=True, tag="response.created"):
    response: Response = Response()


class ResponseDone(ServerBase, frozen=True, kw_only=True, tag="response.done"):
    response: Response = Response()


class OutputBase(ServerBase, frozen=True, kw_only=True):
    """What every event inside a response has."""

    response_id: Id = ""
    output_index: Index = 0


class OutputItemAdded(OutputBase, frozen=True, kw_only=True, tag="response.output_item.added"):
    item: Item


class OutputItemDone(OutputBase, frozen=True, kw_only=True, tag="response.output_item.done"):
    item: Item


class PartBase(OutputBase, frozen=True, kw_only=True):
    """What every event about one content part has."""

    item_id: Id = ""
    content_index: Index = 0


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
    item_id: Id = ""
    call_id: Id = ""
    delta: str = ""


class FunctionCallArgumentsDone(OutputBase, frozen=True, kw_only=True, tag="response.function_call_arguments.done"):
    item_id: Id = ""
    call_id: Id = ""
    arguments: str = ""
    name: str | None = None
    """Newer than the contract, wanted by client libraries."""


class RateLimitsUpdated(ServerBase, frozen=True, kw_only=True, tag="rate_limits.updated"):
    rate_limits: Few[RateLimit] = ()


class ConversationItemRetrieved(ServerBase, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    """The item as the server has it."""

    item: Item


class TranscriptionSegment(
    ServerBase, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.segment"
):
    """What one of several speakers said, between two moments in seconds."""

    id: Id = ""
    item_id: Id = ""
    content_index: Index = 0
    text: str = ""
    speaker: str = ""
    start: Number = 0
    end: Number = 0


class TimeoutTriggered(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"):
    """`idle_timeout_ms` of silence: the model takes the word. The silence becomes the item."""

    item_id: Id = ""
    audio_start_ms: Ms = 0
    audio_end_ms: Ms = 0


class DtmfReceived(ServerBase, frozen=True, kw_only=True, tag="input_audio_buffer.dtmf_event_received"):
    """A key of a telephone (SIP)."""

    event: str = ""
    received_at: Moment = 0


class OutputAudioBufferBase(ServerBase, frozen=True, kw_only=True):
    """Where the server plays the sound itself (WebRTC, SIP)."""

    response_id: Id = ""


class OutputAudioBufferStarted(OutputAudioBufferBase, frozen=True, kw_only=True, tag="output_audio_buffer.started"):
    pass


class OutputAudioBufferStopped(OutputAudioBufferBase, frozen=True, kw_only=True, tag="output_audio_buffer.stopped"):
    pass


class OutputAudioBufferCleared(OutputAudioBufferBase, frozen=True, kw_only=True, tag="output_audio_buffer.cleared"):
    pass


class McpListToolsBase(ServerBase, frozen=True, kw_only=True):
    """The server asks an MCP server what tools it has; `item_id` is an item of the type mcp_list_tools."""

    item_id: Id = ""


class McpListToolsInProgress(McpListToolsBase, frozen=True, kw_only=True, tag="mcp_list_tools.in_progress"):
    pass


class McpListToolsCompleted(McpListToolsBase, frozen=True, kw_only=True, tag="mcp_list_tools.completed"):
    pass


class McpListToolsFailed(McpListToolsBase, frozen=True, kw_only=True, tag="mcp_list_tools.failed"):
    pass


class McpCallBase(OutputBase, frozen=True, kw_only=True):
    """The server calls a tool of an MCP server by itself."""

    item_id: Id = ""


class McpCallArgumentsDelta(McpCallBase, frozen=True, kw_only=True, tag="response.mcp_call_arguments.delta"):
    delta: str = ""


class McpCallArgumentsDone(McpCallBase, frozen=True, kw_only=True, tag="response.mcp_call_arguments.done"):
    arguments: str = ""


class McpCallInProgress(McpCallBase, frozen=True, kw_only=True, tag="response.mcp_call.in_progress"):
    pass


class McpCallCompleted(McpCallBase, frozen=True, kw_only=True, tag="response.mcp_call.completed"):
    pass


class McpCallFailed(McpCallBase, frozen=True, kw_only=True, tag="response.mcp_call.failed"):
    pass


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
    | ConversationItemRetrieved
    | TranscriptionSegment
    | TimeoutTriggered
    | DtmfReceived
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
    | OutputAudioBufferCleared
    | McpListToolsInProgress
    | McpListToolsCompleted
    | McpListToolsFailed
    | McpCallArgumentsDelta
    | McpCallArgumentsDone
    | McpCallInProgress
    | McpCallCompleted
    | McpCallFailed
)


class Unknown(Struct, frozen=True):
    """A frame whose type is not ours (`binary` for one that is not text): kept, counted, shown; never fatal."""

    type: str
    raw: bytes
    event_id: Id | None = None
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
    event_id: Id | None = None


Decoded = ServerEvent | Unknown | Malformed
DecodedClient = ClientEvent | Unknown | Malformed
