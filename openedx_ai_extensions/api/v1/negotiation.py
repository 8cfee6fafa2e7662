"""JSON in, JSON or a stream out: which of them, the view decides from what the client accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from openedx_ai_extensions.api.v1.text import mended
from openedx_ai_extensions.exceptions import ParseError

EVENT_STREAM = "text/event-stream"


class JSONOnly(BaseContentNegotiation):
    """Errors and plain answers are JSON, whatever a client prefers: one that streams must be able to read them."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


class JSONObjectParser(JSONParser):
    """The body as a JSON object, whatever its content type says."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            parsed = mended(super().parse(stream, media_type, parser_context))
        except (drf.ParseError, RecursionError):
            # The parser's words are about bytes and offsets, not for people.
            raise ParseError from None
        if not isinstance(parsed, dict):
            raise ParseError
        return parsed


def wants_events(request: Request) -> bool:
    """Does the client ask for server-sent events?"""
    return EVENT_STREAM in request.headers.get("Accept", "")


def accepts_stream(request: Request) -> bool:
    """May the answer be a stream? Not for a client that takes nothing but JSON."""
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "*/*").split(",")]
    return any(media_type != "application/json" for media_type in accepted)
