"""What all pages share: permission, menu, and the course with its units and workflows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.mixins import AccessMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.cache import never_cache
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.access import is_site_staff
from openedx_ai_extensions.edxapp.interface import CourseInfo, OutlineNode, Person
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

NAMESPACE = "openedx_ai_extensions:author"
MAX_UNITS = 3000  # of a course; the pages ignore others
MAX_NAME_CHARS = 80
MENU = (
    ("workflows", gettext_lazy("Workflows")),
    ("try", gettext_lazy("Try it")),
    ("usage", gettext_lazy("Usage")),
    ("feedback", gettext_lazy("Feedback")),
)


@method_decorator(never_cache, name="dispatch")
class CoursePage(AccessMixin, View):
    """A page about one course. For people who are not its staff, the page does not exist.

    Attributes:
        menu_entry: the entry of the menu to mark as the current page.
    """

    title: str | Promise = ""
    menu_entry = ""
    template_name = ""
    course_key: CourseKey
    course: CourseInfo

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        self.course_key = kwargs.pop("course_key")
        self.course = staffed_course(request.user, self.course_key)
        return super().dispatch(request, *args, **kwargs)

    @property
    def user(self) -> Any:
        return self.request.user

    def render(self, context: dict[str, Any], status: int = 200) -> HttpResponse:
        shared = {
            "course": self.course,
            "course_key": self.course_key,
            "menu": [{"name": name, "url": self.url(page), "is_here": page == self.menu_entry} for page, name in MENU],
            "title": self.title,
        }
        template = f"openedx_ai_extensions/author/{self.template_name}"
        return render(self.request, template, shared | context, status=status)

    def url(self, name: str, **kwargs: Any) -> str:
        """The address of a page about this course."""
        return reverse(f"{NAMESPACE}:{name}", kwargs={"course_key": self.course_key, **kwargs})

    def profiles(self) -> list[AIWorkflowProfile]:
        """The profiles of the enabled scopes for this course, in the LMS or in Studio."""
        return AIWorkflowScope.list_profiles_for_context(course_id=str(self.course_key))

    def profile(self, pk: int) -> AIWorkflowProfile:
        """Raises Http404 if none of ``profiles`` has this id."""
        found = next((profile for profile in self.profiles() if profile.pk == pk), None)
        if found is None:
            raise Http404
        return found


def staffed_course(user: Person, course_key: CourseKey) -> CourseInfo:
    """The course, for its staff and for site staff.

    Raises:
        Http404: there is no such course, or the person is not staff. The person cannot tell which.
    """
    platform = get_platform()
    if not (is_site_staff(user) or (user.is_active and platform.is_course_staff(user, course_key))):
        raise Http404
    try:
        return platform.course_info(course_key)
    except ProcessorError:
        raise Http404 from None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, and the name of what contains it."""

    key: UsageKey
    name: str
    parent_name: str

    @property
    def link(self) -> str:
        return get_platform().block_link(self.key)


def units_of(user: Person, course_key: CourseKey) -> list[Unit]:
    """The units that this person can see, in order; none if the course cannot be read."""
    try:
        outline = get_platform().course_outline(user, course_key)
    except ProcessorError:
        return []
    return list(_units(outline, ""))[:MAX_UNITS]


def _units(nodes: Sequence[OutlineNode], parent_name: str) -> Iterator[Unit]:
    for node in nodes:
        name = node.display_name or node.usage_key.block_id
        if node.category == "vertical":
            yield Unit(node.usage_key, name, parent_name)
        else:
            yield from _units(node.children, name)


def description_of(profile: AIWorkflowProfile) -> str:
    """A workflow's description, without credentials."""
    return masked_text(profile.description, configured_secrets())


def name_of(profile: AIWorkflowProfile) -> str:
    """A workflow's name for people: the first line of its description if it is short, else its slug."""
    first_line = description_of(profile).strip().partition("\n")[0].strip()
    return first_line if 0 < len(first_line) <= MAX_NAME_CHARS else profile.slug
