"""Whose turn it is: one queue a session, and each session in its turn (G25). Pure; it knows no job, process or time."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Rota(Generic[T]):
    """What waits, in the order in which it is to be done."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}
        """In the order of their turns; none is empty."""

    def put(self, session: str, job: T) -> None:
        """Behind what this session waits for already."""
        self._queues.setdefault(session, deque()).append(job)

    def back(self, session: str, job: T) -> None:
        """A job that was taken and is not finished: the session's next, after the turn of all others."""
        queue = self._queues.pop(session, deque())
        queue.appendleft(job)
        self._queues[session] = queue

    def take(self) -> tuple[str, T] | None:
        """The next job of the session whose turn it is; that session's turn comes again after all others'."""
        session = next(iter(self._queues), None)
        if session is None:
            return None
        queue = self._queues.pop(session)
        job = queue.popleft()
        if queue:
            self._queues[session] = queue
        return session, job

    def waiting(self, session: str) -> tuple[T, ...]:
        """The jobs of one session."""
        return tuple(self._queues.get(session, ()))

    def drop(self, session: str) -> tuple[T, ...]:
        """Takes all of one session out."""
        return tuple(self._queues.pop(session, ()))

    def drop_all(self) -> tuple[T, ...]:
        """Takes everything out."""
        jobs = tuple(job for queue in self._queues.values() for job in queue)
        self._queues.clear()
        return jobs
