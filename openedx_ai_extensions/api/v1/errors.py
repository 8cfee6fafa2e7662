"""Every error of every endpoint in one shape; the views have no ``try``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from openedx_ai_extensions.core.error_reports import unexpected
from openedx_ai_extensions.exceptions import AIExtensionsError, ConsentRequired, ParseError, PayloadTooLarge

# Raised by Django wherever a body is read first: in the check of a CSRF token, in DRF's parsers, or in a view.
_UNREADABLE = (BadRequest, MultiPartParserError, TooManyFieldsSent, TooManyFilesSent, UnreadablePostError)


def timestamp() -> str:
    """Now, as ISO 8601 in UTC."""
    return timezone.now().isoformat()


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Turn any exception into an error answer; DRF calls it."""
    if context["view"].is_atomic:
        set_rollback()
    if isinstance(exc, RequestDataTooBig):
        exc = PayloadTooLarge()
    elif isinstance(exc, _UNREADABLE):
        exc = ParseError(_("The request cannot be read."))
    if isinstance(exc, AIExtensionsError):
        headers = {} if exc.retry_after is None else {"Retry-After": str(exc.retry_after)}
        return _answer(exc.http_status, exc.code, _text(exc, context["request"]), headers, exc.extra)
    if isinstance(exc, Http404):
        exc = drf.NotFound()
    elif isinstance(exc, DjangoPermissionDenied):
        exc = drf.PermissionDenied()
    if isinstance(exc, drf.APIException):
        return _answer(exc.status_code, _code(exc), _detail(exc.detail), _headers(exc))
    return _answer(500, AIExtensionsError.code, _text(unexpected(exc, "request.failed")))


def _answer(
    status: int,
    code: str,
    message: str | list[str],
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Response:
    error = {"code": code, "message": message, **(extra or {})}
    return Response(
        {"error": error, "status": "error", "timestamp": timestamp()}, status=status, headers=dict(headers or {})
    )


def _text(error: AIExtensionsError, request: Request | None = None) -> str | list[str]:
    if isinstance(error, ConsentRequired) and error.path and request is not None:
        # Where the person is logged in already: a client on another host, as micro-frontends are, needs all of it.
        return error.told(request.build_absolute_uri(error.path))
    return error.message if isinstance(error.message, list) else str(error.message)


_DRF_CODES = {400: "validation_error", 401: "not_authenticated", 429: "rate_limit_exceeded"}


def _code(exc: drf.APIException) -> str:
    if isinstance(exc, drf.ParseError):
        return "parse_error"
    return _DRF_CODES.get(exc.status_code, str(exc.default_code))


def _detail(detail: Any) -> str | list[str]:
    """DRF's detail as a text or a list of texts, each naming its field."""
    if isinstance(detail, Mapping):
        return [
            f"{name}: {text}"
            for name, texts in detail.items()
            for text in (texts if isinstance(texts, list) else [texts])
        ]
    return [str(text) for text in detail] if isinstance(detail, list) else str(detail)


def _headers(exc: drf.APIException) -> dict[str, str]:
    """As DRF's own handler: how to log in, and when to try again."""
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]  # set by the view
    if getattr(exc, "wait", None):
        headers["Retry-After"] = f"{exc.wait:.0f}"  # type: ignore[attr-defined]  # Throttled has it
    return headers
