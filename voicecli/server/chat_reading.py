"""The answer of a chat completion from the bytes of its stream, however they are cut; no socket, no clock.

Servers differ, and it is read leniently: calls without ids or indexes, or whole in one chunk; usage in a chunk of its
own or not at all; an answer in one piece; a stream without its `[DONE]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from voicecli.protocol.items import StatusError
from voicecli.server.chat_wire import failed, refused, told
from voicecli.server.orders import Call, Grew, Over, Tokens
from voicecli.server.unthought import Unthought

LONGEST_LINE: Final = 2**20
MOST_BYTES: Final = 4 * 2**20
"""Of one answer, as it is on the wire."""
MOST_CALLS: Final = 64
DONE: Final = b"[DONE]"


class _Function(Struct):
    name: str | None = None
    arguments: Any = None


class _CallPiece(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    """The same by another name: what the model thinks, which is not said."""
    refusal: str | None = None
    tool_calls: list[_CallPiece] | None = None


class _Choice(Struct):
    index: int | None = None
    delta: _Delta | None = None
    message: _Delta | None = None
    """Of an answer in one piece."""
    finish_reason: str | None = None


class _Cached(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_DECODER: Final = msgspec.json.Decoder(_Chunk)


class _Growing(Struct):
    """A call that comes in pieces."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: str = ""


class Reading:
    """One answer. `over` is set with the one `Over`, which is the last thing it gives."""

    def __init__(self) -> None:
        self.grown = 0
        """How often words or calls have grown: that is what somebody waits for."""
        self.thinks = False
        """It has written down thoughts, which nobody hears."""
        self.over = False
        self._line = bytearray()
        self._size = 0
        self._unthought = Unthought()
        self._calls: list[_Growing] = []
        self._end: str | None = None
        self._tokens: Tokens | None = None

    @property
    def finished(self) -> bool:
        """All words are here; what may still come is the count of tokens."""
        return self._end is not None

    def feed(self, data: bytes) -> Iterator[Grew | Call | Over]:
        """More of the stream."""
        self._size += len(data)
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self.over:
                return
            whole = bytes(self._line) + line
            self._line.clear()
            yield from self._read(whole)
        self._line += rest
        if not self.over and (len(self._line) > LONGEST_LINE or self._size > MOST_BYTES):
            yield self._over(failed("llm_garbled", "it sent more than belongs to one answer"))

    def close(self) -> Iterator[Grew | Call | Over]:
        """The stream has ended."""
        rest = bytes(self._line)
        self._line.clear()
        if not self.over:
            yield from self._read(rest)
        if not self.over:
            yield from self._finish() if self.finished else [self._over(failed("llm_cut"))]

    def whole(self, body: bytes) -> Iterator[Grew | Call | Over]:
        """The answer of a server that does not stream, in place of `feed`."""
        if body.lstrip().startswith(b"{"):
            yield from self._payload(body)
        else:
            yield from self.feed(body)
        if not self.over:
            yield from self.close()

    def _read(self, line: bytes) -> Iterator[Grew | Call | Over]:
        line = line.strip().removeprefix(b"\xef\xbb\xbf")
        if len(line) > LONGEST_LINE:
            yield self._over(failed("llm_garbled", "it sent more than belongs to one answer"))
        elif line.startswith(b"data:"):
            payload = line[5:].strip()
            if payload == DONE:
                yield from self._finish()
            elif payload:
                yield from self._payload(payload)
        elif line.startswith(b"{"):  # an error in mid-stream, bare
            yield from self._payload(line)
        elif line and not line.startswith((b":", b"event:", b"id:", b"retry:")):
            yield self._over(failed("llm_garbled", "it sent something else than a stream of events"))

    def _payload(self, payload: bytes) -> Iterator[Grew | Call | Over]:
        try:
            chunk = _DECODER.decode(payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            yield self._over(failed("llm_garbled", "it sent JSON that is no chat completion"))
            return
        if chunk.error:
            yield self._over(_error(chunk.error))
            return
        if (usage := chunk.usage) is not None:
            details = usage.prompt_tokens_details or _Cached()
            counts = (usage.prompt_tokens or 0, usage.completion_tokens or 0, details.cached_tokens or 0)
            self._tokens = Tokens(*(min(max(0, count), 2**53) for count in counts))
        for choice in chunk.choices or ():
            if not choice.index:
                yield from self._grow(choice.delta or choice.message or _Delta())
                self._end = choice.finish_reason or ("stop" if choice.message else self._end)

    def _grow(self, delta: _Delta) -> Iterator[Grew]:
        self.thinks = self.thinks or bool(delta.reasoning_content or delta.reasoning) or self._unthought.thinking
        said = self._unthought.feed(_text(delta.content) + (delta.refusal or ""))
        if said:
            self.grown += 1
            yield Grew(said)
        for piece in delta.tool_calls or ():
            self.grown += 1
            self._call(piece)

    def _call(self, piece: _CallPiece) -> None:
        function = piece.function or _Function()
        growing = self._growing(piece, function)
        if growing is None:
            return
        growing.id = growing.id or piece.id or ""
        growing.name = growing.name or function.name or ""
        if isinstance(function.arguments, str):
            growing.arguments += function.arguments
        elif function.arguments is not None:  # an object, and not the text of one
            growing.arguments = json.dumps(function.arguments)

    def _growing(self, piece: _CallPiece, function: _Function) -> _Growing | None:
        """The call that it belongs to. Some give no index, and some the same one to each call; then the id tells."""
        if piece.index is None:
            found = self._calls[-1] if self._calls else None
        else:
            found = next((call for call in reversed(self._calls) if call.index == piece.index), None)
        if found is not None and function.name and found.name:  # the name again: of the same call, or of the next
            same = piece.id == found.id if piece.id else piece.index is not None
            found = found if same else None
        if found is None and len(self._calls) < MOST_CALLS:
            found = _Growing(piece.index)
            self._calls.append(found)
        return found

    def _finish(self) -> Iterator[Grew | Call | Over]:
        if rest := self._unthought.close():
            yield Grew(rest)
        cut = self._end == "length"
        for call in self._calls:
            if call.name and not (cut and not _whole(call.arguments)):
                yield Call(call.id, call.name, call.arguments or "{}")
        match self._end:
            case "length":
                yield self._over(reason="max_output_tokens")
            case "content_filter":
                yield self._over(reason="content_filter")
            case "error":
                yield self._over(failed("llm_failed"))
            case _:
                yield self._over()

    def _over(self, error: StatusError | None = None, reason: str | None = None) -> Over:
        self.over = True
        status = "failed" if error is not None else "incomplete" if reason else "completed"
        return Over(status, reason, error, self._tokens)  # type: ignore[arg-type]  # one of the three


def _error(error: Any) -> StatusError:
    """An error that comes in the stream, whose status is in its code, if anywhere."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return refused(status, json.dumps(error).encode()) if told(error) else failed("llm_failed")


def _text(content: Any) -> str:
    """The words of a delta; some give parts, of which those with a text that is no thought are said."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def _whole(arguments: str) -> bool:
    try:
        msgspec.json.decode(arguments or "{}")
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    return True
