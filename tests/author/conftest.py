"""The people around a course, and its pages as their browsers read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tests.admin.pages import Page
from tests.fakes.openedx_platform import installed
from tests.rights.course import MAIN, OTHER, write_courses

NAMESPACE = "openedx_ai_extensions:author"


class Pages:
    """The pages about a course, for one person."""

    def __init__(self, user: Any = None, course: Any = MAIN, **client: Any) -> None:
        self.client = Client(**client)
        self.course = course
        if user is not None:
            self.client.force_login(user)

    def url(self, name: str = "workflows", **kwargs: Any) -> str:
        return reverse(f"{NAMESPACE}:{name}", kwargs={"course_key": self.course, **kwargs})

    def get(self, name: str = "workflows", query: Any = None, **kwargs: Any) -> Page:
        return Page(self.client.get(self.url(name, **kwargs), query, follow=True))

    def post(self, name: str, data: Any, **kwargs: Any) -> Page:
        return Page(self.client.post(self.url(name, **kwargs), data, follow=True))

    def switch(self, scope: Any, to: str) -> Page:
        return self.post("switch", {"to": to}, pk=scope.profile_id)


def words(page: Page, xpath: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in page.find(xpath)]


@pytest.fixture(scope="session")
def course_folders(tmp_path_factory):
    return write_courses(tmp_path_factory.mktemp("author"))


@pytest.fixture
def courses(course_folders, settings) -> list[dict[str, Any]]:
    main, other = course_folders
    entries = [
        {"path": main, "staff": ["author"], "learners": ["learner"]},
        {"path": other, "staff": ["other_author"], "learners": ["stranger"]},
    ]
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": entries}
    return entries


@pytest.fixture(params=["standalone", "standalone in Studio", "the LMS", "Studio"])
def service(request, courses, course_folders, settings) -> Iterator[str]:
    """Each place where the pages are: the platform's two halves, and the exports."""
    settings.SERVICE_VARIANT = "cms" if "Studio" in request.param else "lms"
    if request.param.startswith("standalone"):
        yield request.param
        return
    with installed() as world:
        for folder in course_folders:
            world.add_course(folder)
        world.enrolled |= {("learner", MAIN), ("stranger", OTHER)}
        world.staff |= {("author", MAIN), ("other_author", OTHER)}
        settings.AI_EXTENSIONS_BACKEND = "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
        yield request.param


@pytest.fixture
def people(learner, author, stranger, admin_user) -> dict[str, Any]:
    users = get_user_model().objects
    others = {
        "other_author": users.create_user("other_author", "other@example.com", "other_author"),
        "site staff": users.create_user("clerk", "clerk@example.com", "clerk", is_staff=True),
        "inactive staff": users.create_user("gone", "gone@example.com", "gone", is_staff=True, is_active=False),
    }
    return {"learner": learner, "author": author, "stranger": stranger, "admin": admin_user, "nobody": None, **others}


@pytest.fixture
def as_author(author, courses) -> Pages:
    return Pages(author)


@pytest.fixture
def in_main(make_scope) -> Callable[..., Any]:
    """A scope of the main course, unless it says otherwise."""

    def make(slug: str = "summary", **fields: Any) -> Any:
        return make_scope(slug=slug, **{"course_id": MAIN, **fields})

    return make
