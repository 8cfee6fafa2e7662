"""Everything that we keep of a person, and that providers keep for us, deleted: what retirement of an account means.

All of it may be done any number of times.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from submissions.models import StudentItem, Submission

from openedx_ai_extensions.core.connection_release import cancellable
from openedx_ai_extensions.exceptions import AIExtensionsError, ThreadGone
from openedx_ai_extensions.ledger.counters import forget_person
from openedx_ai_extensions.models import AIConsent, AIWorkerLease, AIWorkflowRun, AIWorkflowSession
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm.provider import gateway
from openedx_ai_extensions.processors.openedx.submission import ITEM_TYPE
from openedx_ai_extensions.workflows.orchestrators.threaded import REMOTE_THREAD_KEY

logger = logging.getLogger(__name__)

MAX_RESPONSES = 1000  # of one thread: ends a walk whose provider answers in circles


@dataclass(frozen=True, slots=True)
class ProviderThread:
    """A conversation that a provider keeps, by its last response."""

    provider: str
    response_id: str


@dataclass(frozen=True, slots=True)
class Retired:
    """What was deleted of a person, or would be.

    Attributes:
        sessions: our sessions.
        submissions: submissions of ours, with those of sessions deleted before.
        runs: rows of the ledger, which stay without the person.
        consents: what the person has accepted.
        threads: what providers keep of the sessions; nothing else knows of them once the sessions are gone.
    """

    sessions: int
    submissions: int
    runs: int
    consents: int
    threads: tuple[ProviderThread, ...]


@dataclass(frozen=True, slots=True)
class ThreadDeletion:
    """How a provider took to forgetting a thread.

    Attributes:
        responses: how many it deleted.
        left: the rest; None when nothing is left.
        error_code: why there is a rest.
    """

    responses: int
    left: ProviderThread | None = None
    error_code: str = ""


def retire_user(user: Any, *, dry_run: bool = False) -> Retired:
    """Delete a person's sessions, submissions and consents, all or nothing; providers are not asked.

    Args:
        user: the person.
        dry_run: only count.

    Raises:
        DatabaseError: nothing was deleted.
    """
    with transaction.atomic():
        sessions = AIWorkflowSession.objects.filter(user_id=user.pk)
        items = StudentItem.objects.filter(student_id=str(user.pk), item_type=ITEM_TYPE)
        # The library's ordinary manager leaves out what was cleared, and its text is still there.
        submissions = Submission._objects.filter(student_item__in=items)
        # Locked: whoever has an answer under way adds to a thread before this, or finds no session.
        held = sessions if dry_run else sessions.select_for_update()
        threads = tuple(_thread(session) for session in held.order_by("pk") if session.remote_response_id)
        runs = AIWorkflowRun.objects.filter(user_id=user.pk)
        consents = AIConsent.objects.filter(user_id=user.pk)
        retired = Retired(sessions.count(), submissions.count(), runs.count(), consents.count(), threads)
        if not dry_run:
            sessions.delete()
            items.delete()
            consents.delete()
            AIWorkerLease.objects.filter(user_id=user.pk).delete()
            forget_person(user.pk)
    logger.info(
        "retirement.%s user=%s sessions=%s submissions=%s runs=%s consents=%s threads=%s",
        "counted" if dry_run else "done", user.pk, retired.sessions, retired.submissions, retired.runs,
        retired.consents, len(threads),
    )  # fmt: skip
    return retired


def _thread(session: AIWorkflowSession) -> ProviderThread:
    """The thread that a session leads to, at the provider that it was begun with."""
    remote = session.metadata.get(REMOTE_THREAD_KEY) if isinstance(session.metadata, dict) else None
    begun_with, _colon, _model = str((remote or {}).get("provider") or "").partition(":")
    provider = begun_with or LLMProcessor(session.profile.processor_config).provider
    return ProviderThread(provider, session.remote_response_id)


def forget_thread(thread: ProviderThread) -> ThreadDeletion:
    """Have the provider delete a thread, the last response first. A thread that it does not know is forgotten."""
    response_id = thread.response_id
    for deleted in range(MAX_RESPONSES):
        if not response_id:
            return ThreadDeletion(deleted)
        try:
            with cancellable(None):  # a run that was cancelled may be what makes this necessary
                response_id = gateway.delete_response(thread.provider, response_id)
        except ThreadGone:
            return ThreadDeletion(deleted)
        except AIExtensionsError as error:
            return ThreadDeletion(deleted, ProviderThread(thread.provider, response_id), error.code)
    return ThreadDeletion(MAX_RESPONSES, ProviderThread(thread.provider, response_id), "too_long")
