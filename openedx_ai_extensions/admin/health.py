"""The health page: whether each part works, and what to do if not."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.base import PageAdmin
from openedx_ai_extensions.console.health import ping, report
from openedx_ai_extensions.models import AIHealth


@admin.register(AIHealth)
class HealthAdmin(PageAdmin):
    """Each request runs the checks again. A POST sends a short test request to one provider."""

    url_name = "openedx_ai_extensions_health"
    permissions = ("openedx_ai_extensions.view_health",)
    is_atomic = False  # the ledger keeps the test request even if the page fails

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/health.css",)}

    def page(self, request: HttpRequest) -> HttpResponseBase:
        sign = ping(request.POST.get("provider", ""), request.user) if request.method == "POST" else None
        return self.render(request, "health/page.html", title=_("Health"), sections=report(), sign=sign)
