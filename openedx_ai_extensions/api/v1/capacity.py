"""Limits how many requests a process of the streaming service answers at once, in total and for each person.

Workers of the LMS have no such limits: each answers few requests at once, and a person's requests go to any of them.
"""

from __future__ import annotations

import threading
from collections import Counter

from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import QuotaExceeded, ServiceUnavailable

STREAM_PLACE = "openedx_ai_extensions.stream_place"  # key of the WSGI environment: the request's ``StreamPlace``
RETRY_AFTER = 10  # seconds


class StreamPlaces:
    """The places that are taken in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken: Counter[int] = Counter()  # by primary key of the person


class StreamPlace:
    """The place of one request. It is taken to ask a model, or while a large answer waits for its client."""

    def __init__(self, places: StreamPlaces) -> None:
        self._places = places
        self._person: int | None = None
        self._is_taken = False

    def take(self, person: int, *, asks_model: bool) -> None:
        """Take a place if a model is asked.

        Raises:
            QuotaExceeded: the person has the maximum number of places; or twice as many if no model is asked, because
                of answers that are not read.
            ServiceUnavailable: no place is free.
        """
        per_person = conf.get("AI_EXTENSIONS_STREAMS.PER_PERSON")
        with self._places.lock:
            taken = self._places.taken
            if taken[person] >= per_person * (1 if asks_model else 2):
                raise QuotaExceeded.at_once(per_person, refused_by="person/streams")
            if asks_model and taken.total() >= conf.get("AI_EXTENSIONS_STREAMS.PER_PROCESS"):
                raise ServiceUnavailable(
                    _("Many people are using the AI right now. Please try again in a moment."), retry_after=RETRY_AFTER
                )
            self._person, self._is_taken = person, asks_model
            if asks_model:
                taken[person] += 1

    def wait(self) -> None:
        """Take a place, free or not: the answer is large and waits for its client."""
        with self._places.lock:
            if self._person is not None and not self._is_taken:
                self._is_taken = True
                self._places.taken[self._person] += 1

    def release(self) -> None:
        """Give the place back. Idempotent."""
        with self._places.lock:
            if self._person is not None and self._is_taken:
                self._is_taken = False
                self._places.taken[self._person] -= 1
                self._places.taken += Counter()  # removes people without places
