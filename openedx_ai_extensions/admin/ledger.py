"""The ledger: the tokens, cost, times and outcome of each run; and limits: how much may be used, and how much is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import TEMPLATES, BaseAdmin, ReadOnlyAdmin, first_words, users_starting_with
from openedx_ai_extensions.admin.forms import CourseKeyFormField, SuggestingInput
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.limits import Limit, LimitKind, Limits, Rule, Subject, all_rules, rule_of
from openedx_ai_extensions.ledger.periods import begins, ends
from openedx_ai_extensions.ledger.prices import amount
from openedx_ai_extensions.models import AILimit, AIUsageTotal, AIWorkflowProfile, AIWorkflowRun

MAX_COUNTED_ROWS = 5_000  # counting millions of rows takes long, and people search instead of paging so far
MAX_CONCURRENT_INSERTS = 1000  # rows whose ids may be out of order, because they were written at the same time
MAX_USERS = 100  # that a word of the search may match
Per = AILimit.Per
MAX_SUBJECTS = 3  # courses, profiles or providers for which the usage of one limit is shown
COLUMNS: Mapping[str, str] = {LimitKind.REQUESTS: "requests", LimitKind.TOKENS: "tokens", LimitKind.MONEY: "micros"}


class ShortPaginator(Paginator):
    """Counts at most ``MAX_COUNTED_ROWS`` rows."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list  # a queryset
        return len(rows.values_list("pk")[:MAX_COUNTED_ROWS])


class TimeFilter(admin.SimpleListFilter):
    """The last days; by default the last week, unless there is a search, which an index answers for any time."""

    title = gettext_lazy("time")
    parameter_name = "days"
    default = "7"
    days = {"1": gettext_lazy("Last 24 hours"), "7": gettext_lazy("Last 7 days"), "31": gettext_lazy("Last 31 days")}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.days.items())

    def choices(self, changelist: Any) -> Any:
        """Without Django's "All"."""
        chosen = self.value() or ("" if changelist.query else self.default)
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": value == chosen, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowRun]) -> QuerySet[AIWorkflowRun]:
        days = self.value() or ("" if request.GET.get("q") else self.default)
        if days not in self.days:
            return queryset
        since = timezone.now() - timedelta(days=int(days))
        first = AIWorkflowRun.objects.filter(created_at__gte=since).order_by("created_at").values_list("pk", flat=True)
        # The condition on ids, which are nearly in the order of time, saves reading all older rows.
        return queryset.filter(created_at__gte=since, pk__gte=(first.first() or 0) - MAX_CONCURRENT_INSERTS)


