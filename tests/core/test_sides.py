"""Devices as the core sees them: only our own orders turn a side off; two missing ones are one notice."""

import pytest

from voicecli.core.machine import Rows
from voicecli.core.sides import WAIT_FOR_OTHER_S, Absences, Cue, Device, DeviceSide
from voicecli.ports import Side, SoundFailed, SoundFailure

MIC = SoundFailed(Side.MICROPHONE, SoundFailure.NO_DEVICE, "", "")
SPEAKER = SoundFailed(Side.SPEAKER, SoundFailure.NO_DEVICE, "", "")


@pytest.mark.parametrize(
    ("cues", "state", "there"),
    [
        ((), Device.OFF, True),
        ((Cue.OPEN,), Device.OPENING, True),
        ((Cue.OPEN, Cue.OPENED), Device.RUNNING, True),
        ((Cue.OPEN, Cue.FAILED), Device.LOST, False),
        ((Cue.OPEN, Cue.OPENED, Cue.FAILED), Device.LOST, False),
        ((Cue.OPEN, Cue.OPENED, Cue.CLOSE), Device.OFF, True),
        ((Cue.OPEN, Cue.FAILED, Cue.OPEN), Device.OPENING, True),
    ],
)
def test_a_side_goes_from_state_to_state(cues, state, there):
    side = DeviceSide(Rows(), wanted=True)
    for cue in cues:
        assert side.move(cue)
    assert (side.state, side.there) == (state, there)


def test_a_side_nobody_wants_is_never_there():
    assert not DeviceSide(Rows(), wanted=False).there


def test_a_late_answer_to_an_order_that_was_taken_back_opens_nothing():
    side = DeviceSide(Rows(), wanted=True)
    side.move(Cue.OPEN)
    side.move(Cue.CLOSE)
    assert not side.move(Cue.OPENED)
    assert side.state is Device.OFF


def test_an_absence_is_held_while_the_other_side_opens():
    absences = Absences()
    assert absences.failed(MIC, True, 5.0) == ()
    assert absences.deadline == 5.0 + WAIT_FOR_OTHER_S
    assert absences.failed(SPEAKER, False, 5.1) == (MIC, SPEAKER)
    assert absences.deadline is None


def test_an_absence_is_told_at_once_where_the_other_side_is_settled():
    assert Absences().failed(MIC, False, 5.0) == (MIC,)


def test_an_absence_is_told_when_the_other_side_has_opened():
    absences = Absences()
    absences.failed(MIC, True, 5.0)
    assert absences.opened(Side.MICROPHONE) == ()
    assert absences.opened(Side.SPEAKER) == (MIC,)
    assert absences.opened(Side.SPEAKER) == ()


def test_an_absence_is_told_when_the_other_side_says_nothing():
    absences = Absences()
    absences.failed(MIC, True, 5.0)
    assert absences.tick(5.9) == ()
    assert absences.tick(6.0) == (MIC,)
    assert absences.tick(7.0) == ()


def test_an_absence_that_is_held_is_told_at_the_end():
    absences = Absences()
    absences.failed(MIC, True, 5.0)
    assert absences.flush() == (MIC,)
    assert absences.flush() == ()
