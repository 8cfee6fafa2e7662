"""Import and export of profiles, scopes and prompts."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.console.transfer import Change, EntryKind, Format, Plan, export, read, run_import
from openedx_ai_extensions.console.transfer.entries import MODELS
from openedx_ai_extensions.console.transfer.importing import diff, summary
from openedx_ai_extensions.console.transfer.reading import format_of
from openedx_ai_extensions.exceptions import InvalidRequest

logger = logging.getLogger(__name__)

# What is asked about comes back with the answer, in a field: Django takes 2.5 million bytes of those by default.
MAX_UPLOAD = 1_000_000
KINDS = {
    EntryKind.PROMPTS: gettext_lazy("Prompts"),
    EntryKind.PROFILES: gettext_lazy("Profiles"),
    EntryKind.SCOPES: gettext_lazy("Scopes"),
}

TEMPLATES = "admin/openedx_ai_extensions/transfer"
MEDIA_TYPES = {Format.YAML: "application/yaml", Format.CSV: "text/csv"}
VERBS = {Change.CREATED: "add", Change.CHANGED: "change"}
MOST_SHOWN = 200  # entries with their changes


class ExportForm(forms.Form):
    """A file to take along.

    Args:
        kinds: what this person may see.
        may_have_secrets: this person sees credentials in profiles anyway.
    """

    only = forms.MultipleChoiceField(
        label=gettext_lazy("What to export"), choices=(), widget=forms.CheckboxSelectMultiple
    )
    file_format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[(Format.YAML.value, "YAML"), (Format.CSV.value, gettext_lazy("CSV (scopes only)"))],
    )
    with_secrets = forms.BooleanField(
        label=gettext_lazy("Keep credentials"),
        required=False,
        help_text=gettext_lazy(
            "Otherwise [REDACTED] stands for them, and the file changes nothing of a profile that has them."
        ),
    )

    def __init__(self, data: Any, *, kinds: Sequence[EntryKind], may_have_secrets: bool) -> None:
        super().__init__(data, initial={"only": [str(kind) for kind in kinds]}, auto_id="id_export_%s", label_suffix="")
        field = self.fields["only"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  # for types
        field.choices = [(kind.value, KINDS[kind]) for kind in kinds]
        if not may_have_secrets:
            del self.fields["with_secrets"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("file_format") == Format.CSV and EntryKind.SCOPES not in cleaned.get("only", [EntryKind.SCOPES]):
            self.add_error("file_format", _("A CSV file has scopes only."))
        return cleaned


class UploadForm(forms.Form):
    """A file to look at first."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput({"accept": ".yaml,.yml,.csv", "aria-describedby": "id_import_file_helptext"}),
        help_text=gettext_lazy("A YAML file of an export, or a CSV file of scopes; one megabyte at most."),
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="id_import_%s", label_suffix="")

    def clean_file(self) -> tuple[bytes, Format]:
        """The content, and its format by the name."""
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD:
            raise ValidationError(
                _("The file is larger than {count} bytes. The command ai_import takes larger ones.").format(
                    count=MAX_UPLOAD
                ),
                code="too_large",
            )
        return file.read(), format_of(file.name)


class ConfirmForm(forms.Form):
    """The same file again, and the plan that was agreed to."""

    content = forms.CharField(max_length=2 * MAX_UPLOAD, widget=forms.HiddenInput)
    file_format = forms.ChoiceField(choices=[(each.value, each.value) for each in Format], widget=forms.HiddenInput)
    fingerprint = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean_content(self) -> bytes:
        """Browsers change the line ends of a text, so it comes encoded."""
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except binascii.Error:
            raise ValidationError(_("The file did not come back as it was sent."), code="invalid") from None


