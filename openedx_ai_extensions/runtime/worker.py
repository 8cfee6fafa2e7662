"""What a worker does with a run: check the person's rights again, run it, write down what became of it."""

from __future__ import annotations

import json
import logging
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.utils import translation
from rest_framework.utils.encoders import JSONEncoder

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.connection_release import cancellable
from openedx_ai_extensions.core.faults import unexpected
from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.exceptions import AIExtensionsError, RunCancelled, WorkflowNotFound
from openedx_ai_extensions.execution.background import final_fields, timeout_fields
from openedx_ai_extensions.execution.execution import SlotLocation
from openedx_ai_extensions.execution.lease import Lease
from openedx_ai_extensions.execution.stream import Result, Stream
from openedx_ai_extensions.models import AIWorkflowAsyncRun
from openedx_ai_extensions.processors.llm import StreamEvent
from openedx_ai_extensions.runtime.runner import admit
from openedx_ai_extensions.runtime.runner import run as run_execution
from openedx_ai_extensions.workflows.orchestrators.base import RUN

logger = logging.getLogger(__name__)

Status = AIWorkflowAsyncRun.Status


@provides("async_run")
def perform(task_id: str) -> None:
    """Do a run that waits; whatever becomes of it is in its row. A second delivery of its task does nothing."""
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
    """Run it; returns what to write in its row."""
    try:
        return final_fields(Status.COMPLETED, answer=_answer(lease), progress=1.0)
    except SoftTimeLimitExceeded:
        return timeout_fields()
    except RunCancelled:
        return final_fields(Status.CANCELLED)
    except AIExtensionsError as error:
        # Where the time limit struck within a provider's stream, it comes as a stream that broke.
        return timeout_fields() if lease.is_overdue else final_fields(Status.FAILED, code=error.code, error=str(error))
    except Exception as error:  # noqa: BLE001  # not hidden: logged, and told to the person under a reference
        told = unexpected(error, "workflow.async.failed")
        return final_fields(Status.FAILED, code=told.code, error=str(told))


def _answer(lease: Lease) -> dict[str, Any]:
    """What ``run`` answers.

    Raises:
        NotAllowed: the person may not be there any more.
        WorkflowNotFound: what was set up there is not any more, or this worker is another service's.
    """
    run = lease.run
    session = run.session
    course_id, location_id = session.course_id or None, run.location_id or None
    if run.service_variant != conf.service_variant():
        logger.error("workflow.async.wrong_service task_id=%s of=%s", run.task_id, run.service_variant)
        raise WorkflowNotFound
    # As the REST endpoint did: time has passed since then.
    execution = admit(
        session.user,
        SlotLocation(course_id, location_id, run.ui_slot_selector_id),
        action=RUN,
        user_input=run.user_input,
        run_id=run.task_id,
        accepts_stream=True,  # no client reads it, but a stream can be stopped at every word
        lease=lease,
    )
    if (execution.scope.pk, execution.scope.profile_id) != (session.scope_id, session.profile_id):
        raise WorkflowNotFound
    lease.check(now=True)
    outcome = run_execution(execution)
    answer = _full_answer(outcome, lease) if isinstance(outcome, Stream) else outcome.as_dict()
    # As the REST endpoint writes it: dates and translated texts, for instance, are no JSON yet.
    plain: dict[str, Any] = json.loads(json.dumps(answer, cls=JSONEncoder))
    return plain


def _full_answer(stream: Stream, lease: Lease) -> dict[str, Any]:
    """The stream's text; it is stopped when nobody wants it any more: between two tools at once, else in seconds."""
    texts = []
    try:
        for chunk in stream:
            lease.check(now=isinstance(chunk, StreamEvent))
            texts.append(chunk)
    finally:
        stream.close()
    return Result(b"".join(texts).decode(), finish_reason=stream.finish_reason).as_dict()
