"""How much AI is used in a course: requests and tokens by day and by workflow, without names of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.console.author.page import CoursePage, name_of
from openedx_ai_extensions.ledger.prices import amount
from openedx_ai_extensions.reports.charts import Chart, summary_of, vertical_bars
from openedx_ai_extensions.reports.usage import By, Filters, Line, every_period, report, total_of

VIEW_REPORT = "openedx_ai_extensions.view_usage_report"
DAYS = (7, 30, 90)
DEFAULT_DAYS = 30


class UsagePage(CoursePage):
    """Figures of the last days; costs only for people who may see the site's usage report."""

    title = gettext_lazy("Usage of AI in this course")
    menu_entry = "usage"
    template_name = "usage.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("days", "")
        days = int(asked) if asked in map(str, DAYS) else DEFAULT_DAYS
        until = timezone.localdate(timezone=timezone.get_default_timezone())
        filters = Filters(until - timedelta(days=days - 1), until, course_id=str(self.course_key))
        by_day = every_period(By.DAY, filters, report(By.DAY, filters))
        by_workflow = sorted(report(By.PROFILE, filters), key=lambda line: (-line.runs, line.name))
        names = {profile.slug: name_of(profile) for profile in self.profiles()}
        shows_money = request.user.has_perm(VIEW_REPORT)
        total = total_of(by_workflow)
        cells = partial(_cells, shows_money=shows_money)
        workflows = [cells(line, names.get(line.name, line.name) or _("(none)")) for line in by_workflow]
        all_days = [cells(line, name) for name, line in reversed(by_day)]
        context = {
            "days": days,
            "choices": [{"days": number, "name": _days(number), "is_here": number == days} for number in DAYS],
            "shows_money": shows_money,
            "total": cells(total, _("All")),
            "is_empty": not total.runs,
            "chart": _chart(by_day),
            "tables": [
                {"id": "by-workflow", "caption": _("By workflow"), "first": _("Workflow"), "rows": workflows},
                {"id": "by-day", "caption": _("By day"), "first": _("Day"), "rows": all_days},
            ],
        }
        return self.render(context)


def _days(number: int) -> str:
    return ngettext("Last day", "Last {count} days", number).format(count=number)


def _cells(line: Line, name: str, *, shows_money: bool) -> dict[str, Any]:
    numbers = (line.runs, line.tokens, line.of("completed"), line.of("refused"), line.errors)
    cells = list(map(_number, numbers))
    return {"name": name, "cells": [*cells, *([amount(line.cost_micros)] if shows_money else [])]}


def _chart(by_day: Sequence[tuple[str, Line]]) -> Chart:
    values = [(name, line.runs) for name, line in by_day]
    return vertical_bars(_("Requests per day"), summary_of(values, _number), values, _number)


def _number(value: float) -> str:
    return formats.number_format(round(value) if value == round(value) else value, force_grouping=True)
