"""A moderator that uses a provider's moderation endpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import AIExtensionsError, RunCancelled, ServiceUnavailable
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation import PASSED, Direction, Moderator, Verdict, moderator_kind
from openedx_ai_extensions.processors.llm.provider.answer_reader import field, token_counts
from openedx_ai_extensions.processors.llm.provider.connections import Transmission
from openedx_ai_extensions.processors.llm.provider.library import litellm_module
from openedx_ai_extensions.processors.llm.provider.providers import find_provider, replaced_models
from openedx_ai_extensions.processors.llm.provider.retry import in_thread, with_retries

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
            found = _moderate(str(self._provider), text, self._seconds)
        except RunCancelled:
            raise
        except AIExtensionsError as error:
            logger.warning("moderation.failed run_id=%s moderator=%s direction=%s code=%s passed=%s",
                           run.about["run_id"], self.name, direction, error.code, self._allows_on_failure)  # fmt: skip
            if self._allows_on_failure:
                return PASSED
            raise ServiceUnavailable from None
        return replace(found, price=find_provider(str(self._provider)).price) if found.usage else found


def _moderate(provider_name: str, text: str, seconds: float) -> Verdict:
    """Check a text with a provider's moderation model.

    Raises:
        AIExtensionsError: the provider failed, or took longer than ``seconds``, retries included.
    """
    models = replaced_models()
    if models is not None:
        return models.moderate(text)
    provider = find_provider(provider_name)
    litellm = litellm_module()  # outside of the timeout: the first import takes long
    stated = provider.sent_parameters
    client = _client(stated.get("api_key"), stated.get("api_base") or stated.get("base_url"), seconds)
    model = provider.model.partition("/")[2] or provider.model

    def ask(deadline: float, sent: Transmission) -> Verdict:
        return _verdict(in_thread(lambda: litellm.moderation(input=text, model=model, client=client), deadline, sent))

    return with_retries(ask, provider, seconds)


@lru_cache(maxsize=8)
def _client(key: str | None, address: str | None, seconds: float) -> Any:
    """A reusable client. LiteLLM would create one for each call, with a timeout of ten minutes and retries."""
    import openai

    session = litellm_module().client_session
    return openai.OpenAI(api_key=key, base_url=address, timeout=seconds, max_retries=0, http_client=session)


def _verdict(response: Any) -> Verdict:
    """Read the answer of OpenAI's moderation API, the only one that LiteLLM supports."""
    flagged = [result for result in response.results if result.flagged]
    categories = {name for result in flagged for name, applies in (result.categories or {}).items() if applies}
    usage = field(response, "usage")
    counts = token_counts({name: field(usage, name) for name in ("prompt_tokens", "completion_tokens")})
    return Verdict(is_refused=bool(flagged), categories=sorted(categories), usage=counts)