class TransferAdmin(BaseAdmin):
    """Adds the pages to the admin of scopes. What a person may not see or change by hand stays out of reach here."""

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_transfer"
        wrap = self.admin_site.admin_view
        upload = wrap(sensitive_post_parameters("content")(self.import_view))
        return [
            path("transfer/", wrap(self.transfer_view), name=name),
            path("transfer/export/", wrap(self.export_view), name=f"{name}_export"),
            path("transfer/import/", upload, name=f"{name}_import"),
            *super().get_urls(),
        ]

    def transfer_view(self, request: HttpRequest) -> HttpResponseBase:
        self._require_view(request)
        return self._page(request, _export_form(request, None), UploadForm())

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        self._require_view(request)
        form = _export_form(request, request.GET)
        if not form.is_valid():
            return self._page(request, form, UploadForm())
        asked = form.cleaned_data
        file_format, with_secrets = Format(asked["file_format"]), asked.get("with_secrets", False)
        kinds = [kind for kind in EntryKind if kind in asked["only"]]
        written = export(file_format, kinds, with_secrets=with_secrets)
        logger.info("transfer.exported user=%s kinds=%s secrets=%s", request.user.pk, ",".join(kinds), with_secrets)
        response = HttpResponse(written.text, content_type=f"{MEDIA_TYPES[file_format]}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="ai-workflows.{file_format}"'
        response["Cache-Control"] = "no-store"
        return response

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """A file is looked at first; what was agreed to is done."""
        self._require_view(request)
        if not _may_import(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(self._address())
        if "fingerprint" in request.POST:
            return self._confirmed(request)
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, _export_form(request, None), form)
        content, file_format = form.cleaned_data["file"]
        return self._looked_at(request, content, file_format)

    def _looked_at(self, request: HttpRequest, content: bytes, file_format: Format) -> HttpResponseBase:
        plan = _plan(request, content, file_format, dry_run=True)
        confirm = ConfirmForm(
            initial={
                "content": base64.b64encode(content).decode(),
                "file_format": file_format.value,
                "fingerprint": plan.fingerprint,
            }
        )
        return self._plan_page(request, plan, confirm)

    def _confirmed(self, request: HttpRequest) -> HttpResponseBase:
        form = ConfirmForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Nothing was imported: the file did not come back as it was sent."))
            return HttpResponseRedirect(self._address())
        content, file_format = form.cleaned_data["content"], Format(form.cleaned_data["file_format"])
        if _plan(request, content, file_format, dry_run=True).fingerprint != form.cleaned_data["fingerprint"]:
            messages.warning(request, _("Nothing was imported yet: something else changed meanwhile. Look again."))
            return self._looked_at(request, content, file_format)
        plan = _plan(request, content, file_format, dry_run=False)
        if plan.errors:
            return self._looked_at(request, content, file_format)
        for step in plan.steps:
            if step.change == Change.CREATED:
                self.log_addition(request, step.obj, [{"added": {}}])
            elif step.change == Change.CHANGED:
                self.log_change(request, step.obj, [{"changed": {"fields": [d.name for d in step.differences]}}])
        messages.success(request, _("Imported: {summary}").format(summary=summary(plan)))
        return HttpResponseRedirect(self._address())

    def _plan_page(self, request: HttpRequest, plan: Plan, confirm: ConfirmForm) -> HttpResponseBase:
        shown = [step for step in plan.steps if step.change != Change.UNCHANGED]
        context = {
            **self._context(request),
            "title": _("What the file would do"),
            "plan": plan,
            "summary": summary(plan),
            "steps": [{"step": step, "diff": diff(step)} for step in shown[:MOST_SHOWN]],
            "left_out": max(len(shown) - MOST_SHOWN, 0),
            "confirm": confirm if shown and not plan.errors else None,
        }
        return TemplateResponse(request, f"{TEMPLATES}/plan.html", context)

    def _page(self, request: HttpRequest, export_form: ExportForm, upload_form: UploadForm) -> HttpResponseBase:
        context = {
            **self._context(request),
            "title": _("Import and export"),
            "export_form": export_form,
            "upload_form": upload_form if _may_import(request) else None,
        }
        return TemplateResponse(request, f"{TEMPLATES}/page.html", context)

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def _address(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_transfer")

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _export_form(request: HttpRequest, data: Any) -> ExportForm:
    kinds = [kind for kind in EntryKind if _may(request, kind, "view") or _may(request, kind, "change")]
    return ExportForm(data, kinds=kinds, may_have_secrets=all(_may(request, kind, "change") for kind in kinds))


def _plan(request: HttpRequest, content: bytes, file_format: Format, *, dry_run: bool) -> Plan:
    try:
        entries = read(content, file_format)
    except InvalidRequest as error:
        return Plan(errors=list(_texts(error)))
    return run_import(
        entries,
        dry_run=dry_run,
        user=request.user,
        may=lambda kind, change: _may(request, kind, VERBS[change]),
    )


def _texts(error: InvalidRequest) -> Iterator[str]:
    yield from map(str, error.message) if isinstance(error.message, list) else [str(error.message)]


def _may_import(request: HttpRequest) -> bool:
    return any(_may(request, kind, verb) for kind in EntryKind for verb in VERBS.values())


def _may(request: HttpRequest, kind: EntryKind, verb: str) -> bool:
    opts = MODELS[kind]._meta
    return request.user.has_perm(f"{opts.app_label}.{verb}_{opts.model_name}")
