"""Stopping an answer: verdicts, truncates, deletes and the new playhead, all in the moment of the decision.

The device stops beside it and is not asked; nobody waits for the server's acknowledgement either.
"""

from __future__ import annotations

from typing import assert_never

from voicecli.core.changes import Cut
from voicecli.core.effects import Move
from voicecli.core.heard import Fate, Verdict
from voicecli.core.interruption import By
from voicecli.core.pending import Kind
from voicecli.core.responses import Current, Stage
from voicecli.core.talk import Talk
from voicecli.ports import RATE
from voicecli.protocol.events import ConversationItemDelete, ConversationItemTruncate, ResponseCancel
from voicecli.protocol.items import Item

MOST_CUT = 256
"""Items whose late deltas are recognised."""


def interrupt(talk: Talk, by: By, at: float) -> bool:
    """Stops the answer. Whether there was anything to stop."""
    current = talk.responses.current
    active = current is not None and current.stage in (Stage.ASKED, Stage.ACTIVE)
    if by != "voice" and (response := talk.responses.cancel()) is not None:  # the server's VAD cancels by itself
        cancel(talk, response)
    turn = talk.ledger.hearing(at) or (next(reversed(current.items), None) if current else None)
    talk.timings.cut(at)
    playhead, verdicts = talk.ledger.cut(at)
    verdicts += _silent_ones(talk, current, verdicts)
    cuts: list[Cut] = []
    removed: list[str] = []
    for verdict in verdicts:
        if verdict.fate is Fate.CUT:
            cuts.append(_truncate(talk, verdict))
            talk.transcript.settled(verdict)
        elif verdict.fate is Fate.UNHEARD:
            if unheard(talk, verdict.item, current.id if current else None, verdict):
                removed.append(talk.transcript.key(verdict.item))
        else:
            talk.transcript.settled(verdict)
    if playhead is not None:
        talk.out.append(Move(playhead))
        if (queued := talk.levels.cut()) is not None:
            talk.show(queued)
    if not (cuts or removed or playhead or (active and by != "voice")):
        return False
    key = talk.transcript.key(turn) if turn else None
    run = playhead.run if playhead is not None else None
    for change in talk.interruption.cut(by, key, tuple(cuts), tuple(removed), run, at):
        talk.show(change)
    for verdict in verdicts:
        if verdict.item == turn and talk.interruption.suspicious(by, verdict.heard / RATE) and talk.echo == "off":
            talk.tell("hears_itself")
    return True


def _silent_ones(talk: Talk, current: Current | None, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """The response that is generated is dead from now on; its announced items without any sound are unheard."""
    if current is None or current.id is None:
        return ()
    talk.responses.kill(current.id)
    settled = {verdict.item for verdict in verdicts}
    return tuple(
        Verdict(item, Fate.UNHEARD, 0, 0)
        for item in current.items
        if item not in settled
        and item not in talk.cut
        and would_be_heard(talk, talk.conversation.item(item))
        and talk.transcript.is_open(item)
    )


def would_be_heard(talk: Talk, item: Item | None) -> bool:
    """Whether an answer was to be heard: there is a speaker, and it is a message without text to be read."""
    if not talk.speaker or item is None or item.type not in ("message", None):
        return False
    return item.role != "user" and not any(part.type == "text" and part.text for part in item.content)


def unheard(talk: Talk, item: str, response: str | None, verdict: Verdict | None = None) -> bool:
    """Nobody heard it: it leaves the conversation, once its response is done. Whether it does."""
    _remember(talk, item)
    talk.transcript.settled(verdict or Verdict(item, Fate.UNHEARD, 0, 0))
    match talk.plan.profile.unheard:
        case "leave":
            return False
        case "truncate":
            _truncate(talk, Verdict(item, Fate.CUT, 0, 0))
            return False
        case "delete":
            current = talk.responses.current
            if current is not None and current.id == response and item in current.items:
                talk.to_delete.setdefault(current.id or "", []).append(item)
                while len(talk.to_delete) > MOST_CUT:  # responses that were never done
                    del talk.to_delete[next(iter(talk.to_delete))]
            else:
                delete(talk, item)
            talk.transcript.gone(item)
            return True
        case _:
            assert_never(talk.plan.profile.unheard)


def read(talk: Talk, at: float) -> None:
    """The speaker is gone: what was to be heard is read. Nothing is sent; more of the same items is only read too."""
    talk.timings.cut(at)
    for verdict in talk.ledger.read(at):
        talk.transcript.settled(verdict)
    if (queued := talk.levels.cut()) is not None:
        talk.show(queued)


def _truncate(talk: Talk, verdict: Verdict) -> Cut:
    """`content_index` is always 0: the parts of an item are one run of samples."""
    _remember(talk, verdict.item)
    if "truncate" in talk.plan.profile.can and _there(talk, verdict.item):
        event = ConversationItemTruncate(item_id=verdict.item, audio_end_ms=verdict.audio_end_ms)
        talk.send(event, Kind.TRUNCATE, verdict.item)
    return Cut(talk.transcript.key(verdict.item), verdict.audio_end_ms)


def delete(talk: Talk, item: str) -> None:
    if "delete" in talk.plan.profile.can and _there(talk, item):
        talk.send(ConversationItemDelete(item_id=item), Kind.DELETE, item)


def _there(talk: Talk, item: str) -> bool:
    """The server at the other end has it; the one of an older connection is gone, with all it knew."""
    return talk.connection.ready and item in talk.conversation


def cancel(talk: Talk, response: str) -> None:
    event = ResponseCancel(response_id=response) if response else ResponseCancel()
    talk.send(event, Kind.CANCEL, response)


def _remember(talk: Talk, item: str) -> None:
    while len(talk.cut) >= MOST_CUT:
        del talk.cut[next(iter(talk.cut))]
    talk.cut[item] = None
