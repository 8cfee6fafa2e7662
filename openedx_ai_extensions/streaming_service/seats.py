"""Database connections for more threads than a database has connections.

A thread that is at work has a seat; one that waits for a model has none. Each seat has connections of its own, which
stay open while the threads come and go.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

IDLE = 60.0  # seconds after which a connection is not trusted any more


@dataclass(slots=True)
class Seat:
    """Open connections by alias, and when they were used last."""

    connections: dict[str, BaseDatabaseWrapper] = field(default_factory=dict)
    left_at: float = 0.0

    def sit_down(self) -> None:
        """Make its connections those of this thread."""
        is_stale = time.monotonic() - self.left_at > IDLE
        while self.connections:
            alias, connection = self.connections.popitem()
            connections[alias] = connection
            if is_stale:
                connection.close()

    def stand_up(self) -> None:
        """Take this thread's connections away from it."""
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred or connection.needs_rollback:
                connection.close()
            if not connection.allow_thread_sharing:
                connection.inc_thread_sharing()  # one thread at a time: that of the seat
            self.connections[connection.alias] = connection
            del connections[connection.alias]
        self.left_at = time.monotonic()


class Seats:
    """As many as threads may be at work at once.

    The seat used last is given out first, so that a quiet service needs few connections.
    """

    def __init__(self, count: int) -> None:
        self._free: queue.LifoQueue[Seat] = queue.LifoQueue()
        for _number in range(count):
            self._free.put(Seat())

    @contextmanager
    def taken(self) -> Iterator[Sitting]:
        """Wait for a seat, and have it for the time of the block."""
        sitting = Sitting(self._free)
        try:
            sitting.sit_down()
            yield sitting
        finally:
            sitting.stand_up()

    def close(self) -> None:
        """Close the connections of all that are free."""
        while not self._free.empty():
            for connection in self._free.get().connections.values():
                connection.close()


class Sitting:
    """A thread's time on a seat, or on one after the other."""

    def __init__(self, free: queue.LifoQueue[Seat]) -> None:
        self._free = free
        self._seat: Seat | None = None

    def sit_down(self) -> None:
        self._seat = self._free.get()
        self._seat.sit_down()

    def stand_up(self) -> None:
        seat, self._seat = self._seat, None
        if seat is not None:
            try:
                seat.stand_up()
            finally:
                self._free.put(seat)

    @contextmanager
    def left(self) -> Iterator[None]:
        """Let others have the seat, unless there is a transaction to be ended on it."""
        if self._seat is None or any(each.in_atomic_block for each in connections.all(initialized_only=True)):
            yield
            return
        self.stand_up()
        try:
            yield
        finally:
            self.sit_down()
