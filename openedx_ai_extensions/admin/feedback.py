"""Feedback on answers: a queue to review it, its numbers, and the note to the person."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import TEMPLATES, ReadOnlyAdmin, first_words, users_starting_with
from openedx_ai_extensions.admin.sessions import CourseFilter
from openedx_ai_extensions.feedback import review
from openedx_ai_extensions.models import AnswerFeedback


class QueueFilter(admin.SimpleListFilter):
    """The state; by default what is open, unless there is a search."""

    title = gettext_lazy("state")
    parameter_name = "queue"
    everything = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*AnswerFeedback.State.choices, (self.everything, gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        """Without Django's "All", which would be the default."""
        chosen = self.value() or (self.everything if changelist.query else AnswerFeedback.State.OPEN)
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == chosen, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[AnswerFeedback]) -> QuerySet[AnswerFeedback]:
        chosen = self.value() or (self.everything if request.GET.get("q") else AnswerFeedback.State.OPEN)
        return queryset.filter(state=chosen) if chosen in AnswerFeedback.State.values else queryset


class FeedbackCourseFilter(CourseFilter):
    title = gettext_lazy("course of the latest feedback")


@admin.register(AnswerFeedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Only the state and the note can be changed. Each view of a turn is recorded."""

    cascade_permission = "auth.delete_user"
    list_display = ("changed_at", "state", "rating", "reason", "reported", "profile_slug", "profile_version", "model",
                    "course_id", "user")  # fmt: skip
    list_select_related = ("user",)
    list_filter = (QueueFilter, "rating", "reported", "reason", FeedbackCourseFilter, "profile",
                   ("model", admin.AllValuesFieldListFilter))  # fmt: skip
    list_per_page = 50
    search_fields = ("run_id",)
    search_help_text = gettext_lazy("A run's id, or the beginning of a username or an e-mail address.")
    show_full_result_count = False
    ordering = ("-changed_at", "-pk")
    actions = None
    change_list_template = f"{TEMPLATES}/answerfeedback/change_list.html"
    fieldsets = (
        (None, {"fields": ("rating", "reason", "text", "reported", "changed_at")}),
        (gettext_lazy("Reply"), {"fields": ("state", "note", "noted_by", "note_is_unread")}),
        (
            gettext_lazy("Answer"),
            {"fields": ("user", "course_id", "location_id", "profile", "profile_slug", "profile_version", "provider",
                        "model", "answered_at", "run_id")},
        ),
    )  # fmt: skip

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/session.css", "openedx_ai_extensions/admin/usage.css")}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.opts.fields if field.name not in {"state", "note"}]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AnswerFeedback], search_term: str
    ) -> tuple[QuerySet[AnswerFeedback], bool]:
        for word in first_words(search_term):
            queryset = queryset.filter(Q(run_id=word) | Q(user__in=users_starting_with(word)))
        return queryset, False

    def save_model(self, request: HttpRequest, obj: AnswerFeedback, form: Any, change: bool) -> None:
        review.reply(obj, request.user, state=obj.state, note=obj.note)
        self.warn_of_credentials(request, obj, form)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = response.context_data if isinstance(response, TemplateResponse) else None
        if context and "cl" in context:
            rows = context["cl"].queryset
            context["feedback_tables"] = [
                {"id": "by-version", "caption": _("By version of a profile"), "rows": _named(rows, review.BY_VERSION)},
                {"id": "by-model", "caption": _("By model"), "rows": _named(rows, review.BY_MODEL)},
                {"id": "by-place", "caption": _("By location"), "rows": _named(rows, review.BY_PLACE)},
            ]
        return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        feedback = kwargs.get("obj")
        if feedback is not None:
            may_read = review.may_read_turn(request.user)
            context["may_read_turn"] = may_read
            context["turn"] = review.read_turn(feedback, request.user) if may_read else []
        return super().render_change_form(request, context, *args, **kwargs)


def _named(rows: QuerySet[AnswerFeedback], by: tuple[str, ...]) -> list[dict[str, Any]]:
    groups = review.counts(rows, by)
    for group in groups:
        group["name"] = " / ".join(str(group[field]) for field in by if group[field]) or _("(none)")
    return groups
