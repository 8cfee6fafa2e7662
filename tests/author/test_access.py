"""Who gets to the pages: the staff of the course. For anybody else there is nothing there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.models import AIPause, AnswerFeedback, PromptTemplate
from tests.author.conftest import Pages
from tests.rights.course import MAIN

NONE_SUCH = CourseKey.from_string("course-v1:No+Such+r1")
WELCOME = {"author", "site staff", "admin"}


@pytest.fixture
def requests(in_main, service, learner):
    """Each page with what is asked of it, and what it answers those who are welcome."""
    prompt = PromptTemplate.objects.create(slug="tutor", body="You are a tutor.")
    config = {"processor_config": {"LLMProcessor": {"prompt_template": "tutor"}}}
    now = timezone.now()
    feedback = AnswerFeedback.objects.create(
        user=learner, run_id="r1", course_id=MAIN, rating="down", changed_at=now, answered_at=now
    )
    profile = in_main(patch=config, service_variant="cms" if "Studio" in service else "lms").profile
    return [
        ("workflows", "get", {}, {}, 200),
        ("workflows", "post", {}, {}, 405),
        ("switch", "get", {"pk": profile.pk}, {}, 405),
        ("switch", "post", {"pk": profile.pk}, {"to": "off"}, 302),
        ("switch", "post", {"pk": profile.pk}, {"to": "sideways"}, 400),
        ("switch", "post", {"pk": profile.pk + 1}, {"to": "off"}, 404),
        ("prompt", "get", {"pk": prompt.pk}, {}, 200),
        ("prompt", "get", {"pk": prompt.pk + 1}, {}, 404),
        ("prompt", "post", {"pk": prompt.pk}, {"body": " ", "version": "x"}, 400),
        ("prompt", "delete", {"pk": prompt.pk}, {}, 405),
        ("try", "get", {}, {}, 200),
        ("try", "post", {}, {"workflow": profile.pk}, 400),
        ("usage", "get", {}, {"days": "rubbish"}, 200),
        ("usage", "put", {}, {}, 405),
        ("feedback", "get", {}, {"page": "rubbish"}, 200),
        ("feedback", "post", {}, {}, 405),
        ("reply", "get", {"pk": feedback.pk}, {}, 200),
        ("reply", "get", {"pk": feedback.pk + 1}, {}, 404),
        ("reply", "post", {"pk": feedback.pk}, {"state": "sideways"}, 400),
    ]


def test_who_may(people, requests):
    for name, person in people.items():
        pages = Pages(person)
        for page, method, kwargs, data, status in requests:
            response = getattr(pages.client, method)(pages.url(page, **kwargs), data)
            if name in WELCOME:
                assert response.status_code == status, (name, page, method)
            elif person is None or not person.is_active:
                # Django takes an inactive account for nobody.
                assert (response.status_code, response.url.partition("?")[0]) == (302, "/accounts/login/")
            else:
                assert response.status_code == 404, (name, page, method)
    assert AIPause.objects.count() == 1


def test_nobody_learns_which_courses_there_are(people, requests):
    for name in ("learner", "stranger", "other_author"):
        there, nowhere = (
            Pages(people[name], course).client.get(Pages(None, course).url()) for course in (MAIN, NONE_SUCH)
        )
        assert there.content.replace(str(MAIN).encode(), b"") == nowhere.content.replace(str(NONE_SUCH).encode(), b"")


@pytest.mark.parametrize("key", [NONE_SUCH, "library-v1:Org+Lib", "course-v1:Rights+Main+r1+branch@draft", "a+b+c"])
def test_no_such_course(people, courses, key):
    client = Pages(people["admin"]).client
    assert client.get(f"/openedx-ai-extensions/course/{key}/").status_code == 404


def test_a_browser_may_escape_the_key(people, courses):
    client: Client = Pages(people["author"]).client
    assert client.get("/openedx-ai-extensions/course/course-v1%3ARights%2BMain%2Br1/").status_code == 200


def test_another_site_can_press_no_button(author, courses, in_main):
    scope = in_main()
    pages = Pages(author, enforce_csrf_checks=True)
    assert pages.client.post(pages.url("switch", pk=scope.profile_id), {"to": "off"}).status_code == 403
    assert not AIPause.objects.exists()
    page = pages.get()
    token = page.find("//form//input[@name='csrfmiddlewaretoken']/@value")[0]
    data = {"to": "off", "csrfmiddlewaretoken": token}
    assert pages.client.post(pages.url("switch", pk=scope.profile_id), data).status_code == 302
    assert AIPause.objects.get().enabled
