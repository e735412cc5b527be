"""A listening socket that bounds how many connections there are, TLS handshakes included; it knows no HTTP.

A connection too many is closed in the moment it is accepted, before anything is set up for it: who only connects takes
no descriptors from the talks (and from the log) that way.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

SEND_BUFFER: Final = 256 * 1024
"""What the kernel takes of a session that is not read."""


class Gate(socket.socket):
    """Accepts up to `most` at a time. On Windows asyncio accepts without asking it; whoever uses it counts there."""

    def __init__(self, listening: socket.socket, most: int, over: Callable[[], None]) -> None:
        """Takes the descriptor of `listening` over. `over` is called for each connection too many."""
        super().__init__(listening.family, listening.type, listening.proto, fileno=listening.detach())
        self.inside = 0
        """How many are open."""
        self._most = most
        self._over = over

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises BlockingIOError where there is none, or it was one too many."""
        connection, address = super().accept()
        if self.inside >= self._most:
            connection.close()
            self._over()
            raise BlockingIOError
        return _Inside(self, connection), address


class _Inside(socket.socket):
    def __init__(self, gate: Gate, connection: socket.socket) -> None:
        super().__init__(connection.family, connection.type, connection.proto, fileno=connection.detach())
        self._gate: Gate | None = gate
        gate.inside += 1

    def close(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.inside -= 1
        super().close()


def opened(host: str, port: int, most: int, over: Callable[[], None]) -> Gate:
    """Listens there; `::` is every address of both kinds. Raises OSError where host and port are not to be had."""
    both = host == "::" and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=128, dualstack_ipv6=both)
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return Gate(listening, most, over)
