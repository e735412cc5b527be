"""What is waited for, and what waits: a server that is silent, sound that does not come, sound that piles up.

It puts `silence`, `intake` and the ledger together; each of them keeps its own thing.
"""

from __future__ import annotations

from voicecli.core.effects import Read
from voicecli.core.heard import EPSILON_S
from voicecli.core.responses import Stage
from voicecli.core.stimuli import LinkSilent
from voicecli.core.talk import Talk
from voicecli.ports import RATE

MIND_S = 10.0
"""A language model that has not begun to answer for so long is told of."""
DRY_S = 0.5
"""A gap in an answer is told as waiting when it is longer."""


def deadline(talk: Talk, last: float) -> float | None:
    """When `look` and `tick` want to be asked again; `last` is when they were."""
    times = [talk.silence.deadline, _dry_deadline(talk, last), _mind_deadline(talk)]
    return min((time for time in times if time is not None), default=None)


def _dry_deadline(talk: Talk, last: float) -> float | None:
    """Half a second after the sound has run out, and then each second."""
    dry_at = _dry_at(talk)
    if dry_at is None:
        return None
    if last < dry_at + DRY_S:
        return dry_at + DRY_S
    return dry_at + int(last - dry_at + EPSILON_S) + 1


def dry_s(talk: Talk, at: float) -> float | None:
    """For how long an answer has had no sound to play although more is to come; None where that is not so."""
    dry_at = _dry_at(talk)
    return None if dry_at is None or at < dry_at + DRY_S else at - dry_at


def _dry_at(talk: Talk) -> float | None:
    """When the sound of the answer that is under way runs out, or did."""
    if not (talk.connection.ready and talk.responses.busy and talk.speaker) or talk.intake.rests:
        return None
    return talk.ledger.dry_at


def link_silent(talk: Talk, silent: LinkSilent, at: float) -> None:
    if not talk.intake.rests and (seconds := talk.silence.link(silent.seconds, at)) is not None:
        _tell_silent(talk, seconds)


def _mind_deadline(talk: Talk) -> float | None:
    """When it is to be told that a language model has not begun to answer."""
    current = talk.responses.current
    if not talk.plan.mind or current is None or current.stage is not Stage.ACTIVE:
        return None
    return None if current.items or current.wait_told else current.since + MIND_S


def tick(talk: Talk, at: float) -> None:
    current, due = talk.responses.current, _mind_deadline(talk)
    if current is not None and due is not None and at >= due:
        current.wait_told = True
        talk.tell("mind_waits", mind=talk.plan.mind, seconds=f"{MIND_S:.0f}")
    if (seconds := talk.silence.tick(at)) is not None:
        _tell_silent(talk, seconds)


def _tell_silent(talk: Talk, seconds: float) -> None:
    talk.tell("silent", host=talk.host, seconds=f"{seconds:.0f}")


def count(talk: Talk) -> None:
    """At the end: what was passed over more often than it was told, and what was too much to be kept (G11)."""
    counts = (
        (talk.strange if talk.strange > talk.times_told("unknown_event") else 0, "message{s} of unknown kinds"),
        (talk.malformed if talk.malformed > talk.times_told("malformed") else 0, "message{s} that made no sense"),
        (talk.tellings.spared, "notice{s} of what had been told often enough"),
        (talk.transcript.clipped, "text{s} too long to be kept whole"),
        (talk.transcript.forgotten, "turn{s} too many to be kept"),
    )
    if said := ", ".join(f"{n:,} {what.format(s='' if n == 1 else 's')}" for n, what in counts if n):
        talk.tell("passed_over", what=said)


def look(talk: Talk, at: float) -> None:
    """After every stimulus: whether frames are taken from the link."""
    if talk.intake.rests:
        talk.silence.over()
    if not talk.connection.ready:
        return
    queued = talk.ledger.queued(at) if talk.speaker else 0
    change = talk.intake.look(queued, talk.ledger.pieces() if talk.speaker else 0)
    if change is None:
        return
    talk.out.append(Read(change))
    if change:
        talk.responses.waited(at)
    else:
        talk.tell("resting", minutes=f"{queued / RATE / 60:.0f}")
