"""Exams: the platform's own attempts, those of the separate service, and exams as places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import jwt
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test.utils import override_settings
from edx_proctoring.api import create_exam, create_exam_attempt, update_attempt_status
from edx_proctoring.runtime import set_runtime_service
from edx_toggles.toggles.testutils import override_waffle_flag
from openedx.core.djangoapps.course_apps.toggles import EXAMS_IDA
from openedx.core.djangoapps.credit.services import CreditService
from openedx.core.djangoapps.waffle_utils.models import WaffleFlagCourseOverrideModel
from xmodule.modulestore.tests.django_utils import SharedModuleStoreTestCase

from openedx_ai_extensions.edxapp import get_platform
from tests.fakes.exams_service import ExamsService
from tests.fakes.provider import Say
from tests.platform import factories

STARTED = {"attempt_status": "started"}


@contextmanager
def exams_service() -> Iterator[ExamsService]:
    """The service on loopback, where special exams are switched on."""
    with (
        ExamsService() as service,
        override_settings(EXAMS_SERVICE_URL=service.url),
        patch.dict(settings.FEATURES, ENABLE_SPECIAL_EXAMS=True),
    ):
        yield service


@pytest.mark.lms
class ExamsTest(SharedModuleStoreTestCase):
    """A course with a page outside of its exam and one in it; sequences are made exams by each flag."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.course = factories.make_course()
        cls.unit = factories.add_unit(cls.course)
        factories.add_html(cls.unit, "Sunlight")
        cls.exam_unit = factories.add_unit(cls.course, "Exam", sequence={"is_time_limited": True})
        factories.add_html(cls.exam_unit, "Secret question")

    def setUp(self) -> None:
        super().setUp()
        self.learner = factories.enrolled(self.course.id)
        self.platform = get_platform()
        factories.make_scope(self.course.id)

    def run_at(self, unit: Any, user: Any = None) -> Any:
        with factories.model_server() as model:
            model.always(Say("A summary."))
            return factories.Api(user or self.learner, unit.location).run()

    def assert_closed(self, response: Any) -> None:
        assert response.status_code == 403, response.content
        assert response.json()["error"]["reason"] == "exam"

    def test_the_way_to_an_exam(self) -> None:
        units = [self.unit.location, self.exam_unit.location]
        for unit, way in self.platform.ways_to(units).items():
            assert [step.usage_key.block_type for step in way] == ["course", "chapter", "sequential", "vertical"]
            assert [step.is_exam for step in way] == [False, False, unit == self.exam_unit.location, False]

    def test_an_exam_is_closed_to_learners_with_an_attempt_or_without(self) -> None:
        self.assert_closed(self.run_at(self.exam_unit))
        assert self.run_at(self.unit).status_code == 200
        assert self.run_at(self.exam_unit, factories.staff(self.course.id)).status_code == 200

    @patch.dict(settings.FEATURES, ENABLE_SPECIAL_EXAMS=True)
    def test_an_attempt_of_the_platform_itself(self) -> None:
        set_runtime_service("credit", CreditService())  # as where special exams are on from the start
        exam = create_exam(
            course_id=str(self.course.id),
            content_id=str(self.exam_unit.parent),
            exam_name="Exam",
            time_limit_mins=60,
            is_proctored=False,
        )
        attempt = create_exam_attempt(exam, self.learner.id)
        assert not self.platform.is_in_exam(self.learner)
        update_attempt_status(attempt, "started")
        assert self.platform.is_in_exam(self.learner)
        self.assert_closed(self.run_at(self.unit))
        assert not self.platform.is_in_exam(factories.enrolled(self.course.id))
        with patch.dict(settings.FEATURES, ENABLE_SPECIAL_EXAMS=False):  # nothing in the platform runs its clock now
            assert not self.platform.is_in_exam(self.learner)
            self.assert_closed(self.run_at(self.exam_unit))
        update_attempt_status(attempt, "submitted")
        assert not self.platform.is_in_exam(self.learner)
        assert self.run_at(self.unit).status_code == 200

    def test_an_attempt_of_the_separate_service(self) -> None:
        with exams_service() as service, override_waffle_flag(EXAMS_IDA, active=True):
            service.attempt = STARTED
            self.assert_closed(self.run_at(self.unit))
            service.attempt = {}
            cache.clear()  # an answer holds for seconds
            assert self.run_at(self.unit).status_code == 200
        path, headers = service.requests[0]
        assert path == "/api/v1/exams/attempt/latest"
        kind, token = headers["Authorization"].split()
        claims = jwt.decode(token, options={"verify_signature": False}, algorithms=["HS256"])
        assert (kind, claims["preferred_username"], claims["user_id"]) == (
            "JWT",
            self.learner.username,
            self.learner.id,
        )
        assert "email" not in claims

    def test_a_service_that_is_down_leaves_the_exam_closed_and_the_rest_open(self) -> None:
        with exams_service() as service, override_waffle_flag(EXAMS_IDA, active=True):
            service.status = 503
            assert self.run_at(self.unit).status_code == 200
            self.assert_closed(self.run_at(self.exam_unit))

    def test_the_service_is_not_asked_for_other_courses(self) -> None:
        with exams_service() as service:
            service.attempt = STARTED
            assert not self.platform.is_in_exam(self.learner)
        assert not service.requests

    def test_a_course_s_own_override_counts(self) -> None:
        WaffleFlagCourseOverrideModel.objects.create(
            waffle_flag=EXAMS_IDA.name, course_id=self.course.id, override_choice="on", enabled=True
        )
        with exams_service() as service:
            service.attempt = STARTED
            assert self.platform.is_in_exam(self.learner)
            assert not self.platform.is_in_exam(factories.stranger())
        assert len(service.requests) == 1
