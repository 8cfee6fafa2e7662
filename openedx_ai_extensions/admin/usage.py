"""The usage report: the number of runs, their cost, tokens and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import PageAdmin, number, seconds
from openedx_ai_extensions.admin.forms import CourseKeyFormField, SuggestingInput, UserFormField, known_profiles
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.prices import amount
from openedx_ai_extensions.models import AIUsageByPlace
from openedx_ai_extensions.reports.charts import Chart, horizontal_bars, lines, summary_of, vertical_bars
from openedx_ai_extensions.reports.usage import (
    FIRST_DAY,
    LAST_DAY,
    By,
    Filters,
    Line,
    csv_response,
    every_period,
    lines_of,
    record,
    report,
    top_people,
    total_of,
)

BY = {
    By.DAY: gettext_lazy("Day"),
    By.MONTH: gettext_lazy("Month"),
    By.COURSE: gettext_lazy("Course"),
    By.PROFILE: gettext_lazy("Profile"),
    By.PROVIDER: gettext_lazy("Provider"),
    By.MODEL: gettext_lazy("Model"),
    By.PERSON: gettext_lazy("Person"),
}
SHOW = {
    "cost": gettext_lazy("Cost"),
    "tokens": gettext_lazy("Tokens"),
    "runs": gettext_lazy("Runs"),
    "errors": gettext_lazy("Errors"),
    "refused": gettext_lazy("Refusals"),
}
DEFAULT_DAYS = 30
MAX_DAYS = 3 * 366
MAX_LINES = 400
MAX_PEOPLE = 100


class DayFormField(forms.DateField):
    widget = forms.DateInput({"type": "date"}, "%Y-%m-%d")
    default_validators = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]


class UsageForm(forms.Form):
    """The filters of a report; an empty form stands for everything in the last 30 days."""

    by = forms.TypedChoiceField(label=gettext_lazy("Group by"), choices=BY.items(), coerce=By, required=False)
    show = forms.ChoiceField(label=gettext_lazy("Chart"), choices=SHOW.items(), required=False)
    since = DayFormField(label=gettext_lazy("From"))
    until = DayFormField(label=gettext_lazy("To"))
    course = CourseKeyFormField(label=gettext_lazy("Course"), required=False)
    profile = forms.CharField(
        label=gettext_lazy("Profile"), required=False, max_length=100, widget=SuggestingInput(known_profiles)
    )
    provider = forms.CharField(
        label=gettext_lazy("Provider"), required=False, max_length=100, widget=SuggestingInput(conf.providers)
    )
    person = UserFormField(label=gettext_lazy("Username"))

    def __init__(self, data: Any) -> None:
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        since = today - timedelta(days=DEFAULT_DAYS - 1)
        defaults = {"by": By.DAY, "show": "cost", "since": str(since), "until": str(today)}
        super().__init__({**defaults, **{name: value for name, value in data.items() if value}})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not timedelta(0) <= until - since < timedelta(days=MAX_DAYS):
            self.add_error("until", _("The last day must not be before the first, or more than three years after it."))
        if cleaned.get("by") == By.PERSON and any(cleaned.get(name) for name in ("course", "profile", "provider")):
            self.add_error("by", _("A report by person cannot be filtered by course, profile or provider."))
        return cleaned

    def filters(self) -> Filters:
        """The filters of a valid form."""
        cleaned = self.cleaned_data
        return Filters(
            cleaned["since"],
            cleaned["until"],
            course_id=str(cleaned["course"] or ""),
            profile_slug=cleaned["profile"],
            provider=cleaned["provider"],
            user_id=cleaned["person"].pk if cleaned["person"] else None,
        )


@admin.register(AIUsageByPlace)
class UsageAdmin(PageAdmin):
    """A report as a page and as a CSV file."""

    url_name = "openedx_ai_extensions_aiusagebyplace_changelist"
    permissions = ("openedx_ai_extensions.view_usage_report",)

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/usage.css",)}

    def get_urls(self) -> list[Any]:
        return [*super().get_urls(), self.extra_page("csv/", "csv", self.csv_view)]

    def page(self, request: HttpRequest) -> HttpResponseBase:
        form = UsageForm(request.GET)
        context: dict[str, Any] = {}
        if form.is_valid():
            by = form.cleaned_data["by"]
            context = _report(by, form.filters(), form.cleaned_data["show"])
            context["query"] = request.GET.urlencode()
            for row in context["rows"]:
                row["query"] = _days_query(row, by, request)
        return self.render(request, "usage/report.html", title=_("AI usage report"), form=form, **context)

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        form = UsageForm(request.GET)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain; charset=utf-8")
        by = form.cleaned_data["by"]
        return csv_response(f"ai-usage-by-{by}", (record(by, line) for line in lines_of(by, form.filters())))


def _report(by: By, filters: Filters, show: str) -> dict[str, Any]:
    """A report as charts and a table."""
    found = top_people(filters, MAX_PEOPLE) if by == By.PERSON else report(by, filters)
    # A report by person contains only the people with the highest costs.
    total = total_of(report(By.MONTH, filters) if by == By.PERSON else found)
    charts = [_chart(by, filters, found, show)]
    if by in {By.DAY, By.MONTH} and any(line.first_token(50) is not None for line in found):
        charts.append(_latency_chart(by, filters, found))
    return {
        "by_name": BY[by],
        "charts": charts,
        "rows": [_cells(line, by) for line in found[:MAX_LINES]],
        "total": _cells(total, by),
        "has_times": by != By.PERSON,
        "left_out": (by == By.PERSON and len(found) == MAX_PEOPLE) or len(found) > MAX_LINES,
    }


def _cells(line: Line, by: By) -> dict[str, Any]:
    percentiles = [measure(percent) for measure in (line.first_token, line.duration) for percent in (50, 95, 99)]
    return {
        "name": line.name or _("(none)"),
        "group": line.name,
        "cost": _amount(line.cost_micros),
        "counts": [number(count) for count in (line.tokens, line.runs, line.of("completed"), line.of("cancelled"))],
        "shares": [f"{number(count)}{_share(count, line.runs)}" for count in (line.errors, line.refused)],
        "cached": number(line.of("cached")),
        "times": [] if by == By.PERSON else [seconds(value, 1) for value in percentiles],
    }


def _days_query(row: Mapping[str, Any], by: By, request: HttpRequest) -> str:
    """The query for a report by day of one row; empty if there is no such report."""
    if by not in {By.COURSE, By.PROFILE, By.PROVIDER, By.PERSON} or not row["group"]:
        return ""
    query = request.GET.copy()
    query["by"], query[str(by)] = str(By.DAY), row["group"]
    return query.urlencode()


def _chart(by: By, filters: Filters, found: Sequence[Line], show: str) -> Chart:
    shown = _amount if show == "cost" else number
    title = _("{what} per {each}").format(what=SHOW[show], each=str(BY[by]).lower())
    if by in {By.DAY, By.MONTH}:
        values = [(name, _measure(line, show)) for name, line in every_period(by, filters, found)]
    else:
        values = [(line.name or _("(none)"), _measure(line, show)) for line in found]
        values.sort(key=lambda pair: -pair[1])
    draw = vertical_bars if by in {By.DAY, By.MONTH} else horizontal_bars
    return draw(title, summary_of(values, shown), values, shown)


def _latency_chart(by: By, filters: Filters, found: Sequence[Line]) -> Chart:
    periods = every_period(by, filters, found)
    series = [
        (_("{percent} of 100 runs at most").format(percent=percent),
         [line.first_token(percent) for _name, line in periods])
        for percent in (50, 95)
    ]  # fmt: skip
    title, summary = _("Time to the first token"), _("All values are in the table below.")
    return lines(title, summary, [name for name, _line in periods], series, lambda value: seconds(round(value), 1))


def _measure(line: Line, show: str) -> int:
    """The number that a chart shows, one of ``SHOW``."""
    return int(getattr(line, "cost_micros" if show == "cost" else show))


def _amount(micros: float) -> str:
    return amount(round(micros))


def _share(part: int, whole: int) -> str:
    return f" ({part * 100 / whole:.1f} %)" if part and whole else ""
