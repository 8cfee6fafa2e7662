"""``manage.py ai_explain``: which scope answers a widget at a place, and why the others don't."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.console.diagnosis import Diagnosis, diagnose, reason_texts, scope_title, unmatched_slots
from openedx_ai_extensions.console.overlaps import overlaps
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowScope


class Command(BaseCommand):
    """With a slot, the answer for it; without, what widgets asked for in vain and which scopes can't win."""

    help = "Explain which scope answers a widget at a place, why others do not, and what stops it for a person."

    def add_arguments(self, parser: CommandParser) -> None:
        variants = [name for name, _title in AIWorkflowScope.SERVICE_VARIANTS]
        parser.add_argument("--course", help="course id; empty outside of courses")
        parser.add_argument("--location", help="usage key of the place, if the widget names one")
        parser.add_argument("--slot", help="the identifier that the widget asks with")
        parser.add_argument("--service", choices=variants, help="the service asked about; this process's by default")
        parser.add_argument("--user", help="username of the person it is asked for")
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["slot"]:
            diagnosis = _diagnose(options)
            answer, lines = _answer(diagnosis), _answer_lines(diagnosis)
        elif any(options[name] for name in ("course", "location", "user")):
            raise CommandError("Say which slot: --slot.")
        else:
            answer, lines = _overview(), _overview_lines()
        if options["format"] == "json":
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(lines))


def _diagnose(options: dict[str, Any]) -> Diagnosis:
    try:
        course_key, usage_key = parse_place(
            options["course"] or None, options["location"] or None, names=("--course", "--location")
        )
    except InvalidRequest as error:
        raise CommandError(str(error)) from None
    people = get_user_model()
    person = None
    if options["user"]:
        try:
            person = people.objects.get_by_natural_key(options["user"])
        except people.DoesNotExist:
            raise CommandError(f"Nobody has the username {options['user']}.") from None
    return diagnose(course_key, usage_key, options["slot"], options["service"] or conf.service_variant(), person)


def _answer(diagnosis: Diagnosis) -> dict[str, Any]:
    explanation = diagnosis.explanation
    winner = explanation.winner
    return {
        "outcome": str(diagnosis.outcome),
        "text": diagnosis.text,
        "winner": winner and {**_scope(winner), "is_usable": diagnosis.is_usable},
        "problems": [
            {"severity": str(problem.severity), "path": problem.path, "message": problem.message}
            for problem in diagnosis.problems
        ],
        "checks": [
            {"about": str(check.about), "stops": check.stops, "text": check.text, "reason": check.reason}
            for check in diagnosis.checks
        ],
        "is_elsewhere": diagnosis.is_elsewhere,
        "others": [
            {**_scope(explained.scope), "reasons": [str(reason) for reason in explained.reasons],
             "texts": reason_texts(explained)}
            for explained in explanation.others
        ],
        "left_out": explanation.omitted,
    }  # fmt: skip


def _scope(scope: AIWorkflowScope) -> dict[str, Any]:
    return {"id": scope.pk, "profile": scope.profile.slug, "title": scope_title(scope)}


def _answer_lines(diagnosis: Diagnosis) -> Iterator[str]:
    yield diagnosis.text
    winner = diagnosis.explanation.winner
    if winner is not None:
        state = "usable" if diagnosis.is_usable else "broken"
        yield f"scope {winner.pk}: {scope_title(winner)}"
        yield f"profile {winner.profile.slug}: {state}"
        yield from (f"  {problem.labelled}" for problem in diagnosis.problems)
    for check in diagnosis.checks:
        yield f"{'stops' if check.stops else 'fine'}: {check.name}: {check.text}"
    if diagnosis.is_elsewhere:
        yield "Who may see the place, and what the rules say, is known only to that service's own process."
    for explained in diagnosis.explanation.others:
        scope, reasons = explained.scope, " ".join(reason_texts(explained))
        yield f"not scope {scope.pk} ({scope.profile.slug}): {scope_title(scope)}: {reasons}"
    if diagnosis.explanation.omitted:
        yield f"and {diagnosis.explanation.omitted} more, further from answering here"


def _overview() -> dict[str, Any]:
    return {
        "asked_in_vain": [
            {"slot": entry.slot, "service": entry.variant, "course": entry.course_id,
             "asked_at": entry.asked_at.isoformat()}
            for entry in unmatched_slots()
        ],
        "findings": [
            {**_scope(finding.scope), "kind": str(finding.kind), "text": finding.text,
             "other": finding.other and finding.other.pk}
            for finding in overlaps()
        ],
    }  # fmt: skip


def _overview_lines() -> Iterator[str]:
    asked, found = unmatched_slots(), overlaps()
    yield f"slots asked for that nobody serves: {len(asked)}"
    for entry in asked:
        yield f"  {entry.slot} ({entry.variant}) {entry.course_id or '-'} {entry.asked_at:%Y-%m-%d %H:%M}"
    yield f"scopes that cannot win: {len(found)}"
    for finding in found:
        because = f" (scope {finding.other.pk})" if finding.other else ""
        yield f"  scope {finding.scope.pk}: {scope_title(finding.scope)}: {finding.text}{because}"
