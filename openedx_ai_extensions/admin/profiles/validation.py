"""The validation of a profile while it is typed: the same as when it is saved, with positions in the patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.admin.base import TEMPLATES
from openedx_ai_extensions.admin.profiles.changes import effective, template_and_effective
from openedx_ai_extensions.admin.profiles.form import ProfileForm, template_info, with_plain_line_ends
from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.json5 import Place, nearest, positions
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.patches import redundant_keys
from openedx_ai_extensions.workflows.template_utils import JSON5DecodeError, parse_patch

MAX_CHARACTERS = 20_000  # parsing takes time; a save accepts longer patches


@dataclass(frozen=True, slots=True)
class ProfileFinding:
    """An error, a warning or a note about a profile.

    Attributes:
        kind: an ``error`` prevents the save, a ``warning`` does not, a ``note`` names a key without effect.
        message: what is wrong and what is allowed.
        where: the JSON path, or the name of the field; empty for the whole profile.
        line, column: the position in the patch; None if it does not contain the path.
    """

    kind: str
    message: str
    where: str = ""
    line: int | None = None
    column: int | None = None


def findings(profile: AIWorkflowProfile) -> list[ProfileFinding]:
    """The problems that a save would report, and the keys of the patch that have no effect."""
    patch = profile.content_patch
    try:
        parse_patch(patch)
    except JSON5DecodeError as error:
        column = None if error.lineno is None else error.colno or 1
        return [ProfileFinding("error", error.reason, line=error.lineno, column=column)]
    places = positions(patch) if patch.strip() else {}
    problems = profile.problems(thorough=True) if profile.base_filepath else []
    notes = redundant_keys(profile.base_filepath, patch)
    return [
        *(_finding("error" if each.severity is Severity.ERROR else "warning", each, places) for each in problems),
        *(_finding("note", each, places) for each in notes),
    ]


def _finding(kind: str, problem: Problem, places: Mapping[str, Place]) -> ProfileFinding:
    where = "" if problem.path == "$" else problem.path
    line, column = nearest(problem.path, places) or (None, None)
    return ProfileFinding(kind, problem.message, where, line, column)


def summary(found: Sequence[ProfileFinding]) -> str:
    """The number of errors, warnings and notes in one sentence, which screen readers announce."""
    errors, warnings, notes = (sum(each.kind == kind for each in found) for kind in ("error", "warning", "note"))
    parts = [
        ngettext("{count} error", "{count} errors", errors).format(count=errors) if errors else "",
        ngettext("{count} warning", "{count} warnings", warnings).format(count=warnings) if warnings else "",
        ngettext("{count} note", "{count} notes", notes).format(count=notes) if notes else "",
    ]
    return ", ".join(filter(None, parts)) + "." if found else _("Everything is in order.")


def panel(name: str, **context: Any) -> SafeString:
    """A part of the profile page."""
    return render_to_string(f"{TEMPLATES}/aiworkflowprofile/{name}.html", context)


def validate_typed(request: HttpRequest, stored: AIWorkflowProfile | None) -> JsonResponse:
    """Validate what was typed; nothing is saved.

    Args:
        request: a POST of the form's fields.
        stored: the profile in the database; None for one that is being added.

    Returns:
        ``summary`` for screen readers, ``findings``, ``difference`` and ``template`` as HTML, ``change`` in words, and
        ``valid``: would a save be accepted?
    """
    before = None if stored is None else effective(stored)
    typed = with_plain_line_ends(request.POST.get("content_patch", ""))
    if len(typed) > MAX_CHARACTERS:
        return JsonResponse(
            {"summary": _("This patch is too long to be checked while you type: it is checked on save.")}
        )
    form = ProfileForm(request.POST, instance=stored or AIWorkflowProfile())
    is_valid = form.is_valid()
    profile = form.instance
    # The form keeps the stored value of an invalid field, but the typed one is to be validated.
    profile.content_patch = typed
    profile.base_filepath = form.cleaned_data.get("base_filepath", "")
    found = [*_field_findings(form), *findings(profile)]
    template = template_info(profile.base_filepath) if profile.base_filepath else None
    return JsonResponse(
        {
            "valid": is_valid,
            "summary": summary(found),
            "findings": panel("findings", findings=found),
            "difference": panel("difference", comparison=template_and_effective(profile)),
            "template": panel("template", template=template) if template else "",
            "change": "" if stored is None else _change(is_valid, before == effective(profile)),
        }
    )


def _field_findings(form: ProfileForm) -> list[ProfileFinding]:
    """The errors of the other fields, except that a field is still empty."""
    return [
        ProfileFinding("error", " ".join(error.messages), str(form.fields[name].label))
        for name, errors in form.errors.as_data().items()
        if name in form.fields and name != "content_patch"
        for error in errors
        if error.code != "required"
    ]


def _change(is_valid: bool, is_same: bool) -> str:
    if not is_valid:
        return _("This cannot be saved.")
    return (
        _("A save does not change what the workflow does.") if is_same else _("A save changes what the workflow does.")
    )
