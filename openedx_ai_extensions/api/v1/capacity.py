"""More streams at once than a process of the streaming service has room for, or than one person may hold there.

A worker of the LMS is no such process: there are many, each answers few requests at once, and which of them a person
gets is chance.
"""

from __future__ import annotations

import threading
from collections import Counter

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import QuotaExceeded, ServiceUnavailable

ADMISSION = "openedx_ai_extensions.admission"  # key of the WSGI environment, by which the service hands one over
RETRY_AFTER = 10  # seconds


class Crowd:
    """Who is being answered by this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: Counter[int] = Counter()  # by primary key of a person

    def admit(self, person: int) -> None:
        """Give a person one more place.

        Raises:
            QuotaExceeded: the person has as many as one may have.
            ServiceUnavailable: the process has as many as it takes.
        """
        with self._lock:
            most = conf.get("AI_EXTENSIONS_STREAMS.PER_PERSON")
            if self._streams[person] >= most:
                raise QuotaExceeded.at_once(most, refused_by="person/streams")
            if self._streams.total() >= conf.get("AI_EXTENSIONS_STREAMS.PER_PROCESS"):
                raise ServiceUnavailable(
                    _("Many people are using the AI right now. Please try again in a moment."), retry_after=RETRY_AFTER
                )
            self._streams[person] += 1

    def require_reader(self, person: int) -> None:
        """Raises QuotaExceeded if the person has twice as many places as one may have, because of unread answers."""
        with self._lock:
            most = conf.get("AI_EXTENSIONS_STREAMS.PER_PERSON")
            if self._streams[person] >= 2 * most:
                raise QuotaExceeded.at_once(most, refused_by="person/streams")

    def add(self, person: int) -> None:
        """Count one more place, whether there is one or not."""
        with self._lock:
            self._streams[person] += 1

    def leave(self, person: int) -> None:
        with self._lock:
            self._streams[person] -= 1
            self._streams += Counter()  # forgets who has none


class Admission:
    """The place of one request, if it needs one: to ask a model, or because its answer is large and not read yet."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._person: int | None = None
        self._has_place = False

    def enter(self, person: int, *, asks_model: bool) -> None:
        """Raises QuotaExceeded, ServiceUnavailable: see ``require_room``."""
        if asks_model:
            self._crowd.admit(person)
        else:
            self._crowd.require_reader(person)
        self._person, self._has_place = person, asks_model

    def wait(self) -> None:
        """The answer waits for its client from now on, and is large."""
        if self._person is not None and not self._has_place:
            self._crowd.add(self._person)
            self._has_place = True

    def leave(self) -> None:
        """The request is over."""
        if self._person is not None and self._has_place:
            self._crowd.leave(self._person)
            self._has_place = False


def require_room(request: Request, *, asks_model: bool) -> None:
    """Take a place, where the streaming service answers and a model is asked.

    Raises:
        QuotaExceeded: the person has as many requests under way as one may have there; or, where no model is asked,
            twice as many with answers that are not read.
        ServiceUnavailable: the process has as many as it takes.
    """
    admission = request.META.get(ADMISSION)
    if admission is not None:
        admission.enter(request.user.pk, asks_model=asks_model)
