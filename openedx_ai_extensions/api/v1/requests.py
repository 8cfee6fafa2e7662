"""What all endpoints have in common: the login, the ``context`` query parameter, the body, and the form of errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey, UsageKey
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView, set_rollback

from openedx_ai_extensions.api.v1.serializers import ContextSerializer, timestamp
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.error_reports import unexpected
from openedx_ai_extensions.core.portable import number_problem, replace_surrogates
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    ConsentRequired,
    InvalidRequest,
    ParseError,
    PayloadTooLarge,
)

try:
    from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
    from edx_rest_framework_extensions.auth.session.authentication import SessionAuthenticationAllowInactiveUser
except ImportError:  # outside of the platform
    AUTHENTICATION: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
else:
    AUTHENTICATION = [JwtAuthentication, SessionAuthenticationAllowInactiveUser]

Number = TypeVar("Number", int, float)

MAX_DEPTH = 100  # clients send six levels; encoders, copies and databases fail further down
_MAX_LENGTH_DIGITS = 18  # of a Content-Length; more would be exabytes
# Raised by Django at the first read of the body: in the check of a CSRF token, in DRF's parsers, or in a view.
_UNREADABLE = (BadRequest, MultiPartParserError, TooManyFieldsSent, TooManyFilesSent, UnreadablePostError)
_DRF_CODES = {400: "validation_error", 401: "not_authenticated", 429: "rate_limit_exceeded"}


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where a request comes from; unknown parts are None. A location always has its course."""

    course_key: CourseKey | None = None
    usage_key: UsageKey | None = None
    ui_slot_selector_id: str | None = None
    service_variant: str | None = None

    @property
    def course_id(self) -> str | None:
        return None if self.course_key is None else str(self.course_key)


@lru_cache(maxsize=512)
def parse_context(raw: str) -> RequestContext:
    """Parse the ``context`` query parameter.

    Raises:
        InvalidRequest, ValidationError: it is not a JSON object of texts, or a key in it is not valid; the message
            names the field.
    """
    try:
        sent = json.loads(raw)
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise InvalidRequest(_("context must be a JSON object."))
    values = ContextSerializer().run_validation(sent)
    course_key, usage_key = parse_place(
        _restored_key(values["course_id"]), _restored_key(values["location_id"]), names=("courseId", "locationId")
    )
    return RequestContext(course_key, usage_key, values["ui_slot_selector_id"], values["service_variant"])


def _restored_key(value: str | None) -> str | None:
    """Undo what browsers and proxies do to a key: a second percent-encoding, a space for each plus, a piece of path."""
    return value and unquote(value).strip().replace(" ", "+").removeprefix("/").removeprefix("unit/")


def longest_body() -> int:
    """The maximum length of a body in bytes: the longest valid one, within the site's own limit."""
    input_chars, save_chars = conf.get("AI_EXTENSIONS_MAX_INPUT_CHARS"), conf.get("AI_EXTENSIONS_MAX_SAVE_CHARS")
    # A character takes at most twelve bytes of JSON; the rest is for the other fields.
    needed = int(12 * input_chars + 3 * save_chars + 65_536)
    # Django applies its limit only if it reads the body itself, which older versions of DRF bypass.
    allowed = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return needed if allowed is None else min(needed, allowed)


class JSONObjectParser(JSONParser):
    """Parses the body as a JSON object in UTF-8, whatever its content type says."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Raises ParseError: it is not a JSON object, is nested too deep, or a number in it is too large."""
        try:
            parsed = json.loads(
                stream.read().decode(),
                parse_constant=_refuse,
                parse_int=lambda digits: _portable(int(digits)),
                parse_float=lambda digits: _portable(float(digits)),
            )
            _check_depth(parsed)
            parsed = replace_surrogates(parsed)
        except (ValueError, RecursionError):
            # The message of Python's parser is about bytes and offsets, and not for people.
            raise ParseError from None
        if not isinstance(parsed, dict):
            raise ParseError
        return parsed


def _check_depth(value: Any, depth: int = 0) -> None:
    """Raise ValueError if lists and objects are nested more than ``MAX_DEPTH`` levels deep."""
    if not isinstance(value, dict | list):
        return
    if depth >= MAX_DEPTH:
        raise ValueError("nested too deep")
    for item in value.values() if isinstance(value, dict) else value:
        _check_depth(item, depth + 1)


def _refuse(constant: str) -> Any:
    """NaN and the infinities, which Python's parser accepts, are not JSON."""
    raise ValueError(constant)


def _portable(number: Number) -> Number:
    problem = number_problem(number)
    if problem is not None:
        raise ParseError(problem)
    return number


class AnyContentType(BaseContentNegotiation):
    """Selects the only parser, whatever the content type says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))


class WidgetView(APIView):
    """Base of all endpoints.

    Attributes:
        is_atomic: runs in the request's transaction, if the site has one.
        context: where the request comes from.
    """

    authentication_classes = AUTHENTICATION
    permission_classes = [IsAuthenticated]
    parser_classes = [JSONObjectParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyContentType
    is_atomic = True
    context = RequestContext()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the body's length before the login, whose CSRF check may read the body."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            raise InvalidRequest(_("Content-Length must be a number."))
        if len(length) > _MAX_LENGTH_DIGITS or (length != "0" and int(length) > longest_body()):
            raise PayloadTooLarge
        http_request = request._request  # DRF's request delegates reading attributes, not setting them
        # Django would decode the query string, too, with the charset of the body.
        if http_request.encoding and http_request.encoding.lower() != "utf-8":
            http_request.encoding = "utf-8"
        super().initial(request, *args, **kwargs)
        self.context = parse_context(request.query_params.get("context") or "{}")

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """Errors and complete answers are JSON, whatever the client prefers: clients of streams must read them, too."""
        return JSONRenderer(), JSONRenderer.media_type

    def get_exception_handler(self) -> Any:
        return exception_handler


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
        return str(error.told(request.build_absolute_uri(error.path)))
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
