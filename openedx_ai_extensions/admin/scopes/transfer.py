"""Import and export of profiles, scopes and prompts."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
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

MAX_UPLOAD_BYTES = 1_000_000  # the confirmation returns the file in a field, and Django limits fields to 2.5 MB
MAX_STEPS = 200  # shown with their changes
KINDS = {
    EntryKind.PROMPTS: gettext_lazy("Prompts"),
    EntryKind.PROFILES: gettext_lazy("Profiles"),
    EntryKind.SCOPES: gettext_lazy("Scopes"),
}
MEDIA_TYPES = {Format.YAML: "application/yaml", Format.CSV: "text/csv"}
VERBS = {Change.CREATED: "add", Change.CHANGED: "change"}


class ExportForm(forms.Form):
    """What an export contains.

    Args:
        kinds: the kinds that the user may see.
        may_have_secrets: the user sees the credentials in profiles anyway.
    """

    only = forms.MultipleChoiceField(
        label=gettext_lazy("What to export"), choices=KINDS.items(), widget=forms.CheckboxSelectMultiple
    )
    file_format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[(Format.YAML.value, "YAML"), (Format.CSV.value, gettext_lazy("CSV (scopes only)"))],
    )
    with_secrets = forms.BooleanField(
        label=gettext_lazy("Include credentials"),
        required=False,
        help_text=gettext_lazy(
            "Otherwise they are replaced by [REDACTED], and an import of the file does not change the profiles that "
            "contain them."
        ),
    )

    def __init__(self, data: Any, *, kinds: Sequence[EntryKind], may_have_secrets: bool) -> None:
        super().__init__(data, initial={"only": list(kinds)})
        self.fields["only"].choices = [(kind.value, KINDS[kind]) for kind in kinds]  # type: ignore[attr-defined]
        if not may_have_secrets:
            del self.fields["with_secrets"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("file_format") == Format.CSV and EntryKind.SCOPES not in cleaned.get("only", [EntryKind.SCOPES]):
            self.add_error("file_format", _("A CSV file contains only scopes."))
        return cleaned


class UploadForm(forms.Form):
    """A file to preview."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput({"accept": ".yaml,.yml,.csv", "aria-describedby": "id_file_helptext"}),
        help_text=gettext_lazy("An exported YAML file, or a CSV file of scopes, of at most 1 MB."),
    )

    def clean_file(self) -> tuple[bytes, Format]:
        """The content, and the format by the name."""
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD_BYTES:
            text = _("The file is larger than {count} bytes. Use the command ai_import for larger files.")
            raise ValidationError(text.format(count=MAX_UPLOAD_BYTES), code="too_large")
        return file.read(), format_of(file.name)


class ConfirmForm(forms.Form):
    """The previewed file, and the fingerprint of its plan."""

    content = forms.CharField(max_length=2 * MAX_UPLOAD_BYTES, widget=forms.HiddenInput)
    file_format = forms.ChoiceField(choices=[(each.value, each.value) for each in Format], widget=forms.HiddenInput)
    fingerprint = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean_content(self) -> bytes:
        """The file, which is sent as base64 because browsers change the line ends of texts."""
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except binascii.Error:
            raise ValidationError(_("The file was changed."), code="invalid") from None


