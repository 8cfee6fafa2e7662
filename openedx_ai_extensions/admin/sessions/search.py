"""How to find one session among millions: nothing here reads all of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import first_words
from openedx_ai_extensions.models import AIWorkflowSession

# Enough for the courses that are being asked about; every other course is found by its key.
RECENT_SESSIONS = 1000
MAX_COURSES = 30


class CourseFilter(admin.SimpleListFilter):
    """The courses of the newest sessions, and the chosen one: a site may have ten thousand."""

    title = gettext_lazy("course of the latest sessions")
    parameter_name = "course_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = AIWorkflowSession.objects.order_by("-pk").values_list("course_id", flat=True)[:RECENT_SESSIONS]
        courses = list(dict.fromkeys(str(course) for course in newest if course))[:MAX_COURSES]
        chosen = self.value()
        if chosen and chosen not in courses:
            courses.append(chosen)
        return [(course, course) for course in sorted(courses)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowSession]) -> QuerySet[AIWorkflowSession]:
        chosen = self.value()
        if not chosen:
            return queryset
        try:
            return queryset.filter(course_id=CourseKey.from_string(chosen))
        except InvalidKeyError:
            return queryset.none()


def search(queryset: QuerySet[AIWorkflowSession], text: str) -> QuerySet[AIWorkflowSession]:
    """The sessions that all words of a search fit: each is the beginning of a course key, or of a person's name.

    Which of them it is, its signs tell: one condition on one table at a time is what an index can answer.
    """
    for word in first_words(text):
        is_course = ":" in word or "/" in word or ("+" in word and "@" not in word)
        if is_course:
            queryset = queryset.filter(course_id__istartswith=word)
        else:
            people = get_user_model().objects.filter(Q(username__istartswith=word) | Q(email__istartswith=word))
            queryset = queryset.filter(user__in=people)
    return queryset
