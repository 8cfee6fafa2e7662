"""How the site is configured: switches and pauses, templates and profiles, MCP tools, and the platform's backend."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.console.checks import check_settings, problems_of_template
from openedx_ai_extensions.console.health.findings import Finding, error, note, ok, warning
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.edxapp.platform import OpenEdXPlatform
from openedx_ai_extensions.edxapp.platform.imports import missing_names
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.policy.pauses import Pause, all_pauses
from openedx_ai_extensions.tools.mcp import left_out_tools
from openedx_ai_extensions.workflows import template_utils


def switches() -> list[Finding]:
    """Invalid settings, the site's switch, and each active pause."""
    found = [
        error(_("Settings"), str(message.msg), str(message.hint or ""))
        for message in check_settings()
        if message.is_serious()
    ]
    if not conf.get("AI_EXTENSIONS_ENABLED"):
        text = _("AI is switched off for the whole site by the setting AI_EXTENSIONS_ENABLED.")
        found.append(warning(_("Switch"), text, _("Set it to True and restart to switch AI on.")))
    now = timezone.now()
    found += [_pause(pause) for pause in all_pauses() if pause.is_active_at(now)]
    return found or [ok(_("Switch"), _("AI is switched on, and no pause is active."))]


def _pause(pause: Pause) -> Finding:
    restrictions = [
        _("in the course {course}").format(course=pause.course_id) if pause.course_id else "",
        _("for one profile") if pause.profile_id else "",
        _("at some locations") if pause.location_regex else "",
        _("in quiet hours") if pause.has_hours else "",
    ]
    where = ", ".join(filter(None, restrictions))
    subject = _("Pause {number}").format(number=pause.pk)
    if where:
        return note(subject, _("AI is paused now: {where}.").format(where=where))
    return warning(subject, _("AI is paused now on the whole site."), _("Disable the pause in the admin."))


def templates() -> Iterator[Finding]:
    """Template directories, invalid or hidden templates, and invalid profiles."""
    for directory in template_utils.get_template_directories():
        if not directory.is_dir() or not os.access(directory, os.R_OK | os.X_OK):
            advice = _("Create it, make it readable for this service, or remove it from WORKFLOW_TEMPLATE_DIRS.")
            yield warning(str(directory), _("It is missing or cannot be read."), advice)
            continue
        number = sum(1 for path in directory.rglob("*.json5") if path.is_file())
        text = ngettext("It has {count} template.", "It has {count} templates.", number)
        yield ok(str(directory), text.format(count=number))
    for name, _label in template_utils.discover_templates():
        for problem in problems_of_template(name):
            if problem.severity is Severity.ERROR:
                yield error(name, problem.text, _("Correct the file: profiles that use it show no widget."))
            else:
                yield note(name, problem.text, _("Profiles that use it must add this value."))
    for _name, path in template_utils.shadowed_templates():
        text = _("It is never loaded: an earlier directory has a template of the same name.")
        yield note(str(path), text, _("Rename one of them, unless this is intended."))
    yield from _profiles()


def _profiles() -> Iterator[Finding]:
    with PromptTemplate.objects.preloaded():
        profiles = list(AIWorkflowProfile.objects.all())
        errors = [
            (profile.slug, next((each for each in profile.problems() if each.severity is Severity.ERROR), None))
            for profile in profiles
        ]
    broken = [(slug, problem) for slug, problem in errors if problem is not None]
    for slug, problem in broken:
        advice = _("Edit the profile, or restore what it needs.")
        yield error(_("Profile {slug}").format(slug=slug), str(problem), advice)
    if not broken:
        text = ngettext("{count} profile, which is valid.", "{count} profiles, which are all valid.", len(profiles))
        yield ok(_("Profiles"), text.format(count=len(profiles)))


def tools() -> Iterator[Finding]:
    """MCP servers some of whose tools were skipped when they were last listed. No server is called here."""
    servers = list(conf.mcp_servers())
    skipped = {name: names for name in servers if (names := left_out_tools(name))}
    if not skipped:
        yield ok(_("MCP servers"), _("None of their tools was skipped.") if servers else _("None is configured."))
    advice = _(
        "Definitions of tools are sent with every request, so their length is limited. Name the tools that you need in "
        "ALLOWED_TOOLS of the server. For each tool, the log has the reason (mcp.tool.skipped)."
    )
    for name, names in skipped.items():
        yield warning(name, _("These tools are skipped: {names}.").format(names=", ".join(names)), advice)


def platform() -> Iterator[Finding]:
    """The backend for courses, permissions and libraries, and whether all that it imports exists."""
    path = conf.get("AI_EXTENSIONS_BACKEND")
    try:
        backend = import_string(path)
    except ImportError:
        advice = _("Correct AI_EXTENSIONS_BACKEND, or remove it.")
        yield error(_("Backend"), _("{path} cannot be imported.").format(path=path), advice)
        return
    text = _("{path}, in the service {service}.").format(path=path, service=conf.service_variant())
    yield ok(_("Backend"), text)
    is_open_edx = isinstance(backend, type) and issubclass(backend, OpenEdXPlatform)
    missing = missing_names() if is_open_edx else ()
    if missing:
        text = _("This platform does not have: {names}.").format(names=", ".join(missing))
        advice = _("Features that need them fail. They may belong to an optional app, or this release moved them: look "
                   "for a newer version of this plugin.")  # fmt: skip
        yield warning(_("Imports"), text, advice)
