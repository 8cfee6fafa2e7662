"""What the site runs besides this process: shared cache, Celery broker and workers, database, event routing."""

from __future__ import annotations

import pkgutil
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import DatabaseError, connections, router, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from eventtracking import tracker
from kombu.exceptions import KombuError

from openedx_ai_extensions import migrations, tasks
from openedx_ai_extensions.console.health.findings import Finding, error, note, ok, warning
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import is_outage, shared_cache
from openedx_ai_extensions.core.long_waits import TookTooLong, in_thread
from openedx_ai_extensions.ledger.audit import PURGE_MARK_KEY, purge_cutoff
from openedx_ai_extensions.models import AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.xapi.allow_list import ALLOWED, BACKENDS, backends_to_xapi, missing_events

CACHE_SECONDS = 2.0
CACHE_KEY = "health"
BROKER_SECONDS = 3.0
PING_SECONDS = 1.0
APP = "openedx_ai_extensions"
PURGE_SLACK = timedelta(days=2)  # a purge that runs every night is at most one day late
RECENT = timedelta(days=7)
OVERDUE = timedelta(hours=1)  # later, the run's process will not settle it any more
ROUTING = "event_routing_backends"


def cache() -> Iterator[Finding]:
    """Write to the shared cache, and read it back."""
    subject = _("Default cache")
    advice = _("Check the cache server of CACHES['default']. Without it, changes take longer to reach all processes.")
    try:
        kind, is_kept = in_thread(_probe_cache, CACHE_SECONDS, "health")
    except Exception as problem:
        text = _("It did not answer within {seconds} seconds.").format(seconds=CACHE_SECONDS)
        if not isinstance(problem, TookTooLong):
            if not is_outage(problem):
                raise
            text = _("It cannot be reached ({error}).").format(error=type(problem).__name__)
        yield error(subject, text, advice)
        return
    if issubclass(kind, DummyCache) or not is_kept:
        advice = _("Configure a real cache, such as Redis, as CACHES['default'].")
        yield error(subject, _("What is written to it cannot be read back."), advice)
    elif issubclass(kind, LocMemCache):
        text = _("Each process has its own cache. Changes take longer to reach the other processes, and each process "
                 "must notice failing providers by itself.")  # fmt: skip
        yield warning(subject, text, _("Configure a cache that all processes share, such as Redis."))
    else:
        yield ok(subject, _("It works, and can be shared ({kind}).").format(kind=kind.__name__))


def _probe_cache() -> tuple[type, bool]:
    store = shared_cache()
    store.set(CACHE_KEY, uuid.uuid4().hex, 60)
    return type(store), store.get(CACHE_KEY) is not None


def worker() -> Iterator[Finding]:
    """Reach the Celery broker, then ping its workers."""
    app = tasks.run_workflow.app
    if app.conf.task_always_eager:
        text = _("Tasks run immediately in the process that starts them (CELERY_TASK_ALWAYS_EAGER).")
        yield note(_("Worker"), text, _("On a live site, unset it and start a Celery worker."))
        return
    try:
        in_thread(lambda: _connect(app), BROKER_SECONDS, "health")
    except (TookTooLong, KombuError, OSError) as problem:
        text = _("The broker cannot be reached ({error}).").format(error=type(problem).__name__)
        advice = _("Check that the broker of the platform's Celery (usually Redis) runs and can be reached from here.")
        yield error(_("Broker"), text, advice)
        return
    yield ok(_("Broker"), _("It can be reached."))
    try:
        names = in_thread(lambda: _ping_workers(app), PING_SECONDS + BROKER_SECONDS, "health")
    except (TookTooLong, KombuError, OSError):
        names = []
    if names:
        yield ok(_("Worker"), _("These workers answer: {names}.").format(names=", ".join(names)))
    else:
        text = _("No worker answered within {seconds} second.").format(seconds=PING_SECONDS)
        advice = _("Start a Celery worker of this service: without one, background runs wait until they expire.")
        yield error(_("Worker"), text, advice)


def _connect(app: Any) -> None:
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)


def _ping_workers(app: Any) -> list[str]:
    replies = app.control.ping(timeout=PING_SECONDS)
    return sorted(name for reply in replies or () for name in reply)


def database() -> Iterator[Finding]:
    """The migrations; and if all are applied, the ledger."""
    applied = MigrationRecorder(connections[router.db_for_write(AIWorkflowRun)]).applied_migrations()
    names = sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))
    missing = [name for name in names if (APP, name) not in applied]
    if missing:
        text = _("These migrations are not applied: {names}.").format(names=", ".join(missing))
        yield error(_("Migrations"), text, _("Run manage.py migrate {app}.").format(app=APP))
        return
    yield ok(_("Migrations"), _("All are applied."))
    yield _oldest_run()
    yield _lost_runs()
    yield _active_runs()


