"""Profiles by how their patch and their template get along."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.workflows.redundant_keys import redundant_keys

IN_ORDER, WARNINGS, BROKEN, REDUNDANT = "in-order", "warnings", "broken", "redundant"


class StatusFilter(admin.SimpleListFilter):
    """Every profile is judged, which takes no query for each of them."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (IN_ORDER, gettext_lazy("In order")),
            (BROKEN, gettext_lazy("No longer fits")),
            (WARNINGS, gettext_lazy("Has warnings")),
            (REDUNDANT, gettext_lazy("Changes nothing, wholly or in part")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowProfile]) -> QuerySet[AIWorkflowProfile]:
        wanted = self.value()
        if wanted not in {IN_ORDER, WARNINGS, BROKEN, REDUNDANT}:
            return queryset
        with PromptTemplate.objects.preloaded():
            return queryset.filter(pk__in=[profile.pk for profile in queryset if wanted in states(profile)])


def states(profile: AIWorkflowProfile) -> set[str]:
    """All that is true of a profile; the same one may have warnings and keys that change nothing."""
    severities = {problem.severity for problem in profile.problems()}
    found = set()
    if Severity.ERROR in severities:
        found.add(BROKEN)
    if Severity.WARNING in severities:
        found.add(WARNINGS)
    if redundant_keys(profile.base_filepath, profile.content_patch):
        found.add(REDUNDANT)
    return found or {IN_ORDER}
