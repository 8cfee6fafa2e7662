"""The endpoints in the LMS and in Studio: who is served, how people sign in, and what a stream leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from openedx.core.djangoapps.oauth_dispatch.jwt import create_jwt_for_user
from xmodule.modulestore.django import modulestore

from openedx_ai_extensions.models import AIWorkflowRun, AIWorkflowScope
from tests.fakes.provider import Say
from tests.platform import factories

PAGES = ("aiext_ui_config", "aiext_course_text", "aiext_consent", "aiext_limits")


class RestCase(factories.CourseTestCase):
    """A course with a page of text, and one workflow in it."""

    def setUp(self) -> None:
        super().setUp()
        factories.make_scope(self.course.id)
        self.author = factories.staff(self.course.id)
        self.learner = factories.enrolled(self.course.id)

    def api(self, user: Any) -> factories.Api:
        return factories.Api(user, self.unit.location)

    def statuses(self, user: Any) -> dict[str, int]:
        """What each endpoint answers this person, and what a run does; "profile" is 404 where there is no widget."""
        api = self.api(user)
        found = {name: api.get(name).status_code for name in PAGES}
        if found["aiext_ui_config"] == 200 and "ui_components" not in api.profile().json():
            found["aiext_ui_config"] = 404
        with factories.model_server() as model:
            model.always(Say("A summary."))
            response = api.run()
            found["run"] = response.status_code
            if response.streaming:
                assert factories.text_of(response) == "A summary."
        assert len(model.requests) == (found["run"] == 200), "who may not run anything reaches no model"
        return found

    def assert_served(self, user: Any) -> None:
        found = self.statuses(user)
        assert set(found.values()) == {200}, found

    def assert_refused(self, user: Any, *statuses: int) -> None:
        found = self.statuses(user)
        asked = {name: status for name, status in found.items() if name not in ("aiext_consent", "aiext_limits")}
        assert set(asked.values()) <= {*statuses, 404}, asked


class EitherServiceTest(RestCase):
    def test_authors(self) -> None:
        for user in (self.author, factories.instructor(self.course.id), factories.site_staff()):
            self.assert_served(user)

    def test_people_without_the_course(self) -> None:
        self.assert_refused(factories.stranger(), 403)
        self.assert_refused(None, 401, 403)

    def test_the_model_reads_the_unit_and_the_ledger_names_the_person(self) -> None:
        with factories.model_server() as model:
            model.always(Say("A summary."))
            assert factories.text_of(self.api(self.author).run()) == "A summary."
        assert "Plants take up light." in str(model.requests)
        run = AIWorkflowRun.objects.get()
        assert (run.user_id, str(run.course_id)) == (self.author.pk, str(self.course.id))

    def test_a_stream_writes_after_the_request_s_transaction(self) -> None:
        with factories.model_server() as model:
            model.always(Say("One two three."))
            response = self.api(self.author).run()
            assert response.streaming
            assert AIWorkflowRun.objects.get().outcome != "completed"
            assert factories.text_of(response) == "One two three."
        assert AIWorkflowRun.objects.get().outcome == "completed"

    def test_a_token_in_the_session_s_place(self) -> None:
        """Micro-frontends send JWTs, and no session of this service."""
        token = create_jwt_for_user(self.author)
        query = self.api(None).query
        url = factories.url_of("aiext_ui_config")
        assert Client().get(url, query, HTTP_AUTHORIZATION=f"JWT {token}").status_code == 200
        assert Client().get(url, query, HTTP_AUTHORIZATION="JWT forged").status_code == 401

    def test_a_session_needs_the_csrf_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        assert client.login(username=self.author.username, password=factories.PASSWORD)
        body = json.dumps({"action": "run", "user_input": None})
        response = client.post(factories.url_of("aiext_workflows"), body, content_type="application/json")
        assert response.status_code == 403

    def test_profiles_and_prompts_are_for_those_who_may_see_them(self) -> None:
        assert self.api(factories.site_staff()).get("aiext_profiles_list").status_code == 200
        assert self.api(self.learner).get("aiext_profiles_list").status_code == 403

    def test_a_course_that_does_not_exist(self) -> None:
        nowhere = self.course.id.replace(run="nowhere")
        response = factories.Api(self.author, nowhere).run()
        assert response.status_code in (403, 404)
        assert self.course.id.run not in response.content.decode()


@pytest.mark.lms
class LmsRestTest(RestCase):
    def test_learners(self) -> None:
        found = self.statuses(self.learner)
        assert found.pop("aiext_course_text") == 403, "for course staff"
        assert set(found.values()) == {200}

    def test_learners_of_another_course_and_inactive_ones(self) -> None:
        other = factories.make_course()
        self.assert_refused(factories.enrolled(other.id), 403)

    def test_a_scope_of_studio_is_not_served_here(self) -> None:
        factories.make_scope(self.course.id, slot="authors-only")
        AIWorkflowScope.objects.filter(ui_slot_selector_id="authors-only").update(service_variant="cms")
        api = factories.Api(self.learner, self.unit.location, slot="authors-only")
        assert api.run().status_code == 404


@pytest.mark.studio
class StudioRestTest(RestCase):
    def test_learners_have_no_business_in_studio(self) -> None:
        self.assert_refused(self.learner, 403)

    def test_drafts_are_read(self) -> None:
        unit = factories.add_unit(self.course, "Draft")
        page = factories.add_html(unit, "Published words")
        page.data = "<p>Words of a draft</p>"
        modulestore().update_item(page, self.author.id)
        with factories.model_server() as model:
            model.always(Say("A summary."))
            assert factories.Api(self.author, unit.location).run().status_code == 200
        assert "Words of a draft" in str(model.requests)


def test_the_service_knows_which_it_is() -> None:
    assert {"lms": "lms.urls", "cms": "cms.urls"}[settings.SERVICE_VARIANT] == settings.ROOT_URLCONF
