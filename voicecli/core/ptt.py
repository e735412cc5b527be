"""Push-to-talk: what a press, a release and the sound between them mean; it must not know which key or face it was.

A press stops the answer, what was said is committed when the sound up to the release is there, then an answer is asked
for. The order on the wire is cancel, truncate, append, commit, create.
"""

from __future__ import annotations

import math

from voicecli.core import barge_in
from voicecli.core.effects import SendAudio
from voicecli.core.interruption import By
from voicecli.core.pending import Kind
from voicecli.core.sides import Device
from voicecli.core.stimuli import TalkPressed, TalkReleased
from voicecli.core.talk import Talk
from voicecli.core.uplink import Cue, Gate
from voicecli.ports import MicBlock, Side
from voicecli.protocol.events import InputAudioBufferClear, InputAudioBufferCommit

TAP_S = 0.3
"""A press that is shorter latches."""


def pressed(talk: Talk, press: TalkPressed, at: float) -> None:
    """The talk key. A press that is only the keyboard's repetition of one before it changes nothing."""
    if not talk.plan.ptt:
        _not_here(talk)
    elif press.releases_seen or not talk.repeats.again(press.pressed_at):
        _press(talk, Cue.HOLD if press.releases_seen else Cue.TOGGLE, "key", press.pressed_at, at)


def asked(talk: Talk, at: float) -> None:
    """The command that begins and ends a recording."""
    if talk.plan.ptt:
        _press(talk, Cue.TOGGLE, "command", at, at)
    else:
        _not_here(talk)


def _not_here(talk: Talk) -> None:
    talk.tell("hands_free" if talk.sides[Side.MICROPHONE].wanted else "no_microphone_here")


def _press(talk: Talk, cue: Cue, by: By, pressed_at: float, at: float) -> None:
    gate = talk.uplink.gate
    if gate in (Gate.HELD, Gate.LATCHED):
        if talk.uplink.move(cue):
            _wait_for_tail(talk, pressed_at, at)
    elif gate is Gate.FULL:
        _take(talk, at)
    elif gate is Gate.RELEASED:
        talk.uplink.move(cue)
        talk.recorder.resume()
    elif _may_record(talk, by, at):
        talk.uplink.move(cue)
        _record(talk, pressed_at)


def _may_record(talk: Talk, by: By, at: float) -> bool:
    """Stops the answer in any case; what stands against recording is told."""
    barge_in.interrupt(talk, by, at)  # also where the link is lost and an answer still plays
    microphone = talk.sides[Side.MICROPHONE]
    if not microphone.wanted or talk.ending.file_over:
        talk.tell("no_microphone_here")
    elif talk.uplink.muted:
        talk.tell("pressed_muted")
    elif talk.uplink.gate is not Gate.KEY_UP:
        talk.tell("pressed_unready")
    elif microphone.state is Device.LOST:
        talk.tell("pressed_without_microphone")
    else:
        return True
    return False


