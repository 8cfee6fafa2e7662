"""Try it: run a workflow, saved or not, and see all that goes to the model and comes back. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.dry_run.form import TryItForm, may_write
from openedx_ai_extensions.admin.dry_run.report import figures, notes, sent, structured
from openedx_ai_extensions.admin.page import PageAdmin
from openedx_ai_extensions.core.sse import event, rendered, streaming_response, wants_events
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.models import AITryIt, AIWorkflowProfile
from openedx_ai_extensions.runtime.dry_run import DryRun

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
