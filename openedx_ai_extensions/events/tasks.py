"""Background tasks that signals start."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.runtime.retirement import ProviderThread, forget_thread

logger = logging.getLogger(__name__)

FIRST_WAIT = 60  # seconds; quadruples
# Seconds: less than the hour after which a Redis broker takes a message that waits for a lost one, and sends it again.
LONGEST_WAIT = 2_700
RETRIES = 34  # about a day


@shared_task(bind=True, acks_late=True, ignore_result=True, max_retries=RETRIES)
def forget_provider_thread(self: Any, provider: str, response_id: str) -> None:
    """Have a provider delete a thread; try again, from where it stopped, while the provider fails."""
    forgotten = forget_thread(ProviderThread(provider, response_id))
    if forgotten.left is None:
        logger.info("retirement.thread.forgotten provider=%s responses=%s", provider, forgotten.responses)
        return
    retries = self.request.retries
    if retries < RETRIES:
        wait = min(FIRST_WAIT * 4**retries, LONGEST_WAIT)
        raise self.retry(args=(provider, forgotten.left.response_id), countdown=wait)
    logger.warning(
        "retirement.thread.left provider=%s response=%s code=%s",
        provider, logged(forgotten.left.response_id), forgotten.error_code,
    )  # fmt: skip
