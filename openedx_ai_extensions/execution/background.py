"""The background run of a session: start, query and cancel it, and the lease of its worker.

The lease is renewed while the worker is alive, and is the channel for cancellation.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connection, router, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext
from kombu.exceptions import OperationalError
from opaque_keys.edx.django.models import UsageKeyField
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.long_waits import Cancellation
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.messages import shown, stored
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    DuplicateRequest,
    QuotaExceeded,
    RunCancelled,
    ServiceUnavailable,
)
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.models import AIWorkerLease, AIWorkflowAsyncRun, AIWorkflowSession
from openedx_ai_extensions.tasks import run_workflow

logger = logging.getLogger(__name__)

Status = AIWorkflowAsyncRun.Status

# One retry only: a person waits for the response.
BROKER_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2, "interval_step": 0, "interval_max": 0.2}
BEATS_PER_LEASE = 4  # renewals per lease duration


def start(
    session: AIWorkflowSession,
    *,
    user_input: Any,
    location_id: UsageKey | None,
    ui_slot_selector_id: str | None,
    account: Run | None = None,
) -> AIWorkflowAsyncRun:
    """Start ``run`` in a worker. A repeated identical request returns the run that is already under way.

    Args:
        session: the session; it has one run at a time.
        user_input: the input of ``run``, JSON-serialisable.
        location_id: the person's location.
        ui_slot_selector_id: the widget slot.
        account: the ledger account whose limits are checked; None for no limits.

    Raises:
        DuplicateRequest: the session has a different run under way.
        QuotaExceeded: the person has too many runs under way, or the queued runs will use up a limit.
        ServiceUnavailable: no broker can be reached; no run is stored.
    """
    _require_free_slot(session, account)
    wanted = {"user_input": user_input, "location_id": location_id or UsageKeyField.Empty}
    fields = {
        **wanted,
        "task_id": uuid.uuid4().hex,
        "status": Status.QUEUED,
        "ui_slot_selector_id": ui_slot_selector_id or "",
        "service_variant": conf.service_variant(),
        "language": translation.get_language() or "",
        "queued_at": timezone.now(),
    }
    runs = AIWorkflowAsyncRun.objects
    run, is_new = runs.get_or_create(session=session, defaults=fields)
    if not is_new:
        run = end_if_overdue(run)
        blank = {"progress": None, "message": "", "answer": None, "error": "", "error_parts": None, "code": "",
                 "started_at": None, "lease_until": None, "ended_at": None}  # fmt: skip
        is_new = not run.is_active and update_if_status(run.task_id, [run.status], **{**blank, **fields})
        run = runs.get(session=session)
    if not is_new:
        if {name: getattr(run, name) or None for name in wanted} != {name: wanted[name] or None for name in wanted}:
            raise DuplicateRequest(_("The AI is still working on your previous request here."))
        return run
    try:
        _require_free_slot(session, account)  # other requests may have been queued meanwhile
    except QuotaExceeded:
        _withdraw(run)
        raise
    _send(run)
    return run


def _require_free_slot(session: AIWorkflowSession, account: Run | None) -> None:
    """Raise QuotaExceeded if the person's other runs leave no room for another one."""
    now = timezone.now()
    waited_since = now - timedelta(seconds=conf.get("AI_EXTENSIONS_ASYNC.QUEUE_TIME_LIMIT"))
    others = AIWorkflowAsyncRun.objects.filter(session__user=session.user_id).exclude(session=session)
    waiting = others.filter(status=Status.QUEUED, queued_at__gte=waited_since).count()
    own = AIWorkflowAsyncRun.objects.filter(session=session, status=Status.RUNNING).values("task_id")
    # Workers of cancelled runs and of deleted sessions count too.
    workers = AIWorkerLease.objects.filter(user=session.user_id, until__gte=now)
    at_work = workers.exclude(task_id__in=own).count()
    most = conf.get("AI_EXTENSIONS_ASYNC.RUNS_PER_PERSON")
    if waiting + at_work >= most:
        raise QuotaExceeded.at_once(most, refused_by="person/background")
    if account is not None and waiting:
        account.require_quota(waiting=waiting)


def _withdraw(run: AIWorkflowAsyncRun) -> None:
    AIWorkflowAsyncRun.objects.filter(task_id=run.task_id, status=Status.QUEUED).delete()


def _send(run: AIWorkflowAsyncRun) -> None:
    try:
        run_workflow.apply_async(
            (run.task_id,),
            task_id=run.task_id,
            soft_time_limit=conf.get("AI_EXTENSIONS_ASYNC.SOFT_TIME_LIMIT"),
            time_limit=conf.get("AI_EXTENSIONS_ASYNC.TIME_LIMIT"),
            retry_policy=BROKER_RETRY_POLICY,
        )
    except OperationalError:
        # The error's text may contain the broker's address with a password.
        logger.error("workflow.async.unsent task_id=%s", run.task_id)
        _withdraw(run)
        raise ServiceUnavailable(
            _("Background tasks are not available at the moment. Please try again later.")
        ) from None