@admin.register(AIWorkflowRun)
class RunAdmin(ReadOnlyAdmin):
    """The sums of reports are calculated from these rows, so they cannot be changed."""

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
    search_help_text = gettext_lazy("A run's id, a course id, or the beginning of a username or an e-mail address.")
    fieldsets = (
        (None, {"fields": ("run_id", "created_at", "outcome", "error_code", "refused_by", "times")}),
        (
            gettext_lazy("User and location"),
            {"fields": ("user", "course_id", "location_id", "profile", "profile_slug", "ui_slot_selector_id", "action",
                        "service_variant")},
        ),
        (
            gettext_lazy("Usage"),
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
            queryset = _matching(queryset, word)
        return queryset, False

    @admin.display(description=gettext_lazy("cost"))
    def cost(self, obj: AIWorkflowRun) -> str:
        return amount(obj.cost_micros)

    @admin.display(description=gettext_lazy("reserved cost"))
    def held_cost(self, obj: AIWorkflowRun) -> str:
        return amount(obj.held_micros)


def _matching(queryset: QuerySet[AIWorkflowRun], word: str) -> QuerySet[AIWorkflowRun]:
    """The runs that a word matches. A condition on one column at a time is one that an index can answer."""
    try:
        return queryset.filter(course_id=CourseKey.from_string(word))
    except InvalidKeyError:
        pass
    if queryset.filter(run_id=word).exists():
        return queryset.filter(run_id=word)
    return queryset.filter(user__in=list(users_starting_with(word).values_list("pk", flat=True)[:MAX_USERS]))


def usage_of(rules: Iterable[Rule]) -> list[SafeString]:
    """The current usage of each rule as a list: of its subject or, if each course etc. has its own limit, of those with
    the most usage.
    """
    now = timezone.now()
    limits = [list(_limits(rule, now)) for rule in rules]
    everything = Limits(limit for some in limits for limit in some)
    used = counters.LimitUsage(everything, now) if everything else None
    return [_meters([meter for limit in some for meter in _usage(limit, used)]) for some in limits]


def _meters(usage: list[tuple[str, int]]) -> SafeString:
    """Texts, each with a meter for the percentage."""
    rows = format_html_join(
        "",
        '<li>{}<span class="aiext-meter" aria-hidden="true"><span style="inline-size: {}%"></span></span></li>',
        usage,
    )
    return format_html('<ul class="aiext-list aiext-meters">{}</ul>', rows) if rows else rows


def _usage(limit: Limit, used: Any) -> Iterator[tuple[str, int]]:
    """Such as ``Course 1: 34 of 100 requests (34 %)``, and the percentage."""
    amounts, name = used.of(limit), _name_of(limit.subject)
    for kind, allowed in limit.allowed.items():
        percent = amounts.of(kind) * 100 // allowed if allowed else 100
        text = _("{used} of {allowed} ({percent} %)").format(
            used=_amount(kind, amounts.of(kind)), allowed=_with_unit(kind, allowed), percent=percent
        )
        yield f"{name}: {text}" if name else text, min(percent, 100)


def _amount(kind: LimitKind, number: int) -> str:
    return amount(number) if kind == LimitKind.MONEY else f"{number:,}".replace(",", " ")


def _with_unit(kind: LimitKind, number: int) -> str:
    units = {LimitKind.REQUESTS: _("requests"), LimitKind.TOKENS: _("tokens")}
    return f"{_amount(kind, number)} {units.get(kind, '')}".strip()


def _name_of(subject: Subject) -> str:
    if subject.profile_id and not subject.user_id:
        return AIWorkflowProfile.objects.filter(pk=subject.profile_id).values_list("slug", flat=True).first() or ""
    return subject.course_id or subject.provider or ""


def _limits(rule: Rule, now: datetime) -> Iterator[Limit]:
    for subject in _subjects(rule, now):
        yield Limit(rule.per, rule.period, subject, rule.allowed, begins(rule.period, now), ends(rule.period, now))


def _subjects(rule: Rule, now: datetime) -> Iterable[Subject]:
    profile_id = None
    if rule.profile_slug:
        profile_id = AIWorkflowProfile.objects.filter(slug=rule.profile_slug).values_list("pk", flat=True).first()
    if rule.per == Per.PERSON and rule.user_id is None:
        return []  # there may be a hundred thousand users
    subject = rule.subject(Subject(rule.user_id, rule.course_id, profile_id, rule.provider))
    return [subject] if subject is not None else _subjects_with_most_usage(rule, now)


def _subjects_with_most_usage(rule: Rule, now: datetime) -> Iterator[Subject]:
    kind = next(iter(rule.allowed), LimitKind.REQUESTS)
    fields: dict[str, str] = {Per.COURSE: "course_id", Per.PROFILE: "profile_id", Per.PROVIDER: "provider"}
    start, end = f"{rule.per}:", f"|{rule.period}"
    totals = AIUsageTotal.objects.filter(
        key__startswith=start, key__endswith=end, starts_at=begins(rule.period, now)
    ).order_by(f"-{COLUMNS[kind]}")
    for key in totals.values_list("key", flat=True)[:MAX_SUBJECTS]:
        value = key[len(start) : -len(end)]
        subject: dict[str, Any] = {fields[rule.per]: int(value) if rule.per == Per.PROFILE else value}
        yield Subject(**subject)


class LimitForm(forms.ModelForm):
    """The amounts, and what the limit applies to."""

    course_id = CourseKeyFormField(
        label=gettext_lazy("Only in this course"),
        required=False,
        help_text=gettext_lazy(
            "Such as course-v1:OpenedX+DemoX+2026; empty for every course. A limit for each person then counts only "
            "the usage in this course."
        ),
    )

    class Meta:
        model = AILimit
        fields = ("per", "period", "enabled", "requests", "tokens", "money", "tier", "user", "course_id", "profile",
                  "provider")  # fmt: skip
        widgets = {"provider": SuggestingInput(conf.providers, {"class": "vTextField"})}


@admin.register(AILimit)
class LimitAdmin(BaseAdmin):
    """The limits of the settings are shown below the list."""

    form = LimitForm
    list_display = ("__str__", "narrowed", "requests", "tokens", "money", "enabled", "used_now")
    list_filter = ("per", "period", "enabled")
    list_select_related = ("user", "profile")
    search_fields = ("course_id", "profile__slug", "provider", "user__username")
    raw_id_fields = ("user",)
    autocomplete_fields = ("profile",)
    readonly_fields = ("used_now",)
    change_list_template = f"{TEMPLATES}/ailimit/change_list.html"

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/usage.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: AILimit | None = None) -> Any:
        precedence = _("If several limits have the same subject and period, only the most specific one applies.")
        fieldsets = (
            (None, {"fields": ("per", "period", "enabled")}),
            (_("How much"), {"fields": ("requests", "tokens", "money"), "description": precedence}),
            (_("Restrictions"), {"fields": ("tier", "user", "course_id", "profile", "provider")}),
        )
        return fieldsets if obj is None else (*fieldsets, (_("Now"), {"fields": ("used_now",)}))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        for row, usage in zip(rows, usage_of(map(rule_of, rows)), strict=True):
            row.usage = usage
        changelist.result_list = rows
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        rules = [rule for rule in all_rules().all if not rule.is_from_admin]
        shown = [
            {"name": _name(rule), "narrowed": _narrowed(rule), "used": usage}
            for rule, usage in zip(rules, usage_of(rules), strict=True)
        ]
        return super().changelist_view(request, {**(extra_context or {}), "settings_limits": shown})

    @admin.display(description=gettext_lazy("applies to"))
    def narrowed(self, obj: AILimit) -> str:
        return _narrowed(rule_of(obj), person=obj.user.get_username() if obj.user else "")

    @admin.display(description=gettext_lazy("used now"))
    def used_now(self, obj: AILimit) -> SafeString | str:
        usage = obj.usage if hasattr(obj, "usage") else usage_of([rule_of(obj)])[0]
        return usage or (_("Each is counted separately.") if obj.pk else "")


def _name(rule: Rule) -> str:
    per, period = AILimit.Per(rule.per).label, dict(AILimit._meta.get_field("period").flatchoices)[rule.period]
    return f"{per} / {period}"


def _narrowed(rule: Rule, person: str = "") -> str:
    tier = AILimit.Tier(rule.tier).label if rule.tier else ""
    parts = [person, tier, rule.course_id, rule.profile_slug, rule.provider]
    return " · ".join(str(part) for part in parts if part) or "–"
