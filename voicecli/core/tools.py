"""Tools that are called: what is called with what, what came of it, and why it failed.

Functions are called by the model and answered by nobody here; tools of MCP servers are called by the server itself.
"""

from __future__ import annotations

import json
from typing import Any, Final

from voicecli.core import notices
from voicecli.core.responses import MOST_ITEMS
from voicecli.core.talk import Talk
from voicecli.protocol import events as e
from voicecli.protocol.items import Item

CALLS: Final = ("function_call", "mcp_call", "mcp_list_tools", "mcp_approval_request")
"""Items that are shown as tools are."""

LONGEST = 2_000
"""Characters of what a tool gave, or of why it failed, that are shown."""


def item(talk: Talk, item: Item) -> None:
    """A row for a tool, and what its item says of it."""
    name = item.id or ""
    if not talk.transcript.known(name):
        talk.transcript.open(name, "tool", "tool", talk.conversation.after(name))
        talk.transcript.grow(name, 0, f"{called(item)} ".lstrip())
    if item.error is not None or name in talk.failing:
        failed(talk, name, _words(item.error))
    elif not talk.transcript.has_failed(name) and _whole(item):
        talk.transcript.said(name, "\n".join(filter(None, (called(item), (item.output or "")[:LONGEST]))))
    if item.type == "mcp_approval_request":
        talk.tell_once(f"mcp_approval {name}", "mcp_approval", what=called(item)[:200])


def _whole(item: Item) -> bool:
    told = item.output is not None or item.tools is not None
    return told or item.status == "completed" or item.type == "mcp_approval_request"


def called(item: Item) -> str:
    """Whose tool it is, its name, and what it is called with."""
    tools = item.tools if isinstance(item.tools, list) else ()
    names = [str(tool["name"]) for tool in tools if isinstance(tool, dict) and "name" in tool]
    words = (item.server_label, item.name, item.arguments, ", ".join(names))
    return " ".join(filter(None, words))


def _words(error: Any) -> str:
    """Why it failed, of whatever shape that is."""
    if isinstance(error, dict):
        error = error.get("message") or error.get("code") or error.get("type") or error
    words = error if isinstance(error, str) or error is None else json.dumps(error, ensure_ascii=False)
    return (words or "")[:LONGEST]


def fails(talk: Talk, item: str) -> None:
    """A call came to nothing; the item that comes whole after it says why."""
    talk.failing[item] = None
    if not talk.transcript.is_open(item) or len(talk.failing) > MOST_ITEMS:
        failed(talk, item)


def all_here(talk: Talk) -> None:
    """The response is done: nothing more will say why its calls failed."""
    for item in list(talk.failing):
        failed(talk, item)


def failed(talk: Talk, item: str, words: str = "") -> None:
    """What the server itself asked of an MCP server came to nothing. Told once of each item."""
    talk.failing.pop(item, None)
    if talk.transcript.has_failed(item):
        return
    known = talk.conversation.item(item)
    name = known.name if known is not None else None
    talk.transcript.failed(item, "mcp_failed", words)
    talk.tell_of_server(notices.told("mcp_failed", words, what=f" ({name})" if name else ""))


def arguments(
    talk: Talk,
    event: e.FunctionCallArgumentsDelta
    | e.FunctionCallArgumentsDone
    | e.McpCallArgumentsDelta
    | e.McpCallArgumentsDone,
    at: float,
) -> None:
    """What a tool is called with, as it comes or whole."""
    item, response = event.item_id, event.response_id
    talk.responses.saw(response, at)
    if talk.responses.dead(response) or item in talk.cut:
        return
    talk.responses.announced(response, item)
    talk.transcript.open(item, "tool", "tool", talk.conversation.after(item))
    match event:
        case e.FunctionCallArgumentsDelta(delta=words) | e.McpCallArgumentsDelta(delta=words):
            talk.transcript.grow(item, 0, words)
        case e.FunctionCallArgumentsDone() | e.McpCallArgumentsDone():
            known = talk.conversation.item(item)
            if known is not None:
                talk.transcript.replace(item, 0, called(known))
            elif isinstance(event, e.FunctionCallArgumentsDone) and (event.name or not talk.transcript.has_text(item)):
                talk.transcript.said(item, called(Item(name=event.name, arguments=event.arguments)))