def current(session: AIWorkflowSession) -> AIWorkflowAsyncRun | None:
    """The session's run, or None. A run without a live worker is marked as ended first."""
    run = _run_of(session)
    return None if run is None else end_if_overdue(run)


def _run_of(session: AIWorkflowSession) -> AIWorkflowAsyncRun | None:
    return AIWorkflowAsyncRun.objects.filter(session=session.pk).first()


def state(run: AIWorkflowAsyncRun | None) -> dict[str, Any]:
    """The run as the REST contract shows it: ``{"status": …}`` and the fields of that status."""
    if run is None:
        return {"status": "idle"}
    match run.status:
        case Status.QUEUED | Status.RUNNING:
            known = {} if run.progress is None else {"progress": run.progress}
            return {"status": "processing", "message": run.message or processing_message(run), **known}
        case Status.COMPLETED:
            answer: Mapping[str, Any] = run.answer or {}
            return {**answer, "status": "completed"}
        case Status.FAILED:
            return {"status": "failed", "error": _error(run), "code": run.code}
        case Status.TIMEOUT:
            return {"status": "timeout", "error": _error(run)}
    return {"status": str(run.status)}


def _error(run: AIWorkflowAsyncRun) -> str:
    """The error in the reader's language; that of an older row in the language in which it was stored."""
    return run.error if run.error_parts is None else shown(run.error_parts)


def processing_message(run: AIWorkflowAsyncRun) -> str:
    """The default message for a person who waits, used when the run has reported no message."""
    return gettext("Waiting for the AI.") if run.status == Status.QUEUED else gettext("The AI is working on it.")


def cancel(session: AIWorkflowSession) -> AIWorkflowAsyncRun | None:
    """Cancel the session's run if it is active. Returns its current row."""
    run = current(session)
    if (
        run is not None
        and run.is_active
        and update_if_status(run.task_id, run.ACTIVE, **final_fields(Status.CANCELLED))
    ):
        logger.info("workflow.async.cancelled task_id=%s", run.task_id)
    return _run_of(session)


def update_if_status(task_id: str, before: Iterable[str], /, *, only: Q | None = None, **fields: Any) -> bool:
    """Update a run if its status is one of ``before`` and ``only`` matches. Returns whether it was updated."""
    rows = AIWorkflowAsyncRun.objects.filter(only or Q(), task_id=task_id, status__in=list(before))
    return bool(rows.update(**fields))


def final_fields(status: str, **fields: Any) -> dict[str, Any]:
    """The fields to store when a run ends. Its input is deleted."""
    return {"status": status, "ended_at": timezone.now(), "user_input": None, "message": "", **fields}


def error_fields(status: str, message: Any, code: str = "") -> dict[str, Any]:
    """The fields to store when a run failed, or exceeded a time limit, with the message for people."""
    return final_fields(status, code=code, error=str(message), error_parts=stored(message))


def timeout_fields() -> dict[str, Any]:
    """The fields to store when a run exceeded its time limit."""
    return error_fields(Status.TIMEOUT, _("This took too long and was stopped. Please try again."))


def end_if_overdue(run: AIWorkflowAsyncRun) -> AIWorkflowAsyncRun:
    """End a run that was never started, or whose worker has died. Returns its current row."""
    now = timezone.now()
    waited_since = now - timedelta(seconds=conf.get("AI_EXTENSIONS_ASYNC.QUEUE_TIME_LIMIT"))
    if run.status == Status.QUEUED and run.queued_at < waited_since:
        fields = error_fields(Status.TIMEOUT, _("This could not be started in time. Please try again later."))
        has_ended = update_if_status(run.task_id, [Status.QUEUED], only=Q(queued_at__lt=waited_since), **fields)
    elif run.status == Status.RUNNING and run.lease_until is not None and run.lease_until < now:
        has_ended = update_if_status(
            run.task_id, [Status.RUNNING], only=Q(lease_until__lt=now), **_interrupted_fields(run, now)
        )
    else:
        return run
    if has_ended:
        logger.warning("workflow.async.overdue task_id=%s was=%s", run.task_id, run.status)
    return AIWorkflowAsyncRun.objects.filter(pk=run.pk).first() or run


