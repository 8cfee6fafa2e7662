"""Stand-ins for what event routing imports from the platform: users, their external ids, and course overviews.

This code lives in the platform only and cannot be installed. Each stand-in answers as its original does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

import pytest
from django.contrib.auth import get_user_model
from opaque_keys.edx.keys import CourseKey

COURSE_TITLE = "Photosynthesis"


class ExternalIdType:
    XAPI = "xapi"
    CALIPER = "caliper"
    LTI = "lti"


@dataclass(frozen=True)
class ExternalId:
    external_user_id: uuid.UUID

    @classmethod
    def add_new_user_id(cls, user, type_name: str) -> tuple[ExternalId, bool]:
        """The person's id of this type, the same each time, and whether it is new."""
        return cls(external_user_id(user, type_name)), False


def external_user_id(user, type_name: str = ExternalIdType.XAPI) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{type_name}.{user.username}.example.com")


def get_potentially_retired_user_by_username(username: str):
    return get_user_model().objects.get(username=username)


def get_course_overviews(course_keys: Iterable[CourseKey]) -> list[dict[str, str]]:
    return [{"id": str(key), "display_name": COURSE_TITLE} for key in course_keys]


def install(helpers: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-ins where ``event_routing_backends.helpers`` keeps what it found in the platform."""
    for stand_in in (ExternalId, ExternalIdType, get_potentially_retired_user_by_username, get_course_overviews):
        monkeypatch.setattr(helpers, stand_in.__name__, stand_in)
    helpers.get_anonymous_user_id.cache_clear()
    helpers.get_course_from_id.cache_clear()
