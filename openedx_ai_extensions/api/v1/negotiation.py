"""JSON or a stream: the view decides which of them to answer with, from what the client accepts."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from openedx_ai_extensions.core.sse import accepted_types


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
