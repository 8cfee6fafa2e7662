"""Requests whose bodies are still on their way: as many as there is room for, and none for long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from openedx_ai_extensions.streaming_service.environ import Receive, read_body

RECEIVE_SECONDS = 20.0  # for a whole request; a proxy hands it over at once
SMALL = 65_536  # bytes; what people say to a model is shorter, what they save may be longer
LARGE_ONES = 32  # longer bodies in memory at once, those of requests that are being answered included


class NoRoom(Exception):
    """There are too many requests whose bodies come slowly, or are large."""


class BodySlot:
    """What one request may keep in memory."""

    def __init__(self, places: BodySlots) -> None:
        self._places = places
        self._is_large = False

    def grow(self, size: int) -> None:
        """Raises NoRoom if the body has become large, and there are too many such."""
        if size > SMALL and not self._is_large:
            if self._places.large_ones >= LARGE_ONES and not self._places.make_room(large=True):
                raise NoRoom
            self._is_large = True
            self._places.large_ones += 1

    @property
    def is_large(self) -> bool:
        return self._is_large

    def leave(self) -> None:
        """The request is over."""
        if self._is_large:
            self._is_large = False
            self._places.large_ones -= 1


class BodySlots:
    """Those who are still sending, the slowest first: these give way when somebody else comes."""

    def __init__(self) -> None:
        self.large_ones = 0
        self._sending: dict[BodySlot, asyncio.Future[bytes]] = {}

    async def body(self, place: BodySlot, receive: Receive, longest: int, most: int) -> bytes:
        """Read a body; at most so many are read at once.

        Raises:
            ClientGone: it will not be complete.
            asyncio.TimeoutError: it took too long.
            NoRoom: it had to give way.
        """
        reading = asyncio.ensure_future(read_body(receive, longest, place.grow))
        with self._listed(place, reading):
            if len(self._sending) > most:
                self.make_room()
            done, _waiting = await asyncio.wait([reading], timeout=RECEIVE_SECONDS)
            if not done:
                reading.cancel()
                raise TimeoutError
            if reading.cancelled():
                raise NoRoom
            return reading.result()

    @contextmanager
    def _listed(self, place: BodySlot, reading: asyncio.Future[bytes]) -> Iterator[None]:
        self._sending[place] = reading
        try:
            yield
        finally:
            reading.cancel()
            self._sending.pop(place, None)

    def make_room(self, *, large: bool = False) -> bool:
        """Have the one give way that has been sending the longest; says whether there was one."""
        for place, reading in self._sending.items():
            if not reading.done() and (place.is_large or not large):
                del self._sending[place]
                place.leave()
                reading.cancel()
                return True
        return False
