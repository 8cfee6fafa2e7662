"""Try a location pattern against a course as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.forms import CourseKeyFormField
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import OutlineNode, Person
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.workflows.resolution import MAX_LENGTH, Match, compare, validate_pattern

TEMPLATE = "admin/openedx_ai_extensions/aiworkflowscope/locations.html"
MAX_LOCATIONS = 3000  # locations of a course
CATEGORIES = {
    "chapter": gettext_lazy("Section"),
    "sequential": gettext_lazy("Subsection"),
    "vertical": gettext_lazy("Unit"),
}


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a course, as people know it."""

    key: str
    category: str
    name: str


@dataclass(slots=True)
class Trial:
    """Which locations of a course a pattern matches; or the error, and no locations."""

    course: str
    pattern: str
    error: str = ""
    matching: list[Location] = field(default_factory=list)
    others: list[Location] = field(default_factory=list)

    @property
    def summary(self) -> str:
        if self.error:
            return self.error
        total = len(self.matching) + len(self.others)
        return _("The pattern matches {count} of {total} locations.").format(count=len(self.matching), total=total)


def try_pattern(user: Person, course_text: str, pattern: str) -> Trial:
    """Compare as a resolution does, under the same limit of time. A pattern that reaches it once is not tried again."""
    trial = Trial(course_text, pattern)
    try:
        locations = _locations(user, _course(course_text))
        if len(pattern) > MAX_LENGTH:
            raise ValidationError(_("A pattern has at most {count} characters.").format(count=MAX_LENGTH))
        validate_pattern(pattern)
    except (ProcessorError, ValidationError) as error:
        trial.error = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        return trial
    for location in locations:
        match = compare(pattern, location.key)
        if match is Match.TOO_SLOW:
            slow = _("The pattern takes too long at {key}: such a pattern matches nothing.").format(key=location.key)
            return Trial(course_text, pattern, slow)
        (trial.matching if match is Match.YES else trial.others).append(location)
    return trial


def _course(text: str) -> CourseKey:
    # Of several, as when scopes are added: the first.
    first = next((line for line in text.splitlines() if line.strip()), "")
    key = CourseKeyFormField(required=False).to_python(first)
    if key is None:
        raise ValidationError(_("Name a course to try the pattern in."))
    return key


def _locations(user: Person, course_key: CourseKey) -> list[Location]:
    found = list(_walk(get_platform().course_outline(user, course_key)))[:MAX_LOCATIONS]
    if not found:
        raise ProcessorError(_("There is nothing in this course that you may see."))
    return found


def _walk(nodes: Sequence[OutlineNode]) -> Iterator[Location]:
    for node in nodes:
        category = str(CATEGORIES.get(node.category, node.category))
        yield Location(str(node.usage_key), category, node.display_name)
        yield from _walk(node.children)


class LocationsAdmin(BaseAdmin):
    """Adds the trial to the admin of scopes: for the form's script, and as a page of its own. Nothing is saved."""

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_locations"
        view = self.admin_site.admin_view(self.locations_view)
        return [path("locations/", view, name=name), *super().get_urls()]

    def locations_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        pattern = asked.get("location_regex", "").strip()
        trial = try_pattern(request.user, asked.get("course_id", "").strip(), pattern)
        if request.GET.get("format") == "json":
            return JsonResponse(
                {
                    "error": bool(trial.error),
                    "summary": trial.summary,
                    "matching": [_as_dict(location) for location in trial.matching],
                    "others": [_as_dict(location) for location in trial.others],
                }
            )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try the location pattern"),
            "opts": self.opts,
            "trial": trial,
        }
        return TemplateResponse(request, TEMPLATE, context)


def _as_dict(location: Location) -> dict[str, str]:
    return {"key": location.key, "category": location.category, "name": location.name}
