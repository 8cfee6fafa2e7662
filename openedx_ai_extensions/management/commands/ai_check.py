"""``manage.py ai_check``: profiles that no longer fit their templates, and settings without effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.console.overlaps import OverlapKind, overlaps
from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.schema import template_problems
from openedx_ai_extensions.management.base import add_fail_level
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows import template_utils
from openedx_ai_extensions.workflows.patches import redundant_keys


class Command(BaseCommand):
    help = (
        "Check every profile against its template: a value that no longer fits is an error, a key of the patch without "
        "effect is a warning. Also list templates that never load, scopes that are never chosen, and scopes that "
        "answer outside of courses."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_fail_level(parser)

    def handle(self, *_args: Any, fail_level: str, **_options: Any) -> None:
        counts: Counter[Severity] = Counter()
        with PromptTemplate.objects.preloaded():
            for profile in AIWorkflowProfile.objects.all():
                notes = redundant_keys(profile.base_filepath, profile.content_patch)
                problems = [*profile.problems(thorough=True), *notes]
                counts += self._print(f"profile {profile.slug}", problems, or_else="in order")
        for name, _label in template_utils.discover_templates():
            counts += self._print(f"template {name}", _of_template(name))
        for finding in overlaps():
            if finding.kind is not OverlapKind.BROKEN:  # already listed with its profile
                problem = Problem("$", finding.text, Severity.WARNING)
                counts += self._print(f"scope {finding.scope.pk} ({finding.scope})", [problem])
        for scope in AIWorkflowScope.objects.filter(outside_courses=True, enabled=True).select_related("profile"):
            self.stdout.write(f"scope {scope.pk} ({scope}): answers outside of courses too, for every user of the site")
        text = f"errors: {counts[Severity.ERROR]}, warnings: {counts[Severity.WARNING]}"
        if counts[Severity.ERROR] or (fail_level == Severity.WARNING and counts[Severity.WARNING]):
            raise CommandError(text)
        self.stdout.write(text)

    def _print(self, title: str, problems: Iterable[Problem], or_else: str = "") -> Counter[Severity]:
        found = list(problems)
        if found or or_else:
            self.stdout.write(f"{title}: {or_else}" if not found else f"{title}:")
        for problem in found:
            where = "" if problem.path == "$" else f"{problem.path}: "
            self.stdout.write(f"  {problem.severity}: {where}{problem.message}")
        return Counter(problem.severity for problem in found)


def _of_template(name: str) -> Iterator[Problem]:
    problem = template_utils.template_problem(name)
    if problem is not None:
        yield Problem("$", problem)
    else:
        yield from template_problems(template_utils.load_template(name))
    for hidden, path in template_utils.shadowed_templates():
        if hidden == name:
            yield Problem("$", f"a file in an earlier directory hides {path}", Severity.WARNING)
