"""A moderator that uses a provider's moderation endpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import AIExtensionsError, RunCancelled, ServiceUnavailable
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation import PASSED, Direction, Moderator, Verdict, moderator_kind
from openedx_ai_extensions.processors.llm.provider import gateway, model_info
from openedx_ai_extensions.processors.llm.provider.providers import find_provider

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_SECONDS = 5


@moderator_kind("provider")
class ProviderModerator(Moderator):
    """Refuses texts that a provider's moderation model flags.

    Options: ``provider``, an entry of ``AI_EXTENSIONS`` with a moderation model; ``timeout``, seconds including
    retries; ``on_failure``, ``refuse`` (no text passes) or ``allow`` (every text passes) if it fails.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, options)
        self._provider = options.get("provider")
        if self._provider not in conf.providers():
            raise ImproperlyConfigured("its PROVIDER must be an entry of AI_EXTENSIONS")
        self._seconds = options.get("timeout", DEFAULT_TIMEOUT_SECONDS)
        if not isinstance(self._seconds, int | float) or self._seconds <= 0:
            raise ImproperlyConfigured("its TIMEOUT must be a number greater than 0")
        on_failure = options.get("on_failure", "refuse")
        if on_failure not in {"refuse", "allow"}:
            raise ImproperlyConfigured("its ON_FAILURE must be 'refuse' or 'allow'")
        self._allows_on_failure = on_failure == "allow"

    def check(self, text: str, direction: Direction, run: Run) -> Verdict:
        if direction is Direction.BEFORE:
            run.require_quota()  # a person who has used up a limit need not be moderated
        try:
            found = gateway.moderate(str(self._provider), text, self._seconds)
        except RunCancelled:
            raise
        except AIExtensionsError as error:
            logger.warning("moderation.failed run_id=%s moderator=%s direction=%s code=%s passed=%s",
                           run.about["run_id"], self.name, direction, error.code, self._allows_on_failure)  # fmt: skip
            if self._allows_on_failure:
                return PASSED
            raise ServiceUnavailable from None
        return Verdict(
            is_refused=found.is_flagged,
            categories=found.categories,
            usage=found.usage,
            price=model_info.price(find_provider(str(self._provider))) if found.usage else None,
        )
