"""Database connections for more threads than a database has connections.

A thread borrows a set of connections while it works, and returns it while it waits for a model. The connections of a
set stay open between threads.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

MAX_IDLE_SECONDS = 60.0  # then the database server may have closed the connection


@dataclass(slots=True)
class ConnectionSet:
    """Open connections by alias."""

    connections: dict[str, BaseDatabaseWrapper] = field(default_factory=dict)
    used_at: float = 0.0

    def attach(self) -> None:
        """Make these the connections of the current thread."""
        is_stale = time.monotonic() - self.used_at > MAX_IDLE_SECONDS
        while self.connections:
            alias, connection = self.connections.popitem()
            connections[alias] = connection
            if is_stale:
                connection.close()

    def detach(self) -> None:
        """Take the connections of the current thread away from it."""
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred or connection.needs_rollback:
                connection.close()
            if not connection.allow_thread_sharing:
                connection.inc_thread_sharing()  # by one thread at a time
            self.connections[connection.alias] = connection
            del connections[connection.alias]
        self.used_at = time.monotonic()


class ConnectionPool:
    """As many connection sets as threads may work at once.

    The set used last is lent first, so that a quiet service needs few connections.
    """

    def __init__(self, size: int) -> None:
        self._free: queue.LifoQueue[ConnectionSet] = queue.LifoQueue()
        for _number in range(size):
            self._free.put(ConnectionSet())

    @contextmanager
    def loan(self) -> Iterator[ConnectionLoan]:
        """Wait for a free set, and lend it to the current thread within the block."""
        loan = ConnectionLoan(self._free)
        try:
            loan.begin()
            yield loan
        finally:
            loan.end()

    def close(self) -> None:
        """Close the connections of all free sets."""
        while not self._free.empty():
            for connection in self._free.get().connections.values():
                connection.close()


class ConnectionLoan:
    """The connections lent to one thread. After each wait it may get another set."""

    def __init__(self, free: queue.LifoQueue[ConnectionSet]) -> None:
        self._free = free
        self._lent: ConnectionSet | None = None

    def begin(self) -> None:
        self._lent = self._free.get()
        self._lent.attach()

    def end(self) -> None:
        lent, self._lent = self._lent, None
        if lent is not None:
            try:
                lent.detach()
            finally:
                self._free.put(lent)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Return the set within the block, unless it has an open transaction."""
        if self._lent is None or any(each.in_atomic_block for each in connections.all(initialized_only=True)):
            yield
            return
        self.end()
        try:
            yield
        finally:
            self.begin()
