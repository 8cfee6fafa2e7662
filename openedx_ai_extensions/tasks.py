"""The Celery task. Only a name for the worker: the work is registered by the orchestrators."""

from __future__ import annotations

from celery import shared_task

from openedx_ai_extensions.core import hooks


# Acknowledged when it is over, and given back when the worker dies: a delivery that finds the run begun leaves it
# alone, so one that comes twice does nothing twice. Time limits come with each message.
@shared_task(acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def run_workflow(task_id: str) -> None:
    """Do the background run with this id; what was asked is in its row."""
    hooks.worker("async_run")(task_id)
