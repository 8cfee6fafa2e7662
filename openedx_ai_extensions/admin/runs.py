"""The ledger: what each run took and how it ended."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import BaseAdmin, first_words
from openedx_ai_extensions.ledger.quota import amount
from openedx_ai_extensions.models import AIWorkflowRun

MAX_COUNTED_ROWS = 5_000
MOST_AT_ONCE = 1000


class ShortPaginator(Paginator):
    """Counts no further than anybody turns pages. Who looks for something older searches or filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list  # a queryset
        return len(rows.values_list("pk")[:MAX_COUNTED_ROWS])


class TimeFilter(admin.SimpleListFilter):
    """How far back to look. Without a search, which has an index, not so far that it would take long."""

    title = gettext_lazy("time")
    parameter_name = "days"
    default = "7"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1", gettext_lazy("Last 24 hours")),
            ("7", gettext_lazy("Last 7 days")),
            ("31", gettext_lazy("Last 31 days")),
        ]

    def choices(self, changelist: Any) -> Any:
        """Without "All": that nothing is chosen is a choice, too."""
        chosen = self.value() or ("" if changelist.query else self.default)
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == chosen, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowRun]) -> QuerySet[AIWorkflowRun]:
        days = self.value() or ("" if request.GET.get("q") else self.default)
        if days not in {"1", "7", "31"}:
            return queryset
        since = timezone.now() - timedelta(days=int(days))
        first = AIWorkflowRun.objects.filter(created_at__gte=since).order_by("created_at").values_list("pk", flat=True)
        # Ids are in the order of time but for those who wrote at once, and save reading all of the older rows.
        return queryset.filter(created_at__gte=since, pk__gte=(first.first() or 0) - MOST_AT_ONCE)


@admin.register(AIWorkflowRun)
class RunAdmin(BaseAdmin):
    """Look, but touch nothing: the sums of reports are made of these rows."""

    list_display = ("created_at", "run_id", "user", "course_id", "profile_slug", "model", "outcome", "error_code",
                    "tokens", "cost", "first_token_ms", "duration_ms")  # fmt: skip
    list_select_related = ("user",)
    list_filter = (TimeFilter, "outcome", "is_cached")
    list_per_page = 50
    list_max_show_all = 50
    sortable_by = ()
    ordering = ("-pk",)
    paginator = ShortPaginator
    show_full_result_count = False
    actions = None
    search_fields = ("run_id",)
    search_help_text = gettext_lazy("A run's id, a course key, or how a username or an e-mail address begins.")
    fieldsets = (
        (None, {"fields": ("run_id", "created_at", "outcome", "error_code", "refused_by", "times")}),
        (
            gettext_lazy("Who and where"),
            {"fields": ("user", "course_id", "location_id", "profile", "profile_slug", "ui_slot_selector_id", "action",
                        "service_variant")},
        ),
        (
            gettext_lazy("What it took"),
            {"fields": ("provider", "model", "fallback_from", "calls", "prompt_tokens", "cached_tokens",
                        "completion_tokens", "is_estimated", "is_cached", "cost", "price_source", "first_token_ms",
                        "duration_ms")},
        ),
        (
            gettext_lazy("Reserved"),
            {"fields": ("held_tokens", "held_cost", "held_until", "is_counted"), "classes": ("collapse",)},
        ),
    )  # fmt: skip
    readonly_fields = ("cost", "held_cost")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AIWorkflowRun], search_term: str
    ) -> tuple[QuerySet[AIWorkflowRun], bool]:
        for word in first_words(search_term):
            queryset = _fitting(queryset, word)
        return queryset, False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AIWorkflowRun | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AIWorkflowRun | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("cost"))
    def cost(self, obj: AIWorkflowRun) -> str:
        return amount(obj.cost_micros)

    @admin.display(description=gettext_lazy("reserved cost"))
    def held_cost(self, obj: AIWorkflowRun) -> str:
        return amount(obj.held_micros)


def _fitting(queryset: QuerySet[AIWorkflowRun], word: str) -> QuerySet[AIWorkflowRun]:
    """The runs that a word fits: one condition on one column at a time is what an index can answer."""
    try:
        return queryset.filter(course_id=CourseKey.from_string(word))
    except InvalidKeyError:
        pass
    if queryset.filter(run_id=word).exists():
        return queryset.filter(run_id=word)
    people = get_user_model()._default_manager.filter(Q(username__istartswith=word) | Q(email__istartswith=word))
    return queryset.filter(user__in=list(people.values_list("pk", flat=True)[:100]))