class TransferAdmin(BaseAdmin):
    """Adds the pages to the admin of scopes. They respect the user's permissions for profiles, scopes and prompts."""

    def get_urls(self) -> list[Any]:
        import_view = sensitive_post_parameters("content")(self.import_view)
        return [
            self.extra_page("transfer/", "transfer", self.transfer_view),
            self.extra_page("transfer/export/", "transfer_export", self.export_view),
            self.extra_page("transfer/import/", "transfer_import", import_view),
            *super().get_urls(),
        ]

    def transfer_view(self, request: HttpRequest) -> HttpResponseBase:
        return self._page(request)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        form = _export_form(request, request.GET)
        if not form.is_valid():
            return self._page(request, export_form=form)
        cleaned = form.cleaned_data
        file_format, with_secrets = Format(cleaned["file_format"]), cleaned.get("with_secrets", False)
        kinds = [kind for kind in EntryKind if kind in cleaned["only"]]
        written = export(file_format, kinds, with_secrets=with_secrets)
        logger.info("transfer.exported user=%s kinds=%s secrets=%s", request.user.pk, ",".join(kinds), with_secrets)
        headers = {
            "Content-Disposition": f'attachment; filename="ai-workflows.{file_format}"',
            "Cache-Control": "no-store",
        }
        return HttpResponse(written.text, content_type=f"{MEDIA_TYPES[file_format]}; charset=utf-8", headers=headers)

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """Preview a file, or import a previewed one."""
        if not _may_import(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._back()
        if "fingerprint" in request.POST:
            return self._import(request)
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, upload_form=form)
        return self._preview(request, *form.cleaned_data["file"])

    def _preview(self, request: HttpRequest, content: bytes, file_format: Format) -> HttpResponseBase:
        plan = _plan(request, content, file_format, dry_run=True)
        initial = {
            "content": base64.b64encode(content).decode(),
            "file_format": file_format.value,
            "fingerprint": plan.fingerprint,
        }
        changes = [step for step in plan.steps if step.change != Change.UNCHANGED]
        return self.render(
            request,
            "transfer/plan.html",
            title=_("Preview of the import"),
            plan=plan,
            summary=summary(plan),
            steps=[{"step": step, "diff": diff(step)} for step in changes[:MAX_STEPS]],
            left_out=max(len(changes) - MAX_STEPS, 0),
            confirm=ConfirmForm(initial=initial) if changes and not plan.errors else None,
        )

    def _import(self, request: HttpRequest) -> HttpResponseBase:
        form = ConfirmForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Nothing was imported, because the file was changed after the preview."))
            return self._back()
        content, file_format = form.cleaned_data["content"], Format(form.cleaned_data["file_format"])
        if _plan(request, content, file_format, dry_run=True).fingerprint != form.cleaned_data["fingerprint"]:
            text = _("Nothing was imported yet, because something else has changed since the preview. Check it again.")
            messages.warning(request, text)
            return self._preview(request, content, file_format)
        plan = _plan(request, content, file_format, dry_run=False)
        if plan.errors:
            return self._preview(request, content, file_format)
        for step in plan.steps:
            if step.change == Change.CREATED:
                self.log_addition(request, step.obj, [{"added": {}}])
            elif step.change == Change.CHANGED:
                self.log_change(request, step.obj, [{"changed": {"fields": [d.name for d in step.differences]}}])
        messages.success(request, _("Imported: {summary}").format(summary=summary(plan)))
        return self._back()

    def _page(
        self, request: HttpRequest, *, export_form: ExportForm | None = None, upload_form: UploadForm | None = None
    ) -> HttpResponseBase:
        return self.render(
            request,
            "transfer/page.html",
            title=_("Import and export"),
            export_form=export_form or _export_form(request, None),
            upload_form=(upload_form or UploadForm()) if _may_import(request) else None,
        )

    def _back(self) -> HttpResponseBase:
        return HttpResponseRedirect(reverse(f"admin:{self.url_name_of('transfer')}"))


def _export_form(request: HttpRequest, data: Any) -> ExportForm:
    kinds = [kind for kind in EntryKind if _may(request, kind, "view") or _may(request, kind, "change")]
    return ExportForm(data, kinds=kinds, may_have_secrets=all(_may(request, kind, "change") for kind in kinds))


def _plan(request: HttpRequest, content: bytes, file_format: Format, *, dry_run: bool) -> Plan:
    try:
        entries = read(content, file_format)
    except InvalidRequest as error:
        return Plan(errors=[str(each) for each in (error.message if isinstance(error.message, list) else [error])])
    return run_import(
        entries, dry_run=dry_run, user=request.user, may=lambda kind, change: _may(request, kind, VERBS[change])
    )


def _may_import(request: HttpRequest) -> bool:
    return any(_may(request, kind, verb) for kind in EntryKind for verb in VERBS.values())


def _may(request: HttpRequest, kind: EntryKind, verb: str) -> bool:
    opts = MODELS[kind]._meta
    return request.user.has_perm(f"{opts.app_label}.{verb}_{opts.model_name}")
