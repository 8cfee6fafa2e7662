"""Courses, people and workflows for the tests of this directory, made with the platform's own factories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from common.djangoapps.course_modes.tests.factories import CourseModeFactory
from common.djangoapps.student.tests.factories import (
    AdminFactory,
    CourseEnrollmentFactory,
    InstructorFactory,
    StaffFactory,
    UserFactory,
)
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from edx_django_utils.cache import RequestCache
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from openedx.core.djangoapps.external_user_ids.models import ExternalIdType
from openedx.features.content_type_gating.models import ContentTypeGatingConfig
from openedx.features.course_duration_limits.models import CourseDurationLimitConfig
from xmodule.modulestore.tests.django_utils import SharedModuleStoreTestCase
from xmodule.modulestore.tests.factories import BlockFactory, CourseFactory

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from tests.fakes.provider import FakeProvider

PASSWORD = "Password1234"  # of all people that UserFactory makes
SLOT = "unit-summary"

NOW = datetime.now(UTC)
LAST_YEAR, LAST_WEEK, YESTERDAY = NOW - timedelta(days=365), NOW - timedelta(days=7), NOW - timedelta(days=1)
TOMORROW, NEXT_YEAR = NOW + timedelta(days=1), NOW + timedelta(days=365)

# --------------------------------------------------------------------------------------------------------- courses


def make_course(**fields: Any) -> Any:
    """A course that has begun, with an audit and a paid mode. Only inside the platform's modulestore test cases."""
    return CourseFactory.create(**{"start": LAST_YEAR, "enrollment_start": LAST_YEAR, **fields})


def add_modes(course_key: CourseKey) -> None:
    """What expiry of access and paid content depend on. Rows: for ``setUp``, or ``setUpTestData``."""
    CourseOverview.get_from_id(course_key)
    for slug in ("audit", "verified"):
        CourseModeFactory.create(course_id=course_key, mode_slug=slug)


def add(parent: Any, category: str, **fields: Any) -> Any:
    """A published block below a parent."""
    return BlockFactory.create(parent=parent, category=category, **fields)


def add_unit(course: Any, title: str = "Unit", *, sequence: dict[str, Any] | None = None) -> Any:
    """A unit in a chapter and a sequence of its own.

    Args:
        course: the course block.
        title: of all three.
        sequence: fields of the sequence.
    """
    chapter = add(course, "chapter", display_name=title)
    return add(add(chapter, "sequential", display_name=title, **(sequence or {})), "vertical", display_name=title)


def add_html(parent: Any, text: str, **fields: Any) -> Any:
    return add(parent, "html", data=f"<p>{text}</p>", display_name=text, **fields)


def add_problem(parent: Any, question: str = "Why?", **fields: Any) -> Any:
    """A multiple-choice problem with one right answer and an explanation."""
    return add(
        parent,
        "problem",
        display_name=question,
        data=f"<problem><multiplechoiceresponse><label>{question}</label><choicegroup>"
        '<choice correct="true">Light</choice><choice correct="false">Dark</choice></choicegroup>'
        "<solution><p>Because of light.</p></solution></multiplechoiceresponse></problem>",
        **fields,
    )


# ---------------------------------------------------------------------------------------------------------- people


def enrolled(course_key: CourseKey, mode: str = "audit", *, since: datetime | None = None, **fields: Any) -> Any:
    """A learner. ``since``: when the enrolment was made."""
    user = UserFactory.create(**fields)
    enrolment = CourseEnrollmentFactory.create(user=user, course_id=course_key, mode=mode)
    if since is not None:
        type(enrolment).objects.filter(pk=enrolment.pk).update(created=since)
    return user


def inactive(course_key: CourseKey) -> Any:
    return enrolled(course_key, is_active=False)


def expired(course_key: CourseKey) -> Any:
    """A learner without a paid mode whose access has run out. Needs ``add_modes`` and ``limit_audit_access``."""
    return enrolled(course_key, since=LAST_YEAR)


