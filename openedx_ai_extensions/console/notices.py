"""The page where people read, accept and withdraw a notice, without JavaScript and independent of any widget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache

from openedx_ai_extensions.exceptions import QuotaExceeded
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.policy.consent import Terms, accept, has_accepted, terms_for, withdraw

_ADDRESS = re.compile(r"""(https?://[^\s<>()[\]"'`*]+[^\s<>()[\]"'`*.,;:!?])""")  # as in the widget


@method_decorator(never_cache, name="dispatch")
class NoticePage(LoginRequiredMixin, View):
    """The notice of one workflow. Any person may open it, so that people who left a course can withdraw."""

    def get(self, request: HttpRequest, profile_id: int) -> HttpResponse:
        return self._page(_terms(profile_id))

    def post(self, request: HttpRequest, profile_id: int) -> HttpResponse:
        terms = _terms(profile_id)
        user: Any = request.user
        match request.POST.get("accepted"):
            case "yes" if request.POST.get("fingerprint") != terms.fingerprint:
                return self._page(terms, problem=_("The notice has changed. Please read it again."), status=409)
            case "yes":
                try:
                    accept(user, terms)
                except QuotaExceeded as error:
                    return self._page(terms, problem=str(error), status=error.http_status)
            case "no":
                withdraw(user, terms)
            case _:
                return HttpResponseBadRequest()
        return HttpResponseRedirect(request.path)

    def _page(self, terms: Terms, *, problem: str = "", status: int = 200) -> HttpResponse:
        user: Any = self.request.user
        notice = terms.as_dict()
        recipients = [
            f"{each['provider']} ({each['region']})" if each["region"] else each["provider"]
            for each in notice["providers"]
        ]
        accepted = has_accepted(user, terms)
        text = format_html_join("", "{}", _linked(notice["text"]))
        context = {
            "notice": notice,
            "text": text,
            "recipients": recipients,
            "has_accepted": accepted,
            "problem": problem,
        }
        return render(self.request, "openedx_ai_extensions/notices/notice.html", context, status=status)


def _terms(profile_id: int) -> Terms:
    terms = terms_for(get_object_or_404(AIWorkflowProfile, pk=profile_id))
    if terms is None:
        raise Http404
    return terms


def _linked(text: str) -> Iterator[tuple[str]]:
    """The pieces of a text, with its web addresses as links."""
    for number, piece in enumerate(_ADDRESS.split(text)):
        yield (format_html('<a href="{0}" target="_blank" rel="noopener">{0}</a>', piece) if number % 2 else piece,)


app_name = "notices"
urlpatterns = [path("<int:profile_id>/", NoticePage.as_view(), name="notice")]
