"""`/kept`: what the server keeps of an answer, asked of it and said in words. It changes no row and no conversation."""

from __future__ import annotations

from voicecli.core.pending import Kind
from voicecli.core.talk import Talk
from voicecli.ports import RATE
from voicecli.protocol.events import ConversationItemRetrieve
from voicecli.protocol.items import Item


def ask(talk: Talk) -> None:
    """About the last answer that was cut, else about the last one; the answer comes when it comes."""
    if not talk.connection.ready:
        talk.tell("kept_unready")
    elif (item := _wanted(talk)) is None:
        talk.tell("nothing_kept")
    else:
        talk.send(ConversationItemRetrieve(item_id=item), Kind.RETRIEVE, item)


def _wanted(talk: Talk) -> str | None:
    for name in reversed(talk.cut):
        if name in talk.conversation:
            return name
    for name in reversed(talk.conversation.order()):
        item = talk.conversation.item(name)
        if item is not None and item.type == "message" and item.role == "assistant":
            return name
    return None


def told(talk: Talk, item: Item) -> None:
    """The server's answer, where it was asked: how much sound, and which words."""
    name = item.id or ""
    if talk.pending.answered(Kind.RETRIEVE, name) is None:
        return
    text = " ".join(filter(None, (part.text or part.transcript for part in item.content)))
    samples = _samples(talk, item) or talk.conversation.samples(name)
    kept = [f"{samples / RATE:.1f} seconds of its sound"] if samples else []
    kept.append("these words of it" if text else "none of its words")
    talk.tell("kept", text, what=" and ".join(kept))


def _samples(talk: Talk, item: Item) -> int:
    """Of the sound that the server sends along; 0 where it sends none."""
    form = talk.conversation.form(item.id or "", 0)
    return sum(form.samples(len(part.audio.rstrip("=")) * 3 // 4) for part in item.content if part.audio)
