"""Loads LiteLLM in web server processes at start-up, so that no learner waits for its import.

Other processes (``manage.py``, Celery, migrations) are left alone: they load it when they first call a model.
"""

from __future__ import annotations

import gc
import sys
import threading

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.processors.llm.provider.library import warm_up


def preload() -> None:
    """Load LiteLLM if this process belongs to uWSGI or gunicorn and ``AI_EXTENSIONS_PRELOAD`` is on.

    In the process that forks the workers, loading blocks: the workers then share its memory. In a worker, it runs in a
    thread while the worker already serves requests.
    """
    if not conf.get("AI_EXTENSIONS_PRELOAD"):
        return
    if _forks_workers():
        load_before_fork()
    elif _is_worker():
        threading.Thread(target=warm_up, name="ai-extensions-preload", daemon=True).start()


def load_before_fork() -> None:
    """Load LiteLLM, and keep its memory shared after a fork: a garbage collection would write to it, and so copy it."""
    warm_up()
    gc.collect()
    gc.freeze()


def _forks_workers() -> bool:
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi.worker_id() == 0 if uwsgi else "gunicorn.arbiter" in sys.modules and not _is_worker()


def _is_worker() -> bool:
    """Is the application being loaded in a worker, after the fork?

    gunicorn has no public way to tell; only in a worker does the worker's own code load the application.
    """
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi:
        return bool(uwsgi.worker_id() > 0)
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith("gunicorn.workers."):
            return True
    return False
