"""What the person does: typed texts, and commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, assert_never

from voicecli.core import barge_in, linking, ptt, retrieval, sounding
from voicecli.core.changes import EchoNow
from voicecli.core.pending import Kind
from voicecli.core.stimuli import Asked, Pictured, Typed
from voicecli.core.talk import Talk
from voicecli.protocol.dialects import HAS_IMAGES
from voicecli.protocol.events import ConversationItemCreate
from voicecli.protocol.items import ContentPart, Item
from voicecli.protocol.profiles import Profile


def typed(talk: Talk, said: Typed | Pictured, at: float) -> None:
    """It is queued; at a keyboard a text interrupts the answer, as speaking does, and an image without one does not."""
    talk.ending.used = True
    if said.text and talk.plan.keyboard == "terminal":
        barge_in.interrupt(talk, "text", at)
    if not talk.connection.alive:
        talk.tell("no_link")
    item = talk.new_id("msg")
    talk.texts.append((item, said))
    if talk.plan.keyboard == "terminal" and not talk.connection.ready:  # a pipe sees its texts in their order
        _open(talk, item, said)
        talk.transcript.waits(item, said.text)


def _open(talk: Talk, item: str, said: Typed | Pictured) -> None:
    image = f"{said.name}, {said.size}" if isinstance(said, Pictured) else ""
    talk.transcript.open(item, "you", "text", None, image)


def send_texts(talk: Talk, at: float) -> None:
    """What was typed goes when there is a link; from a pipe one after the other, each after the last answer."""
    while talk.texts and talk.connection.ready:
        if talk.plan.keyboard != "terminal" and (talk.responses.busy or not talk.ledger.rest):
            return
        item, said = talk.texts.popleft()
        picture = said if isinstance(said, Pictured) else None
        _open(talk, item, said)
        talk.transcript.said(item, said.text)
        if (cannot := _cannot(talk.plan.profile, picture)) is not None:
            talk.transcript.failed(item, cannot, "")
            talk.tell(cannot)
            talk.ending.answer_failed = True
            continue
        talk.unsent[item] = said
        event = ConversationItemCreate(item=Item(id=item, type="message", role="user", content=_parts(said)))
        talk.send(event, Kind.ITEM, item)
        if said.text:
            talk.timings.asked(at)
            talk.ask_for_answer(at)
        elif picture is not None:
            talk.tell("image_put", name=picture.name)


def _cannot(profile: Profile, picture: Pictured | None) -> str | None:
    """Why what was typed cannot be sent, as the code of its notice. No server of the beta ever had images."""
    if "text" not in profile.can:
        return "listens_only"
    return "image_not_carried" if picture is not None and not HAS_IMAGES[profile.spelling] else None


def _parts(said: Typed | Pictured) -> tuple[ContentPart, ...]:
    image = ContentPart(type="input_image", image_url=said.url) if isinstance(said, Pictured) else None
    text = ContentPart(type="input_text", text=said.text) if said.text or image is None else None
    return tuple(part for part in (image, text) if part is not None)


def asked(talk: Talk, asked: Asked, at: float) -> None:
    match asked.what:
        case "interrupt":
            if not ptt.throw_away(talk, at):
                declined = talk.responses.decline()
                if not barge_in.interrupt(talk, asked.by, at) and not declined:
                    talk.tell("nothing_to_stop")
        case "mute":
            _microphone(talk, sounding.mute, "muted_now", at)
        case "unmute":
            _microphone(talk, sounding.unmute, "unmuted_now", at)
        case "retry":
            linking.retry(talk, at)
        case "talk":
            ptt.asked(talk, at)
        case "answer":
            _answer(talk, at)
        case "kept":
            retrieval.ask(talk)
        case _:
            assert_never(asked.what)


def _answer(talk: Talk, at: float) -> None:
    """An answer to all that was said so far."""
    if not talk.connection.ready:
        talk.tell("ask_unready")
    elif talk.responses.busy:
        talk.tell("answering_already")
    else:
        talk.timings.asked(at)
        talk.ask_for_answer(at)


def keyboard_spent(talk: Talk, at: float) -> None:
    """Nobody can press a key any more: what is being recorded is said."""
    talk.ending.keyboard_spent()
    if talk.plan.microphone == "device":
        ptt.cut_short(talk, at)


def _microphone(talk: Talk, move: Callable[[Talk, float], None], code: str, at: float) -> None:
    """Off or on, and that is said: by the state word, or by a notice while that word is about something else (G28)."""
    before = talk.uplink.muted
    move(talk, at)
    elsewhere = talk.audible(at) or talk.responses.to_come or talk.uplink.speaking is not None
    if talk.uplink.muted is not before and talk.connection.ready and elsewhere:
        talk.tell(code)


def echo(talk: Talk, echo: Literal["off", "half-duplex"]) -> None:
    talk.echo = echo
    talk.show(EchoNow(echo))
    talk.tell("echo_now", what="half-duplex" if echo == "half-duplex" else "not cancelled")
