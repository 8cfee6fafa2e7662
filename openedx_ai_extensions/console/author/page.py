"""What all pages share: who may see them, and what is around them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import AccessMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views import View
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.access import is_site_staff
from openedx_ai_extensions.edxapp.interface import CourseInfo, Person
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

NAMESPACE = "openedx_ai_extensions:author"
MENU = (
    ("workflows", gettext_lazy("Workflows")),
    ("try", gettext_lazy("Try it")),
    ("usage", gettext_lazy("Usage")),
)


class CoursePage(AccessMixin, View):
    """A page about one course, for its staff. For anybody else it does not exist.

    Attributes:
        title: what the page is about.
        place: which entry of the menu it belongs to.
    """

    title: str | Promise = ""
    place = ""
    template_name = ""
    course_key: CourseKey
    course: CourseInfo

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.course_key = kwargs.pop("course_key")
        self.course = staffed_course(request.user, self.course_key)
        response = super().dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    @property
    def user(self) -> Any:
        return self.request.user

    def answer(self, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """The page with what it has to say."""
        menu = [
            {"name": name, "url": self.url(page), "is_here": page == self.place} for page, name in MENU
        ]  # fmt: skip
        around = {"course": self.course, "course_key": self.course_key, "menu": menu, "title": self.title}
        return render(
            self.request, f"openedx_ai_extensions/author/{self.template_name}", around | context, None, status
        )

    def url(self, name: str, **kwargs: Any) -> str:
        """The address of a page about this course."""
        return reverse(f"{NAMESPACE}:{name}", kwargs={"course_key": self.course_key, **kwargs})

    def profiles(self) -> list[AIWorkflowProfile]:
        """What an enabled scope brings into this course, in the LMS or in Studio, with these scopes."""
        return AIWorkflowScope.list_profiles_for_context(course_id=str(self.course_key))

    def profile(self, pk: int) -> AIWorkflowProfile:
        """One of ``profiles``.

        Raises:
            Http404: it is none of them.
        """
        found = next((profile for profile in self.profiles() if profile.pk == pk), None)
        if found is None:
            raise Http404
        return found


def staffed_course(user: Person, course_key: CourseKey) -> CourseInfo:
    """What the course says about itself, to its staff and to site staff.

    Raises:
        Http404: this person is neither, or there is no such course: nobody can tell which.
    """
    platform = get_platform()
    if not (is_site_staff(user) or (user.is_active and platform.is_course_staff(user, course_key))):
        raise Http404
    try:
        return platform.course_info(course_key)
    except ProcessorError:
        raise Http404 from None


def description_of(profile: AIWorkflowProfile) -> str:
    """A workflow's description, without credentials."""
    return masked_text(profile.description, configured_secrets())


def name_of(profile: AIWorkflowProfile) -> str:
    """What people call a workflow: the first line of its description, or else its slug."""
    first_line = description_of(profile).strip().partition("\n")[0].strip()
    return first_line if 0 < len(first_line) <= 80 else profile.slug
