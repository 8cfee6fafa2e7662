"""The cache that all processes share: does it work, and do they share it?"""

from __future__ import annotations

import uuid

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.translation import gettext as _

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core.cache import is_outage, shared_cache
from openedx_ai_extensions.core.deadlines import TookTooLong, in_thread

SECONDS = 2.0
KEY = "health"


def check() -> list[Finding]:
    """Write to it and read that back."""
    subject = _("Default cache")
    advice = _("Check the cache server of CACHES['default']. Until it is back every change takes longer to be noticed.")
    try:
        kind, is_kept = in_thread(_probe, SECONDS, "health")
    except TookTooLong:
        text = _("It did not answer within {seconds} seconds.").format(seconds=SECONDS)
        return [Finding(HealthLevel.ERROR, subject, text, advice)]
    except Exception as error:
        if not is_outage(error):
            raise
        text = _("It cannot be reached ({error}).").format(error=type(error).__name__)
        return [Finding(HealthLevel.ERROR, subject, text, advice)]
    if issubclass(kind, DummyCache) or not is_kept:
        text = _("What is written to it cannot be read back.")
        return [
            Finding(HealthLevel.ERROR, subject, text, _("Configure a real cache, such as Redis, as CACHES['default']."))
        ]
    if issubclass(kind, LocMemCache):
        text = _("Each process has a cache of its own. Changes take longer to be noticed by the other processes, and "
                 "each finds out by itself that a provider is out of order.")  # fmt: skip
        return [
            Finding(HealthLevel.WARNING, subject, text, _("Configure one that all processes share, such as Redis."))
        ]
    return [Finding(HealthLevel.OK, subject, _("It works, and can be shared ({kind}).").format(kind=kind.__name__))]


def _probe() -> tuple[type, bool]:
    cache, word = shared_cache(), uuid.uuid4().hex
    cache.set(KEY, word, 60)
    return type(cache), cache.get(KEY) is not None
