"""Server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.request import MediaType

EVENT_STREAM = "text/event-stream"


class StreamEvent(bytes):
    """An empty chunk with news of the work: nothing for a reader of text, an event for a client that shows progress.

    Attributes:
        name: the event, such as ``tool`` or ``status``.
        data: JSON-serialisable.
    """

    name: str
    data: Mapping[str, Any]

    def __new__(cls, name: str, data: Mapping[str, Any]) -> StreamEvent:
        event = super().__new__(cls)
        event.name = name
        event.data = data
        return event


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """An event as it is sent."""
    return f"event: {name}\ndata: {json.dumps(dict(data), ensure_ascii=False)}\n\n".encode()


def rendered(chunk: bytes) -> bytes:
    """A chunk of a stream as an event."""
    if isinstance(chunk, StreamEvent):
        return event(chunk.name, chunk.data)
    # A comment keeps proxies awake while the model is silent.
    return event("delta", {"text": chunk.decode()}) if chunk else b": alive\n\n"


def wants_events(request: HttpRequest) -> bool:
    """Does the client ask for server-sent events?"""
    return EVENT_STREAM in accepted_types(request)


def accepted_types(request: HttpRequest) -> list[str]:
    """Media types of the Accept header, without those of quality 0, which are refused (RFC 9110, section 12.4.2)."""
    ranges = map(MediaType, request.headers.get("Accept", "*/*").lower().split(","))
    return [f"{each.main_type}/{each.sub_type}" for each in ranges if not _is_refused(each.params.get("q", "1"))]


def _is_refused(quality: str | bytes) -> bool:
    text = quality.decode("ascii", "replace") if isinstance(quality, bytes) else quality
    return text.rstrip("0") in {"", "0."}


def streaming_response(body: Iterable[bytes], content_type: str = EVENT_STREAM) -> StreamingHttpResponse:
    """An answer that no proxy holds back."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(body, content_type=content_type, headers=headers)