def _record(talk: Talk, pressed_at: float) -> None:
    pcm = talk.recorder.press(pressed_at).pcm
    talk.uplink.count(len(pcm) // 2, 0)
    _send(talk, pcm)


def released(talk: Talk, release: TalkReleased, at: float) -> None:
    """The key is let go. A tap latches; only a key that is held is let go."""
    tap = release.released_at - talk.recorder.pressed_at < TAP_S
    if talk.uplink.gate is not Gate.HELD:
        return  # it was pressed in vain, ended a recording, or the recording is full
    if talk.uplink.move(Cue.TAP if tap else Cue.RELEASE) and not tap:
        _wait_for_tail(talk, release.released_at, at)


def _wait_for_tail(talk: Talk, released_at: float, at: float) -> None:
    """The last word is still in the device: it is waited for, unless it has been here before the release was."""
    talk.recorder.release(released_at)
    talk.timings.released(released_at)
    if talk.recorder.complete:
        _take(talk, at)


def recorded(talk: Talk, block: MicBlock, at: float) -> None:
    """A block of the microphone: a part of what is said, or kept for the press that may come."""
    n = len(block.pcm) // 2
    talk.levels.recorded(block.level_db)
    match talk.uplink.gate:
        case Gate.HELD | Gate.LATCHED | Gate.RELEASED:
            taken = talk.recorder.take(block)
            talk.uplink.count(len(taken.pcm) // 2, n)
            _send(talk, taken.pcm)
            if taken.over:
                _over(talk, at)
        case Gate.KEY_UP if not talk.uplink.rings:
            talk.uplink.count(0, n)
            talk.recorder.keep(block)
        case _:  # muted, without a link, or half-duplex while the assistant is to be heard
            talk.uplink.count(0, n)
            talk.recorder.forget()


def _send(talk: Talk, pcm: bytes) -> None:
    if pcm:
        talk.out.append(SendAudio(pcm, talk.input))


def _over(talk: Talk, at: float) -> None:
    if talk.uplink.gate is Gate.RELEASED:
        _take(talk, at)
    elif talk.uplink.move(Cue.FILL):
        talk.recorder.stop()
        talk.recorder.forget()
        talk.close_side(Side.MICROPHONE)
        talk.tell("recording_full")


def _take(talk: Talk, at: float) -> None:
    """The recording is whole: the server is to take it and to answer, unless there is nearly nothing in it."""
    _stopped(talk, Cue.DONE)
    if not talk.recorder.long_enough:
        talk.send(InputAudioBufferClear(), Kind.CLEAR)
        talk.tell("too_short")
    else:
        talk.ending.used = True
        talk.ending.turn_over(at)
        talk.recorder.done()
        talk.timings.said(at)
        talk.send(InputAudioBufferCommit(), Kind.COMMIT)
        talk.answer_held = talk.answer_held or talk.plan.auto_answer
    _answer(talk, at)


def _answer(talk: Talk, at: float) -> None:
    """What waited for the end of the recording to be answered."""
    if talk.answer_held:
        talk.answer_held = False
        talk.ask_for_answer(at)


# ---- recordings that end otherwise


def _stopped(talk: Talk, cue: Cue) -> bool:
    """The recording is over. The microphone of one that was full is on again."""
    if not talk.uplink.move(cue):
        return False
    talk.recorder.stop()
    if talk.sides[Side.MICROPHONE].state is Device.OFF:
        talk.open_side(Side.MICROPHONE)
    return True


def throw_away(talk: Talk, at: float) -> bool:
    """Nothing of the recording is taken. Whether there was one."""
    if not _stopped(talk, Cue.DISCARD):
        return False
    talk.send(InputAudioBufferClear(), Kind.CLEAR)
    talk.tell("thrown_away")
    _answer(talk, at)
    return True


def cut_short(talk: Talk, at: float) -> None:
    """The microphone or the person is gone: what was said so far is said."""
    if talk.uplink.recording:
        _take(talk, at)


def unready(talk: Talk) -> None:
    """The link is gone, and with it what the server had of the recording."""
    if _stopped(talk, Cue.DISCARD):
        talk.tell("recording_lost")
    talk.answer_held = False
    talk.recorder.forget()
    talk.recorder.unsaid.clear()


def unsent(talk: Talk) -> None:
    """The talk ends. A file is no person, and nearly nothing is no loss."""
    if talk.plan.microphone == "device" and talk.uplink.recording and talk.recorder.long_enough:
        talk.tell("recording_unsent")


# ---- a file in the place of the microphone


def speak(talk: Talk, at: float) -> None:
    """A file speaks as one press that is held from its beginning to its end, however long that is."""
    can = talk.plan.microphone == "file" and talk.sides[Side.MICROPHONE].there and not talk.ending.file_over
    if talk.plan.ptt and can and talk.uplink.move(Cue.HOLD):
        talk.recorder.press(at, limit_s=math.inf)


def tick(talk: Talk, at: float) -> None:
    """The microphone has not given what it was waited for."""
    if (deadline := talk.recorder.deadline) is not None and at >= deadline:
        _over(talk, at)
