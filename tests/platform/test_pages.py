"""Pages of ours in the admin and in a course, rendered by the service that they are in."""

from __future__ import annotations

from typing import Any

from common.djangoapps.student.tests.factories import UserFactory
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.fakes.provider import Say
from tests.platform import factories

COURSE_PAGES = ("workflows", "try", "usage")


def login(user: Any) -> Client:
    client = Client()
    assert client.login(username=user.username, password=factories.PASSWORD)
    return client


class PagesTest(factories.CourseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.scope = factories.make_scope(self.course.id)
        self.author = factories.staff(self.course.id)

    def test_each_page_of_the_admin(self) -> None:
        with factories.model_server() as model:
            model.always(Say("A summary."))
            assert factories.text_of(factories.Api(self.author, self.unit.location).run()) == "A summary."
        client, site = login(UserFactory.create(is_staff=True, is_superuser=True)), admin.site
        shown = 0
        for model_class in apps.get_app_config("openedx_ai_extensions").get_models():
            if not site.is_registered(model_class):
                continue
            names = f"admin:openedx_ai_extensions_{model_class._meta.model_name}"
            assert client.get(reverse(f"{names}_changelist")).status_code == 200, names
            shown += 1
            if "_add" not in str(site._registry[model_class].get_urls()):
                continue  # a page that is no list of rows
            assert client.get(reverse(f"{names}_add")).status_code in (200, 403), names
            for row in model_class.objects.all()[:1]:
                assert client.get(reverse(f"{names}_change", args=[row.pk])).status_code == 200, names
        assert shown > 10

    def test_the_admin_is_for_site_staff(self) -> None:
        url = reverse("admin:openedx_ai_extensions_aiworkflowprofile_changelist")
        assert login(self.author).get(url).status_code in (302, 403)

    def test_the_course_s_pages(self) -> None:
        for user, status in (
            (self.author, 200),
            (factories.instructor(self.course.id), 200),
            (factories.site_staff(), 200),
            (factories.enrolled(self.course.id), 404),
            (factories.stranger(), 404),
        ):
            client = login(user)
            for page in COURSE_PAGES:
                url = reverse(f"openedx_ai_extensions:author:{page}", args=[self.course.id])
                assert client.get(url).status_code == status, (page, user)

    def test_a_workflow_is_switched_off_and_on_by_the_course_s_staff(self) -> None:
        client, pk = login(self.author), self.scope.profile_id
        url = reverse("openedx_ai_extensions:author:switch", args=[self.course.id, pk])
        api = factories.Api(self.author, self.unit.location)
        for to, status in (("off", 403), ("on", 200)):
            assert client.post(url, {"to": to}).status_code == 302
            with factories.model_server() as model:
                model.always(Say("A summary."))
                response = api.run()
                assert response.status_code == status, to
                if response.streaming:
                    factories.text_of(response)
