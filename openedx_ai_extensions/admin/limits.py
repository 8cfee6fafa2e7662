"""Limits: how much may be used, and how much is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.forms import CourseKeyFormField, SuggestingInput, known_courses
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.limits import Limit, LimitKind, Limits, Rule, Subject, all_rules, rule_of
from openedx_ai_extensions.ledger.periods import begins, ends
from openedx_ai_extensions.ledger.quota import amount
from openedx_ai_extensions.models import AILimit, AIUsageTotal, AIWorkflowProfile

Per = AILimit.Per
FULLEST = 3
KINDS: Mapping[str, str] = {LimitKind.REQUESTS: "requests", LimitKind.TOKENS: "tokens", LimitKind.MONEY: "micros"}


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of one kind of a limit is used.

    Attributes:
        whose: of what; empty where the limit says it.
        text: such as ``34 of 100 requests (34 %)``.
        percent: of the limit, 100 at most; for a meter.
    """

    whose: str
    text: str
    percent: int


def fills(rules: Iterable[Rule]) -> list[list[Fill]]:
    """Of each rule, how full it is: for its subject, or for the fullest ones where it holds for each of many."""
    now = timezone.now()
    limits = [list(_limits(rule, now)) for rule in rules]
    everything = Limits(limit for some in limits for limit in some)
    used = counters.limit_usage(everything, now) if everything else None
    return [[fill for limit in some for fill in _fills(limit, used, len(some) > 1)] for some in limits]


def _fills(limit: Limit, used: Any, is_named: bool) -> Iterator[Fill]:
    amounts = used.of(limit)
    for kind, allowed in limit.allowed.items():
        percent = amounts.of(kind) * 100 // allowed if allowed else 100
        text = _("{used} of {allowed} ({percent} %)").format(
            used=_shown(kind, amounts.of(kind)), allowed=_with_unit(kind, allowed), percent=percent
        )
        yield Fill(_whose(limit.subject), text, min(percent, 100))


def _shown(kind: LimitKind, number: int) -> str:
    return amount(number) if kind == LimitKind.MONEY else f"{number:,}".replace(",", " ")


def _with_unit(kind: LimitKind, number: int) -> str:
    if kind == LimitKind.MONEY:
        return amount(number)
    unit = _("requests") if kind == LimitKind.REQUESTS else _("tokens")
    return f"{_shown(kind, number)} {unit}"


def _whose(subject: Subject) -> str:
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
    place = Subject(rule.user_id, rule.course_id, profile_id, rule.provider)
    if rule.per == Per.PERSON and rule.user_id is None:
        return []  # each person has a count of their own
    subject = rule.subject(place)
    return [subject] if subject is not None else _fullest(rule, now)


def _fullest(rule: Rule, now: datetime) -> Iterator[Subject]:
    """Of each of many, those that have used most, as far as it is in the totals."""
    kind = next(iter(rule.allowed), LimitKind.REQUESTS)
    start, end = f"{rule.per}:", f"|{rule.period}"
    found = AIUsageTotal.objects.filter(
        key__startswith=start, key__endswith=end, starts_at=begins(rule.period, now)
    ).order_by(f"-{KINDS[kind]}")
    for key in found.values_list("key", flat=True)[:FULLEST]:
        value = key[len(start) : -len(end)]
        match rule.per:
            case Per.COURSE:
                yield Subject(course_id=value)
            case Per.PROFILE:
                yield Subject(profile_id=int(value))
            case Per.PROVIDER:
                yield Subject(provider=value)


class LimitForm(forms.ModelForm):
    """How much may be used, of what, by whom."""

    course_id = CourseKeyFormField(
        label=gettext_lazy("only in this course"),
        required=False,
        help_text=gettext_lazy(
            "Such as course-v1:OpenedX+DemoX+2026; empty for every course. A limit of each person then counts what "
            "the person used in this course."
        ),
    )

    class Meta:
        model = AILimit
        fields = ("per", "period", "enabled", "requests", "tokens", "money", "tier", "user", "course_id", "profile",
                  "provider")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Absent for those who may only look: the page has no inputs then.
        course, provider = self.fields.get("course_id"), self.fields.get("provider")
        if course is not None:
            course.widget = SuggestingInput(known_courses(), {"size": 60, "maxlength": 255, "spellcheck": "false"})
        if provider is not None:
            provider.widget = SuggestingInput(conf.providers(), provider.widget.attrs)


@admin.register(AILimit)
class LimitAdmin(BaseAdmin):
    """Say how much may be used; those of the settings are shown beside."""

    form = LimitForm
    list_display = ("__str__", "narrowed", "requests", "tokens", "money", "enabled", "used_now")
    list_filter = ("per", "period", "enabled")
    list_select_related = ("user", "profile")
    search_fields = ("course_id", "profile__slug", "provider", "user__username")
    raw_id_fields = ("user",)
    autocomplete_fields = ("profile",)
    readonly_fields = ("used_now",)
    change_list_template = "admin/openedx_ai_extensions/ailimit/change_list.html"

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/usage.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: AILimit | None = None) -> Any:
        amounts = _("Of several limits for the same thing and period the most specific holds, as a whole.")
        fieldsets = (
            (None, {"fields": ("per", "period", "enabled")}),
            (_("How much"), {"fields": ("requests", "tokens", "money"), "description": amounts}),
            (_("Only for"), {"fields": ("tier", "user", "course_id", "profile", "provider")}),
        )
        return fieldsets if obj is None else (*fieldsets, (_("Now"), {"fields": ("used_now",)}))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        for row, found in zip(rows, fills(map(rule_of, rows)), strict=True):
            row.fills = found
        changelist.result_list = rows
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        stated = [rule for rule in all_rules().all if not rule.is_from_admin]
        shown = [
            {"name": _name(rule), "narrowed": _narrowed(rule), "used": shown_fills(found)}
            for rule, found in zip(stated, fills(stated), strict=True)
        ]
        return super().changelist_view(request, {**(extra_context or {}), "settings_limits": shown})

    @admin.display(description=gettext_lazy("only for"))
    def narrowed(self, obj: AILimit) -> str:
        return _narrowed(rule_of(obj), person=obj.user.get_username() if obj.user else "")

    @admin.display(description=gettext_lazy("used now"))
    def used_now(self, obj: AILimit) -> SafeString | str:
        found = obj.fills if hasattr(obj, "fills") else fills([rule_of(obj)])[0]
        return shown_fills(found) or (_("Counted for each.") if obj.pk else "")


def shown_fills(found: list[Fill]) -> SafeString:
    """How full it is, in words; the bar only repeats them."""
    rows = format_html_join(
        "",
        '<li>{}{}<span class="aiext-meter" aria-hidden="true"><span style="inline-size: {}%"></span></span></li>',
        ((f"{fill.whose}: " if fill.whose else "", fill.text, fill.percent) for fill in found),
    )
    return format_html('<ul class="aiext-list aiext-fills">{}</ul>', rows) if rows else rows


def _name(rule: Rule) -> str:
    per, period = AILimit.Per(rule.per).label, dict(AILimit._meta.get_field("period").flatchoices)[rule.period]
    return f"{per} / {period}"


def _narrowed(rule: Rule, person: str = "") -> str:
    tier = AILimit.Tier(rule.tier).label if rule.tier else ""
    parts = [person, tier, rule.course_id, rule.profile_slug, rule.provider]
    return " · ".join(str(part) for part in parts if part) or "–"
