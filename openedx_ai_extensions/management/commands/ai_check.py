"""``manage.py ai_check``: which profiles no longer fit their templates, and what in them changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.console.overlaps import OverlapKind, overlaps
from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.schema import template_problems
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows import template_utils
from openedx_ai_extensions.workflows.redundant_keys import redundant_keys


class Command(BaseCommand):
    """Profiles first, then templates and scopes; of those only what has something to be said of it."""

    help = (
        "Check every profile against its template: what no longer fits is an error, what a patch says in vain a "
        "warning. Templates that never load, scopes that are never chosen and those that answer outside of courses are "
        "listed too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fail-level",
            choices=[level.value for level in (Severity.WARNING, Severity.ERROR)],
            default=Severity.ERROR.value,
            help="the exit status is 1 from this level on (error)",
        )

    def handle(self, *_args: Any, fail_level: str, **_options: Any) -> None:
        counts: Counter[Severity] = Counter()
        with PromptTemplate.objects.preloaded():
            for profile in AIWorkflowProfile.objects.all():
                counts += self._print(f"profile {profile.slug}", _of_profile(profile), or_else="in order")
        for name, _label in template_utils.discover_templates():
            counts += self._print(f"template {name}", _of_template(name))
        for finding in overlaps():
            if finding.kind is not OverlapKind.BROKEN:  # its profile says so
                problem = Problem("$", finding.text, Severity.WARNING)
                counts += self._print(f"scope {finding.scope.pk} ({finding.scope})", [problem])
        for scope in AIWorkflowScope.objects.filter(outside_courses=True, enabled=True).select_related("profile"):
            self.stdout.write(f"scope {scope.pk} ({scope}): answers outside of courses too, to whoever has an account")
        said = f"errors: {counts[Severity.ERROR]}, warnings: {counts[Severity.WARNING]}"
        if counts[Severity.ERROR] or (fail_level == Severity.WARNING and counts[Severity.WARNING]):
            raise CommandError(said)
        self.stdout.write(said)

    def _print(self, title: str, problems: Iterable[Problem], or_else: str = "") -> Counter[Severity]:
        found = list(problems)
        if found or or_else:
            self.stdout.write(f"{title}: {or_else}" if not found else f"{title}:")
        for problem in found:
            where = "" if problem.path == "$" else f"{problem.path}: "
            self.stdout.write(f"  {problem.severity}: {where}{problem.message}")
        return Counter(problem.severity for problem in found)


def _of_profile(profile: AIWorkflowProfile) -> list[Problem]:
    return [*profile.problems(thorough=True), *redundant_keys(profile.base_filepath, profile.content_patch)]


def _of_template(name: str) -> Iterator[Problem]:
    problem = template_utils.template_problem(name)
    if problem is not None:
        yield Problem("$", problem)
    else:
        yield from template_problems(template_utils.load_template(name))
    for hidden, path in template_utils.shadowed_templates():
        if hidden == name:
            yield Problem("$", f"an earlier directory hides {path}", Severity.WARNING)
