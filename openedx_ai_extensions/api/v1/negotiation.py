"""JSON or a stream: the view decides which of them to answer with, from what the client accepts."""

from __future__ import annotations

from collections.abc import Iterable

from django.http.request import MediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

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


def wants_events(request: Request) -> bool:
    """Does the client ask for server-sent events?"""
    return EVENT_STREAM in _accepted(request)


def accepts_stream(request: Request) -> bool:
    """May the answer be a stream? Not for a client that takes nothing but JSON."""
    return any(media_type != "application/json" for media_type in _accepted(request))


def _accepted(request: Request) -> list[str]:
    """Media types of the Accept header, without those of quality 0, which are refused (RFC 9110, section 12.4.2)."""
    ranges = map(MediaType, request.headers.get("Accept", "*/*").lower().split(","))
    return [f"{each.main_type}/{each.sub_type}" for each in ranges if not _is_refused(each.params.get("q", "1"))]


def _is_refused(quality: str | bytes) -> bool:
    text = quality.decode("ascii", "replace") if isinstance(quality, bytes) else quality
    return text.rstrip("0") in {"", "0."}
