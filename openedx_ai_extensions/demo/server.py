"""The demo's web server, on the loopback interface, and its Celery worker."""

from __future__ import annotations

import errno
import threading

from celery import current_app
from celery.worker import WorkController
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

HOST = "127.0.0.1"
PORTS_TO_TRY = 20
TASKS_AT_ONCE = 4


def bind(port: int) -> ThreadedWSGIServer:
    """A server on this port, or on the next free one. It has no application yet, because the settings need its address.

    Raises:
        OSError: none of the next ports is free.
    """
    for candidate in range(port, port + PORTS_TO_TRY):
        try:
            return ThreadedWSGIServer((HOST, candidate), WSGIRequestHandler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"No free port between {port} and {port + PORTS_TO_TRY - 1}.")


def start_worker() -> None:
    """Start a Celery worker in threads of this process, with a broker in memory. Django must be set up."""
    from openedx_ai_extensions.models import AIWorkflowAsyncRun
    from openedx_ai_extensions.tasks import run_workflow

    # Runs that were queued when the last server stopped: its broker is gone, but they are still in the database.
    waiting = AIWorkflowAsyncRun.objects.filter(status=AIWorkflowAsyncRun.Status.QUEUED)
    for task_id in waiting.values_list("task_id", flat=True):
        run_workflow.delay(task_id)
    worker = WorkController(
        app=current_app._get_current_object(),
        pool="threads",
        concurrency=TASKS_AT_ONCE,
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )
    threading.Thread(target=worker.start, name="worker", daemon=True).start()
