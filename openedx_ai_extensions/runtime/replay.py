"""Answers repeated requests with the stored answer of the first one.

Answers are stored in Django's default cache for a while; without a cache, every request is a new one. Each person has a
fixed number of places for answers, so that requests cannot fill the cache.
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

ANSWER_SECONDS = 600  # lifetime of a stored answer
PLACES = 32  # stored answers per person
MAX_BYTES = 256 * 1024  # of a stored answer; memcached refuses values over one megabyte
_PREFIX = "openedx_ai_extensions.replay"


class RequestID:
    """The identity of a request.

    Args:
        request_id: the client's id.
        person: primary key of the person who asks.
        parts: JSON-serialisable values that distinguish requests with the same id.
    """

    def __init__(self, request_id: str, person: int | None, *parts: Any) -> None:
        identity = json.dumps([request_id, person, *parts], sort_keys=True, default=str)
        digest = hashlib.sha256(identity.encode()).hexdigest()
        self.claim = f"{_PREFIX}.{digest}"
        # The answer replaces an arbitrary earlier one: replacing the oldest would need a lock.
        self.place = _place(person, int(digest, 16) % PLACES)


def _place(person: int | None, number: int) -> str:
    return f"{_PREFIX}.{person}.{number}"


def forget_answers(person: int) -> None:
    """Delete the stored answers of a person."""
    with tolerated_outage():
        cache.delete_many([_place(person, number) for number in range(PLACES)])


@receiver(post_delete, sender=AIWorkflowSession)
def _forget_with_session(instance: AIWorkflowSession, **_kwargs: Any) -> None:
    """Delete the stored answers with the conversation."""
    forget_answers(instance.user_id)


class Claim:
    """A claim to an id, which only one request can hold.

    As a context manager it releases the id if the block raises an error, so that the client can retry.

    Args:
        key: the key in the cache; None for a request without an id.
        seconds: lifetime of the claim.

    Raises (on entry):
        DuplicateRequest: another request has claimed it.
    """

    def __init__(self, key: str | None, seconds: int = ANSWER_SECONDS) -> None:
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
        """Release the id: the next request with it is a new one. Idempotent."""
        self._ask("delete", self._key)
        self._key = None  # another request may have claimed it meanwhile

    def _ask(self, method: str, *args: Any) -> Any:
        """Call the cache; an outage is ignored."""
        if self._key is None:
            return None
        with tolerated_outage():
            return getattr(cache, method)(*args)
        self._key = None
        return None


class Replay(Claim):
    """A request's claim to its id, or the stored answer of an earlier request.

    Args:
        request: None for a request without an id.

    Attributes:
        stored: the arguments of ``store`` for an earlier request; None for the first one.
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
            self._key = None  # another request holds the claim
        else:
            self._find()
            if self.stored is not None:
                self.release()
        return self

    def store(self, answer: bytes, about: Any = None) -> None:
        """Store an answer for repeated requests, unless it is too long; releases the claim.

        Args:
            answer: the answer that was sent.
            about: a value to store with it.
        """
        if self._request is not None and len(answer) <= MAX_BYTES:
            self._ask("set", self._request.place, (self._request.claim, (answer, about)), ANSWER_SECONDS)
        self.release()

    def _find(self) -> None:
        if self._request is not None:
            claim, stored = self._ask("get", self._request.place) or (None, None)
            self.stored = stored if claim == self._request.claim else None
