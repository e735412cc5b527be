"""The devices: opened, lost, missing, standing still; and what the microphone records."""

from __future__ import annotations

from voicecli.core import barge_in, notices, ptt
from voicecli.core.changes import EchoNow, Foreign, SoundNow
from voicecli.core.effective import silence_s
from voicecli.core.effects import SendAudio
from voicecli.core.sides import Cue, Device
from voicecli.core.talk import Talk
from voicecli.core.uplink import Cue as GateCue
from voicecli.core.uplink import Gate
from voicecli.ports import PCM16, RATE, MicBlock, Side, SoundFailed, SoundFailure, SoundOpened
from voicecli.protocol.items import TurnDetection

STALE_MUTE_S = 30.0
"""After the process stood still for longer than this the microphone stays off until it is asked for (G27)."""

AFTER_SILENCE_S = 0.2
"""What is sent beyond the VAD's silence window when the microphone is muted or lost."""

WORKS_STILL = frozenset({SoundFailure.NO_PERMISSION, SoundFailure.DISK})
"""What is told, and does not end the side: its clock goes on."""


def begin(talk: Talk) -> None:
    """A device is opened at once, so that one that is missing is told early; a file waits until it is listened to."""
    if talk.echo != "off":
        talk.show(EchoNow(talk.echo))
    talk.open_side(Side.SPEAKER)
    if talk.plan.microphone == "device":
        talk.open_side(Side.MICROPHONE)


def recorded(talk: Talk, block: MicBlock, at: float) -> None:
    if talk.plan.ptt:
        ptt.recorded(talk, block, at)
        return
    talk.levels.recorded(block.level_db)
    if pcm := talk.uplink.block(block.pcm):
        talk.timings.sent(len(pcm) // 2, block.adc_at)
        talk.out.append(SendAudio(pcm, talk.input))
        if talk.detects and talk.uplink.speaking is None and not talk.audible(at):
            code = talk.unheard.recorded(block.level_db, len(block.pcm) / 2 / RATE)
            if code == "only_noise" or (code and talk.plan.microphone == "device"):  # a file may begin with silence
                talk.tell_once("", code)


def opened(talk: Talk, opened: SoundOpened) -> None:
    talk.sides[opened.side].move(Cue.OPENED)
    now = SoundNow(
        side=opened.side.value,
        state="opened",
        name=Foreign(opened.device),
        rate=opened.rate,
        latency_ms=round(opened.latency_s * 1000),
    )
    talk.show(now)
    _tell_absences(talk, talk.absences.opened(opened.side))


def closed(talk: Talk, side: Side) -> None:
    talk.show(SoundNow(side=side.value, state="closed"))


def failed(talk: Talk, failed: SoundFailed, at: float) -> None:
    """One notice with the remedy, and the talk goes on by typing, or by text."""
    if talk.sides[failed.side].state is Device.LOST:
        return  # that has been told
    works_still = failed.failure in WORKS_STILL
    ran = talk.sides[failed.side].state is Device.RUNNING
    if not works_still and talk.sides[failed.side].move(Cue.FAILED):
        talk.show(SoundNow(side=failed.side.value, state="lost", name=Foreign(failed.device)))
    if failed.failure is SoundFailure.NO_LIBRARY:
        typing = notices.typing(talk.ending.somebody_types)
        talk.tell_once("no_library", "no_library", failed.detail, typing=typing)
    elif failed.failure is SoundFailure.NO_DEVICE:
        other = talk.sides[Side.SPEAKER if failed.side is Side.MICROPHONE else Side.MICROPHONE]
        _tell_absences(talk, talk.absences.failed(failed, other.wanted and other.state is Device.OPENING, at))
    else:
        talk.show(notices.sound_failed(failed, somebody_types=talk.ending.somebody_types))
    if works_still:
        return
    if failed.side is Side.SPEAKER:
        barge_in.read(talk, at)
    elif ran:
        _end_turn(talk, at)
    else:
        ptt.cut_short(talk, at)  # a file that could not be opened says nothing


def mute(talk: Talk, at: float) -> None:
    """The stream is closed, so that the system's microphone light goes out (G28).

    A turn that the server hears is ended; a recording that it was not told to take is thrown away.
    """
    if not talk.sides[Side.MICROPHONE].wanted:
        talk.tell("no_microphone_here")
        return
    if talk.uplink.muted:
        talk.tell("muted_already")
        return
    ptt.throw_away(talk, at)
    _end_turn(talk, at)
    talk.uplink.move(GateCue.MUTE)
    talk.recorder.forget()
    talk.close_side(Side.MICROPHONE)


def _end_turn(talk: Talk, at: float) -> None:
    """Nothing more is recorded: what was said by push-to-talk is said.

    Without silence the server's VAD would wait for the end of a turn for ever. It goes whether a turn is known or not,
    because `speech_started` may be on its way.
    """
    ptt.cut_short(talk, at)
    if talk.uplink.gate in (Gate.OPEN, Gate.SHUT) and isinstance(talk.effective.turn_detection, TurnDetection):
        silence = talk.uplink.silence(silence_s(talk.effective) + AFTER_SILENCE_S)
        talk.timings.sent(len(silence) // 2, at)
        talk.out.append(SendAudio(silence, talk.input, kept=True))


def unmute(talk: Talk, at: float) -> None:
    """A microphone that was lost or missing is tried again: somebody who asks for it may have plugged it in."""
    if not talk.uplink.move(GateCue.UNMUTE):
        if talk.sides[Side.MICROPHONE].state is Device.LOST:
            talk.open_side(Side.MICROPHONE)
            return
        talk.tell("not_muted" if talk.sides[Side.MICROPHONE].wanted else "no_microphone_here")
    elif talk.connection.ready:
        talk.uplink.ready()
        talk.open_side(Side.MICROPHONE)
        ptt.speak(talk, at)


def _tell_absences(talk: Talk, failures: tuple[SoundFailed, ...]) -> None:
    if len(failures) == 2:
        talk.tell("no_sound_device", failures[0].detail, typing=notices.typing(talk.ending.somebody_types))
    elif failures:
        talk.show(notices.sound_failed(failures[0], somebody_types=talk.ending.somebody_types))


def stale(talk: Talk, gap_s: float, at: float) -> None:
    """What was recorded while the process stood still was thrown away by the device's side already."""
    if gap_s > STALE_MUTE_S and not talk.uplink.muted:
        mute(talk, at)
        talk.tell("muted_after_sleep", seconds=f"{gap_s:.0f}")
    else:
        talk.tell("stale", seconds=f"{gap_s:.1f}")


def tell_dropped(talk: Talk, at: float, *, now: bool = False) -> None:
    if samples := talk.uplink.to_tell(at, now=now):
        smaller = "Next time try --input-format g711_ulaw, which takes a sixth. " if talk.input == PCM16 else ""
        talk.tell("audio_dropped", seconds=f"{max(0.1, samples / RATE):.1f}", smaller=smaller)


def end(talk: Talk, at: float) -> None:
    """What is still to be told, and both sides closed."""
    _tell_absences(talk, talk.absences.flush())
    tell_dropped(talk, at, now=True)
    talk.close_side(Side.MICROPHONE)
    talk.close_side(Side.SPEAKER)


def tick(talk: Talk, at: float) -> None:
    ptt.tick(talk, at)
    _tell_absences(talk, talk.absences.tick(at))
    tell_dropped(talk, at)
    if talk.uplink.down_too_long(at):
        talk.close_side(Side.MICROPHONE)
    for level in talk.levels.tick(at, talk.ledger.ear(at), talk.ledger.queued(at)):
        talk.show(level)
