"""Try it: run a workflow, saved or not, and see what goes to the model and what comes back. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import TEMPLATES, PageAdmin
from openedx_ai_extensions.admin.dry_run_report import figures, notes, sent, structured
from openedx_ai_extensions.admin.forms import VisibleLocationForm
from openedx_ai_extensions.admin.profiles.form import template_choices, with_plain_line_ends
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import event, rendered, streaming_response, wants_events
from openedx_ai_extensions.exceptions import PayloadTooLarge
from openedx_ai_extensions.models import AITryIt, AIWorkflowProfile
from openedx_ai_extensions.runtime.dry_run import DryRun

MOCK, REAL = "mock", "real"
CHANGE_PROFILE, ADD_PROFILE = (f"openedx_ai_extensions.{verb}_aiworkflowprofile" for verb in ("change", "add"))
QUERY_FIELDS = ("profile", "course", "location", "person", "text", "number")  # the URL can fill in these


class TryItForm(VisibleLocationForm):
    """A saved profile, or a template and a patch that are validated as a save would do."""

    profile = forms.ModelChoiceField(
        AIWorkflowProfile.objects.order_by("slug"), label=gettext_lazy("Profile"), required=False, to_field_name="pk"
    )
    base_filepath = forms.ChoiceField(
        label=gettext_lazy("Template"),
        required=False,
        help_text=gettext_lazy(
            "Choose one to try an unsaved workflow. Of the profile above, only the name is used then."
        ),
    )
    content_patch = forms.CharField(
        label=gettext_lazy("Patch (JSON5)"),
        required=False,
        strip=False,
        widget=forms.Textarea({"class": "aiext-code", "rows": 10, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Applied to the template. It is validated as for a save, but not saved."),
    )
    text = forms.CharField(
        label=gettext_lazy("Message of the user"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy(
            "A question, or an author's instructions. A chat without a message starts with a greeting."
        ),
    )
    number = forms.IntegerField(
        label=gettext_lazy("Number"),
        required=False,
        min_value=1,
        max_value=50,
        help_text=gettext_lazy("Of cards or questions, for workflows that create them."),
    )
    model = forms.ChoiceField(
        label=gettext_lazy("Answered by"),
        choices=(
            (MOCK, gettext_lazy("A mock: no provider is called, it is free, and the answer is always the same")),
            (REAL, gettext_lazy("The profile's provider: it costs money and is recorded in the ledger")),
        ),
        initial=MOCK,
        widget=forms.RadioSelect,
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        if may_write(user):
            choices = [("", _("As the profile is saved")), *template_choices("")[1:]]
            self.fields["base_filepath"].choices = choices  # type: ignore[attr-defined]
        else:
            # An unsaved patch could send anything to a model, and only people who write profiles may read patches.
            del self.fields["base_filepath"], self.fields["content_patch"]

    def clean_text(self) -> str:
        text = with_plain_line_ends(self.cleaned_data["text"]).strip()
        if len(text) > conf.get("AI_EXTENSIONS_MAX_INPUT_CHARS"):
            raise ValidationError(PayloadTooLarge.default_message, code="max_length")
        return text

    def clean_content_patch(self) -> str:
        return with_plain_line_ends(self.cleaned_data["content_patch"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "profile" in self.errors:
            return cleaned
        saved, template = cleaned.get("profile"), cleaned.get("base_filepath")
        if template:
            cleaned["profile"] = self._unsaved(saved, template, cleaned.get("content_patch", ""))
        elif saved is None:
            self.add_error("profile", _("Choose a profile."))
        else:
            _is_valid, errors = saved.validate()
            for error in errors:
                self.add_error("profile", _("This profile is broken: {reason}").format(reason=error))
        return cleaned

    def _unsaved(self, saved: AIWorkflowProfile | None, template: str, patch: str) -> AIWorkflowProfile:
        """The profile that a save would store, if it is valid."""
        profile = AIWorkflowProfile(
            pk=saved.pk if saved else None,
            slug=saved.slug if saved else "",
            base_filepath=template,
            content_patch=patch,
        )
        try:
            profile.full_clean(exclude={"slug"}, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                self.add_error(name if name in self.fields else NON_FIELD_ERRORS, errors)
        return profile

    def dry_run(self) -> DryRun:
        """The dry run that a valid form describes."""
        cleaned = self.cleaned_data
        return DryRun(
            profile=cleaned["profile"],
            payer=self.user,
            person=cleaned["person"],
            course_id=cleaned["course"],
            location_id=cleaned["location"],
            text=cleaned["text"],
            number=cleaned["number"],
            is_mock=cleaned["model"] == MOCK,
        )


def may_write(user: Any) -> bool:
    """May this user save profiles, and therefore try unsaved ones?"""
    return bool(user.has_perm(CHANGE_PROFILE) or user.has_perm(ADD_PROFILE))


@admin.register(AITryIt)
class TryItAdmin(PageAdmin):
    """A form, and the result below it: as it arrives, or at the end for browsers without JavaScript."""

    url_name = "openedx_ai_extensions_try_it"
    permissions = ("openedx_ai_extensions.try_workflow",)
    is_atomic = False  # an answer takes long, and the ledger is written before and after it

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css", "openedx_ai_extensions/admin/try_it.css")}
        js = ("openedx_ai_extensions/events.js", "openedx_ai_extensions/admin/try_it.js")

    def page(self, request: HttpRequest) -> HttpResponseBase:
        """The form. A POST with ``try`` runs the workflow; any other POST fills in an unsaved profile."""
        if request.method != "POST" or "try" not in request.POST:
            return self._page(request, TryItForm(request.user, initial=_initial(request)))
        form = TryItForm(request.user, request.POST)
        streams = wants_events(request)
        if not form.is_valid():
            # The script then requests the page, which shows the errors.
            return self._page(request, form, status=400 if streams else 200)
        dry_run = form.dry_run()
        return streaming_response(events(dry_run)) if streams else self._page(request, form, outcome=_outcome(dry_run))

    def _page(
        self, request: HttpRequest, form: TryItForm, *, status: int = 200, outcome: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        title = _("Try a workflow")
        return self.render(request, "try_it/page.html", status=status, title=title, form=form, outcome=outcome)


def _outcome(dry_run: DryRun) -> dict[str, Any]:
    """The whole result of a dry run."""
    text, error = dry_run.complete()
    return {
        "notes": notes(dry_run),
        "sent": sent(dry_run),
        "text": dry_run.response if isinstance(dry_run.response, str) else text,
        "structured": structured(dry_run.response),
        "figures": figures(dry_run),
        "error": error,
    }


def _initial(request: HttpRequest) -> dict[str, Any]:
    """The values in the URL, and those that a profile's page sends from its form."""
    initial = {name: request.GET[name] for name in QUERY_FIELDS if request.GET.get(name)}
    if not may_write(request.user):
        return initial
    unsaved = {name: request.POST[name] for name in ("base_filepath", "content_patch") if request.POST.get(name)}
    key = initial.get("profile", "")
    if "edit" in request.GET and key.isascii() and key.isdigit():
        saved = AIWorkflowProfile.objects.filter(pk=key).first()
        if saved is not None:
            unsaved = {"base_filepath": saved.base_filepath, "content_patch": saved.content_patch}
    return {**initial, **unsaved}


def events(dry_run: DryRun) -> Iterator[bytes]:
    """``notes``, ``sent`` (for each call of the model), ``delta``, ``tool``, ``answer``, ``figures``, then ``done`` or
    ``error``. If the client stops reading, the model is stopped.
    """
    yield _part("notes", notes=notes(dry_run))
    for name, value in dry_run.parts():
        if name == "requests":
            yield _part("sent", sent=sent(dry_run))
        elif name == "response" and (data := structured(value)) is not None:
            yield _part("answer", structured=data)
        elif name == "response" and value:
            yield event("delta", {"text": value})
        elif name == "chunk":
            yield rendered(value)
        elif name == "error":
            yield _part("figures", figures=figures(dry_run))
            yield event("error", {"code": value.code, "message": str(value)}) if value else event("done", {})


def _part(name: str, **context: Any) -> bytes:
    return event(name, {"html": render_to_string(f"{TEMPLATES}/try_it/{name}.html", context)})
