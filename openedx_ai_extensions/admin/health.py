"""The health page: does everything work, and if not, what to do."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.base import PageAdmin
from openedx_ai_extensions.console.health import ping, report
from openedx_ai_extensions.models import AIHealth


@admin.register(AIHealth)
class HealthAdmin(PageAdmin):
    """Looks anew each time. A POST asks one provider for a sign of life."""

    url_name = "openedx_ai_extensions_health"
    permissions = ("openedx_ai_extensions.view_health",)
    is_atomic = False  # what a provider was asked is in the ledger, whatever becomes of the page

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/health.css",)}

    def page(self, request: HttpRequest) -> HttpResponseBase:
        sign = ping(request.POST.get("provider", ""), request.user) if request.method == "POST" else None
        sections = report()
        context = self.context(request, title=_("Health"), sections=sections, sign=sign)
        return TemplateResponse(request, "admin/openedx_ai_extensions/health/page.html", context)
