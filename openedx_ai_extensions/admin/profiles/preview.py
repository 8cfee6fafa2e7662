"""What the profile page is told while somebody types: the same judgement that a save would come to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.profiles.diff import template_and_effective
from openedx_ai_extensions.admin.profiles.findings import ProfileFinding, findings, summary
from openedx_ai_extensions.admin.profiles.form import ProfileForm, with_plain_line_ends
from openedx_ai_extensions.admin.profiles.templates import template_info
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import effective_config

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
