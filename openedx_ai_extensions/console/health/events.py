"""What becomes of the events that answers emit."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _
from eventtracking import tracker

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.xapi.allow_list import ALLOWED, BACKENDS, backends_to_xapi, missing_events

ROUTING = "event_routing_backends"


def check() -> list[Finding]:
    """The tracker, the allow-list, the backends and the routers, as far as they are in use."""
    subject = _("Events")
    try:
        tracker.get_tracker()
    except KeyError:
        text = _("Event tracking is off: nothing is recorded.")
        return [Finding(HealthLevel.NOTE, subject, text, _("Set EVENT_TRACKING_ENABLED to have events."))]
    if not apps.is_installed(ROUTING):
        text = _("Answers are recorded in the tracking log. event-routing-backends is not installed, so nothing goes "
                 "to a learning record store.")  # fmt: skip
        return [Finding(HealthLevel.NOTE, subject, text)]
    if not getattr(settings, "XAPI_EVENTS_ENABLED", True):
        text = _("Answers are recorded in the tracking log. xAPI is switched off (XAPI_EVENTS_ENABLED).")
        return [Finding(HealthLevel.NOTE, subject, text)]
    return [_allow_list(), _backends(), _routers()]


def _allow_list() -> Finding:
    missing = missing_events(settings)
    if not missing:
        return Finding(HealthLevel.OK, _("Allow-list"), _("Our events are in it."))
    text = _("It does not let these through: {names}.").format(names=", ".join(missing))
    return Finding(HealthLevel.ERROR, _("Allow-list"), text, _("Add them to {setting}.").format(setting=ALLOWED))


def _backends() -> Finding:
    names = backends_to_xapi(settings)
    if names:
        return Finding(
            HealthLevel.OK, _("Backends"), _("These make xAPI statements: {names}.").format(names=", ".join(names))
        )
    advice = _("See the documentation of event-routing-backends.")
    return Finding(
        HealthLevel.WARNING, _("Backends"), _("None in {setting} leads to xAPI.").format(setting=BACKENDS), advice
    )


def _routers() -> Finding:
    subject = _("Routers")
    try:
        with transaction.atomic():
            model = apps.get_model(ROUTING, "RouterConfiguration")
            number = model.objects.current_set().filter(enabled=True).count()
    except DatabaseError:
        advice = _("Run manage.py migrate {app}.").format(app=ROUTING)
        return Finding(HealthLevel.ERROR, subject, _("Their table cannot be read."), advice)
    if number:
        return Finding(HealthLevel.OK, subject, _("{count} enabled.").format(count=number))
    advice = _("Add one in the admin, under Router configurations, or nothing reaches a learning record store.")
    return Finding(HealthLevel.WARNING, subject, _("None is enabled."), advice)
