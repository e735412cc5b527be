"""The gate by itself: what a block becomes in each state, and the times it waits for."""

import pytest

from voicecli.core.machine import Rows
from voicecli.core.uplink import DROPPED_EVERY_S, LINK_DOWN_LIMIT_S, TAIL_S, Cue, Gate, Uplink

BLOCK = b"\x01\x02" * 480


def in_state(*cues: Cue) -> Uplink:
    uplink = Uplink(Rows())
    for cue in cues:
        assert uplink.move(cue)
    return uplink


@pytest.mark.parametrize(
    ("cues", "gate", "leaves"),
    [
        ((), Gate.CLOSED, b""),
        ((Cue.READY,), Gate.OPEN, BLOCK),
        ((Cue.READY, Cue.UNREADY), Gate.CLOSED, b""),
        ((Cue.READY, Cue.MUTE), Gate.MUTED, b""),
        ((Cue.MUTE,), Gate.MUTED, b""),
        ((Cue.READY, Cue.MUTE, Cue.UNMUTE), Gate.CLOSED, b""),
        ((Cue.READY, Cue.SHUT), Gate.SHUT, bytes(960)),
        ((Cue.READY, Cue.SHUT, Cue.REOPEN), Gate.OPEN, BLOCK),
        ((Cue.READY, Cue.SHUT, Cue.MUTE), Gate.MUTED, b""),
        ((Cue.READY, Cue.SHUT, Cue.UNREADY), Gate.CLOSED, b""),
    ],
)
def test_what_a_block_becomes(cues, gate, leaves):
    uplink = in_state(*cues)
    assert uplink.gate is gate
    assert uplink.block(BLOCK) == leaves
    assert uplink.sent == len(leaves) // 2
    assert uplink.withheld == (0 if gate is Gate.OPEN else 480)


@pytest.mark.parametrize(
    ("cues", "gate"),
    [
        ((), Gate.KEY_UP),
        ((Cue.UNREADY,), Gate.CLOSED),
        ((Cue.MUTE,), Gate.MUTED),
        ((Cue.HOLD,), Gate.HELD),
        ((Cue.HOLD, Cue.RELEASE), Gate.RELEASED),
        ((Cue.HOLD, Cue.RELEASE, Cue.DONE), Gate.KEY_UP),
        ((Cue.HOLD, Cue.RELEASE, Cue.HOLD), Gate.HELD),
        ((Cue.HOLD, Cue.TAP), Gate.LATCHED),
        ((Cue.HOLD, Cue.TAP, Cue.HOLD), Gate.RELEASED),
        ((Cue.TOGGLE,), Gate.LATCHED),
        ((Cue.TOGGLE, Cue.TOGGLE), Gate.RELEASED),
        ((Cue.TOGGLE, Cue.TOGGLE, Cue.TOGGLE), Gate.LATCHED),
        ((Cue.HOLD, Cue.TOGGLE), Gate.RELEASED),
        ((Cue.HOLD, Cue.FILL), Gate.FULL),
        ((Cue.TOGGLE, Cue.FILL), Gate.FULL),
        ((Cue.TOGGLE, Cue.FILL, Cue.DONE), Gate.KEY_UP),
        ((Cue.HOLD, Cue.DISCARD), Gate.KEY_UP),
        ((Cue.HOLD, Cue.DONE), Gate.KEY_UP),
    ],
)
def test_where_the_talk_key_leads(cues, gate):
    uplink = Uplink(Rows(), keyed=True)
    assert uplink.ready()
    for cue in cues:
        assert uplink.move(cue)
    assert uplink.gate is gate
    assert uplink.recording is (gate not in (Gate.KEY_UP, Gate.CLOSED, Gate.MUTED))


def test_what_the_talk_key_cannot_mean_changes_nothing():
    uplink = Uplink(Rows(), keyed=True)
    assert not uplink.move(Cue.HOLD), "there is no link"
    uplink.ready()
    for cue in (Cue.RELEASE, Cue.TAP, Cue.FILL, Cue.DONE, Cue.DISCARD, Cue.SHUT):
        assert not uplink.move(cue)
    assert uplink.gate is Gate.KEY_UP
    uplink.move(Cue.HOLD)
    assert not uplink.move(Cue.HOLD)
    assert not uplink.move(Cue.MUTE), "first the recording is thrown away"


def test_a_muted_gate_does_not_open_with_the_link():
    uplink = in_state(Cue.MUTE)
    assert not uplink.move(Cue.READY)
    assert uplink.muted


def test_half_duplex_reopens_after_the_room_has_rung_out():
    uplink = in_state(Cue.READY)
    uplink.audible(True, 1.0)
    assert uplink.gate is Gate.SHUT
    uplink.audible(False, 2.0)
    assert uplink.deadline == 2.0 + TAIL_S
    uplink.audible(False, 2.0 + TAIL_S - 0.01)
    assert uplink.gate is Gate.SHUT
    uplink.audible(False, 2.0 + TAIL_S)
    assert uplink.gate is Gate.OPEN
    assert uplink.deadline is None


def test_half_duplex_stays_shut_when_the_answer_goes_on():
    uplink = in_state(Cue.READY)
    uplink.audible(True, 1.0)
    uplink.audible(False, 2.0)
    uplink.audible(True, 2.1)
    uplink.audible(False, 2.2)
    uplink.audible(False, 2.2 + TAIL_S - 0.01)
    assert uplink.gate is Gate.SHUT


def test_a_link_that_is_down_long_is_said_once_g28():
    uplink = Uplink(Rows())
    uplink.down_since = 5.0
    assert uplink.deadline == 5.0 + LINK_DOWN_LIMIT_S
    assert not uplink.down_too_long(14.9)
    assert uplink.down_too_long(15.0)
    assert not uplink.down_too_long(99.0)


def test_how_long_the_person_spoke_is_taken_once():
    uplink = Uplink(Rows())
    uplink.speaks("u1", 100)
    uplink.spoken("u1", 1350.4)
    assert uplink.take_spoken("other") is None
    assert uplink.take_spoken("u1") == 1250
    assert uplink.take_spoken("u1") is None


def test_a_turn_that_is_taken_is_over_whether_its_end_was_told_or_not():
    uplink = Uplink(Rows())
    uplink.speaks("u1", 0)
    uplink.committed("other")
    assert uplink.speaking == "u1"
    uplink.committed("u1")
    assert uplink.speaking is None


def test_a_turn_without_an_id_is_over_when_one_is_taken():
    uplink = Uplink(Rows())
    uplink.speaks("", 0)
    uplink.committed("u1")
    assert uplink.speaking is None


def test_silence_counts_as_sent():
    uplink = Uplink(Rows())
    assert uplink.silence(0.5) == bytes(24_000)
    assert uplink.sent == 12_000


def test_dropped_sound_is_summed_up_between_two_notices():
    uplink = Uplink(Rows())
    uplink.lost(5)
    assert uplink.to_tell(1.0) == 5
    uplink.lost(6)
    uplink.lost(7)
    assert uplink.to_tell(2.0) == 0
    assert uplink.deadline == 1.0 + DROPPED_EVERY_S
    assert uplink.to_tell(11.0) == 13
    assert uplink.to_tell(99.0, now=True) == 0
    assert uplink.deadline is None
