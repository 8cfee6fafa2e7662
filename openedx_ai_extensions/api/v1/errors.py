"""Turns exceptions into error answers of one form, for all endpoints."""

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

# Raised by Django at the first read of the body: in the check of a CSRF token, in DRF's parsers, or in a view.
_UNREADABLE = (BadRequest, MultiPartParserError, TooManyFieldsSent, TooManyFilesSent, UnreadablePostError)
_DRF_CODES = {400: "validation_error", 401: "not_authenticated", 429: "rate_limit_exceeded"}


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
    elif isinstance(exc, Http404):
        exc = drf.NotFound()
    elif isinstance(exc, DjangoPermissionDenied):
        exc = drf.PermissionDenied()
    if isinstance(exc, drf.APIException):
        return _answer(exc.status_code, _code(exc), _detail(exc.detail), _headers(exc))
    error = exc if isinstance(exc, AIExtensionsError) else unexpected(exc, "request.failed")
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return _answer(error.http_status, error.code, _message(error, context["request"]), headers, error.extra)


def _answer(
    status: int,
    code: str,
    message: str | list[str],
    headers: Mapping[str, str],
    extra: Mapping[str, Any] | None = None,
) -> Response:
    error = {"code": code, "message": message, **(extra or {})}
    return Response({"error": error, "status": "error", "timestamp": timestamp()}, status=status, headers=dict(headers))


def _message(error: AIExtensionsError, request: Request) -> str | list[str]:
    if isinstance(error, ConsentRequired) and error.path:
        # Clients on another host, such as micro-frontends, need the address with its host.
        return error.told(request.build_absolute_uri(error.path))
    return error.message if isinstance(error.message, list) else str(error.message)


def _code(exc: drf.APIException) -> str:
    if isinstance(exc, drf.ParseError):
        return "parse_error"
    return _DRF_CODES.get(exc.status_code, str(exc.default_code))


def _detail(detail: Any) -> str | list[str]:
    """DRF's detail as a text, or as a list of texts if there are several; each names its field."""
    if isinstance(detail, Mapping):
        texts = [f"{name}: {text}" for name, found in detail.items() for text in found]
    else:
        texts = [str(text) for text in detail] if isinstance(detail, list) else [str(detail)]
    return texts[0] if len(texts) == 1 else texts


def _headers(exc: drf.APIException) -> dict[str, str]:
    """As in DRF's own handler: how to log in, and when to retry."""
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]  # set by the view
    if getattr(exc, "wait", None):
        headers["Retry-After"] = f"{exc.wait:.0f}"  # type: ignore[attr-defined]  # Throttled has it
    return headers
