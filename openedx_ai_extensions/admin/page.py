"""A page of the admin that lists no rows."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path

from openedx_ai_extensions.admin.base import BaseAdmin


class PageAdmin(BaseAdmin):
    """Stands in the admin's index like a model, for those who have one of ``permissions``. A subclass writes ``page``.

    Attributes:
        url_name: the page's, in the namespace ``admin``.
        permissions: of these, one is enough.
        is_atomic: runs within the request's transaction, where the site has one.
    """

    url_name: ClassVar[str]
    permissions: ClassVar[tuple[str, ...]]
    is_atomic: ClassVar[bool] = True

    def page(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self._view)
        if not self.is_atomic:
            view = transaction.non_atomic_requests(view)
        return [
            path("", view, name=self.url_name),
            # The index looks for it by this name.
            path("", view, name=f"{self.opts.app_label}_{self.opts.model_name}_changelist"),
        ]

    def _view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.page(request)

    def context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        """What every page of the admin shows."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **more}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(map(request.user.has_perm, self.permissions))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
