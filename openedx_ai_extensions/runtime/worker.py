"""Runs a background run in a worker: checks the person's rights again, runs it and stores the outcome."""

from __future__ import annotations

import json
import logging
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.utils import translation
from rest_framework.utils.encoders import JSONEncoder

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.error_reports import unexpected
from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.core.long_waits import cancellable
from openedx_ai_extensions.exceptions import AIExtensionsError, RunCancelled, WorkflowNotFound
from openedx_ai_extensions.execution.answers import Result, Stream
from openedx_ai_extensions.execution.background import Lease, error_fields, final_fields, timeout_fields
from openedx_ai_extensions.execution.execution import SlotLocation
from openedx_ai_extensions.models import AIWorkflowAsyncRun
from openedx_ai_extensions.processors.llm import StreamEvent
from openedx_ai_extensions.runtime.runner import admit
from openedx_ai_extensions.runtime.runner import run as run_execution
from openedx_ai_extensions.workflows.orchestrators.base import RUN

logger = logging.getLogger(__name__)

Status = AIWorkflowAsyncRun.Status


@provides("async_run")
def perform(task_id: str) -> None:
    """Run a queued run and store its outcome. A repeated delivery of its task does nothing."""
    lease = Lease.claim(task_id)
    if lease is None:
        logger.info("workflow.async.ignored task_id=%s", task_id)
        return
    logger.info("workflow.async.began task_id=%s", task_id)
    with lease, cancellable(lease.cancellation), translation.override(lease.run.language or None):
        fields = _outcome(lease)
        is_kept = lease.end(**fields)
    logger.info("workflow.async.ended task_id=%s status=%s kept=%s", task_id, fields["status"], is_kept)


def _outcome(lease: Lease) -> dict[str, Any]:
    """Run it; returns the fields to store."""
    try:
        return final_fields(Status.COMPLETED, answer=_answer(lease), progress=1.0)
    except SoftTimeLimitExceeded:
        return timeout_fields()
    except RunCancelled:
        return final_fields(Status.CANCELLED)
    except AIExtensionsError as error:
        # A time limit that strikes inside a provider's stream is raised as a broken stream.
        return timeout_fields() if lease.is_overdue else error_fields(Status.FAILED, error.message, error.code)
    except Exception as error:  # noqa: BLE001  # not hidden: logged, and told to the person under a reference
        told = unexpected(error, "workflow.async.failed")
        return error_fields(Status.FAILED, told.message, told.code)


def _answer(lease: Lease) -> dict[str, Any]:
    """The answer of ``run``.

    Raises:
        NotAllowed: the person may not see the place any more.
        WorkflowNotFound: the workflow is not set up there any more, or the run belongs to another service.
    """
    run = lease.run
    session = run.session
    course_id, location_id = session.course_id or None, run.location_id or None
    if run.service_variant != conf.service_variant():
        logger.error("workflow.async.wrong_service task_id=%s of=%s", run.task_id, run.service_variant)
        raise WorkflowNotFound
    # The REST endpoint has checked this too, but time has passed since then.
    execution = admit(
        session.user,
        SlotLocation(course_id, location_id, run.ui_slot_selector_id),
        action=RUN,
        user_input=run.user_input,
        run_id=run.task_id,
        accepts_stream=True,  # no client reads it, but a stream can be cancelled at every chunk
        lease=lease,
    )
    if (execution.scope.pk, execution.scope.profile_id) != (session.scope_id, session.profile_id):
        raise WorkflowNotFound
    lease.check(now=True)
    outcome = run_execution(execution)
    answer = _full_answer(outcome, lease) if isinstance(outcome, Stream) else outcome.as_dict()
    # Serialised like the REST endpoint's answers: for example dates and translated texts.
    plain: dict[str, Any] = json.loads(json.dumps(answer, cls=JSONEncoder))
    return plain


def _full_answer(stream: Stream, lease: Lease) -> dict[str, Any]:
    """The complete text of a stream. Cancellation takes effect at once between two tools, otherwise within seconds."""
    texts = []
    try:
        for chunk in stream:
            lease.check(now=isinstance(chunk, StreamEvent))
            texts.append(chunk)
    finally:
        stream.close()
    return Result(b"".join(texts).decode(), finish_reason=stream.finish_reason).as_dict()
