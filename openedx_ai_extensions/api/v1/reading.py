"""Reading a request's body: a JSON object in UTF-8, of a bounded length, depth and size of numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.portable import number_problem, replace_surrogates
from openedx_ai_extensions.core.sse import accepted_types
from openedx_ai_extensions.exceptions import InvalidRequest, ParseError, PayloadTooLarge

Number = TypeVar("Number", int, float)

MAX_DEPTH = 100  # clients send six levels; encoders, copies and databases fail further down
_MAX_LENGTH_DIGITS = 18  # of a Content-Length; more would be exabytes


def longest_body() -> int:
    """Longest body that is read, in bytes: what we need, within the site's own limit."""
    said, saved = conf.get("AI_EXTENSIONS_MAX_INPUT_CHARS"), conf.get("AI_EXTENSIONS_MAX_SAVE_CHARS")
    # A character takes at most twelve bytes of JSON; the other fields are short.
    needed = int(12 * said + 3 * saved + 65_536)
    # Django holds to it only where it reads the body itself, which older versions of DRF do not have it do.
    allowed = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return needed if allowed is None else min(needed, allowed)


def prepare_to_read(request: Request) -> None:
    """Check the body's length before any of it is read, and read the request as UTF-8, which JSON always is.

    Raises:
        InvalidRequest: the length is not a number.
        PayloadTooLarge: the body is longer than ``longest_body``.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise InvalidRequest(_("Content-Length must be a number."))
    if len(length) > _MAX_LENGTH_DIGITS or int(length) > longest_body():
        raise PayloadTooLarge
    http_request = request._request  # DRF passes reads on, but not writes
    # Django would read the query string, too, in the character set of the body.
    if http_request.encoding and http_request.encoding.lower() != "utf-8":
        http_request.encoding = "utf-8"


class JSONObjectParser(JSONParser):
    """The body as a JSON object, whatever its content type says."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Raises ParseError: it is not UTF-8, not JSON, no object, nested too deep, or a number in it is too large."""
        try:
            text = stream.read().decode()
            parsed = json.loads(text, parse_constant=_refuse, parse_int=_whole_number, parse_float=_number)
            _check_depth(parsed)
            parsed = replace_surrogates(parsed)
        except (ValueError, RecursionError):
            # The parser's words are about bytes and offsets, not for people.
            raise ParseError from None
        if not isinstance(parsed, dict):
            raise ParseError
        return parsed


def _check_depth(value: Any, depth: int = 0) -> None:
    """Raises ValueError: there are more than ``MAX_DEPTH`` lists and objects in one another."""
    if not isinstance(value, dict | list):
        return
    if depth >= MAX_DEPTH:
        raise ValueError("nested too deep")
    for item in value.values() if isinstance(value, dict) else value:
        _check_depth(item, depth + 1)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _whole_number(digits: str) -> int:
    return _portable(int(digits))


def _number(digits: str) -> float:
    return _portable(float(digits))


def _portable(number: Number) -> Number:
    problem = number_problem(number)
    if problem is not None:
        raise ParseError(problem)
    return number


class JSONOnly(BaseContentNegotiation):
    """Errors and plain answers are JSON, whatever a client prefers: one that streams must be able to read them."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


def accepts_stream(request: Request) -> bool:
    """May the answer be a stream? Not for a client that takes nothing but JSON."""
    return any(media_type != "application/json" for media_type in accepted_types(request))