def staff(course_key: CourseKey) -> Any:
    return StaffFactory.create(course_key=course_key)


def instructor(course_key: CourseKey) -> Any:
    return InstructorFactory.create(course_key=course_key)


def site_staff() -> Any:
    return AdminFactory.create()


def stranger() -> Any:
    return UserFactory.create()


def anonymous() -> AnonymousUser:
    return AnonymousUser()


def limit_audit_access() -> None:
    """Learners without a paid mode lose the course some weeks after they enrolled."""
    CourseDurationLimitConfig.objects.create(enabled=True, enabled_as_of=NOW - timedelta(days=3650))


def gate_paid_content() -> None:
    """Learners without a paid mode see no graded problems."""
    ContentTypeGatingConfig.objects.create(enabled=True, enabled_as_of=NOW - timedelta(days=3650))


class CourseTestCase(SharedModuleStoreTestCase):
    """A course with one unit, which says that plants take up light."""

    course: Any
    unit: Any

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.course = make_course()
        cls.unit = add_unit(cls.course)
        add_html(cls.unit, "Plants take up light.")


def new_request() -> None:
    """Stands between two calls of one test that stand for two requests."""
    RequestCache.clear_all_namespaces()


# ------------------------------------------------------------------------------------------------------- workflows


def make_scope(
    course_key: CourseKey | None, patch: dict[str, Any] | None = None, *, slot: str = SLOT, **fields: Any
) -> AIWorkflowScope:
    """A profile over ``base/summary.json5``, in force for a course in the service that this process is."""
    # Runs are tracked, and xAPI names people by this. A site has it from a migration; these tests may run without.
    ExternalIdType.objects.get_or_create(name="xapi", defaults={"description": "xAPI"})
    profile = AIWorkflowProfile.objects.create(
        slug=slot,
        description=slot,
        base_filepath=fields.pop("base_filepath", "base/summary.json5"),
        content_patch=json.dumps(patch or {}),
    )
    return AIWorkflowScope.objects.create(
        profile=profile,
        course_id=course_key,
        ui_slot_selector_id=slot,
        service_variant=settings.SERVICE_VARIANT,
        enabled=True,
        **fields,
    )


@contextmanager
def model_server() -> Iterator[FakeProvider]:
    """A model on loopback, and the setting that names it. Its ``requests`` hold what it was sent."""
    with FakeProvider() as provider:
        entry = {"MODEL": "openai/gpt-fake", "API_KEY": "sk-test-secret", "API_BASE": provider.base_url}
        with override_settings(AI_EXTENSIONS={"default": entry}):
            yield provider


class Api:
    """The endpoints, called as a person's browser does.

    Args:
        user: who is signed in; None for no one.
        place: the course or the location that every call names.
        slot: the UI slot that every call names.
    """

    def __init__(self, user: Any, place: CourseKey | UsageKey, *, slot: str = SLOT) -> None:
        self.client = Client()
        if user is not None:
            assert self.client.login(username=user.username, password=PASSWORD)
        context = {"courseId": str(getattr(place, "course_key", place)), "uiSlotSelectorId": slot}
        if isinstance(place, UsageKey):
            context["locationId"] = str(place)
        self.query = {"context": json.dumps(context)}

    def get(self, name: str, *args: str, **query: str) -> Any:
        return self.client.get(url_of(name, *args), {**self.query, **query})

    def profile(self) -> Any:
        return self.get("aiext_ui_config")

    def course_text(self, **query: str) -> Any:
        return self.get("aiext_course_text", **query)

    def run(self, user_input: Any = None, action: str = "run") -> Any:
        return self.client.post(
            f"{url_of('aiext_workflows')}?{urlencode(self.query)}",
            json.dumps({"action": action, "user_input": user_input}),
            content_type="application/json",
        )


def text_of(response: Any) -> str:
    """A streamed answer's text."""
    return b"".join(response.streaming_content).decode()


def url_of(name: str, *args: str) -> str:
    return reverse(f"openedx_ai_extensions:api:v1:{name}", args=args)