def _oldest_run() -> Finding:
    subject, days = _("Ledger"), conf.get("AI_EXTENSIONS_COSTS.LEDGER_DAYS")
    oldest = AIWorkflowRun.objects.order_by("created_at").values_list("created_at", flat=True).first()
    purged = AIUsageTotal.objects.filter(key=PURGE_MARK_KEY).values_list("starts_at", flat=True).first()
    if oldest is None:
        return ok(subject, _("It is empty."))
    text = _("The oldest run is from {day}. Runs are kept for {days} days.").format(day=_day(oldest), days=days)
    if purged is not None:
        deleted = _("Runs before {day} have been deleted.").format(day=_day(purged))
        text = f"{text} {deleted}"
    if oldest < purge_cutoff(days, timezone.now()) - PURGE_SLACK:
        return warning(subject, text, _("Run manage.py ai_purge_ledger every night."))
    return ok(subject, text)


def _lost_runs() -> Finding:
    rows = AIWorkflowRun.objects.filter(created_at__gte=timezone.now() - RECENT, outcome=AIWorkflowRun.Outcome.LOST)
    number = rows.count()
    if not number:
        return ok(_("Lost runs"), _("None in the last seven days."))
    text = ngettext(
        "{count} run of the last seven days was never settled: its process died.",
        "{count} runs of the last seven days were never settled: their processes died.",
        number,
    )
    advice = _("Look for workers that were killed because of too little memory, or by a time limit that is shorter "
               "than an answer takes.")  # fmt: skip
    return warning(_("Lost runs"), text.format(count=number), advice)


def _active_runs() -> Finding:
    now = timezone.now()
    running = AIWorkflowRun.objects.filter(is_counted=False, outcome=AIWorkflowRun.Outcome.RUNNING)
    number, overdue = running.count(), running.filter(held_until__lt=now - OVERDUE).count()
    if overdue:
        text = ngettext("{count} run is overdue and not settled yet.", "{count} runs are overdue and not settled yet.",
                        overdue)  # fmt: skip
        advice = _("Later runs settle them. If there are none, manage.py ai_purge_ledger does.")
        return warning(_("Active runs"), text.format(count=overdue), advice)
    text = ngettext("{count} run is active.", "{count} runs are active.", number).format(count=number)
    return ok(_("Active runs"), text)


def _day(moment: datetime) -> str:
    return str(formats.date_format(timezone.localtime(moment), "DATE_FORMAT"))


def events() -> Iterator[Finding]:
    """Event tracking; and the allow-list, backends and routers for xAPI where they are in use."""
    subject = _("Events")
    try:
        tracker.get_tracker()
    except KeyError:
        text = _("Event tracking is off: no events are recorded.")
        yield note(subject, text, _("Set EVENT_TRACKING_ENABLED to record events."))
        return
    if not apps.is_installed(ROUTING):
        yield note(subject, _("Events are recorded in the tracking log. They do not reach a learning record store, "
                              "because event-routing-backends is not installed."))  # fmt: skip
        return
    if not getattr(settings, "XAPI_EVENTS_ENABLED", True):
        yield note(subject, _("Events are recorded in the tracking log. xAPI is switched off (XAPI_EVENTS_ENABLED)."))
        return
    missing = missing_events(settings)
    if missing:
        text = _("It blocks these events: {names}.").format(names=", ".join(missing))
        yield error(_("Allow-list"), text, _("Add them to {setting}.").format(setting=ALLOWED))
    else:
        yield ok(_("Allow-list"), _("It has all events of this plugin."))
    names = backends_to_xapi(settings)
    if names:
        yield ok(_("Backends"), _("These make xAPI statements: {names}.").format(names=", ".join(names)))
    else:
        text = _("No backend in {setting} makes xAPI statements.").format(setting=BACKENDS)
        yield warning(_("Backends"), text, _("See the documentation of event-routing-backends."))
    yield _routers()


def _routers() -> Finding:
    try:
        with transaction.atomic():
            model = apps.get_model(ROUTING, "RouterConfiguration")
            number = model.objects.current_set().filter(enabled=True).count()
    except DatabaseError:
        advice = _("Run manage.py migrate {app}.").format(app=ROUTING)
        return error(_("Routers"), _("Their table cannot be read."), advice)
    if number:
        return ok(_("Routers"), _("{count} enabled.").format(count=number))
    advice = _("Add one in the admin, under Router configurations. Without a router, no event reaches a learning "
               "record store.")  # fmt: skip
    return warning(_("Routers"), _("None is enabled."), advice)
