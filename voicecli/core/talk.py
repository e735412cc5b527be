"""A talk's parts side by side, and the sheet on which the effects of one stimulus are written down. It decides nothing.

What dies with a socket is made new by `reconnect`; everything else is the talk, and outlives it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
from msgspec import UnsetType

from voicecli.core import notices
from voicecli.core.changes import AnyChange, SessionNow, Told
from voicecli.core.connection import Connection
from voicecli.core.effective import form_in_force, silence_s
from voicecli.core.effects import AnyEffect, CloseSound, OpenSound, Send, Show
from voicecli.core.ending import Ending
from voicecli.core.heard import Ledger
from voicecli.core.intake import Intake
from voicecli.core.interruption import Interruption
from voicecli.core.levels import Levels
from voicecli.core.limits import Limits
from voicecli.core.machine import Rows
from voicecli.core.partner import Partner
from voicecli.core.pending import ANSWERED, Kind, Pending
from voicecli.core.plan import Plan
from voicecli.core.recorder import Recorder
from voicecli.core.repeats import Repeats
from voicecli.core.responses import Responses
from voicecli.core.sides import Absences, Cue, DeviceSide
from voicecli.core.silence import Silence
from voicecli.core.stimuli import Pictured, Typed
from voicecli.core.tellings import Tellings
from voicecli.core.timings import Timings
from voicecli.core.transcript import Transcript
from voicecli.core.unheard import Unheard
from voicecli.core.uplink import Uplink
from voicecli.core.usage import Counted
from voicecli.ports import Format, Side
from voicecli.protocol.conversation import Conversation
from voicecli.protocol.events import ClientEvent, ResponseCreate
from voicecli.protocol.items import SessionConfig, TurnDetection

LONGEST_NAME = 40
"""Characters of a name that stands in a notice."""
MOST_OVER = 256
"""Turns of the person's that are remembered as over."""
MOST_TOLD = 32
"""Things of one sort that are told; more are only counted."""


