"""What happens to the link: dialling, greeting, configuration, errors, its end, and trying again."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET

from voicecli.core import answers, catalogue, dialect, notices, ptt
from voicecli.core.changes import Foreign, LinkNow
from voicecli.core.connection import Cue, Link
from voicecli.core.effective import agreed, differences, said
from voicecli.core.effects import Connect, Hangup
from voicecli.core.pending import Kind, Purpose
from voicecli.core.sides import Device
from voicecli.core.stimuli import LinkEnded
from voicecli.core.talk import Talk
from voicecli.core.uplink import Cue as GateCue
from voicecli.ports import Side
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.events import (
    ConversationCreated,
    Malformed,
    ServerError,
    SessionCreated,
    SessionUpdate,
    SessionUpdated,
    Unknown,
)
from voicecli.protocol.items import ErrorInfo, SessionConfig, TurnDetection
from voicecli.protocol.profiles import ignored
from voicecli.protocol.rules import check

LONGEST_NAME: Final = 512
"""Characters of a name that the server gives its session or its model."""


def dial(talk: Talk, at: float) -> None:
    talk.connections += 1
    talk.uplink.down_since = at
    talk.show(LinkNow(state="connecting"))
    talk.out.append(Connect(talk.plan.profile, talk.plan.url))


def greeted(talk: Talk, event: SessionCreated, spelling: Spelling | None, at: float) -> None:
    """Every connection sends one `session.update`, and no sound before that is answered."""
    if talk.connection.move(Cue.GREETED, at):
        dialect.greeted(talk, spelling)
        talk.configured(event.session)
        _show_session(talk, event.session)
        update = SessionUpdate(session=talk.plan.session)
        if (wrong := check(update, talk.conversation, talk.plan.profile)) is not None:
            talk.tell("setting_outside", wrong.message)
            ready(talk, Cue.REFUSED, at)
            return
        talk.send(update, Kind.UPDATE)


def configured(talk: Talk, event: SessionUpdated, at: float) -> None:
    """`session.updated` does not say which update it answers: matched by order."""
    talk.pending.answered(Kind.UPDATE)
    talk.configured(agreed(talk.plan.session, event.session))
    differ = differences(talk.plan.session, event.session, talk.left_out)
    _show_session(talk, event.session, differ)
    if differ:
        talk.tell_once("settings_differ", "settings_differ", what=", ".join(differ))
    ready(talk, Cue.CONFIGURED, at)


def left_out(talk: Talk, path: str) -> None:
    """A setting as a whole, or one of the tools, was not sent: what the server says of it is no news."""
    root, _, name = path.partition("[")[0].partition(".")
    if root == "session" and "." not in name:
        talk.left_out.add(name)


def _show_session(talk: Talk, session: SessionConfig, differ: dict[str, str] | None = None) -> None:
    """Settings and names as they are told; a name that is not told again stays."""
    names = {"id": session.id, "model": session.model}
    talk.show_session(
        settings=tuple((name, Foreign(text)) for name, text in said(session).items()),
        refused=tuple((name, Foreign(text)) for name, text in (differ or {}).items()),
        **{name: Foreign(told[:LONGEST_NAME]) for name, told in names.items() if told is not UNSET},
    )


def conversation(talk: Talk, event: ConversationCreated) -> None:
    """The one that everything happens in has a name."""
    talk.show_session(conversation=Foreign(event.conversation.id or ""))


def ready(talk: Talk, cue: Cue, at: float) -> None:
    if not talk.connection.move(cue, at):
        return
    before, talk.was_ready = talk.was_ready, True
    talk.uplink.down_since = None
    talk.show(LinkNow(state="open", dialect=talk.plan.profile.spelling.value))
    if before:
        talk.tell("forgotten")
    elif cannot := notices.cannot(talk.plan):
        talk.show(cannot)
    talk.tell_formats()
    if talk.sides[Side.MICROPHONE].state is Device.OFF and not talk.uplink.muted:
        talk.open_side(Side.MICROPHONE)
    talk.uplink.ready()
    ptt.speak(talk, at)


def ended(talk: Talk, ended: LinkEnded, at: float) -> None:
    """The socket is gone. What came of an answer is still played; what was typed and not taken waits."""
    hung_up, spoken = talk.connection.state is Link.CLOSING, talk.connection.ready
    if not talk.connection.move(Cue.ENDED, at):
        return
    ptt.unready(talk)
    talk.uplink.move(GateCue.UNREADY)
    talk.uplink.speaking = None
    talk.uplink.down_since = at
    talk.responses.gave_up()
    playing = talk.ledger.items
    for item in playing:
        talk.ledger.finish(item)
    talk.transcript.lost({item: talk.ledger.received(item) for item in playing})
    talk.texts.extendleft(reversed(talk.unsent.items()))
    talk.unsent.clear()
    talk.show(LinkNow(state="lost", code=ended.code, reason=Foreign(ended.reason)))
    again = talk.connection.again or (not hung_up and dialect.refused(talk, ended, spoken))
    if not hung_up and not again and not talk.connection.told(at):
        talk.show(notices.link_ended(ended, talk.plan.key_source, talk.host))
    if again and talk.plan.other is not None:
        talk.plan = talk.plan.other
        _anew(talk, at)


def error(talk: Talk, event: ServerError, at: float) -> None:
    """An `error`: matched by event id to what was sent, else by what it says."""
    info = event.error
    purpose = talk.pending.failed(info.event_id)
    if purpose is None and not info.event_id and talk.connection.state is Link.CONFIGURING:
        purpose = talk.pending.answered(Kind.UPDATE)  # nothing else was sent yet
    active = info.code == "conversation_already_has_active_response" or "already has an active" in info.message
    if purpose is None and active:
        purpose = talk.pending.answered(Kind.RESPONSE)  # servers of 2024 gave no event id
    if purpose is None and _of_the_answer(talk, info):
        # Some servers report a trouble of their own and answer all the same.
        if catalogue.fits(catalogue.LIMITED, info) or catalogue.meant(info) == "model_not_found":
            purpose = talk.pending.answered(Kind.RESPONSE) or Purpose(Kind.RESPONSE, "")
        else:
            talk.responses.doubt(at)
    kind = purpose.kind if purpose else None
    if (talk.connection.state is Link.GREETING or kind is Kind.UPDATE) and catalogue.mistaken(info, talk.plan.profile):
        if dialect.once_more(talk, info.message):
            talk.connection.again = True
            if talk.connection.move(Cue.HANGUP, at):
                talk.out.append(Hangup())
            return
    elif kind is Kind.RESPONSE:
        if talk.responses.refused(active, at):
            return  # it goes again when the other one is done
        talk.ending.answer_failed = True
    elif kind is Kind.COMMIT and not isinstance(talk.effective.turn_detection, TurnDetection):
        talk.recorder.said()
    elif catalogue.benign(info, talk.plan.profile):
        if kind is Kind.CANCEL and (current := talk.responses.not_active(purpose.subject if purpose else "", at)):
            answers.given_up(talk, current, "", at)
        return
    told = notices.error(info, purpose, talk.plan, talk.limits.wait_s(at))
    if talk.connection.state is Link.GREETING or told.code in notices.FATAL:
        talk.connection.fails(told.code, at)
    talk.tell_of_server(told)
    if told.code in notices.FATAL:
        talk.responses.doubt(at)  # usually the server closes now
    if kind is Kind.UPDATE:
        ready(talk, Cue.REFUSED, at)
    if kind is Kind.ITEM and purpose is not None:
        talk.unsent.pop(purpose.subject, None)
        talk.transcript.failed(purpose.subject, info.code or info.type, info.message)


def _of_the_answer(talk: Talk, info: ErrorInfo) -> bool:
    """Whether an error that names no event can be about the answer that was asked for and has not begun."""
    current = talk.responses.current
    if info.event_id or current is None or current.id is not None or catalogue.about_else(info, talk.plan.profile):
        return False
    if catalogue.fits(catalogue.LIMITED, info):
        return True
    out = talk.pending.kinds()
    return current.ours and out.count(Kind.RESPONSE) == 1 and Kind.UPDATE not in out and Kind.COMMIT not in out


def not_ours(talk: Talk, event: Unknown | Malformed) -> None:
    """A frame we do not know or cannot read: counted, told once for each type, never fatal."""
    kind = event.type[:60]
    if isinstance(event, Malformed):
        talk.malformed += 1
        talk.tell_once(f"malformed {kind}", "malformed", f"{kind}: {event.why}".lstrip(": "))
        return
    talk.unknown += 1
    if not ignored(talk.plan.profile, event.type):
        talk.strange += 1
        # Whether it was to be text cannot be told any more: bytes that are no UTF-8 come in frames of both kinds.
        what = "a message that is no text" if kind in ("", "binary") else kind
        talk.tell_once(f"unknown {kind}", "unknown_event", what=what)


def retry(talk: Talk, at: float) -> None:
    """A new connection, which knows nothing of the talk; what was typed and not taken goes to it."""
    if talk.connection.state is not Link.LOST:
        talk.tell("connected_already")
        return
    _anew(talk, at)


def moved(talk: Talk, url: str) -> None:
    """The next connection goes there."""
    talk.plan = msgspec.structs.replace(talk.plan, url=url)


def _anew(talk: Talk, at: float) -> None:
    talk.reconnect()
    playing = {item: talk.new_id("old") for item in talk.ledger.items}
    talk.ledger.rename(playing)
    talk.transcript.reconnected(tuple(item for item, _ in talk.texts), playing)
    dial(talk, at)


def tick(talk: Talk, at: float) -> None:
    deadline = talk.connection.deadline
    if deadline is None or at < deadline:
        return
    if talk.connection.state is Link.GREETING:
        talk.connection.fails("no_greeting", at)
        talk.tell("no_greeting", host=talk.host)
        talk.connection.move(Cue.TIMED_OUT, at)
        talk.out.append(Hangup())
    else:
        talk.tell("not_configured")
        ready(talk, Cue.TIMED_OUT, at)
