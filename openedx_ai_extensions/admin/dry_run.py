"""Try it: run a workflow, saved or not, and see what goes to the model and what comes back. Nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import TEMPLATES, PageAdmin, number, pretty_json, seconds
from openedx_ai_extensions.admin.forms import VisibleLocationForm
from openedx_ai_extensions.admin.profiles.form import template_choices, with_plain_line_ends
from openedx_ai_extensions.admin.sessions import Message, readable
from openedx_ai_extensions.console.structured_answers import items_of
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import event, rendered, streaming_response, wants_events
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.exceptions import PayloadTooLarge
from openedx_ai_extensions.ledger.prices import amount
from openedx_ai_extensions.models import AITryIt, AIWorkflowProfile
from openedx_ai_extensions.policy.consent import has_accepted, terms_for
from openedx_ai_extensions.processors.llm.provider.calls import estimated_tokens
from openedx_ai_extensions.prompts.fences import COURSE
from openedx_ai_extensions.runtime.dry_run import DryRun

MOCK, REAL = "mock", "real"
CHANGE_PROFILE, ADD_PROFILE = (f"openedx_ai_extensions.{verb}_aiworkflowprofile" for verb in ("change", "add"))
QUERY_FIELDS = ("profile", "course", "location", "person", "text", "number")  # the URL can fill in these
_COURSE_TEXT = re.compile(rf"\A(?=.*\n</{COURSE}>\Z)(.*)\n\n<{COURSE}>\n(.*)\n</{COURSE}>\Z", re.DOTALL)


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
        "notes": _notes(dry_run),
        "sent": _sent(dry_run),
        "text": dry_run.response if isinstance(dry_run.response, str) else text,
        "structured": _structured(dry_run.response),
        "figures": _figures(dry_run),
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
    yield _part("notes", notes=_notes(dry_run))
    for name, value in dry_run.parts():
        if name == "requests":
            yield _part("sent", sent=_sent(dry_run))
        elif name == "response" and (data := _structured(value)) is not None:
            yield _part("answer", structured=data)
        elif name == "response" and value:
            yield event("delta", {"text": value})
        elif name == "chunk":
            yield rendered(value)
        elif name == "error":
            yield _part("figures", figures=_figures(dry_run))
            yield event("error", {"code": value.code, "message": str(value)}) if value else event("done", {})


def _part(name: str, **context: Any) -> bytes:
    return event(name, {"html": render_to_string(f"{TEMPLATES}/try_it/{name}.html", context)})


def _notes(dry_run: DryRun) -> list[str]:
    """What would happen in a real run but not in this one."""
    texts = []
    name = dry_run.person.get_username()
    if dry_run.refusal is not None:
        refused = _("A real run by {user} would be refused now: {reason}")
        texts.append(refused.format(user=name, reason=dry_run.refusal))
    terms = terms_for(dry_run.profile)
    if terms is not None and not has_accepted(dry_run.person, terms):
        texts.append(_("Before a real run, {user} would have to accept the AI notice.").format(user=name))
    return texts


def _sent(dry_run: DryRun) -> dict[str, Any]:
    """The last request to the model, which repeats the earlier ones."""
    if not dry_run.requests:
        return {"calls": 0}
    request, secrets = dry_run.requests[-1], configured_secrets()
    return {
        "calls": len(dry_run.requests),
        "messages": [part for message in readable(request.messages) for part in _parts(message)],
        "tools": [
            {"name": tool["name"], "description": redact(tool.get("description", ""), secrets),
             "parameters": pretty_json(redact(tool.get("parameters", {}), secrets))}
            for tool in request.tools
        ],
        "options": pretty_json(redact(dict(request.options), secrets)) if request.options else "",
    }  # fmt: skip


def _parts(message: Message) -> Iterator[Message]:
    """The message; the course text is split from the instructions."""
    found = _COURSE_TEXT.match(message.text) if message.kind == "system" else None
    if found is None:
        yield message
    else:
        yield replace(message, text=found[1])
        yield replace(message, speaker=_("Course text"), text=found[2])


def _figures(dry_run: DryRun) -> list[tuple[str, str, str]]:
    """Tokens, cost and times: the name, the expected value, and the actual one."""
    row, reservations = dry_run.row, dry_run.reservations
    expected = estimated_tokens(dry_run.requests[0]) if dry_run.requests else 0
    answer = number(reservations[0].completion_tokens) if reservations else "–"
    is_unused = dry_run.is_mock or not row.provider
    return [
        (
            _("Provider and model"),
            "–",
            _("None: no provider was called") if is_unused else f"{row.provider}: {row.model}",
        ),
        (_("Tokens sent"), _about(expected), _counted(row.prompt_tokens, dry_run)),
        (_("Tokens in the answer"), answer, _counted(row.completion_tokens, dry_run)),
        (_("Cost"), *_cost(dry_run)),
        (_("Time to the first token"), "–", seconds(row.first_token_ms, 2)),
        (_("Duration"), "–", seconds(row.duration_ms, 2)),
        (_("Calls of the model"), "–", number(len(dry_run.requests))),
    ]


def _cost(dry_run: DryRun) -> tuple[str, str]:
    if not dry_run.reservations:
        return amount(0), amount(0)
    if any(reservation.price is None for reservation in dry_run.reservations):
        unknown = _("unknown: this model has no price")
        return unknown, unknown
    return amount(dry_run.reservations[0].micros), amount(dry_run.row.cost_micros)


def _about(tokens: int) -> str:
    return _("about {number}").format(number=number(tokens)) if tokens else "–"


def _counted(tokens: int, dry_run: DryRun) -> str:
    if dry_run.is_mock:
        return _about(tokens)
    if dry_run.row.is_estimated:
        return _("{number} (estimated: the provider did not report it)").format(number=number(tokens))
    return number(tokens)


def _structured(response: Any) -> dict[str, Any] | None:
    """An answer that is data, as items with a title and lines, and as JSON; None for an answer that is text."""
    if response is None or isinstance(response, str):
        return None
    return {"items": list(items_of(response)), "json": pretty_json(redact(response, configured_secrets()))}
