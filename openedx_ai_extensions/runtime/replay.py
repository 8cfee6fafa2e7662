"""The same request twice is one request: its answer is kept for a while and given again.

Kept in Django's default cache; without one, every request is a new one.
"""

from __future__ import annotations

import hashlib
import json
from types import TracebackType
from typing import Any, Self

from django.core.cache import cache

from openedx_ai_extensions.core.cache import tolerated_outage
from openedx_ai_extensions.exceptions import DuplicateRequest

KEEP = 600  # seconds
_RUNNING = "running"


def replay_key(request_id: str | None, *parts: Any) -> str | None:
    """What makes two requests the same; None when the client gave no id.

    Args:
        request_id: the client's own.
        parts: JSON-serialisable values that tell requests with one id apart.
    """
    if not request_id:
        return None
    identity = json.dumps([request_id, *parts], sort_keys=True, default=str)
    return f"openedx_ai_extensions.replay.{hashlib.sha256(identity.encode()).hexdigest()}"


class Replay:
    """One request's claim to be the first with its id.

    As a context manager it gives the id free when the block raises, so that the client can try again. A later request
    only reads what the first one kept: it neither replaces it nor gives the id free, whatever becomes of it.

    Args:
        key: the id in the cache; None for a request without one.
        seconds: for which the id is claimed.

    Raises (on entry):
        DuplicateRequest: the first is still running.
    """

    def __init__(self, key: str | None, seconds: int = KEEP) -> None:
        self._key = key
        self._seconds = seconds
        self._is_first = True
        self.stored: Any = None

    def __enter__(self) -> Self:
        if self._key is not None and self._ask("add", _RUNNING, self._seconds) is False:
            # None: it went away between the two calls, or this cache keeps nothing.
            self.stored = self._ask("get")
            if self.stored == _RUNNING:
                raise DuplicateRequest
            self._is_first = self.stored is None
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, _exc: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if exc_type is not None:
            self.release()

    def store(self, answer: Any) -> None:
        """Keep the answer, any value but None, for whoever asks again."""
        if self._is_first:
            self._ask("set", answer, self._seconds)

    def release(self) -> None:
        """There is no answer to keep: the next request with this id is a new one. Idempotent."""
        if self._is_first:
            self._ask("delete")
            self._is_first = False  # the id may be another request's now

    def _ask(self, method: str, *args: Any) -> Any:
        """Call the cache; go on without it when it is down."""
        if self._key is None:
            return None
        with tolerated_outage():
            return getattr(cache, method)(self._key, *args)
        self._key = None
        return None
