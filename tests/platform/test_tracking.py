"""What is tracked of a run, as xAPI, with the platform's own ids of people; and what retirement leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import override_settings
from event_routing_backends.helpers import get_anonymous_user_id, get_course_from_id
from event_routing_backends.processors.xapi.transformer_processor import XApiProcessor
from eventtracking.django.django_tracker import override_default_tracker
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from openedx.core.djangoapps.external_user_ids.models import ExternalId
from openedx.core.djangoapps.user_api.accounts.signals import USER_RETIRE_LMS_CRITICAL, USER_RETIRE_LMS_MISC
from submissions.models import Submission

from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.xapi.constants import EVENT_COMPLETED
from tests.fakes.provider import Say
from tests.fakes.tracking import RecordingBackend
from tests.platform import factories

RECORDING = {"recording": {"ENGINE": "tests.fakes.tracking.RecordingBackend"}}


class TrackingTest(factories.CourseTestCase):
    def run_for(self, user: Any) -> None:
        with factories.model_server() as model:
            model.always(Say("A summary."))
            response = factories.Api(user, self.unit.location).run("Why?")
            assert response.status_code == 200, response.content
            if response.streaming:
                factories.text_of(response)

    def test_the_actor_is_the_platform_s_external_id(self) -> None:
        author = factories.staff(self.course.id)
        factories.make_scope(self.course.id)
        CourseOverview.get_from_id(self.course.id)
        RecordingBackend.events.clear()
        with override_settings(EVENT_TRACKING_BACKENDS=RECORDING):
            override_default_tracker()
            self.run_for(author)
        override_default_tracker()
        (event,) = (each for each in RecordingBackend.events if each["name"] == EVENT_COMPLETED)
        for cached in (get_anonymous_user_id, get_course_from_id):
            cached.cache_clear()  # people and courses that another test has rolled back
        (statement,) = XApiProcessor()([event])
        known = ExternalId.objects.get(user=author, external_id_type__name="xapi")
        assert statement["actor"]["account"]["name"] == str(known.external_user_id)
        assert statement["verb"]["id"].startswith("http")
        assert str(self.course.id) in str(statement["context"]) + str(statement["object"])
        for private in (author.username, author.email, "Plants", "A summary", "Why?"):
            assert private not in str(statement)

    @pytest.mark.lms
    def test_a_retired_person_leaves_nothing(self) -> None:
        learner, other = (factories.enrolled(self.course.id) for _person in range(2))
        factories.make_scope(self.course.id, base_filepath="base/chat.json5")
        for person in (learner, other):
            self.run_for(person)
            assert self.kept(person) == (1, 2)
        for signal in (USER_RETIRE_LMS_MISC, USER_RETIRE_LMS_CRITICAL):
            called = [receiver.__module__ for receiver, _answer in signal.send(sender=type(self), user=learner)]
            assert called.count("openedx_ai_extensions.events.receivers") == 1
            assert self.kept(learner) == (0, 0)
        assert self.kept(other) == (1, 2)

    @staticmethod
    def kept(user: Any) -> tuple[int, int]:
        return (
            AIWorkflowSession.objects.filter(user=user).count(),
            Submission.objects.filter(student_item__student_id=str(user.pk)).count(),
        )
