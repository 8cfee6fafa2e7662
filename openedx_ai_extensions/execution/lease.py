"""A worker's lease on a background run: renewed while the worker is alive, and the channel for cancellation."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connection, router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.connection_release import Cancellation
from openedx_ai_extensions.exceptions import RunCancelled
from openedx_ai_extensions.execution.background import end_if_overdue, update_if_status
from openedx_ai_extensions.models import AIWorkerLease, AIWorkflowAsyncRun

logger = logging.getLogger(__name__)

Status = AIWorkflowAsyncRun.Status

BEATS_PER_LEASE = 4  # renewals per lease duration


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
