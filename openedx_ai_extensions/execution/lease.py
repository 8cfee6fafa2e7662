"""A worker's hold on a run: it says that it is alive, and hears when nobody wants the answer any more."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
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

BEATS_PER_LEASE = 4  # in the time of one lease


class Lease:
    """A begun run, renewed by a thread while the block runs.

    Args:
        run: as ``claim`` gave it.

    Attributes:
        cancellation: ends what the run waits for, once its answer is not wanted any more.
    """

    def __init__(self, run: AIWorkflowAsyncRun) -> None:
        self.run = run
        began = time.monotonic()
        self._soft = began + conf.get("AI_EXTENSIONS_ASYNC_SOFT_TIME_LIMIT")
        # Past its hard limit a run is not worth keeping alive, whatever kind of worker it is in.
        self._hard = began + conf.get("AI_EXTENSIONS_ASYNC_TIME_LIMIT")
        self._seconds = conf.get("AI_EXTENSIONS_ASYNC_LEASE")
        self._over = threading.Event()
        self.cancellation = Cancellation()
        self._thread = threading.Thread(target=self._beat, name="async-run-lease", daemon=True)

    @classmethod
    def claim(cls, task_id: str) -> Lease | None:
        """Begin a run that waits. None when it was begun before, is over, or has gone: of several deliveries of one
        task, one gets it.
        """
        rows = AIWorkflowAsyncRun.objects.select_related("session__user", "session__scope", "session__profile")
        run = rows.filter(task_id=task_id).first()
        if run is None or end_if_overdue(run).status != Status.QUEUED:
            return None
        now = timezone.now()
        until = _from_now(_lease_seconds())
        held = AIWorkerLease.objects.filter(user=run.session.user_id)
        held.filter(until__lt=now).delete()  # of workers that died
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
        """Is its time up, give or take the moment between two clocks?"""
        return time.monotonic() > self._soft - 1

    def check(self, *, now: bool = False) -> None:
        """Go on only while somebody wants the answer, and there is time. Cheap, unless ``now`` asks the database.

        Raises:
            RunCancelled: nobody wants it.
            SoftTimeLimitExceeded: time is up.
        """
        if self.cancellation.is_cancelled or (now and not self._renew()):
            raise RunCancelled
        # Celery says so itself only where its workers are processes.
        if time.monotonic() > self._soft:
            raise SoftTimeLimitExceeded

    def report(self, progress: float | None = None, message: str = "") -> None:
        """Say how far the run is.

        Args:
            progress: from 0 to 1; None when not known.
            message: translated, for the person who waits.

        Raises:
            RunCancelled, SoftTimeLimitExceeded: see ``check``.
        """
        self.check()
        bounded = None if progress is None else min(max(progress, 0.0), 1.0)
        if not self._renew(progress=bounded, message=message[:255]):
            raise RunCancelled

    def hold(self) -> None:
        """Within a transaction: nobody cancels the run before its end.

        Raises:
            RunCancelled: somebody has.
        """
        if not self._renew():
            raise RunCancelled

    def end(self, **fields: Any) -> bool:
        """Write what became of the run, unless it is over already. The worker is free."""
        self._held.delete()
        return update_if_status(self.run.task_id, [Status.RUNNING], **fields)

    @property
    def _held(self) -> QuerySet[AIWorkerLease]:
        return AIWorkerLease.objects.filter(task_id=self.run.task_id)

    def _renew(self, **fields: Any) -> bool:
        """Say that the worker is alive; says whether the run is wanted."""
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
            connection.close()  # this thread's own


def _lease_seconds() -> float:
    seconds: float = conf.get("AI_EXTENSIONS_ASYNC_LEASE")
    return seconds


def _from_now(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)
