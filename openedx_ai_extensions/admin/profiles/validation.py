"""What is wrong with a profile that is being written, each with its place in the patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.admin.profiles.changes import template_and_effective
from openedx_ai_extensions.admin.profiles.form import ProfileForm, template_info, with_plain_line_ends
from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.json5 import Place, nearest, positions
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.redundant_keys import redundant_keys
from openedx_ai_extensions.workflows.template_utils import JSON5DecodeError, effective_config, parse_patch


@dataclass(frozen=True, slots=True)
class ProfileFinding:
    """Something to mend or to know.

    Attributes:
        kind: ``error`` refuses the save, ``warning`` does not, a ``note`` is about what is superfluous.
        message: what is wrong and what is allowed.
        where: the JSON path, or the name of the field; empty for the whole.
        place: line and column in the patch; None when nothing of it is there.
    """

    kind: str
    message: str
    where: str = ""
    place: Place | None = None

    @property
    def kind_in_words(self) -> str:
        return {"error": _("Error"), "warning": _("Warning")}.get(self.kind) or _("Note")

    @property
    def line(self) -> int | None:
        return self.place[0] if self.place else None

    @property
    def column(self) -> int | None:
        return self.place[1] if self.place else None


def findings(profile: AIWorkflowProfile) -> list[ProfileFinding]:
    """What saving would say of template and patch, and which keys of the patch change nothing."""
    patch = profile.content_patch
    try:
        parse_patch(patch)
    except JSON5DecodeError as error:
        place = None if error.lineno is None else (error.lineno, error.colno or 1)
        return [ProfileFinding("error", error.reason, place=place)]
    places = positions(patch) if patch.strip() else {}
    found = [_finding(problem, places) for problem in profile.problems(thorough=True)] if profile.base_filepath else []
    notes = redundant_keys(profile.base_filepath, patch)
    return [*found, *(_finding(problem, places, "note") for problem in notes)]


def _finding(problem: Problem, places: Mapping[str, Place], kind: str = "") -> ProfileFinding:
    kind = kind or ("error" if problem.severity is Severity.ERROR else "warning")
    where = "" if problem.path == "$" else problem.path
    return ProfileFinding(kind, problem.message, where, nearest(problem.path, places))


def summary(found: Sequence[ProfileFinding]) -> str:
    """How many of what, in one sentence to be read aloud."""
    counts = {kind: sum(finding.kind == kind for finding in found) for kind in ("error", "warning", "note")}
    parts = [
        ngettext("{count} error", "{count} errors", counts["error"]).format(count=counts["error"]),
        ngettext("{count} warning", "{count} warnings", counts["warning"]).format(count=counts["warning"]),
        ngettext("{count} note", "{count} notes", counts["note"]).format(count=counts["note"]),
    ]
    said = [part for part, count in zip(parts, counts.values(), strict=True) if count]
    return ", ".join(said) + "." if said else _("Everything is in order.")


FOLDER = "admin/openedx_ai_extensions/aiworkflowprofile"
# Parsing takes time that grows with the text; a save looks at any length.
MOST_CHARACTERS = 20_000


def panel(name: str, **context: Any) -> SafeString:
    """A part of the profile page."""
    return render_to_string(f"{FOLDER}/{name}.html", context)


def judge(request: HttpRequest, stored: AIWorkflowProfile | None) -> JsonResponse:
    """Judge what was typed; nothing is saved.

    Args:
        request: a POST of the form's fields.
        stored: the profile as it is in the database; None for one that is being added.

    Returns:
        ``summary`` to read aloud, ``findings``, ``difference`` and ``template`` as HTML, ``change`` in words, and
        ``valid``: would a save be accepted?
    """
    before = None if stored is None else effective_config(stored.base_filepath, stored.content_patch)
    typed = with_plain_line_ends(request.POST.get("content_patch", ""))
    if len(typed) > MOST_CHARACTERS:
        return JsonResponse({"summary": _("This patch is too long to check while you type: a save will check it.")})
    form = ProfileForm(request.POST, instance=stored or AIWorkflowProfile())
    is_valid = form.is_valid()
    profile = form.instance
    # What did not pass is judged as it was typed, not as it was before.
    profile.content_patch = typed
    profile.base_filepath = form.cleaned_data.get("base_filepath", "")
    found = [*_field_findings(form), *findings(profile)]
    after = effective_config(profile.base_filepath, typed) if profile.base_filepath else None
    return JsonResponse(
        {
            "valid": is_valid,
            "summary": summary(found),
            "findings": panel("findings", findings=found),
            "difference": panel("difference", comparison=_comparison(profile)),
            "template": panel("template", template=template_info(profile.base_filepath))
            if profile.base_filepath
            else "",
            "change": _change(is_valid, before, after) if stored is not None else "",
        }
    )


def _comparison(profile: AIWorkflowProfile) -> Any:
    return template_and_effective(profile) if profile.base_filepath else None


def _field_findings(form: ProfileForm) -> list[ProfileFinding]:
    """What is wrong with the other fields; what nobody has filled in yet is not wrong yet."""
    return [
        ProfileFinding("error", " ".join(error.messages), str(form.fields[name].label))
        for name, errors in form.errors.as_data().items()
        if name in form.fields and name != "content_patch"
        for error in errors
        if error.code != "required"
    ]


def _change(is_valid: bool, before: Any, after: Any) -> str:
    if not is_valid:
        return _("As it stands this cannot be saved.")
    if before == after:
        return _("Saving this leaves what the workflow does as it is.")
    return _("Saving this changes what the workflow does.")