class Talk:
    def __init__(self, plan: Plan, ledger: Ledger | None = None) -> None:
        """`ledger`: one that is watched, in the place of a new one."""
        self.plan = plan
        self.rows = Rows()
        """Which rows of the tables were taken, and how often."""
        self.out: list[AnyEffect] = []
        self._ids = 0
        self._told: dict[str, set[str]] = {}
        self.tellings = Tellings()
        self.now = 0.0
        """When the stimulus came that is handled."""

        self.transcript = Transcript(self.show)
        self.ledger = Ledger() if ledger is None else ledger
        self.interruption = Interruption(self.rows)
        self.uplink = Uplink(self.rows, plan.ptt)
        self.recorder, self.repeats = Recorder(), Repeats()
        self.answer_held = False
        """An answer is wanted, and waits until the person has said what is being recorded."""
        self.sides = {
            Side.MICROPHONE: DeviceSide(self.rows, plan.microphone != "none"),
            Side.SPEAKER: DeviceSide(self.rows, plan.speaker),
        }
        self.absences = Absences()
        self.echo = plan.echo
        self.counted = Counted()
        self.limits = Limits()
        self.partner = Partner(plan.mind, listens=plan.mode == "talk")
        self.levels = Levels(plan.levels)
        self.timings = Timings()
        self.ending = Ending(plan.microphone, plan.keyboard, silence_s(plan.session), keyed=plan.ptt)
        self.texts: deque[tuple[str, Typed | Pictured]] = deque()
        """Typed and not sent yet: our item and what is in it."""
        self.unsent: dict[str, Typed | Pictured] = {}
        """Our item -> what was typed and sent, and not acknowledged by the server yet."""
        self.unknown = self.malformed = self.strange = 0
        """Frames that are not ours, ones that make no sense, and of the former the ones that nobody expects."""
        self.connections = 0
        self.was_ready = False
        self.reconnect()

    def reconnect(self) -> None:
        """Whatever dies with a socket, new."""
        self.connection = Connection(self.rows)
        self.pending = Pending()
        self.silence = Silence()
        self.unheard = Unheard()
        self.timings.reconnect()
        self.intake = Intake(self.rows)
        self.responses = Responses(self.rows)
        self.conversation = Conversation(self.plan.profile.output)
        self.unplayable: str | None = None
        """The format that the server says it speaks in, where nobody here knows it."""
        self.effective = self.plan.session
        """The settings in force, as far as the server has told them."""
        self.session = SessionNow(settings=())
        """The same in words, and the names that the server has given."""
        self.left_out: set[str] = set()
        """Settings that the server's spelling has no place for."""
        self.cut: dict[str, None] = {}
        """Items that were settled before they were whole: no more of their sound is laid."""
        self.over: dict[str, None] = {}
        """Turns of the person's that have ended or were taken."""
        self.unnamed: dict[str, str] = {}
        """What the response in the slot says without the name of an item -> our name for it."""
        self.failing: dict[str, None] = {}
        """Calls of tools that failed, before it is told why."""
        self.answering: tuple[str, ...] = ()
        """The texts that were sent before the last `response.create`: once it is done the server has them."""
        self.to_delete: dict[str, list[str]] = {}
        """Response -> items that nobody heard, to be deleted when it is done."""

    # ---- asked of several parts

    @property
    def rest(self) -> bool:
        """Nothing is unanswered or unheard."""
        waits = self.texts or self.responses.busy or self.uplink.recording or self.uplink.speaking is not None
        return not waits and self.ledger.rest

    @property
    def input(self) -> Format:
        """How the server wants to be sent sound."""
        profile = self.plan.profile
        return form_in_force(self.effective.input_audio_format, profile.input, profile.names) or profile.input

    def configured(self, session: SessionConfig) -> None:
        """These settings are in force."""
        self.effective = session
        if (form := self._played(session.output_audio_format)) is not None:
            self.conversation.output = form

    def answered_in(self, name: str | None) -> None:
        """The answer that begins names the format of its sound; None: it is as the session has it."""
        self._played(self.effective.output_audio_format if name is None else name)

    def _played(self, name: str | UnsetType) -> Format | None:
        """The format of this name, if its sound can be played; what cannot be played is read."""
        profile = self.plan.profile
        form = form_in_force(name, profile.output, profile.names)
        self.unplayable = str(name)[:LONGEST_NAME] if form is None else None
        return form

    def tell_formats(self) -> None:
        """What the server speaks and wants to hear in, where that cannot be had."""
        if self.unplayable is not None and self.sides[Side.SPEAKER].there:
            self.tell_once(self.unplayable, "unplayable", what=self.unplayable)
        profile, name = self.plan.profile, self.effective.input_audio_format
        listens = self.sides[Side.MICROPHONE].wanted
        if listens and form_in_force(name, profile.input, profile.names) is None:
            self.tell_once(str(name)[:LONGEST_NAME], "unspeakable", what=str(name)[:LONGEST_NAME])

    @property
    def detects(self) -> bool:
        """Whether the server tells where turns begin."""
        return isinstance(self.effective.turn_detection, TurnDetection)

    @property
    def answers_by_itself(self) -> bool:
        """The server answers a turn that its VAD has committed."""
        detection = self.effective.turn_detection
        return isinstance(detection, TurnDetection) and detection.create_response is not False

    @property
    def speaker(self) -> bool:
        """Answers are heard; else they are read."""
        return self.sides[Side.SPEAKER].there and self.unplayable is None

    def audible(self, at: float) -> bool:
        return self.sides[Side.SPEAKER].there and self.ledger.queued(at) > 0

    @property
    def host(self) -> str:
        return self.plan.url.partition("://")[2].partition("/")[0]

    def turn_over(self, item: str) -> None:
        """A turn of the person's has ended, or was taken; a turn without a name is never known again."""
        if item:
            self.over[item] = None
            if len(self.over) > MOST_OVER:
                del self.over[next(iter(self.over))]

    # ---- saying and sending

    def show(self, change: AnyChange) -> None:
        self.out.append(Show(change))

    def show_session(self, **told: Any) -> None:
        """The session with what the server has just said of it."""
        self.session = msgspec.structs.replace(self.session, **told)
        self.show(self.session)

    def tell(self, code: str, detail: str = "", **names: object) -> None:
        self.show(notices.told(code, detail, **names))

    def tell_of_server(self, told: Told) -> None:
        """A notice of something that the server can do again and again: the many are only counted."""
        if self.tellings.may(told.code, self.now):
            self.show(told)

    def tell_once(self, subject: str, code: str, detail: str = "", **names: object) -> None:
        """The same subject is told once in a talk."""
        told = self._told.setdefault(code, set())
        if subject not in told and len(told) < MOST_TOLD:
            told.add(subject)
            self.tell(code, detail, **names)

    def times_told(self, code: str) -> int:
        """How many subjects were told by `tell_once`."""
        return len(self._told.get(code, ()))

    def send(self, event: ClientEvent, kind: Kind, subject: str = "") -> None:
        name = self.new_id("evt")
        self.pending.add(name, kind, subject)
        if kind in ANSWERED:
            self.silence.asked(self.now)
        self.out.append(Send(msgspec.structs.replace(event, event_id=name)))

    def open_side(self, side: Side) -> None:
        if self.sides[side].wanted and self.sides[side].move(Cue.OPEN):
            self.out.append(OpenSound(side))

    def close_side(self, side: Side) -> None:
        if self.sides[side].move(Cue.CLOSE):
            self.out.append(CloseSound(side))

    def ask_for_answer(self, at: float) -> None:
        """An answer is wanted: now, or when the one before it is done and the person has said what they say."""
        if self.uplink.recording:
            self.responses.wanted, self.answer_held = False, True
        elif self.responses.ask(at):
            self.answering = tuple(self.unsent)
            self.send(ResponseCreate(), Kind.RESPONSE)

    def new_id(self, prefix: str) -> str:
        """From a counter, so that replays match."""
        self._ids += 1
        return f"{prefix}_voicecli_{self._ids}"
