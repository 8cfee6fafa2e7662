"""The demo's web server: threaded, on the loopback interface, and flushing every chunk of a stream; and its worker."""

from __future__ import annotations

import errno
import socketserver
import threading

from celery import current_app
from celery.worker import WorkController
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

HOST = "127.0.0.1"
PORTS_TO_TRY = 20
TASKS_AT_ONCE = 4


class ThreadedServer(socketserver.ThreadingMixIn, WSGIServer):
    """One thread a connection, so that a stream holds nobody up; whoever goes away is no fault, as Django has it."""

    daemon_threads = True


def bind(port: int) -> ThreadedServer:
    """A server on this port, or on the next free one. It has no application yet: its address goes into the settings.

    Raises:
        OSError: none of the next ports is free either.
    """
    for candidate in range(port, port + PORTS_TO_TRY):
        try:
            return ThreadedServer((HOST, candidate), WSGIRequestHandler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"No free port between {port} and {port + PORTS_TO_TRY - 1}.")


def start_worker() -> None:
    """A Celery worker in threads of this process, on a broker in its memory: nothing to install, nothing that stays.

    Django must be set up.
    """
    from openedx_ai_extensions.models import AIWorkflowAsyncRun
    from openedx_ai_extensions.tasks import run_workflow

    # What waited when the last server stopped: its broker has gone, but the runs are still in the database.
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
