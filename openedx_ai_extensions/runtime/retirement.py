"""Deletes everything that is stored about a person, here and at providers, when the account is retired.

All operations are idempotent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from submissions.models import StudentItem, Submission

from openedx_ai_extensions.core.long_waits import cancellable
from openedx_ai_extensions.exceptions import AIExtensionsError, ThreadGone
from openedx_ai_extensions.ledger.counters import forget_person
from openedx_ai_extensions.models import AIConsent, AIWorkerLease, AIWorkflowRun, AIWorkflowSession, AnswerFeedback
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm.provider import responses
from openedx_ai_extensions.processors.openedx.submission import ITEM_TYPE
from openedx_ai_extensions.runtime.runner import forget_answers
from openedx_ai_extensions.workflows.orchestrators.threaded_orchestrator import REMOTE_THREAD_KEY

logger = logging.getLogger(__name__)

MAX_RESPONSES = 1000  # of one thread: stops at cyclic answers of a provider


@dataclass(frozen=True, slots=True)
class ProviderThread:
    """A conversation that a provider stores, identified by its last response."""

    provider: str
    response_id: str


@dataclass(frozen=True, slots=True)
class Retired:
    """What was deleted, or would be.

    Attributes:
        sessions: number of sessions.
        submissions: number of submissions, including those of sessions deleted before.
        runs: number of ledger rows, which are kept without the person.
        consents: number of consents.
        feedback: number of answers that the person rated or reported.
        threads: the provider threads of the sessions. They cannot be found any more once the sessions are deleted.
    """

    sessions: int
    submissions: int
    runs: int
    consents: int
    feedback: int
    threads: tuple[ProviderThread, ...]


@dataclass(frozen=True, slots=True)
class ThreadDeletion:
    """The result of deleting a provider thread.

    Attributes:
        responses: number of deleted responses.
        left: the remaining thread; None if it was deleted completely.
        error_code: why it was not deleted completely.
    """

    responses: int
    left: ProviderThread | None = None
    error_code: str = ""


def retire_user(user: Any, *, dry_run: bool = False) -> Retired:
    """Delete a person's sessions, submissions, consents and feedback in one transaction. Providers are not called.

    Args:
        user: the person.
        dry_run: only count.

    Raises:
        DatabaseError: nothing was deleted.
    """
    with transaction.atomic():
        sessions = AIWorkflowSession.objects.filter(user_id=user.pk)
        items = StudentItem.objects.filter(student_id=str(user.pk), item_type=ITEM_TYPE)
        # The default manager hides cleared submissions, whose text is still stored.
        submissions = Submission._objects.filter(student_item__in=items)
        # Locked: a concurrent run adds to a thread before this point, or finds no session and no student item.
        held = sessions if dry_run else sessions.select_for_update()
        if not dry_run:
            list(items.select_for_update())
        threads = tuple(_thread(session) for session in held.order_by("pk") if session.remote_response_id)
        runs = AIWorkflowRun.objects.filter(user_id=user.pk)
        consents = AIConsent.objects.filter(user_id=user.pk)
        feedback = AnswerFeedback.objects.filter(user_id=user.pk)
        retired = Retired(
            sessions.count(), submissions.count(), runs.count(), consents.count(), feedback.count(), threads
        )
        if not dry_run:
            sessions.delete()
            items.delete()
            consents.delete()
            AIWorkerLease.objects.filter(user_id=user.pk).delete()
            forget_person(user.pk)
            # Afterwards: feedback that is given meanwhile holds a row of the ledger, which the line before waits for.
            feedback.delete()
            forget_answers(user.pk)
    logger.info(
        "retirement.%s user=%s sessions=%s submissions=%s runs=%s consents=%s feedback=%s threads=%s",
        "counted" if dry_run else "done", user.pk, retired.sessions, retired.submissions, retired.runs,
        retired.consents, retired.feedback, len(threads),
    )  # fmt: skip
    return retired


def _thread(session: AIWorkflowSession) -> ProviderThread:
    """The provider thread of a session, with the provider that started it."""
    remote = session.metadata.get(REMOTE_THREAD_KEY) if isinstance(session.metadata, dict) else None
    begun_with, _colon, _model = str((remote or {}).get("provider") or "").partition(":")
    provider = begun_with or LLMProcessor(session.profile.processor_config).provider
    return ProviderThread(provider, session.remote_response_id)


def forget_thread(thread: ProviderThread) -> ThreadDeletion:
    """Delete a thread at the provider, the last response first. A thread that the provider does not know counts as
    deleted.
    """
    response_id = thread.response_id
    for deleted in range(MAX_RESPONSES):
        if not response_id:
            return ThreadDeletion(deleted)
        try:
            with cancellable(None):  # the cancellation of a run must not interrupt this
                response_id = responses.delete(thread.provider, response_id)
        except ThreadGone:
            return ThreadDeletion(deleted)
        except AIExtensionsError as error:
            return ThreadDeletion(deleted, ProviderThread(thread.provider, response_id), error.code)
    return ThreadDeletion(MAX_RESPONSES, ProviderThread(thread.provider, response_id), "too_long")
