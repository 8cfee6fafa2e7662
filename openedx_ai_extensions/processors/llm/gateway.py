"""The only door to LiteLLM, and so to every LLM provider.

LiteLLM builds the requests, sends them and understands the answers. Ours are the deadlines, the retries, the end of a
stream and the errors. It is imported at the first call: it takes seconds and a hundred megabytes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import Any, TypeVar

from openedx_ai_extensions import conf
from openedx_ai_extensions.exceptions import AIExtensionsError, ServiceUnavailable
from openedx_ai_extensions.processors.llm.errors import CutOff, DeadlineExceeded, may_retry, translate
from openedx_ai_extensions.processors.llm.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.stream import Pump, TextStream

logger = logging.getLogger(__name__)

FIRST_WAIT = 0.5  # seconds before the first retry; doubles each time

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model.

    Attributes:
        provider: name of an entry of the setting ``AI_EXTENSIONS``.
        messages: in OpenAI's form, ``{"role", "content"}``.
        options: LiteLLM parameters such as ``temperature``.
    """

    provider: str
    messages: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer; ``usage`` holds token counts as the provider reported them, maybe none."""

    text: str
    usage: Mapping[str, int]
    model_used: str


@lru_cache(maxsize=1)
def _libraries() -> tuple[ModuleType, ModuleType]:
    """LiteLLM and httpx, imported at the first call."""
    # Both must be set before the import: else it fetches a price list and reads .env files.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import httpx
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True
    litellm.drop_params = False
    # Their records hold addresses with keys, prompts and answers.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("httpx", "httpcore", "openai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return litellm, httpx


def warm_up() -> None:
    """Import LiteLLM now, so that the first learner does not wait for it."""
    _libraries()


def complete(request: Request) -> Completion:
    """Ask for a whole answer.

    Raises:
        AIExtensionsError: the provider failed, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)
    total = _seconds(provider, "TOTAL_TIMEOUT")

    def ask(deadline: float) -> Completion:
        response = _in_thread(lambda: _call(provider, request, read_timeout=total), deadline)
        choice = response.choices[0]
        return Completion(choice.message.content or "", _usage(response), response.model or provider.model)

    return _with_retries(ask, provider, total)


def stream(request: Request) -> TextStream:
    """Ask for an answer as it is written; returns when its first text has arrived.

    Raises:
        AIExtensionsError: the provider failed before the first text, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)
    idle = _seconds(provider, "FIRST_BYTE_TIMEOUT")

    def open_stream(deadline: float) -> TextStream:
        pump = Pump(lambda pump: _texts(provider, request, pump, idle))
        try:
            first = pump.get(min(idle, deadline - time.monotonic()))
        except queue.Empty:
            pump.close()
            raise DeadlineExceeded from None
        return TextStream(
            pump,
            first=first,
            idle=idle,
            deadline=deadline,
            on_fault=lambda error: translate(error, provider=provider.name, model=provider.model),
        )

    return _with_retries(open_stream, provider, _seconds(provider, "TOTAL_TIMEOUT"))


def _with_retries(attempt: Callable[[float], Value], provider: Provider, total: float) -> Value:
    """Try until it works, retries are used up, trying again is pointless, or time is up."""
    deadline = time.monotonic() + total
    retries = conf.get("AI_EXTENSIONS_MAX_RETRIES")
    for number in range(retries + 1):
        try:
            return attempt(deadline)
        except BaseException as error:
            ours = translate(error, provider=provider.name, model=provider.model)
            if ours is None:
                raise
            wait = _wait(number, ours)
            if number == retries or not may_retry(ours, error) or time.monotonic() + wait >= deadline:
                raise ours from None
        time.sleep(wait)
        logger.info("llm.retry provider=%s attempt=%s", provider.name, number + 2)
    raise ServiceUnavailable


def _wait(number: int, error: AIExtensionsError) -> float:
    """Seconds until the next attempt: what the provider asked for, else doubling with jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return FIRST_WAIT * 2**number * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing


