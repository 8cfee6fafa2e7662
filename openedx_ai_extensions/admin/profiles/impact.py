"""What a save of a profile reaches: its scopes, their courses, and the conversations that go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.admin.display import change_link
from openedx_ai_extensions.admin.scopes.scope_admin import scope_title
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession

LIVE_DAYS = 30
MOST_SCOPES = 50
MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Impact:
    """Where a profile is at work.

    Attributes:
        scopes: links to the first of its scopes, the most specific first.
        scopes_left_out: how many more there are.
        courses: the ids of their courses; empty for one that serves every course only.
        every_course: does an enabled scope serve every course?
        sessions: how many sessions were used lately; one more than ``MOST_SESSIONS`` stands for any larger number.
    """

    scopes: tuple[SafeString, ...]
    scopes_left_out: int
    courses: tuple[str, ...]
    every_course: bool
    sessions: int

    @property
    def courses_in_words(self) -> str:
        """Whom a save reaches, in words; empty when no enabled scope is left."""
        if self.every_course:
            return _("Every course.")
        if not self.courses:
            return ""
        text = ngettext("{count} course: {names}", "{count} courses: {names}", len(self.courses))
        names = ", ".join(self.courses[:MOST_SCOPES]) + (" …" if len(self.courses) > MOST_SCOPES else "")
        return text.format(count=len(self.courses), names=names)

    @property
    def sessions_in_words(self) -> str:
        if self.sessions > MOST_SESSIONS:
            return _("More than {count} sessions were used in the last {days} days.").format(
                count=MOST_SESSIONS, days=LIVE_DAYS
            )
        text = ngettext(
            "{count} session was used in the last {days} days.",
            "{count} sessions were used in the last {days} days.",
            self.sessions,
        )
        return text.format(count=self.sessions, days=LIVE_DAYS)


def touched(profile: AIWorkflowProfile) -> Impact:
    """What a save of this profile reaches now."""
    scopes = AIWorkflowScope.objects.filter(profile=profile).order_by("-specificity_index", "pk")
    enabled = scopes.filter(enabled=True).order_by("course_id").values_list("course_id", flat=True).distinct()
    courses = [str(course or "") for course in enabled]
    return Impact(
        scopes=tuple(change_link(scope, scope_title(scope)) for scope in scopes[:MOST_SCOPES]),
        scopes_left_out=max(0, scopes.count() - MOST_SCOPES),
        courses=tuple(course for course in courses if course),
        every_course="" in courses,
        sessions=live_sessions(profile),
    )


def live_sessions(profile: AIWorkflowProfile) -> int:
    """How many sessions of its scopes were used lately, counted up to one more than ``MOST_SESSIONS``."""
    since = timezone.now() - timedelta(days=LIVE_DAYS)
    # A session stays with the profile that it was begun with, even if its scope has another now.
    sessions = AIWorkflowSession.objects.filter(profile=profile, scope__profile=profile, updated_at__gte=since)
    return sessions[: MOST_SESSIONS + 1].count()


def meaning_for_sessions() -> str:
    """What a changed configuration means to those in the middle of something."""
    return _(
        "Sessions go on with what is saved, from their next message; what was said before stays. A page that is open "
        "shows the widget as it was until it is loaded again."
    )
