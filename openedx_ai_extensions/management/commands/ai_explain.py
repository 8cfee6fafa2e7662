"""``manage.py ai_explain``: which scope answers a widget at a location, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from openedx_ai_extensions.console.diagnosis import Diagnosis, diagnose, reason_texts, scope_title, unmatched_slots
from openedx_ai_extensions.console.overlaps import overlaps
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import find_user, parse_place
from openedx_ai_extensions.management.base import AICommand, add_format
from openedx_ai_extensions.models import AIWorkflowScope


class Command(AICommand):
    help = "Explain which scope answers a widget at a location, why others do not, and what prevents it for a user."

    def add_arguments(self, parser: CommandParser) -> None:
        variants = [name for name, _title in AIWorkflowScope.SERVICE_VARIANTS]
        parser.add_argument("--course", help="course id; empty outside of courses")
        parser.add_argument("--location", help="usage key of the location, if the widget sends one")
        parser.add_argument("--slot", help="the identifier that the widget sends")
        parser.add_argument("--service", choices=variants, help="the service; that of this process by default")
        parser.add_argument("--user", help="username of the user who opens the page")
        add_format(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["slot"]:
            names = ("--course", "--location")
            place = parse_place(options["course"] or None, options["location"] or None, names=names)
            user = find_user(options["user"]) if options["user"] else None
            diagnosis = diagnose(*place, options["slot"], options["service"] or conf.service_variant(), user)
            answer, lines = _answer(diagnosis), _answer_lines(diagnosis)
        elif any(options[name] for name in ("course", "location", "user")):
            raise CommandError("Name the slot: --slot.")
        else:
            answer, lines = _overview(), _overview_lines()
        if options["format"] == "json":
            self.write_json(answer)
        else:
            self.stdout.write("\n".join(lines))


def _answer(diagnosis: Diagnosis) -> dict[str, Any]:
    explanation = diagnosis.explanation
    winner = explanation.winner
    return {
        "outcome": str(diagnosis.outcome),
        "text": str(diagnosis.outcome.label),
        "winner": winner and {**_scope(winner), "is_usable": diagnosis.is_usable},
        "problems": [asdict(problem) for problem in diagnosis.problems],
        "checks": [asdict(check) for check in diagnosis.checks],
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
    yield str(diagnosis.outcome.label)
    winner = diagnosis.explanation.winner
    if winner is not None:
        state = "usable" if diagnosis.is_usable else "broken"
        yield f"scope {winner.pk}: {scope_title(winner)}"
        yield f"profile {winner.profile.slug}: {state}"
        yield from (f"  {problem.labelled}" for problem in diagnosis.problems)
    for check in diagnosis.checks:
        yield f"{'stops' if check.stops else 'fine'}: {check.about.label}: {check.text}"
    if diagnosis.is_elsewhere:
        yield "Only a process of that service knows who can see the location, and which rules apply there."
    for explained in diagnosis.explanation.others:
        scope, reasons = explained.scope, " ".join(reason_texts(explained))
        yield f"not scope {scope.pk} ({scope.profile.slug}): {scope_title(scope)}: {reasons}"
    if diagnosis.explanation.omitted:
        yield f"and {diagnosis.explanation.omitted} more scopes that match less"


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
    yield f"requested slots without a workflow: {len(asked)}"
    for entry in asked:
        yield f"  {entry.slot} ({entry.variant}) {entry.course_id or '-'} {entry.asked_at:%Y-%m-%d %H:%M}"
    yield f"scopes that are never chosen: {len(found)}"
    for finding in found:
        because = f" (scope {finding.other.pk})" if finding.other else ""
        yield f"  scope {finding.scope.pk}: {scope_title(finding.scope)}: {finding.text}{because}"
