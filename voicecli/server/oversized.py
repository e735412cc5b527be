"""What of a client's event is more than a session keeps: the sizes of section "limits" in docs/serving.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from voicecli.protocol import events as e
from voicecli.protocol.conversation import Conversation
from voicecli.protocol.items import ErrorInfo, Item, ResponseConfig, SessionConfig, Tool
from voicecli.server.limits import Limits
from voicecli.server.refusals import invalid


def oversized(event: e.ClientEvent, conversation: Conversation, limits: Limits) -> ErrorInfo | None:
    """The error for what is too long or too many; None: it may be obeyed."""
    match event:
        case e.InputAudioBufferAppend(audio=audio):
            if len(audio) > limits.append_bytes:
                return _too_long("audio", limits.append_bytes, len(audio), "bytes of sound")
            return _full(conversation, limits)  # its turns become items without asking
        case e.InputAudioBufferCommit():
            return _full(conversation, limits)
        case e.ConversationItemCreate(item=item):
            return _full(conversation, limits) or _item(item, "item", limits)
        case e.SessionUpdate(session=session):
            return _told(session, "session", limits)
        case e.ResponseCreate(response=asked):
            if asked is UNSET:
                return _full(conversation, limits)
            wrong = _told(asked, "response", limits)
            if wrong is None and asked.conversation != "none":
                wrong = _full(conversation, limits)
            given = () if asked.input is UNSET else asked.input
            if wrong is None and len(given) > limits.items:
                wrong = _too_many("response.input", limits.items, len(given))
            for n, item in enumerate(given):
                wrong = wrong or _item(item, f"response.input[{n}]", limits)
            return wrong
    return None


def _full(conversation: Conversation, limits: Limits) -> ErrorInfo | None:
    if len(conversation) < limits.items:
        return None
    return invalid("too_many_items", f"A conversation holds {limits.items} items.")


def _told(config: SessionConfig | ResponseConfig, root: str, limits: Limits) -> ErrorInfo | None:
    """Instructions and tools, which are kept and given back whole."""
    size = _bytes([config.instructions] if isinstance(config.instructions, str) else [])
    if size > limits.instructions_bytes:
        return _too_long(f"{root}.instructions", limits.instructions_bytes, size)
    tools: tuple[Tool, ...] = config.tools or ()
    if len(tools) > limits.tools:
        return _too_many(f"{root}.tools", limits.tools, len(tools))
    size = len(msgspec.json.encode(tools))
    return _too_long(f"{root}.tools", limits.text_bytes, size) if size > limits.text_bytes else None


def _item(item: Item, path: str, limits: Limits) -> ErrorInfo | None:
    """Its text; sound and images are not kept."""
    texts = [item.output, item.arguments, item.name, item.reason]
    texts += [text for part in item.content for text in (part.text, part.transcript)]
    size = _bytes(text for text in texts if text)
    return _too_long(path, limits.text_bytes, size) if size > limits.text_bytes else None


def _bytes(texts: Iterable[str]) -> int:
    return sum(len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in texts)


def _too_long(path: str, most: int, got: int, what: str = "bytes of text") -> ErrorInfo:
    words = f"Invalid '{path}': string too long. Expected at most {most} {what}, but got {got} instead."
    return invalid("string_above_max_length", words, path)


def _too_many(path: str, most: int, got: int) -> ErrorInfo:
    words = f"Invalid '{path}': array too long. Expected an array with maximum length {most}, but got {got} instead."
    return invalid("array_above_max_length", words, path)
