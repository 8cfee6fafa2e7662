"""What the app does when a signal comes: one of ours over the event bus, or one of the platform's."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from kombu.exceptions import OperationalError
from openedx_events.data import EventsMetadata

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.events.orchestration import run_requested
from openedx_ai_extensions.events.signals import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData
from openedx_ai_extensions.events.tasks import forget_provider_thread
from openedx_ai_extensions.runtime.retirement import ProviderThread, Retired, retire_user

logger = logging.getLogger(__name__)

# A provider that was near the end of an abandoned answer may still store it. Until then there is nothing to delete.
ANSWER_SETTLES_SECONDS = 10


@receiver(AI_ORCHESTRATION_REQUESTED, dispatch_uid="openedx_ai_extensions.run_orchestration")
def run_orchestration(*, orchestration: AIOrchestrationData, metadata: EventsMetadata, **_kwargs: Any) -> None:
    """Run the workflow that an event asks for, where the site has switched this on.

    It runs in the process that gets the event: at once in a consumer of the bus, and after the sender's transaction in
    the sender's own process, so that a fault of ours cannot break it.
    """
    if conf.get("AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER"):
        transaction.on_commit(partial(run_requested, orchestration, metadata.id))


def retire(*, user: Any, **_kwargs: Any) -> Retired:
    """The platform retires a person: delete what we keep, and have the providers delete what they keep.

    Connected to the platform's signals by the plugin manager, see ``apps``. The platform wants receivers to be quick,
    so the providers are asked by tasks, once the deletion is certain.

    Raises:
        DatabaseError: the platform must try again.
    """
    retired = retire_user(user)
    transaction.on_commit(partial(_forget, retired.threads))
    return retired


@provides("forget_thread")
def forget_thread(provider: str, response_id: str) -> None:
    """Have a provider delete a thread whose session was deleted while an answer arrived."""
    _forget([ProviderThread(provider, response_id)], countdown=ANSWER_SETTLES_SECONDS)


def _forget(threads: Sequence[ProviderThread], *, countdown: int = 0) -> None:
    for position, thread in enumerate(threads):
        try:
            forget_provider_thread.apply_async((thread.provider, thread.response_id), countdown=countdown)
        except OperationalError:
            # Too late to stop the retirement; the ids are all it takes to delete them by hand.
            for left in threads[position:]:
                logger.warning(
                    "retirement.thread.left provider=%s response=%s code=no_broker",
                    left.provider,
                    logged(left.response_id),
                )
            return
