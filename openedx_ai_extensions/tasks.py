"""The Celery task of background runs. Its implementation is registered by ``runtime.worker``."""

from __future__ import annotations

from celery import shared_task

from openedx_ai_extensions.core import hooks


# Acknowledged after the run, and redelivered if the worker dies. A redelivered message does nothing if the run has
# started. Each message has its own time limits.
@shared_task(acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def run_workflow(task_id: str) -> None:
    """Execute the background run with this id. Its input is in its row."""
    hooks.worker("async_run")(task_id)
