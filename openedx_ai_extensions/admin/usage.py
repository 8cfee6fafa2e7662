"""The usage report: what AI was used for, what it cost and how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.forms import CourseKeyFormField, SuggestingInput, known_courses, person_named
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.quota import amount
from openedx_ai_extensions.models import AIUsageByPlace, AIWorkflowProfile
from openedx_ai_extensions.reports.charts import Chart, horizontal_bars, lines, vertical_bars
from openedx_ai_extensions.reports.tables import csv_lines, lines_of, record
from openedx_ai_extensions.reports.usage import FIRST_DAY, LAST_DAY, By, Filters, Line, report, top_people, total_of

BY = (
    (By.DAY, gettext_lazy("Day")),
    (By.MONTH, gettext_lazy("Month")),
    (By.COURSE, gettext_lazy("Course")),
    (By.PROFILE, gettext_lazy("Profile")),
    (By.PROVIDER, gettext_lazy("Provider")),
    (By.MODEL, gettext_lazy("Model")),
    (By.PERSON, gettext_lazy("Person")),
)
SHOW = (
    ("cost", gettext_lazy("Cost")),
    ("tokens", gettext_lazy("Tokens")),
    ("runs", gettext_lazy("Runs")),
    ("errors", gettext_lazy("Errors")),
    ("refused", gettext_lazy("Refusals")),
)
DAYS = 30
MAX_DAYS = 3 * 366
VIEW_REPORT = "openedx_ai_extensions.view_usage_report"
MOST_LINES = 400
MOST_PEOPLE = 100
MEASURES: dict[str, Callable[[Line], int]] = {
    "cost": lambda line: line.cost_micros,
    "tokens": lambda line: line.tokens,
    "runs": lambda line: line.runs,
    "errors": lambda line: line.errors,
    "refused": lambda line: line.of("refused"),
}


class UsageForm(forms.Form):
    """Filters of a report; an empty form is the last 30 days of everything."""

    by = forms.ChoiceField(label=gettext_lazy("A line for each"), choices=BY, required=False)
    show = forms.ChoiceField(label=gettext_lazy("Chart"), choices=SHOW, required=False)
    since = forms.DateField(
        label=gettext_lazy("From"),
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
    )
    until = forms.DateField(
        label=gettext_lazy("To"),
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
    )
    course = CourseKeyFormField(label=gettext_lazy("Course"), required=False)
    profile = forms.CharField(label=gettext_lazy("Profile"), required=False, max_length=100)
    provider = forms.CharField(label=gettext_lazy("Provider"), required=False, max_length=100)
    person = forms.CharField(
        label=gettext_lazy("Person"), required=False, widget=forms.TextInput({"autocomplete": "off", "size": 20})
    )

    def __init__(self, data: Any) -> None:
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        defaults = {"by": By.DAY, "show": "cost", "since": str(today - timedelta(days=DAYS - 1)), "until": str(today)}
        super().__init__({**defaults, **{name: value for name, value in data.items() if value}})
        slugs = AIWorkflowProfile.objects.order_by("slug").values_list("slug", flat=True)[:200]
        self.fields["course"].widget = SuggestingInput(known_courses(), {"spellcheck": "false", "size": 40})
        self.fields["profile"].widget = SuggestingInput(slugs, {"spellcheck": "false"})
        self.fields["provider"].widget = SuggestingInput(conf.providers(), {"spellcheck": "false"})

    def clean_person(self) -> Any:
        return person_named(self.cleaned_data["person"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not timedelta(0) <= until - since < timedelta(days=MAX_DAYS):
            self.add_error("until", _("Choose a day after the first, and no more than three years."))
        if cleaned.get("by") == By.PERSON and any(cleaned.get(name) for name in ("course", "profile", "provider")):
            self.add_error("by", _("A line for each person takes no course, profile or provider."))
        return cleaned

    @property
    def by_what(self) -> By:
        return By(self.cleaned_data["by"])

    def filters(self) -> Filters:
        """What was asked for, once the form is valid."""
        cleaned = self.cleaned_data
        since: date = cleaned["since"]
        return Filters(
            since,
            cleaned["until"],
            course_id=str(cleaned["course"] or ""),
            profile_slug=cleaned["profile"],
            provider=cleaned["provider"],
            user_id=cleaned["person"].pk if cleaned["person"] else None,
        )


@admin.register(AIUsageByPlace)
class UsageAdmin(BaseAdmin):
    """A page to read and a file to take along. There are no rows to edit."""

    def get_urls(self) -> list[Any]:
        csv_view = self.admin_site.admin_view(self.csv_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name=f"{name}_changelist"),
            path("csv/", csv_view, name=f"{name}_csv"),
        ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_REPORT)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(VIEW_REPORT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = UsageForm(request.GET)
        context = {**self.admin_site.each_context(request), "title": _("AI usage report"), "opts": self.opts,
                   "form": form, **(extra_context or {})}  # fmt: skip
        if form.is_valid():
            context |= _page(form.by_what, form.filters(), form.cleaned_data["show"])
            context["query"] = request.GET.urlencode()
            for row in context["rows"]:
                row["query"] = _days_of(row, form.by_what, request)
        return TemplateResponse(request, "admin/openedx_ai_extensions/usage/report.html", context)

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = UsageForm(request.GET)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain; charset=utf-8")
        by = form.by_what
        records = (record(by, line) for line in lines_of(by, form.filters()))
        response = StreamingHttpResponse(csv_lines(records), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="ai-usage-by-{by}.csv"'
        return response


def _page(by: By, filters: Filters, show: str) -> dict[str, Any]:
    """A report in words, charts and a table."""
    found = top_people(filters, MOST_PEOPLE) if by == By.PERSON else report(by, filters)
    # Of people only the first were read.
    total = total_of(report(By.MONTH, filters) if by == By.PERSON else found)
    shown = _amount if show == "cost" else _number
    charts = [_chart(by, filters, found, show, shown)]
    if by in {By.DAY, By.MONTH} and any(line.first_token(50) is not None for line in found):
        charts.append(_latency(by, filters, found))
    return {
        "by_name": dict(BY)[by],
        "charts": charts,
        "rows": [_cells(line, by) for line in found[:MOST_LINES]],
        "total": _cells(total, by),
        "has_times": by != By.PERSON,
        "left_out": (by == By.PERSON and len(found) == MOST_PEOPLE) or len(found) > MOST_LINES,
    }


def _cells(line: Line, by: By) -> dict[str, Any]:
    shares = {"errors": line.errors, "refused": line.of("refused")}
    times = [] if by == By.PERSON else [
        _seconds(value)
        for value in (*map(line.first_token, (50, 95, 99)), *map(line.duration, (50, 95, 99)))
    ]  # fmt: skip
    return {
        "name": line.name or _("(none)"),
        "group": line.name,
        "cost": _amount(line.cost_micros),
        "counts": [_number(number) for number in (line.tokens, line.runs, line.of("completed"), line.of("cancelled"))],
        "shares": [f"{_number(number)}{_share(number, line.runs)}" for number in shares.values()],
        "cached": _number(line.of("cached")),
        "times": times,
    }


def _days_of(row: Mapping[str, Any], by: By, request: HttpRequest) -> str:
    """The query for the days of one line; empty where there is no such report."""
    if by not in {By.COURSE, By.PROFILE, By.PROVIDER, By.PERSON} or not row["group"]:
        return ""
    query = request.GET.copy()
    query["by"], query[str(by)] = str(By.DAY), row["group"]
    return query.urlencode()


def _chart(by: By, filters: Filters, found: Sequence[Line], show: str, shown: Callable[[float], str]) -> Chart:
    measure = MEASURES[show]
    title = _("{what} per {each}").format(what=dict(SHOW)[show], each=str(dict(BY)[by]).lower())
    if by in {By.DAY, By.MONTH}:
        values = [(name, measure(line) if line else 0) for name, line in _in_time(by, filters, found)]
    else:
        values = [(line.name or _("(none)"), measure(line)) for line in found]
        values.sort(key=lambda pair: -pair[1])
    if not any(value for _name, value in values):
        summary = _("Nothing to show.")
    else:
        name, most = max(values, key=lambda pair: pair[1])
        summary = _("Most: {most} ({name}). All values are in the table below.").format(most=shown(most), name=name)
    draw = vertical_bars if by in {By.DAY, By.MONTH} else horizontal_bars
    return draw(title, summary, values, shown)


def _latency(by: By, filters: Filters, found: Sequence[Line]) -> Chart:
    in_time = list(_in_time(by, filters, found))
    series = [
        (_("{percent} of 100 runs at most").format(percent=percent),
         [line.first_token(percent) if line else None for _name, line in in_time])
        for percent in (50, 95)
    ]  # fmt: skip
    return lines(
        _("Time to the first word"), _("All values are in the table below."), [name for name, _line in in_time], series,
        lambda value: _seconds(round(value)),
    )  # fmt: skip


def _in_time(by: By, filters: Filters, found: Sequence[Line]) -> Iterator[tuple[str, Line | None]]:
    """Every day or month of the report, also those of which there is nothing."""
    by_name = {line.name: line for line in found}
    names = dict.fromkeys(_name_of(by, filters.since + timedelta(days=number))
                          for number in range((filters.until - filters.since).days + 1))  # fmt: skip
    return ((name, by_name.get(name)) for name in names)


def _name_of(by: By, day: date) -> str:
    return day.isoformat() if by == By.DAY else day.isoformat()[:7]


def _amount(micros: float) -> str:
    return amount(round(micros))


def _number(value: float) -> str:
    whole = round(value) if value == round(value) else value
    return formats.number_format(whole, force_grouping=True)


def _share(part: int, whole: int) -> str:
    return f" ({part * 100 / whole:.1f} %)" if part and whole else ""


def _seconds(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return _("{seconds} s").format(seconds=formats.number_format(milliseconds / 1000, 1))
