"""A try on the wire: server-sent events (WHATWG HTML, section 9.2) with pieces of the page, and the answer's text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import StreamingHttpResponse
from django.template.loader import render_to_string

from openedx_ai_extensions.admin.dry_run.report import figures, notes, sent, structured
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors.llm import StreamEvent
from openedx_ai_extensions.runtime.dry_run import DryRun

FOLDER = "admin/openedx_ai_extensions/try_it"
EVENT_STREAM = "text/event-stream"


def streaming_response(dry_run: DryRun) -> StreamingHttpResponse:
    """Answer with the try, which begins when the first event is sent."""
    return StreamingHttpResponse(
        events(dry_run),
        content_type=EVENT_STREAM,
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def events(dry_run: DryRun) -> Iterator[bytes]:
    """``notes``, ``sent`` (again each time that the model is asked), ``delta``, ``tool``, ``answer``, ``figures``, then
    one of ``done`` and ``error``. Whoever stops reading stops the model.
    """
    yield _piece("notes", notes=notes(dry_run))
    rounds = 0
    try:
        error = None
        try:
            dry_run.begin()
            rounds = len(dry_run.requests)
            yield _piece("sent", sent=sent(dry_run))
            yield from _answer(dry_run)
            for chunk in dry_run.chunks():
                if len(dry_run.requests) > rounds:
                    rounds = len(dry_run.requests)
                    yield _piece("sent", sent=sent(dry_run))
                yield _rendered(chunk)
        except AIExtensionsError as raised:
            error = raised
        if len(dry_run.requests) > rounds:
            yield _piece("sent", sent=sent(dry_run))
        yield _piece("figures", figures=figures(dry_run))
        if error is None:
            yield _event("done", {})
        else:
            yield _event("error", {"code": error.code, "message": str(error)})
    finally:
        dry_run.close()


def _answer(dry_run: DryRun) -> Iterator[bytes]:
    """An answer that came whole."""
    data = structured(dry_run.response)
    if data is not None:
        yield _piece("answer", structured=data)
    elif dry_run.response:
        yield _event("delta", {"text": dry_run.response})


def _rendered(chunk: bytes) -> bytes:
    if isinstance(chunk, StreamEvent):
        return _event(chunk.name, chunk.data)
    # A comment keeps proxies awake while the model is silent.
    return _event("delta", {"text": chunk.decode()}) if chunk else b": alive\n\n"


def _piece(name: str, **context: Any) -> bytes:
    return _event(name, {"html": render_to_string(f"{FOLDER}/{name}.html", context)})


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(dict(data), ensure_ascii=False)}\n\n".encode()
