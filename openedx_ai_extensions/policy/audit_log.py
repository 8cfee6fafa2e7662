"""Records changes in the history that the Django admin shows for each object."""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from openedx_ai_extensions.edxapp.interface import Person


def record(user: Person, obj: Model, what: str) -> None:
    """Add an entry to an object's history."""
    LogEntry.objects.create(
        user_id=user.pk or 0,
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        object_repr=str(obj)[:200],
        action_flag=CHANGE,
        change_message=what,
    )
