"""Celery, which does the runs in the background: is there a broker, and does a worker answer?"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from kombu.exceptions import KombuError

from openedx_ai_extensions import tasks
from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core.deadlines import TookTooLong, in_thread

BROKER_SECONDS = 3.0
PING_SECONDS = 1.0


def check() -> list[Finding]:
    """Reach the broker, then ask all workers for a word."""
    app = tasks.run_workflow.app
    if app.conf.task_always_eager:
        text = _("Tasks run at once, in the process that asks for them (CELERY_TASK_ALWAYS_EAGER).")
        return [Finding(HealthLevel.NOTE, _("Worker"), text, _("On a live site, unset it and start a Celery worker."))]
    try:
        in_thread(lambda: _reach(app), BROKER_SECONDS, "health")
    except (TookTooLong, KombuError, OSError) as error:
        text = _("The broker cannot be reached ({error}).").format(error=type(error).__name__)
        advice = _(
            "Check that the broker of the platform's Celery (Redis, as a rule) runs and can be reached from here."
        )
        return [Finding(HealthLevel.ERROR, _("Broker"), text, advice)]
    reached = Finding(HealthLevel.OK, _("Broker"), _("It can be reached."))
    try:
        names = in_thread(lambda: _ping(app), PING_SECONDS + BROKER_SECONDS, "health")
    except (TookTooLong, KombuError, OSError):
        names = []
    if not names:
        text = _("No worker answered within {seconds} second.").format(seconds=PING_SECONDS)
        advice = _("Start a Celery worker of this service: without one, runs in the background wait until they lapse.")
        return [reached, Finding(HealthLevel.ERROR, _("Worker"), text, advice)]
    return [reached, Finding(HealthLevel.OK, _("Worker"), _("These answer: {names}.").format(names=", ".join(names)))]


def _reach(app: Any) -> None:
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)


def _ping(app: Any) -> list[str]:
    replies = app.control.ping(timeout=PING_SECONDS)
    return sorted(name for reply in replies or () for name in reply)
