"""``workflows/``: runs an action, and writes its answer to the client: complete, as text or as server-sent events."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from openedx_ai_extensions.api.v1.capacity import STREAM_PLACE
from openedx_ai_extensions.api.v1.requests import WidgetView
from openedx_ai_extensions.core.error_reports import unexpected
from openedx_ai_extensions.core.http_responses import (
    EVENT_STREAM,
    StreamEvent,
    accepted_types,
    event,
    rendered,
    streaming_response,
)
from openedx_ai_extensions.core.long_waits import cancellable
from openedx_ai_extensions.exceptions import AIExtensionsError, InvalidRequest, StreamInterrupted
from openedx_ai_extensions.execution.answers import Ending, Stream
from openedx_ai_extensions.execution.execution import Execution, SlotLocation
from openedx_ai_extensions.feedback.learners import asks_for_feedback
from openedx_ai_extensions.processors.llm import notice, with_notice
from openedx_ai_extensions.runtime import admit, run
from openedx_ai_extensions.runtime.runner import Replay

logger = logging.getLogger(__name__)

SEND_SECONDS = 60.0  # for a server to pass a chunk on; then the client reads too slowly, or not at all


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class WorkflowView(WidgetView):
    """Runs an action. Not atomic: a streamed answer outlives the request's transaction."""

    is_atomic = False

    def post(self, request: Request) -> HttpResponseBase:
        """Run an action of the workflow in this context

        To a client that accepts only `application/json` the answer is always complete. To others, a profile that
        streams answers `run` as plain text, or as server-sent events if the client accepts `text/event-stream`.
        Failures before the first text are ordinary error answers.
        """
        context, body = self.context, dict(request.data)
        action, request_id = body.get("action"), body.get("request_id")
        if not isinstance(action, str) or not action:
            raise InvalidRequest(_("action is required, as a text."))
        accepted = accepted_types(request)
        accepts_stream = any(media_type != "application/json" for media_type in accepted)
        execution = admit(
            request.user,
            SlotLocation(context.course_key, context.usage_key, context.ui_slot_selector_id),
            action=action,
            user_input=body.get("user_input"),
            accepts_stream=accepts_stream,
        )
        traits = execution.traits
        place = request.META.get(STREAM_PLACE)
        if place is not None:
            place.take(request.user.pk, asks_model=traits.replayable and not traits.always_allowed)
        is_known = traits.replayable and isinstance(request_id, str | int) and request_id != ""
        replay = Replay(
            str(request_id) if is_known else None, request.user.pk,
            execution.scope.pk, context.course_id, context.usage_key, action, execution.user_input,
        )  # fmt: skip
        # A complete answer is finished and stored for repeated requests even if its client has disconnected.
        with replay, nullcontext() if accepts_stream else cancellable(None):
            if replay.stored is None:
                outcome = run(execution)
            else:
                if not traits.always_allowed:
                    execution.guard.require_allowed(asks_model=False)  # also for a stored answer
                answer, about = replay.stored
                if about is None:
                    return _json(answer)
                run_id = about.pop("run_id", execution.run_id)
                outcome = Stream(StoredText(answer, **about), finish=lambda _ending, _text: None, run_id=run_id)
            if isinstance(outcome, Stream):
                return _streaming(outcome, as_events=EVENT_STREAM in accepted, replay=replay, execution=execution)
            # Rendered here, where an exception still becomes an error answer.
            shown = outcome.as_dict()
            if (
                EVENT_STREAM in accepted
                and traits.asks_model
                and execution.run.is_written
                and asks_for_feedback(execution.scope.profile)
            ):
                shown["run_id"] = execution.run_id
            answer = JSONRenderer().render(shown)
            if execution.did_something:
                replay.store(answer)
            else:
                replay.release()
        return _json(answer)


def _json(answer: bytes) -> HttpResponse:
    return HttpResponse(answer, content_type=JSONRenderer.media_type)


def _streaming(stream: Stream, *, as_events: bool, replay: Replay, execution: Execution) -> StreamingHttpResponse:
    """Answer with a stream, and store its text for repeated requests.

    Raises:
        AIExtensionsError: it failed before anything was sent.
    """

    def keep(ending: Ending, text: str) -> None:
        if ending is Ending.COMPLETED and execution.did_something:
            about = {
                "usage": dict(stream.usage),
                "finish_reason": stream.finish_reason,
                "citations": stream.citations,
                "run_id": stream.run_id,
            }
            replay.store(text.encode(), about)
        else:
            replay.release()

    stream.on_finish(keep)
    body = EventBody(stream) if as_events else TextBody(stream)
    body.start()
    return streaming_response(body, EVENT_STREAM if as_events else "text/plain; charset=utf-8")


class TextBody:
    """The text as it arrives. Closing the body closes the stream, even if it was never read."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._first: list[bytes] = []

    def start(self) -> None:
        """Wait for the first text, so that an error before it can still be an ordinary error answer."""
        for chunk in self.stream:
            if chunk:
                self._first.append(chunk)
                return

    def __iter__(self) -> Iterator[bytes]:
        yield from self.opening()
        try:
            for chunk in chain(self._first, self.stream):
                sent_at = time.monotonic()
                yield self.render(chunk)
                if time.monotonic() - sent_at > SEND_SECONDS:
                    logger.warning("stream.stalled run_id=%s", self.stream.run_id)
                    self.close()
                    return
        except AIExtensionsError as error:
            yield self.failure(error)
        except Exception as error:  # noqa: BLE001  # not hidden: logged with a reference, and the client is told
            yield self.failure(unexpected(error, "request.failed"))
        else:
            yield from self.closing()

    def opening(self) -> Iterator[bytes]:
        yield from ()

    def render(self, chunk: bytes) -> bytes:
        """The bytes to send for a chunk: none for an empty one, which is a heartbeat."""
        return chunk

    def failure(self, error: AIExtensionsError) -> bytes:
        """The marker that clients look for at the end of an interrupted text."""
        marker = {"error_in_stream": True, "code": StreamInterrupted.code, "message": str(error)}
        return f"||{json.dumps(marker, ensure_ascii=False)}||".encode()

    def closing(self) -> Iterator[bytes]:
        """The notice after a text that was cut off."""
        if notice(self.stream.finish_reason):
            yield with_notice("", self.stream.finish_reason).encode()

    def close(self) -> None:
        self.stream.close()


class EventBody(TextBody):
    """Server-sent events: start, deltas, usage, and exactly one of done and error."""

    def start(self) -> None:
        """Do not wait: these clients also show the work before the first text."""

    def opening(self) -> Iterator[bytes]:
        yield event("start", {"run_id": self.stream.run_id})

    def render(self, chunk: bytes) -> bytes:
        return rendered(chunk)

    def failure(self, error: AIExtensionsError) -> bytes:
        return event("error", {"code": error.code, "message": str(error)})

    def closing(self) -> Iterator[bytes]:
        if self.stream.usage:
            yield event("usage", dict(self.stream.usage))
        reason = self.stream.finish_reason
        message = {"message": notice(reason)} if notice(reason) else {}
        yield event("done", {"status": "completed", "finish_reason": reason, **message})


class StoredText:
    """A stored answer, as the source of a new stream."""

    def __init__(
        self, text: bytes, usage: dict[str, int], finish_reason: str, citations: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.usage = usage
        self.finish_reason = finish_reason
        self._chunks = iter((text, *(StreamEvent("citation", citation) for citation in citations)))

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks
