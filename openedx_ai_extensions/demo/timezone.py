"""Shows times in the time zone of the browser, which ``timezone.js`` stores in a cookie."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


def browser_timezone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware. Without the cookie, or with an unknown time zone in it, times are in UTC."""

    def middleware(request: HttpRequest) -> HttpResponse:
        name = unquote(request.COOKIES.get("timezone", ""))
        with timezone.override(name if name in zoneinfo.available_timezones() else None):
            return get_response(request)

    return middleware
