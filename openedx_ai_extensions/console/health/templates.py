"""The files that workflows start from, and the profiles made of them."""

from __future__ import annotations

import os

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.schema import template_problems
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.workflows import template_utils


def check() -> list[Finding]:
    """Every directory, what is wrong in it, and the profiles that do not build."""
    return [*_directories(), *_broken(), *_shadowed(), *_profiles()]


def _directories() -> list[Finding]:
    found = []
    for directory in template_utils.get_template_directories():
        if not directory.is_dir() or not os.access(directory, os.R_OK | os.X_OK):
            advice = _("Create it, let this service read it, or take it out of WORKFLOW_TEMPLATE_DIRS.")
            found.append(Finding(HealthLevel.WARNING, str(directory), _("It is missing or cannot be read."), advice))
            continue
        number = sum(1 for path in directory.rglob("*.json5") if path.is_file())
        text = ngettext("It has {count} template.", "It has {count} templates.", number).format(count=number)
        found.append(Finding(HealthLevel.OK, str(directory), text))
    return found


def _broken() -> list[Finding]:
    found = []
    for name, _label in template_utils.discover_templates():
        problem = template_utils.template_problem(name)
        config = None if problem else template_utils.load_template(name)
        problems = [Problem("$", problem)] if problem else template_problems(config or {})
        found += [_of_template(name, each) for each in problems]
    return found


def _of_template(name: str, problem: Problem) -> Finding:
    if problem.severity is Severity.ERROR:
        return Finding(HealthLevel.ERROR, name, problem.text, _("Mend the file: profiles that use it show no widget."))
    return Finding(HealthLevel.NOTE, name, problem.text, _("Profiles that use it must say this."))


def _shadowed() -> list[Finding]:
    text = _("It never loads: an earlier directory has a template of the same name.")
    advice = _("Rename one of them if this is not what you want.")
    return [Finding(HealthLevel.NOTE, str(path), text, advice) for _name, path in template_utils.shadowed_templates()]


def _profiles() -> list[Finding]:
    broken: list[Finding] = []
    with PromptTemplate.objects.preloaded():
        profiles = list(AIWorkflowProfile.objects.all())
        for profile in profiles:
            errors = [problem for problem in profile.problems() if problem.severity is Severity.ERROR]
            if errors:
                advice = _("Edit the profile, or bring back what it needs.")
                broken.append(
                    Finding(HealthLevel.ERROR, _("Profile {slug}").format(slug=profile.slug), str(errors[0]), advice)
                )
    if broken:
        return broken
    text = ngettext("{count} profile, and it can be used.", "{count} profiles, and all can be used.", len(profiles))
    return [Finding(HealthLevel.OK, _("Profiles"), text.format(count=len(profiles)))]
