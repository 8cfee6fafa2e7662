"""Is AI switched on, and where is it paused?"""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from openedx_ai_extensions.console.checks import check_settings
from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.policy.pauses import Pause, all_pauses


def check() -> list[Finding]:
    """The settings, the switch, and each pause that holds now."""
    found = [
        Finding(HealthLevel.ERROR, _("Settings"), str(message.msg), str(message.hint or ""))
        for message in check_settings()
        if message.is_serious()
    ]
    if not conf.get("AI_EXTENSIONS_ENABLED"):
        text = _("AI is switched off for everybody by the setting AI_EXTENSIONS_ENABLED.")
        found.append(Finding(HealthLevel.WARNING, _("Switch"), text, _("Set it to True and restart to switch AI on.")))
    now = timezone.now()
    found += [_paused(pause) for pause in all_pauses() if pause.is_active_at(now)]
    return found or [Finding(HealthLevel.OK, _("Switch"), _("AI is switched on, and no pause holds now."))]


def _paused(pause: Pause) -> Finding:
    about = [
        _("in the course {course}").format(course=pause.course_id) if pause.course_id else "",
        _("for one profile") if pause.profile_id else "",
        _("at some places") if pause.location_regex else "",
        _("in quiet hours") if pause.has_hours else "",
    ]
    where = ", ".join(filter(None, about))
    subject = _("Pause {number}").format(number=pause.pk)
    if where:
        return Finding(HealthLevel.NOTE, subject, _("AI is paused now: {where}.").format(where=where))
    text, advice = _("AI is paused now, for everybody."), _("Disable the pause in the admin to switch AI on.")
    return Finding(HealthLevel.WARNING, subject, text, advice)
