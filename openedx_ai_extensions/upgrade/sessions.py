"""Old sessions as ours: what people said and made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowSession
from openedx_ai_extensions.upgrade.configuration import PARENT, Left, New, timestamps
from openedx_ai_extensions.upgrade.memory import metadata
from openedx_ai_extensions.upgrade.old_rows import Row, parsed, text
from openedx_ai_extensions.workflows.orchestrators import ScopedSessionOrchestrator, orchestrator_class


class Sessions:
    """Makes sessions of ours; remembers what of the configuration was taken over.

    Args:
        profiles, scopes: what they became, by their old keys. In a rehearsal, anything that stands for it.
        configured: the profiles themselves, by what they became.
    """

    def __init__(
        self, profiles: Mapping[str, Any], scopes: Mapping[str, Any], configured: Mapping[Any, AIWorkflowProfile]
    ) -> None:
        self._profiles = profiles
        self._scopes = scopes
        self._course_wide = {new for new, profile in configured.items() if _spans_course(profile)}
        self._seen: set[tuple[Any, ...]] = set()

    def new(self, row: Row) -> New:
        """The session of a row. Of several for one person, workflow and place, the first that comes is taken.

        Raises:
            Left: it has no place here.
        """
        profile, scope = self._profiles.get(text(row.get("profile_id"))), self._scopes.get(text(row.get("scope_id")))
        if profile is None or scope is None:
            raise Left(PARENT.format(kind="profile" if profile is None else "scope"))
        user_id: Any = row.get("user_id")
        if not get_user_model().objects.filter(pk=user_id).exists():
            raise Left("its person is not there any more")
        course_id: Any = _key(CourseKey, "course_id", row) or CourseKeyField.Empty
        location_id: Any = UsageKeyField.Empty
        if profile not in self._course_wide:
            location_id = _key(UsageKey, "location_id", row) or UsageKeyField.Empty
        place = (user_id, scope, profile, str(course_id), str(location_id))
        if place in self._seen:
            raise Left("the same person has a later session of this workflow at this place")
        self._seen.add(place)
        memory, notes = metadata(parsed(row.get("metadata")))
        instance = AIWorkflowSession(
            user_id=user_id,
            course_id=course_id,
            location_id=location_id,
            local_submission_id=str(row.get("local_submission_id") or ""),
            remote_response_id=str(row.get("remote_response_id") or ""),
            metadata=memory,
        )
        instance.profile_id, instance.scope_id = profile, scope
        return New(instance, notes, timestamps(row))


def refuse_second(instance: AIWorkflowSession) -> None:
    """Raises ValidationError: it is not valid, or its person has gone on without it."""
    instance.clean_fields(exclude={"user", "profile", "scope"})
    same = AIWorkflowSession.objects.filter(
        user_id=instance.user_id,
        scope_id=instance.scope_id,
        profile_id=instance.profile_id,
        course_id=instance.course_id or CourseKeyField.Empty,
        location_id=instance.location_id or UsageKeyField.Empty,
    )
    if same.exists():
        raise ValidationError("the same person has a new session of this workflow at this place")


def _key(kind: Any, column: str, row: Row) -> Any:
    value = str(row.get(column) or "")
    try:
        return kind.from_string(value) if value else None
    except InvalidKeyError:
        raise Left(f"{column}: {value} is no key") from None


def _spans_course(profile: AIWorkflowProfile) -> bool:
    """Do this profile's sessions have no location?"""
    try:
        return issubclass(orchestrator_class(profile.orchestrator_class or ""), ScopedSessionOrchestrator)
    except (ImportError, TypeError):
        return False