def _in_thread(call: Callable[[], Any], deadline: float) -> Any:
    """Run a call that may ignore its timeout; give up on it when time is up.

    Raises:
        DeadlineExceeded: time is up.
    """
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the thread that waits
            answers.put((None, error))

    threading.Thread(target=run, name="llm-call", daemon=True).start()
    try:
        answer, error = answers.get(timeout=max(deadline - time.monotonic(), 0.001))
    except queue.Empty:
        raise DeadlineExceeded from None
    if error is not None:
        raise error
    return answer


def _seconds(provider: Provider, name: str) -> float:
    """A timeout: the provider's own, else the site's."""
    return float(provider.parameters.get(name.lower(), conf.get(f"AI_EXTENSIONS_{name}")))


def _call(provider: Provider, request: Request, *, read_timeout: float, **extra: Any) -> Any:
    ours = ("connect_timeout", "first_byte_timeout", "total_timeout")
    parameters = {name: value for name, value in provider.parameters.items() if name not in ours}
    litellm, httpx = _libraries()
    _skip_bookkeeping(litellm)
    timeout = httpx.Timeout(read_timeout, connect=_seconds(provider, "CONNECT_TIMEOUT"))
    return litellm.completion(
        **{**parameters, **request.options, **extra},
        model=provider.model,
        messages=[dict(message) for message in request.messages],
        timeout=timeout,
        max_retries=0,
        num_retries=0,
    )


def _skip_bookkeeping(litellm: ModuleType) -> None:
    """Spare a call the records that LiteLLM gathers for callbacks, when the site has none.

    The mark is LiteLLM's own, for calls that it makes itself. It lives in the context of this thread, which is ours and
    ends with the call.
    """
    context = getattr(litellm, "_internal_context", None)
    if context is not None and not (litellm.callbacks or litellm.success_callback):
        context.is_internal_call.set(True)


def _texts(provider: Provider, request: Request, pump: Pump, idle: float) -> Iterator[str]:
    """The texts of one stream, read in the pump's thread."""
    capabilities = provider.capabilities
    extra = {"stream_options": {"include_usage": True}} if capabilities.streams_usage else {}
    _litellm, httpx = _libraries()
    wrapper = _call(provider, request, read_timeout=idle, stream=True, **extra)
    is_scripted = "mock_response" in provider.parameters  # by LiteLLM itself, which never says that it is done
    is_plain = capabilities.plain_chunks and not is_scripted
    chunks = getattr(wrapper, "completion_stream", None) if is_plain else None
    if chunks is None or not hasattr(chunks, "__iter__"):
        chunks, is_plain = wrapper, False
    connection = _connection(chunks)
    pump.on_close = lambda: _shut_down(connection)
    finished = False
    try:
        for chunk in chunks:
            for choice in chunk.choices:
                finished = finished or choice.finish_reason is not None
                if choice.delta.content:
                    yield choice.delta.content
            if getattr(chunk, "usage", None) is not None:
                pump.usage = _usage(chunk)
            pump.model_used = pump.model_used or chunk.model or provider.model
    finally:
        close = getattr(getattr(wrapper, "completion_stream", None), "close", None)
        if close is not None:
            # The connection may be gone already, which is all that closing wants.
            with contextlib.suppress(httpx.HTTPError, OSError):
                close()
    if not (is_scripted or (finished if is_plain else _said_done(wrapper))):
        raise CutOff


def _said_done(wrapper: Any) -> bool:
    """Did the provider itself end the stream? LiteLLM's own last chunk says "stop" in any case."""
    reasons = ("received_finish_reason", "intermittent_finish_reason")
    return any(getattr(wrapper, name, None) is not None for name in reasons)


def _connection(chunks: Any) -> socket.socket | None:
    """The socket beneath a stream of the OpenAI client, where it can be reached."""
    extensions = getattr(getattr(chunks, "response", None), "extensions", None) or {}
    network_stream = extensions.get("network_stream")
    found: socket.socket | None = network_stream.get_extra_info("socket") if network_stream is not None else None
    return found


def _shut_down(connection: socket.socket | None) -> None:
    """Wake a thread that is blocked in a read of this socket."""
    if connection is not None:
        with contextlib.suppress(OSError):  # it was closed already
            connection.shutdown(socket.SHUT_RDWR)


def _usage(response: Any) -> Mapping[str, int]:
    usage = getattr(response, "usage", None)
    counts = {name: getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return {name: count for name, count in counts.items() if isinstance(count, int)}
