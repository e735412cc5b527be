"""A socket's life: the limits of G15, and cues that come where nobody waits for them."""

import pytest

from voicecli.core.connection import CONFIGURING_LIMIT_S, GREETING_LIMIT_S, MOVES, Connection, Cue, Link
from voicecli.core.machine import Machine, Rows


def at(*cues: Cue) -> Connection:
    connection = Connection(Rows())
    for cue in cues:
        assert connection.move(cue, 100.0)
    return connection


READY = (Cue.OPENED, Cue.GREETED, Cue.CONFIGURED)


def test_a_connection_is_dialled_greeted_configured_and_ready():
    connection = Connection(Rows())
    seen = [connection.state]
    for cue in READY:
        connection.move(cue, 0.0)
        seen.append(connection.state)
    assert seen == [Link.DIALLING, Link.GREETING, Link.CONFIGURING, Link.READY]
    assert connection.ready


@pytest.mark.parametrize(
    ("cues", "deadline"),
    [
        ((), None),
        ((Cue.OPENED,), 100.0 + GREETING_LIMIT_S),
        ((Cue.OPENED, Cue.GREETED), 100.0 + CONFIGURING_LIMIT_S),
        (READY, None),
        ((Cue.OPENED, Cue.TIMED_OUT), None),
        ((Cue.OPENED, Cue.GREETED, Cue.TIMED_OUT), None),
    ],
)
def test_greeting_and_configuring_have_their_limits_g15(cues, deadline):
    assert at(*cues).deadline == deadline


def test_no_greeting_is_the_end_and_no_configuration_is_not():
    assert at(Cue.OPENED, Cue.TIMED_OUT).state is Link.CLOSING
    assert at(Cue.OPENED, Cue.GREETED, Cue.TIMED_OUT).state is Link.READY
    assert at(Cue.OPENED, Cue.GREETED, Cue.REFUSED).state is Link.READY


@pytest.mark.parametrize("link", [link for link in Link if link is not Link.LOST])
def test_a_link_can_be_lost_from_every_state(link):
    assert MOVES[link][Cue.ENDED] is Link.LOST


@pytest.mark.parametrize("link", [link for link in Link if link not in (Link.LOST, Link.CLOSING)])
def test_we_can_hang_up_in_every_state(link):
    assert MOVES[link][Cue.HANGUP] is Link.CLOSING


def test_what_is_lost_stays_lost_and_odd_cues_are_counted():
    connection = at(*READY, Cue.ENDED)
    for n, cue in enumerate(Cue, 1):
        assert not connection.move(cue, 0.0)
        assert connection.odd == n
    assert connection.state is Link.LOST
    assert not connection.alive


def test_a_cue_without_a_row_does_not_touch_the_limit():
    connection = at(Cue.OPENED)
    connection.move(Cue.OPENED, 105.0)
    assert connection.deadline == 100.0 + GREETING_LIMIT_S


def test_every_state_can_be_reached():
    reached, todo = {Link.DIALLING}, [Link.DIALLING]
    while todo:
        for to in MOVES[todo.pop()].values():
            if to not in reached:
                reached.add(to)
                todo.append(to)
    assert reached == set(Link)


def test_rows_that_were_taken_are_counted():
    rows = Rows()
    connection = Connection(rows)
    connection.move(Cue.OPENED, 0.0)
    connection.move(Cue.OPENED, 0.0)
    assert rows == {(Link.DIALLING, Cue.OPENED): 1}


def test_a_machine_takes_only_the_rows_of_its_table():
    machine = Machine(MOVES, Link.READY, Rows())
    assert not machine.move(Cue.GREETED)
    assert (machine.state, machine.odd) == (Link.READY, 1)
