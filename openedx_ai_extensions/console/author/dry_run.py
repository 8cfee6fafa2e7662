"""Dry runs of the course's workflows in its units. Nothing is stored, and the answer is streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import formats
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.console.author.page import CoursePage, Unit, name_of, units_of
from openedx_ai_extensions.console.structured_answers import items_of
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import event, rendered, streaming_response, wants_events
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.runtime.dry_run import DryRun


class TryForm(forms.Form):
    """Which workflow to try, where, and with which text.

    Args:
        profiles: the usable profiles of the course.
        units: those that the person can see.
    """

    workflow = forms.ChoiceField(label=gettext_lazy("Workflow"))
    unit = forms.ChoiceField(label=gettext_lazy("Unit"))
    text = forms.CharField(
        label=gettext_lazy("What a learner says"),
        required=False,
        widget=forms.Textarea({"rows": 3, "aria-describedby": "about-text"}),
    )

    def __init__(self, profiles: Sequence[AIWorkflowProfile], units: Sequence[Unit], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["workflow"].choices = [(str(profile.pk), name_of(profile)) for profile in profiles]  # type: ignore[attr-defined]
        self.fields["unit"].choices = [  # type: ignore[attr-defined]
            (parent_name, [(str(unit.key), unit.name) for unit in children])
            for parent_name, children in groupby(units, key=lambda unit: unit.parent_name)
        ]
        self.fields["text"].widget.attrs["maxlength"] = conf.get("AI_EXTENSIONS_MAX_INPUT_CHARS")
        self._profiles, self._units = profiles, units

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n").strip()
        if len(text) > conf.get("AI_EXTENSIONS_MAX_INPUT_CHARS"):
            raise forms.ValidationError(_("Your text is too long."), code="max_length")
        return text

    def dry_run(self, user: Any) -> DryRun:
        """The dry run that a valid form describes."""
        cleaned = self.cleaned_data
        unit = next(unit for unit in self._units if str(unit.key) == cleaned["unit"])
        return DryRun(
            profile=next(profile for profile in self._profiles if str(profile.pk) == cleaned["workflow"]),
            payer=user,
            person=user,
            course_id=unit.key.course_key,
            location_id=unit.key,
            text=cleaned["text"],
            is_mock=False,
        )


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class TryPage(CoursePage):
    """A form with the answer below it. Not atomic, because the ledger is written while the answer arrives."""

    title = gettext_lazy("Try a workflow")
    menu_entry = "try"
    template_name = "try.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        initial = {name: request.GET[name] for name in ("workflow", "unit") if request.GET.get(name)}
        return self._page(self._form(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = self._form(data=request.POST)
        if not form.is_valid():
            return self._page(form, status=400)
        dry_run = form.dry_run(request.user)
        if wants_events(request):
            return streaming_response(events(dry_run))
        text, error = dry_run.complete()
        outcome = {"text": readable(dry_run.response) + text, "usage": _usage(dry_run), "error": error}
        return self._page(form, outcome=outcome)

    def _form(self, **kwargs: Any) -> TryForm:
        profiles = sorted((profile for profile in self.profiles() if profile.is_usable), key=name_of)
        return TryForm(profiles, units_of(self.user, self.course_key), **kwargs)

    def _page(self, form: TryForm, status: int = 200, outcome: dict[str, Any] | None = None) -> HttpResponseBase:
        return self.render({"form": form, "outcome": outcome, "can_try": bool(form.fields["workflow"].choices)}, status)  # type: ignore[attr-defined]


def events(dry_run: DryRun) -> Iterator[bytes]:
    """Server-sent events: ``delta`` and ``tool``, then ``usage``, then ``done`` or ``error``.

    The model is stopped when the client disconnects.
    """
    for name, value in dry_run.parts():
        if name == "response":
            yield event("delta", {"text": readable(value)})
        elif name == "chunk":
            yield rendered(value)
        elif name == "error":
            yield event("usage", {"text": _usage(dry_run)})
            yield event("error", {"message": str(value)}) if value else event("done", {})


def _usage(dry_run: DryRun) -> str:
    row = dry_run.row
    if not row.prompt_tokens and not row.completion_tokens:
        return ""
    return _("Tokens: {sent} to the model, {answered} in the answer.").format(
        sent=formats.number_format(row.prompt_tokens, force_grouping=True),
        answered=formats.number_format(row.completion_tokens, force_grouping=True),
    )


def readable(response: Any) -> str:
    """An answer that was not streamed, as Markdown."""
    if response is None or isinstance(response, str):
        return response or ""
    items = [f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in items_of(response)]
    return "\n\n".join(items) or f"```json\n{json.dumps(response, indent=2, ensure_ascii=False, default=str)}\n```"
