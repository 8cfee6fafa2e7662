"""The versions of a profile: their content, how they differ from the current profile, and restoring them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import label_for_field, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from openedx_ai_extensions.admin.base import TEMPLATES, BaseAdmin
from openedx_ai_extensions.admin.profiles.changes import (
    compare,
    compare_configurations,
    effective,
    impact_of,
)
from openedx_ai_extensions.admin.profiles.validation import findings
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowProfileVersion
from openedx_ai_extensions.workflows.configuration import KEPT_FIELDS
from openedx_ai_extensions.workflows.patches import readable

VERSIONS_PER_PAGE = 50
PAGE_PARAMETER = "versions"


class VersionPages(BaseAdmin):
    """Adds the versions to the history page of a profile, and a page for each version."""

    object_history_template = f"{TEMPLATES}/aiworkflowprofile/object_history.html"

    def get_urls(self) -> list[Any]:
        version = "<path:object_id>/versions/<int:number>/"
        return [
            self.extra_page(version, "version", self.version_view),
            self.extra_page(f"{version}restore/", "restore", self.restore_view),
            *super().get_urls(),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        profile = self.get_object(request, unquote(object_id))
        versions = AIWorkflowProfileVersion.objects.filter(profile=profile).select_related("user")
        page = Paginator(versions, VERSIONS_PER_PAGE).get_page(request.GET.get(PAGE_PARAMETER))
        first = page.start_index() - 1 if page.paginator.count else 0
        # One more than is shown, because the oldest one on the page is compared with the one before it.
        rows = list(_rows(list(versions[first : first + VERSIONS_PER_PAGE + 1])))[:VERSIONS_PER_PAGE]
        more = {"versions": rows, "versions_page": page, "page_parameter": PAGE_PARAMETER}
        return super().history_view(request, object_id, {**more, **(extra_context or {})})

    def version_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """One version beside the current profile."""
        profile, version = self._found(request, object_id, number)
        may_restore = self.has_change_permission(request, profile)
        return self.render(
            request,
            "aiworkflowprofile/version.html",
            title=_("{profile}, version {number}").format(profile=profile, number=number),
            profile=profile,
            version=version,
            fields=_fields(version, profile),
            patch=_patch_comparison(version, profile, may_see_all=may_restore),
            effective=compare_configurations(effective(version), effective(profile)),
            may_restore=may_restore and bool(version.differing_fields(profile)),
        )

    def restore_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """Ask for confirmation, then save the version again as a new one."""
        profile, version = self._found(request, object_id, number)
        if not self.has_change_permission(request, profile):
            raise PermissionDenied
        before = effective(profile)
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
        return self.render(
            request,
            "aiworkflowprofile/restore.html",
            title=_("Restore version {number} of {profile}?").format(number=number, profile=current),
            profile=current,
            version=version,
            errors=errors,
            findings=findings(profile),
            impact=impact_of(current),
            changes=before != effective(version),
        )

    def _restored(self, request: HttpRequest, profile: AIWorkflowProfile, number: int) -> HttpResponse:
        # Django translates a message of this form for each reader of the history.
        message = [{"added": {"name": gettext_noop("restored version"), "object": str(number)}}]
        self.log_change(request, profile, message)
        messages.success(request, _("Version {number} is restored.").format(number=number))
        for problem in profile.problems():
            messages.warning(request, problem.labelled)
        return HttpResponseRedirect(reverse(f"admin:{self.url_name_of('change')}", args=(profile.pk,)))

    def _found(
        self, request: HttpRequest, object_id: str, number: int
    ) -> tuple[AIWorkflowProfile, AIWorkflowProfileVersion]:
        profile = self.get_object(request, unquote(object_id))
        version = AIWorkflowProfileVersion.objects.filter(profile=profile, number=number).first()
        if profile is None or version is None:
            raise Http404
        return profile, version


def _rows(versions: list[AIWorkflowProfileVersion]) -> Iterator[dict[str, Any]]:
    """The versions, newest first, each with the names of the fields that it changed."""
    for version, older in zip(versions, [*versions[1:], None], strict=True):
        names = [] if older is None else version.differing_fields(older)
        changed = ", ".join(str(label_for_field(name, AIWorkflowProfile)) for name in names)
        yield {"version": version, "changed": changed, "is_first": older is None}


def _fields(version: AIWorkflowProfileVersion, profile: AIWorkflowProfile) -> list[dict[str, Any]]:
    """The fields except the patch, in the version and now."""
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
    """Both patches; people who may only view them see no credentials, and no comments that may repeat these."""
    then, now = version.content_patch, profile.content_patch
    if may_see_all:
        return {"comparison": compare(then, now)}
    shown = readable(then), readable(now)
    return {
        "comparison": compare(shown[0].text, shown[1].text),
        "is_masked": any(text.is_masked for text in shown),
        "is_unreadable": any(text.is_unreadable for text in shown),
    }