def _interrupted_fields(run: AIWorkflowAsyncRun, now: datetime) -> dict[str, Any]:
    limit = timedelta(seconds=conf.get("AI_EXTENSIONS_ASYNC.SOFT_TIME_LIMIT"))
    if run.started_at is not None and run.started_at + limit <= now:
        return timeout_fields()
    return error_fields(Status.FAILED, _("This was interrupted. Please try again."), AIExtensionsError.code)


class Lease:
    """The lease of a started run, renewed by a thread inside the ``with`` block.

    Args:
        run: the row that ``claim`` returned.

    Attributes:
        cancellation: interrupts blocking calls once the run is cancelled.
    """

    def __init__(self, run: AIWorkflowAsyncRun) -> None:
        self.run = run
        began = time.monotonic()
        self._soft = began + conf.get("AI_EXTENSIONS_ASYNC.SOFT_TIME_LIMIT")
        # A run past its hard limit is not kept alive, whatever kind of worker runs it.
        self._hard = began + conf.get("AI_EXTENSIONS_ASYNC.TIME_LIMIT")
        self._seconds = conf.get("AI_EXTENSIONS_ASYNC.LEASE")
        self._over = threading.Event()
        self.cancellation = Cancellation()
        self._thread = threading.Thread(target=self._beat, name="async-run-lease", daemon=True)

    @classmethod
    def claim(cls, task_id: str) -> Lease | None:
        """Start a queued run. Returns None if it was started before, has ended or was deleted; of several deliveries of
        one task only the first gets the lease.
        """
        rows = AIWorkflowAsyncRun.objects.select_related("session__user", "session__scope", "session__profile")
        run = rows.filter(task_id=task_id).first()
        if run is None or end_if_overdue(run).status != Status.QUEUED:
            return None
        now = timezone.now()
        until = _from_now(conf.get("AI_EXTENSIONS_ASYNC.LEASE"))
        held = AIWorkerLease.objects.filter(user=run.session.user_id)
        held.filter(until__lt=now).delete()  # leases of workers that died
        with transaction.atomic(using=router.db_for_write(AIWorkerLease)):
            if not update_if_status(task_id, [Status.QUEUED], status=Status.RUNNING, started_at=now, lease_until=until):
                return None
            held.create(task_id=task_id, user_id=run.session.user_id, until=until)
        return cls(run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _exc: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def is_overdue(self) -> bool:
        """Is the soft time limit reached, within the difference between two clocks?"""
        return time.monotonic() > self._soft - 1

    def check(self, *, now: bool = False) -> None:
        """Raise an error if the run was cancelled or its time is up. Cheap, unless ``now`` queries the database.

        Raises:
            RunCancelled: the run was cancelled.
            SoftTimeLimitExceeded: the time is up.
        """
        if self.cancellation.is_cancelled or (now and not self._renew()):
            raise RunCancelled
        # Celery raises it itself only in process-based workers.
        if time.monotonic() > self._soft:
            raise SoftTimeLimitExceeded

    def report(self, progress: float | None = None, message: str = "") -> None:
        """Report the run's progress.

        Args:
            progress: from 0 to 1; None when unknown.
            message: translated, for the person who waits.

        Raises:
            RunCancelled, SoftTimeLimitExceeded: see ``check``.
        """
        self.check()
        bounded = None if progress is None else min(max(progress, 0.0), 1.0)
        if not self._renew(progress=bounded, message=message[:255]):
            raise RunCancelled

    def hold(self) -> None:
        """Inside a transaction: lock the run, so that it cannot be cancelled before the transaction ends.

        Raises:
            RunCancelled: the run was cancelled before.
        """
        if not self._renew():
            raise RunCancelled

    def end(self, **fields: Any) -> bool:
        """Store the outcome of the run, unless it has ended already, and release the lease."""
        self._held.delete()
        return update_if_status(self.run.task_id, [Status.RUNNING], **fields)

    @property
    def _held(self) -> QuerySet[AIWorkerLease]:
        return AIWorkerLease.objects.filter(task_id=self.run.task_id)

    def _renew(self, **fields: Any) -> bool:
        """Renew the lease. Returns whether the run is still active."""
        until = _from_now(self._seconds)
        self._held.update(until=until)
        return update_if_status(self.run.task_id, [Status.RUNNING], lease_until=until, **fields)

    def _beat(self) -> None:
        try:
            while not self._over.wait(self._seconds / BEATS_PER_LEASE) and time.monotonic() < self._hard:
                try:
                    is_wanted = self._renew()
                except DatabaseError as error:
                    logger.warning(
                        "workflow.async.beat_failed task_id=%s type=%s", self.run.task_id, type(error).__name__
                    )
                    connection.close()
                    continue
                if not is_wanted:
                    self.cancellation.cancel()
        finally:
            connection.close()  # the connection of this thread


def _from_now(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
