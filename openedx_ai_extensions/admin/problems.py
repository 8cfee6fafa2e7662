"""What is wrong with a profile, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.models import AIWorkflowProfile


def problem_text(problem: Problem) -> str:
    """The problem with its severity in front, since colour alone would not tell it to everyone."""
    if problem.severity is Severity.ERROR:
        return _("Error: {problem}").format(problem=_words(problem))
    return _("Warning: {problem}").format(problem=_words(problem))


def status_text(profile: AIWorkflowProfile) -> str:
    """Usable, or broken and why."""
    problems = profile.problems()
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        return _("Broken: {reason}").format(reason=_words(errors[0]))
    if problems:
        text = ngettext("Usable, with {count} warning", "Usable, with {count} warnings", len(problems))
        return text.format(count=len(problems))
    return _("Usable")


def _words(problem: Problem) -> str:
    # "$" is the whole configuration: a path to it says nothing.
    return problem.message if problem.path == "$" else str(problem)
