"""The only door to LiteLLM, and so to every LLM provider.

LiteLLM builds the requests, sends them and understands the answers. Ours are the deadlines, the retries, the end of a
stream and the errors. It is imported at the first call: it takes seconds and a hundred megabytes. ``chat`` and
``responses`` know what the two APIs say.
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
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any, TypeVar

from openedx_ai_extensions import conf
from openedx_ai_extensions.exceptions import AIExtensionsError, ServiceUnavailable, ThreadGone
from openedx_ai_extensions.processors.llm import chat, responses
from openedx_ai_extensions.processors.llm.errors import DeadlineExceeded, may_retry, translate
from openedx_ai_extensions.processors.llm.exchange import Completion, Request
from openedx_ai_extensions.processors.llm.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.stream import Pump, TextStream

logger = logging.getLogger(__name__)

FIRST_WAIT = 0.5  # seconds before the first retry; doubles each time
TOKENIZER_PIECE = 2_000  # characters

# Parameters of a provider that are for us, not for LiteLLM.
OURS = frozenset({"connect_timeout", "first_byte_timeout", "total_timeout", "max_input_tokens", "capabilities"})

Value = TypeVar("Value")


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
    total = _total(provider, request)

    def ask(deadline: float) -> Completion:
        response = _in_thread(lambda: _call(provider, request, read_timeout=total), deadline)
        read = responses.read_completion if request.thread else chat.read_completion
        return read(response, provider)

    return _with_retries(ask, provider, total)


def stream(request: Request) -> TextStream:
    """Ask for an answer as it is written; returns when the model has begun.

    Raises:
        AIExtensionsError: the provider failed before that, after retries; see ``errors``.
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

    return _with_retries(open_stream, provider, _total(provider, request))


def fetch_response(provider_name: str, response_id: str) -> Mapping[str, Any]:
    """A response that the provider keeps, as OpenAI's Responses API gives it, with all that led to it under ``input``.

    Raises:
        ThreadGone: the provider does not have it any more.
        AIExtensionsError: the provider failed.
    """
    provider = find_provider(provider_name)
    total = _seconds(provider, "TOTAL_TIMEOUT")

    def ask(deadline: float) -> Mapping[str, Any]:
        litellm, _httpx = _libraries()
        kind = provider.kind
        sent = {**_parameters(provider), "custom_llm_provider": kind, "timeout": total}

        def fetch() -> Mapping[str, Any]:
            response = litellm.get_responses(response_id=response_id, **sent)
            items: list[Any] = []
            more: dict[str, Any] = {}
            while True:
                page = litellm.list_input_items(response_id=response_id, order="asc", limit=100, **more, **sent)
                items += page.get("data") or ()
                if not page.get("has_more") or not page.get("last_id"):
                    return {**response.model_dump(), "input": items}
                more = {"after": page["last_id"]}

        found: Mapping[str, Any] = _in_thread(fetch, deadline)
        return found

    return _with_retries(ask, provider, total)


def delete_response(provider_name: str, response_id: str) -> str:
    """Have the provider delete a response that it keeps.

    Returns:
        The id of the response before it in its thread; empty when it was the first.

    Raises:
        ThreadGone: the provider does not have it any more.
        AIExtensionsError: the provider failed.
    """
    provider = find_provider(provider_name)
    total = _seconds(provider, "TOTAL_TIMEOUT")
    previous: list[str] = []

    def ask(deadline: float) -> None:
        litellm, _httpx = _libraries()
        sent = {**_parameters(provider), "custom_llm_provider": provider.kind, "timeout": total}

        def delete() -> None:
            if not previous:
                response = litellm.get_responses(response_id=response_id, **sent)
                previous.append(response.previous_response_id or "")
            litellm.delete_responses(response_id=response_id, **sent)

        _in_thread(delete, deadline)

    try:
        _with_retries(ask, provider, total)
    except ThreadGone:
        if not previous:
            raise
        # It was there a moment ago: the provider had deleted it when its answer got lost, and was asked again.
    return previous[0]


def total_seconds(provider_name: str) -> float:
    """Seconds that a whole answer of this provider may take.

    Raises:
        LLMConfigError: the site has no such provider.
    """
    return _seconds(find_provider(provider_name), "TOTAL_TIMEOUT")


def context_tokens(provider_name: str) -> int | None:
    """How many tokens the provider's model reads at most, where the site or LiteLLM's own table knows it.

    Raises:
        LLMConfigError: the site has no such provider.
    """
    provider = find_provider(provider_name)
    stated = provider.parameters.get("max_input_tokens")
    if stated is not None:
        return int(stated)
    litellm, _httpx = _libraries()
    known = litellm.model_cost.get(provider.model) or litellm.model_cost.get(provider.model.partition("/")[2]) or {}
    limit = known.get("max_input_tokens")
    return limit if isinstance(limit, int) else None


def count_tokens(text: str) -> int:
    """Tokens in a text, by the tokenizer that LiteLLM carries: near enough for every model, and never a download."""
    litellm, _httpx = _libraries()
    # In pieces: the tokenizer takes quadratic time on a long text without spaces.
    pieces = (text[start : start + TOKENIZER_PIECE] for start in range(0, len(text), TOKENIZER_PIECE))
    return sum(len(litellm.encoding.encode(piece, disallowed_special=())) for piece in pieces)


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


def _total(provider: Provider, request: Request) -> float:
    """Seconds that the answer may take."""
    total = _seconds(provider, "TOTAL_TIMEOUT")
    return total if request.seconds is None else max(min(total, request.seconds), 0.001)


def _call(provider: Provider, request: Request, *, read_timeout: float, stream: bool = False) -> Any:
    litellm, httpx = _libraries()
    _skip_bookkeeping(litellm)
    common = {
        "model": provider.model,
        "timeout": httpx.Timeout(read_timeout, connect=_seconds(provider, "CONNECT_TIMEOUT")),
        "max_retries": 0,
        "num_retries": 0,
    }
    if stream and request.thread is not None:
        _let_stream(litellm, provider)
    if request.thread is None:
        sent = {**_parameters(provider), **request.options, **chat.parameters(provider, request, stream=stream)}
        return litellm.completion(**sent, **common)
    return litellm.responses(**{**_parameters(provider), **responses.parameters(request, stream=stream)}, **common)


def _let_stream(litellm: ModuleType, provider: Provider) -> None:
    """Tell LiteLLM that a model unknown to it can stream: else it waits for the whole answer, and plays a stream."""
    name = provider.model if "/" in provider.model else f"{provider.kind}/{provider.model}"
    if name not in litellm.model_cost and name.partition("/")[2] not in litellm.model_cost:
        litellm.register_model({name: {"litellm_provider": provider.kind, "supports_native_streaming": True}})


def _parameters(provider: Provider) -> dict[str, Any]:
    """What the site states for LiteLLM, without what it states for us."""
    return {name: value for name, value in provider.parameters.items() if name not in OURS}


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
    _litellm, httpx = _libraries()
    wrapper = _call(provider, request, read_timeout=idle, stream=True)
    beneath = wrapper if request.thread else chat.plain_chunks(wrapper, provider)[0]
    connection = _connection(beneath)
    pump.on_close = lambda: _shut_down(connection)
    read = responses.read_stream if request.thread else chat.read_stream
    try:
        yield from read(wrapper, provider, pump)
    finally:
        close = getattr(
            getattr(wrapper, "completion_stream", None) or getattr(wrapper, "response", None), "close", None
        )
        if close is not None:
            # The connection may be gone already, which is all that closing wants.
            with contextlib.suppress(httpx.HTTPError, OSError):
                close()


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
