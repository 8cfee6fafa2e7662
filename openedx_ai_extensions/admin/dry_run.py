"""What is to be tried out, for whom, where, and with which model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import PageAdmin
from openedx_ai_extensions.admin.dry_run_report import figures, notes, sent, structured
from openedx_ai_extensions.admin.forms import PlaceForm
from openedx_ai_extensions.admin.profiles.form import template_choices, with_plain_line_ends
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.sse import event, rendered, streaming_response, wants_events
from openedx_ai_extensions.exceptions import AIExtensionsError, PayloadTooLarge
from openedx_ai_extensions.models import AITryIt, AIWorkflowProfile
from openedx_ai_extensions.runtime.dry_run import DryRun, DryRunRequest

MOCK, REAL = "mock", "real"
CHANGE_PROFILE, ADD_PROFILE = (f"openedx_ai_extensions.{verb}_aiworkflowprofile" for verb in ("change", "add"))


class TryItForm(PlaceForm):
    """A saved profile, or a template with a patch that is judged as a save would."""

    profile = forms.ModelChoiceField(
        AIWorkflowProfile.objects.none(), label=gettext_lazy("Profile"), required=False, to_field_name="pk"
    )
    base_filepath = forms.ChoiceField(
        label=gettext_lazy("Template"),
        required=False,
        help_text=gettext_lazy("Choose one to try what is not saved; the profile then only lends its name."),
    )
    content_patch = forms.CharField(
        label=gettext_lazy("Patch (JSON5)"),
        required=False,
        strip=False,
        widget=forms.Textarea({"class": "aiext-code", "rows": 10, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Laid over that template. It is judged as if it were saved, and is not saved."),
    )
    text = forms.CharField(
        label=gettext_lazy("What the person says"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("A question, or an author's instructions. A chat without any words greets."),
    )
    number = forms.IntegerField(
        label=gettext_lazy("How many"),
        required=False,
        min_value=1,
        max_value=50,
        help_text=gettext_lazy("Of the cards or questions, where the workflow makes some."),
    )
    model = forms.ChoiceField(
        label=gettext_lazy("Who answers"),
        choices=(
            (MOCK, gettext_lazy("A mock: nobody is asked, it costs nothing, and it always answers the same")),
            (REAL, gettext_lazy("The profile's own provider: it is paid for, and the ledger says so")),
        ),
        initial=MOCK,
        widget=forms.RadioSelect,
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["profile"].queryset = AIWorkflowProfile.objects.order_by("slug")  # type: ignore[attr-defined]
        if may_write(user):
            choices = [("", _("As the profile is saved")), *template_choices("")[1:]]
            self.fields["base_filepath"].choices = choices  # type: ignore[attr-defined]
        else:
            # What somebody may not save could send anything to a model; and patches are not for everybody to read.
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
        """What a save would store, if it would accept it."""
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

    @property
    def asked(self) -> DryRunRequest:
        """What a valid form asks for."""
        cleaned = self.cleaned_data
        course, location = self.place
        return DryRunRequest(
            profile=cleaned["profile"],
            payer=self.user,
            person=cleaned["person"],
            course_id=course,
            location_id=location,
            text=cleaned["text"],
            number=cleaned["number"],
            is_mock=cleaned["model"] == MOCK,
        )


def may_write(user: Any) -> bool:
    """May this person save profiles, and so try what is not saved?"""
    return bool(user.has_perm(CHANGE_PROFILE) or user.has_perm(ADD_PROFILE))


FOLDER = "admin/openedx_ai_extensions/try_it"
# From the address to the form.
PREFILLED = ("profile", "course", "location", "person", "text", "number")


@admin.register(AITryIt)
class TryItAdmin(PageAdmin):
    """A form, and below it what came of it: as it arrives, or all at the end where there is no JavaScript."""

    url_name = "openedx_ai_extensions_try_it"
    permissions = ("openedx_ai_extensions.try_workflow",)
    is_atomic = False  # an answer takes its time, and the ledger is written before and after

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css", "openedx_ai_extensions/admin/try_it.css")}
        js = ("openedx_ai_extensions/events.js", "openedx_ai_extensions/admin/try_it.js")

    def page(self, request: HttpRequest) -> HttpResponseBase:
        """The form; of a POST with ``try`` the answer, too. Any other POST fills in what is not saved."""
        if request.method != "POST" or "try" not in request.POST:
            return self._answer(request, TryItForm(request.user, initial=_initial(request)))
        form = TryItForm(request.user, request.POST)
        streams = wants_events(request)
        if not form.is_valid():
            # Whoever asked for a stream asks again for the page, which says what is wrong.
            return self._answer(request, form, status=400 if streams else 200)
        dry_run = DryRun(form.asked)
        if streams:
            return streaming_response(events(dry_run))
        return self._answer(request, form, outcome=_outcome(dry_run))

    def _answer(
        self, request: HttpRequest, form: TryItForm, *, status: int = 200, outcome: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        context = self.context(request, title=_("Try a workflow"), form=form, outcome=outcome)
        return TemplateResponse(request, f"{FOLDER}/page.html", context, status=status)


def _outcome(dry_run: DryRun) -> dict[str, Any]:
    """All of a try, at its end."""
    text, error = dry_run.complete()
    if isinstance(dry_run.response, str):
        text = dry_run.response
    return {
        "notes": notes(dry_run),
        "sent": sent(dry_run),
        "text": text,
        "structured": structured(dry_run.response),
        "figures": figures(dry_run),
        "error": error,
    }


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the address says, and what the page of a profile sends of its form."""
    initial = {name: request.GET[name] for name in PREFILLED if request.GET.get(name)}
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
    """``notes``, ``sent`` (again each time that the model is asked), ``delta``, ``tool``, ``answer``, ``figures``, then
    one of ``done`` and ``error``. Whoever stops reading stops the model.
    """
    yield _piece("notes", notes=notes(dry_run))
    rounds = 0
    try:
        error = None
        try:
            dry_run.begin()
            rounds = len(dry_run.requests)
            yield _piece("sent", sent=sent(dry_run))
            yield from _whole_answer(dry_run)
            for chunk in dry_run.chunks():
                if len(dry_run.requests) > rounds:
                    rounds = len(dry_run.requests)
                    yield _piece("sent", sent=sent(dry_run))
                yield rendered(chunk)
        except AIExtensionsError as raised:
            error = raised
        if len(dry_run.requests) > rounds:
            yield _piece("sent", sent=sent(dry_run))
        yield _piece("figures", figures=figures(dry_run))
        if error is None:
            yield event("done", {})
        else:
            yield event("error", {"code": error.code, "message": str(error)})
    finally:
        dry_run.close()


def _whole_answer(dry_run: DryRun) -> Iterator[bytes]:
    """An answer that came whole."""
    data = structured(dry_run.response)
    if data is not None:
        yield _piece("answer", structured=data)
    elif dry_run.response:
        yield event("delta", {"text": dry_run.response})


def _piece(name: str, **context: Any) -> bytes:
    return event(name, {"html": render_to_string(f"{FOLDER}/{name}.html", context)})
