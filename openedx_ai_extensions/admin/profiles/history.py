"""The versions of a profile: what it was, how that differs from now, and making it so again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import label_for_field, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.profiles.changes import compare, compare_configurations, meaning_for_sessions, touched
from openedx_ai_extensions.admin.profiles.validation import findings
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowProfileVersion
from openedx_ai_extensions.workflows.readable_errors import readable
from openedx_ai_extensions.workflows.template_utils import effective_config
from openedx_ai_extensions.workflows.versions import KEPT_FIELDS

FOLDER = "admin/openedx_ai_extensions/aiworkflowprofile"
VERSIONS_ON_A_PAGE = 50
PAGE = "versions"


class VersionPages(BaseAdmin):
    """The pages below *History* on the page of a profile."""

    object_history_template = f"{FOLDER}/object_history.html"

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/versions/<int:number>/", wrap(self.version_view), name=f"{name}_version"),
            path("<path:object_id>/versions/<int:number>/restore/", wrap(self.restore_view), name=f"{name}_restore"),
            *super().get_urls(),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # One more than are shown: the oldest on the page is compared with the one before it.
        versions = AIWorkflowProfileVersion.objects.filter(profile_id=_key(object_id)).select_related("user")
        page = Paginator(versions, VERSIONS_ON_A_PAGE).get_page(request.GET.get(PAGE))
        first = page.start_index() - 1 if page.paginator.count else 0
        lines = list(_lines(list(versions[first : first + VERSIONS_ON_A_PAGE + 1])))[:VERSIONS_ON_A_PAGE]
        more = {"versions": lines, "versions_page": page, "versions_var": PAGE}
        return super().history_view(request, object_id, {**more, **(extra_context or {})})

    def version_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """One version beside what the profile is now."""
        profile, version = self._found(request, object_id, number)
        if not self.has_view_or_change_permission(request, profile):
            raise PermissionDenied
        may_restore = self.has_change_permission(request, profile)
        context = {
            **self._context(request, profile, version),
            "title": _("{profile}, version {number}").format(profile=profile, number=number),
            "fields": _fields(version, profile),
            "patch": _patch_comparison(version, profile, may_see_all=may_restore),
            "effective": compare_configurations(_effective(version), _effective(profile)),
            "may_restore": may_restore and bool(version.differing_fields(profile)),
        }
        return TemplateResponse(request, f"{FOLDER}/version.html", context)

    def restore_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """Ask, then make the version present again, as a new one."""
        profile, version = self._found(request, object_id, number)
        if not self.has_change_permission(request, profile):
            raise PermissionDenied
        before = _effective(profile)
        for name in KEPT_FIELDS:
            setattr(profile, name, getattr(version, name))
        errors: list[str] = []
        if request.method == "POST":
            try:
                profile.save(changed_by=request.user, restored_from=number)
            except ValidationError as error:
                errors = error.messages
            else:
                return self._restored(request, profile, number)
        current = AIWorkflowProfile.objects.get(pk=profile.pk)
        context = {
            **self._context(request, current, version),
            "title": _("Restore version {number} of {profile}?").format(number=number, profile=current),
            "errors": errors,
            "findings": findings(profile),
            "touched": touched(current),
            "changes": before != _effective(version),
            "meaning": meaning_for_sessions(),
        }
        return TemplateResponse(request, f"{FOLDER}/restore.html", context)

    def _restored(self, request: HttpRequest, profile: AIWorkflowProfile, number: int) -> HttpResponse:
        # Django translates such a message for whoever reads the history.
        self.log_change(
            request, profile, [{"added": {"name": gettext_noop("restored version"), "object": str(number)}}]
        )
        messages.success(request, _("Version {number} is restored.").format(number=number))
        for problem in profile.problems():
            messages.warning(request, problem.labelled)
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(profile.pk,))
        return HttpResponseRedirect(url)

    def _found(
        self, request: HttpRequest, object_id: str, number: int
    ) -> tuple[AIWorkflowProfile, AIWorkflowProfileVersion]:
        profile = self.get_object(request, unquote(object_id))
        version = AIWorkflowProfileVersion.objects.filter(profile_id=_key(object_id), number=number).first()
        if profile is None or version is None:
            raise Http404
        return profile, version

    def _context(
        self, request: HttpRequest, profile: AIWorkflowProfile, version: AIWorkflowProfileVersion
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "profile": profile,
            "version": version,
            "media": self.media,
        }


def _key(object_id: str) -> int | None:
    text = unquote(object_id)
    return int(text) if text.isascii() and text.isdigit() else None


def _lines(versions: list[AIWorkflowProfileVersion]) -> Iterator[dict[str, Any]]:
    """The versions, newest first, each with what it changed."""
    for version, older in zip(versions, [*versions[1:], None], strict=True):
        names = [] if older is None else version.differing_fields(older)
        changed = ", ".join(str(label_for_field(name, AIWorkflowProfile)) for name in names)
        yield {"version": version, "changed": changed, "is_first": older is None}


def _fields(version: AIWorkflowProfileVersion, profile: AIWorkflowProfile) -> list[dict[str, Any]]:
    """All but the patch, then and now."""
    secrets = configured_secrets()
    return [
        {
            "name": label_for_field(name, AIWorkflowProfile),
            "then": masked_text(str(getattr(version, name) or ""), secrets),
            "now": masked_text(str(getattr(profile, name) or ""), secrets),
        }
        for name in KEPT_FIELDS
        if name != "content_patch"
    ]


def _patch_comparison(
    version: AIWorkflowProfileVersion, profile: AIWorkflowProfile, *, may_see_all: bool
) -> dict[str, Any]:
    """Both patches; those who may only look see neither credentials nor the comments that may repeat them."""
    then, now = version.content_patch, profile.content_patch
    if may_see_all:
        return {"comparison": compare(then, now)}
    shown = readable(then), readable(now)
    return {
        "comparison": compare(shown[0].text, shown[1].text),
        "is_masked": any(text.is_masked for text in shown),
        "is_unreadable": any(text.is_unreadable for text in shown),
    }


def _effective(source: AIWorkflowProfile | AIWorkflowProfileVersion) -> dict[str, Any] | None:
    return effective_config(source.base_filepath, source.content_patch)
