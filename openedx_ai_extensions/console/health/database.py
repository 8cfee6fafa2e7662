"""The database: are our tables as this version wants them, and does the ledger keep what it should?"""

from __future__ import annotations

import pkgutil
from datetime import timedelta

from django.db import connections, router
from django.db.migrations.recorder import MigrationRecorder
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions import migrations
from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.audit import PURGE_MARK_KEY
from openedx_ai_extensions.ledger.purge import purge_cutoff
from openedx_ai_extensions.models import AIUsageTotal, AIWorkflowRun

APP = "openedx_ai_extensions"
PURGE_SLACK = timedelta(days=2)  # a purge every night is one day late at most
LATELY = timedelta(days=7)
OVERDUE = timedelta(hours=1)  # after which nobody settles a run any more


def check() -> list[Finding]:
    """The migrations; and the ledger, if it is there."""
    missing = _missing_migrations()
    if missing:
        text = _("These migrations are not applied: {names}.").format(names=", ".join(missing))
        advice = _("Run manage.py migrate {app}.").format(app=APP)
        return [Finding(HealthLevel.ERROR, _("Migrations"), text, advice)]
    return [Finding(HealthLevel.OK, _("Migrations"), _("All are applied.")), _oldest(), _lost(), _unsettled()]


def _missing_migrations() -> list[str]:
    applied = MigrationRecorder(connections[router.db_for_write(AIWorkflowRun)]).applied_migrations()
    names = sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))
    return [name for name in names if (APP, name) not in applied]


def _oldest() -> Finding:
    subject, days = _("Ledger"), conf.get("AI_EXTENSIONS_COSTS.LEDGER_DAYS")
    oldest = AIWorkflowRun.objects.order_by("created_at").values_list("created_at", flat=True).first()
    purged = AIUsageTotal.objects.filter(key=PURGE_MARK_KEY).values_list("starts_at", flat=True).first()
    if oldest is None:
        return Finding(HealthLevel.OK, subject, _("It is empty."))
    text = _("Its oldest run is of {day}; runs are to be kept for {days} days.").format(day=_day(oldest), days=days)
    if purged is not None:
        deleted = _("Runs before {day} have been deleted.").format(day=_day(purged))
        text = f"{text} {deleted}"
    if oldest < purge_cutoff(days, timezone.now()) - PURGE_SLACK:
        return Finding(HealthLevel.WARNING, subject, text, _("Have manage.py ai_purge_ledger run every night."))
    return Finding(HealthLevel.OK, subject, text)


def _lost() -> Finding:
    subject = _("Lost runs")
    rows = AIWorkflowRun.objects.filter(created_at__gte=timezone.now() - LATELY, outcome=AIWorkflowRun.Outcome.LOST)
    number = rows.count()
    if not number:
        return Finding(HealthLevel.OK, subject, _("None in the last seven days."))
    text = ngettext(
        "{count} run of the last seven days was never settled: its process died.",
        "{count} runs of the last seven days were never settled: their processes died.",
        number,
    )
    advice = _("Look for workers that were killed: for want of memory, or by a time limit shorter than an answer's.")
    return Finding(HealthLevel.WARNING, subject, text.format(count=number), advice)


def _unsettled() -> Finding:
    subject = _("Runs under way")
    now = timezone.now()
    running = AIWorkflowRun.objects.filter(is_counted=False, outcome=AIWorkflowRun.Outcome.RUNNING)
    number, overdue = running.count(), running.filter(held_until__lt=now - OVERDUE).count()
    if overdue:
        text = ngettext(
            "{count} run is long overdue and not settled yet.", "{count} runs are long overdue and not settled yet.",
            overdue,
        )  # fmt: skip
        advice = _("They are settled as others come in; if none do, manage.py ai_purge_ledger settles them.")
        return Finding(HealthLevel.WARNING, subject, text.format(count=overdue), advice)
    text = ngettext("{count} run is under way.", "{count} runs are under way.", number).format(count=number)
    return Finding(HealthLevel.OK, subject, text)


def _day(moment: object) -> str:
    return str(formats.date_format(timezone.localtime(moment), "DATE_FORMAT"))  # type: ignore[arg-type]
