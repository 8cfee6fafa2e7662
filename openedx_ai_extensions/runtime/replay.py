"""The same request twice is one request: its answer is kept for a while and given again.

Kept in Django's default cache; without one, every request is a new one. Each person has a fixed number of places for
answers there, so that no number of requests fills it.
"""

from __future__ import annotations

import hashlib
import json
from types import TracebackType
from typing import Any, Self

from django.core.cache import cache
from django.db.models.signals import post_delete
from django.dispatch import receiver

from openedx_ai_extensions.core.cache import tolerated_outage
from openedx_ai_extensions.exceptions import DuplicateRequest
from openedx_ai_extensions.models import AIWorkflowSession

KEEP = 600  # seconds
PLACES = 32  # answers kept for one person
MAX_BYTES = 256 * 1024  # of a kept answer; memcached takes no value of more than a megabyte
_PREFIX = "openedx_ai_extensions.replay"


class RequestID:
    """What makes two requests the same.

    Args:
        request_id: the client's own.
        person: primary key of the person who asks.
        parts: JSON-serialisable values that tell requests with one id apart.
    """

    def __init__(self, request_id: str, person: int | None, *parts: Any) -> None:
        identity = json.dumps([request_id, person, *parts], sort_keys=True, default=str)
        digest = hashlib.sha256(identity.encode()).hexdigest()
        self.claim = f"{_PREFIX}.{digest}"
        # Which earlier answer makes way for this one is as good as random: an order would need a lock.
        self.place = _place(person, int(digest, 16) % PLACES)


def _place(person: int | None, number: int) -> str:
    return f"{_PREFIX}.{person}.{number}"


def forget_answers(person: int) -> None:
    """Delete the answers that are kept for a person."""
    with tolerated_outage():
        cache.delete_many([_place(person, number) for number in range(PLACES)])


@receiver(post_delete, sender=AIWorkflowSession)
def _forget_with_session(instance: AIWorkflowSession, **_kwargs: Any) -> None:
    """An answer must not outlive the conversation that it belongs to."""
    forget_answers(instance.user_id)


class Claim:
    """A claim to be the first with an id.

    As a context manager it gives the id free when the block raises, so that the client can try again.

    Args:
        key: the id in the cache; None for a request without one.
        seconds: for which the id is claimed.

    Raises (on entry):
        DuplicateRequest: another has claimed it.
    """

    def __init__(self, key: str | None, seconds: int = KEEP) -> None:
        self._key = key
        self._seconds = seconds

    def __enter__(self) -> Self:
        if self._ask("add", self._key, True, self._seconds) is False:
            raise DuplicateRequest
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, _exc: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if exc_type is not None:
            self.release()

    def release(self) -> None:
        """The next request with this id is a new one. Idempotent."""
        self._ask("delete", self._key)
        self._key = None  # the id may be another request's now

    def _ask(self, method: str, *args: Any) -> Any:
        """Call the cache; go on without it when it is down."""
        if self._key is None:
            return None
        with tolerated_outage():
            return getattr(cache, method)(*args)
        self._key = None
        return None


class Replay(Claim):
    """One request's claim to be the first with its id, or the answer that an earlier one left.

    Args:
        request: None for a request without an id.

    Attributes:
        stored: what ``store`` kept for an earlier request, a pair; None for the first.
    """

    def __init__(self, request: RequestID | None) -> None:
        super().__init__(request.claim if request is not None else None)
        self._request = request
        self.stored: tuple[bytes, Any] | None = None

    def __enter__(self) -> Self:
        try:
            super().__enter__()
        except DuplicateRequest:
            self._find()
            if self.stored is None:
                raise
            self._key = None  # the claim is another request's
        else:
            self._find()
            if self.stored is not None:
                self.release()
        return self

    def store(self, answer: bytes, about: Any = None) -> None:
        """Keep an answer, unless it is too long, for whoever asks again; ends the claim.

        Args:
            answer: what was sent.
            about: a value that is kept with it.
        """
        if self._request is not None and len(answer) <= MAX_BYTES:
            self._ask("set", self._request.place, (self._request.claim, (answer, about)), KEEP)
        self.release()

    def _find(self) -> None:
        if self._request is not None:
            claim, stored = self._ask("get", self._request.place) or (None, None)
            self.stored = stored if claim == self._request.claim else None
