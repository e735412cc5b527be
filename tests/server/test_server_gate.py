"""The listening socket that takes so many connections and closes the rest as they come (G22)."""

from __future__ import annotations

import socket

import pytest

from voicecli.server.gate import Gate, opened


@pytest.fixture
def over() -> list[None]:
    """Grows with each connection too many."""
    return []


@pytest.fixture
def gate(over: list[None]):
    with opened("127.0.0.1", 0, 2, lambda: over.append(None)) as one:
        yield one


def dial(gate: Gate) -> socket.socket:
    return socket.create_connection(gate.getsockname(), timeout=5)


def test_more_than_so_many_are_closed_at_once(gate: Gate, over: list[None]) -> None:
    clients = [dial(gate) for _ in range(3)]
    inside = [gate.accept()[0] for _ in range(2)]
    with pytest.raises(BlockingIOError):
        gate.accept()
    assert (gate.inside, len(over)) == (2, 1)
    assert clients[2].recv(1) == b""
    for each in (*clients, *inside):
        each.close()


def test_one_that_ends_makes_room_for_the_next_and_counts_once(gate: Gate, over: list[None]) -> None:
    clients = [dial(gate) for _ in range(3)]
    inside = [gate.accept()[0] for _ in range(2)]
    inside[0].close()
    inside[0].close()
    assert gate.inside == 1
    third, address = gate.accept()
    assert address == clients[2].getsockname()
    assert (gate.inside, over) == (2, [])
    for each in (*clients, inside[1], third):
        each.close()
    assert gate.inside == 0


def test_a_port_in_use_is_not_to_be_had(gate: Gate) -> None:
    with pytest.raises(OSError, match="in use"):
        opened("127.0.0.1", gate.getsockname()[1], 2, lambda: None)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6")
def test_every_address_is_of_both_kinds() -> None:
    with opened("::", 0, 2, lambda: None) as gate:
        port = gate.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, port), timeout=5):
                gate.accept()[0].close()
