"""A prompt as the request of a chat completion, and what its refusal means; no socket, no clock.

What is written is OpenAI's `/v1/chat/completions`, as Ollama, llama.cpp, vLLM, LM Studio and gateways take it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from voicecli.protocol.items import StatusError, Tool
from voicecli.server.orders import Call, Message, Prompt

LONGEST_WORDS: Final = 500
"""Of what a server says about its failure."""

SPOKEN: Final = "You are heard, not read: answer in a few short spoken sentences, without lists, markdown or emoji."
"""The instructions of an answer that is said aloud, where nobody gave any."""


# ---- asking ----------------------------------------------------------------------------------------------------------


class Ways(NamedTuple):
    """What a server has turned out to take."""

    usage: bool = True
    """`stream_options`, which asks for the count of tokens."""
    most: str = "max_tokens"
    temperature: bool = True


def request(prompt: Prompt, model: str, ways: Ways) -> dict[str, Any]:
    """The body of the request."""
    body: dict[str, Any] = {"model": model, "messages": list(_messages(prompt)), "stream": True}
    if ways.usage:
        body["stream_options"] = {"include_usage": True}
    if prompt.temperature is not None and ways.temperature:
        body["temperature"] = prompt.temperature
    if prompt.max_tokens is not None:
        body[ways.most] = prompt.max_tokens
    if tools := [_tool(tool) for tool in prompt.tools if tool.type == "function" and tool.name]:
        body |= {"tools": tools, "tool_choice": _choice(prompt.tool_choice)}
    return body


def relearned(ways: Ways, status: int, said: str) -> Ways | None:
    """How to ask a server whose refusal has `said` in it; None: it is not about how it was asked."""
    if status not in (400, 422):
        return None
    if ways.usage and "stream_options" in said:
        return ways._replace(usage=False)
    if ways.most == "max_tokens" and "max_completion_tokens" in said:
        return ways._replace(most="max_completion_tokens")
    if ways.temperature and "temperature" in said:
        return ways._replace(temperature=False)
    return None


def _messages(prompt: Prompt) -> Iterator[dict[str, Any]]:
    """A call stands only where it was answered, and its outputs right behind it: some servers refuse anything else."""
    if instructions := prompt.instructions.strip() or (SPOKEN if prompt.spoken else ""):
        yield {"role": "system", "content": instructions}
    outputs = {message.call_id: message.text for message in prompt.messages if message.role == "tool"}
    for message in prompt.messages:
        if message.role == "tool":
            continue
        calls = [call for call in message.calls if call.call_id in outputs]
        if message.text or message.images or calls:
            yield _said(message, calls)
        for call in calls:
            yield {"role": "tool", "tool_call_id": call.call_id, "content": outputs[call.call_id]}


def _said(message: Message, calls: list[Call]) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if calls:
        said["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments if _object(call.arguments) else "{}"},
            }
            for call in calls
        ]
    return said


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Words alone are a string, since some servers take nothing else."""
    if not message.images:
        return message.text
    images = [{"type": "image_url", "image_url": {"url": url}} for url in message.images]
    return [*([{"type": "text", "text": message.text}] if message.text else []), *images]


def _object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _choice(choice: Any) -> Any:
    match choice:
        case {"type": "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case "required" | "none":
            return choice
        case _:
            return "auto"


# ---- being refused ---------------------------------------------------------------------------------------------------


def failed(code: str, message: str = "") -> StatusError:
    """A failure by one of our own codes (`llm_...`); `message` is foreign, or says more in our words."""
    return StatusError(type="server_error", code=code, message=message)


NO_SUCH_WAY: Final = "unexpected endpoint"
"""What LM Studio says of a path that it does not have, with status 200."""


def refused(status: int, body: bytes, location: str = "") -> StatusError:
    """What an HTTP status other than 200 means; `location` is where a redirect leads, which nobody follows (G5)."""
    said = words_of(body) or f"HTTP {status}"
    if 300 <= status < 400:
        return failed("llm_refused", f"HTTP {status}: it sends the request elsewhere{location and f' ({location})'}")
    if status in (401, 403):
        return failed("llm_unauthorized", said)
    if status == 429:
        return failed("llm_rate_limited", said)
    if NO_SUCH_WAY in said.lower():
        return failed("llm_no_api", said)
    if status >= 500:
        return failed("llm_failed", said)
    if _unknown_model(status, said):
        return failed("llm_model_unknown", said)
    return failed("llm_no_api" if status in (404, 405) else "llm_refused", said)


def _unknown_model(status: int, said: str) -> bool:
    low = said.lower()
    missing = (
        "not found",
        "does not exist",
        "unknown model",
        "no such model",
        "not_found",
        "invalid model",
        "not loaded",
    )
    return status in (400, 404, 422) and "model" in low and any(words in low for words in missing)


def words_of(body: bytes) -> str:
    """What a server says in the body of a refusal, wherever it puts it; "" where that is nothing a person can read."""
    try:
        return told(msgspec.json.decode(body))
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        text = body[: 4 * LONGEST_WORDS].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text[:LONGEST_WORDS]


def told(said: Any) -> str:
    """The words in what was decoded of an error, with its code where they do not say it."""
    match said:
        case str():
            return said.strip()[:LONGEST_WORDS]
        case {"error": inner} if inner:
            return told(inner)
        case {"message": str(message)}:
            code = said.get("code")
            named = isinstance(code, str) and code and code not in message
            return f"{message.strip()[:LONGEST_WORDS]}{f' ({code[:60]})' if named and code else ''}"
        case {"detail": inner}:  # FastAPI: text, or a list of what is wrong
            return told(inner)
        case [{"msg": str(message)}, *_]:
            where = ".".join(map(str, said[0].get("loc") or ()))[:60] if isinstance(said[0].get("loc"), list) else ""
            return f"{message.strip()[:LONGEST_WORDS]}{where and f' ({where})'}"
        case [{"error": inner}, *_]:  # Gemini
            return told(inner)
        case _:
            return ""
