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
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from types import ModuleType
from typing import Any

from openedx_ai_extensions import conf
from openedx_ai_extensions.accounting.prices import Price, PriceSource
from openedx_ai_extensions.exceptions import ThreadGone
from openedx_ai_extensions.processors.llm import chat, responses
from openedx_ai_extensions.processors.llm.answer_cache import AnswerCache, answer_cache
from openedx_ai_extensions.processors.llm.attempts import in_thread, with_retries
from openedx_ai_extensions.processors.llm.connections import StreamConnection, widen
from openedx_ai_extensions.processors.llm.errors import DeadlineExceeded, translate
from openedx_ai_extensions.processors.llm.exchange import Completion, Moderated, Request
from openedx_ai_extensions.processors.llm.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.stream import Pump, TextStream

logger = logging.getLogger(__name__)

TOKENIZER_PIECE = 2_000  # characters

# Parameters of a provider that are for us, not for LiteLLM.
OURS = frozenset(
    {"connect_timeout", "first_byte_timeout", "total_timeout", "max_input_tokens", "capabilities", "prices",
     "fallbacks", "region"}
)  # fmt: skip

# A stream that says it is at work is waited for this long: what fails at all mostly fails by then, and whatever fails
# before there is text can be tried again.
SETTLING = 2.0  # seconds

# Our names for the prices in LiteLLM's table, which are of one token, in US dollars.
PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}


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
    widen(litellm, httpx)
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
    total = _beginning(provider, request)

    def ask(deadline: float) -> Completion:
        # The same timeout every time, whatever is left: LiteLLM keeps a client, with its connections, for each.
        longest = _seconds(provider, "TOTAL_TIMEOUT")
        response = in_thread(lambda: _call(provider, request, read_timeout=longest), deadline)
        read = responses.read_completion if request.thread else chat.read_completion
        return read(response, provider, request)

    return with_retries(ask, provider, total, others_wait=request.begin_within is not None)


def stream(request: Request) -> TextStream:
    """Ask for an answer as it is written; returns when the model has begun.

    Raises:
        AIExtensionsError: the provider failed before that, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)
    idle = _seconds(provider, "FIRST_BYTE_TIMEOUT")
    end = time.monotonic() + _total(provider, request)

    def open_stream(deadline: float) -> TextStream:
        pump = Pump(lambda pump: _texts(provider, request, pump, idle))
        try:
            first = pump.get(min(idle, deadline - time.monotonic()))
            settled = min(time.monotonic() + SETTLING, deadline)
            with contextlib.suppress(queue.Empty):
                while first == "" and time.monotonic() < settled:
                    first = pump.get(settled - time.monotonic())
        except queue.Empty:
            pump.close()
            raise DeadlineExceeded from None
        return TextStream(
            pump,
            first=first,
            idle=idle,
            deadline=end,
            on_fault=lambda error: translate(error, provider=provider.name, model=provider.model),
        )

    others_wait = request.begin_within is not None
    return with_retries(open_stream, provider, _beginning(provider, request), others_wait=others_wait)


def recall(request: Request) -> Completion | None:
    """The answer that this provider gave to the same request before, where the response cache has it."""
    cache = _answer_cache() if request.may_be_cached else None
    return cache.get(find_provider(request.provider), request) if cache else None


def remember(request: Request, text: str, model_used: str) -> None:
    """Keep a whole answer for whoever asks the same, where the site and the profile want that."""
    cache = _answer_cache() if request.may_be_cached else None
    if cache:
        cache.put(find_provider(request.provider), request, text, model_used)


def _answer_cache() -> AnswerCache | None:
    """The site's response cache; None when it wants none, or has set one that cannot be made."""
    if not conf.get("AI_EXTENSIONS_ENABLE_LLM_CACHE"):
        return None
    return answer_cache(_libraries()[0], conf.get("AI_EXTENSIONS_LLM_CACHE"))


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

        found: Mapping[str, Any] = in_thread(fetch, deadline)
        return found

    return with_retries(ask, provider, total)


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

        in_thread(delete, deadline)

    try:
        with_retries(ask, provider, total)
    except ThreadGone:
        if not previous:
            raise
        # It was there a moment ago: the provider had deleted it when its answer got lost, and was asked again.
    return previous[0]


def moderate(provider_name: str, text: str, seconds: float) -> Moderated:
    """Have a provider's moderation model look at a text.

    Raises:
        AIExtensionsError: the provider failed, or took longer than this, tries included.
    """
    provider = find_provider(provider_name)
    litellm, _httpx = _libraries()  # the first import takes longer than a moderator may
    stated = _parameters(provider)
    client = _moderation_client(stated.get("api_key"), stated.get("api_base") or stated.get("base_url"), seconds)
    model = provider.model.partition("/")[2] or provider.model

    def ask(deadline: float) -> Moderated:
        response = in_thread(lambda: litellm.moderation(input=text, model=model, client=client), deadline)
        return chat.read_moderation(response)

    return with_retries(ask, provider, seconds)


@lru_cache(maxsize=8)
def _moderation_client(key: str | None, address: str | None, seconds: float) -> Any:
    """The client that LiteLLM would make anew for each call, to wait for ten minutes and try three times."""
    import openai

    return openai.OpenAI(api_key=key, base_url=address, timeout=seconds, max_retries=0)


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
    limit = _known_of(provider).get("max_input_tokens")
    return limit if isinstance(limit, int) else None


def understood_options(provider: Provider, options: Mapping[str, Any]) -> dict[str, Any]:
    """Of a profile's options, those that LiteLLM knows to be understood by this provider's model."""
    litellm, _httpx = _libraries()
    known = litellm.get_supported_openai_params(model=provider.model, custom_llm_provider=provider.kind)
    return {name: value for name, value in options.items() if known is None or name in known}


def price(provider: Provider) -> Price | None:
    """What its tokens cost: as the site states, else by LiteLLM's own table; None when neither says."""
    stated = provider.parameters.get("prices")
    if stated:
        return Price.of({name.lower(): amount for name, amount in stated.items()}, PriceSource.SITE)
    known = _known_of(provider)
    rate = Decimal(str(conf.get("AI_EXTENSIONS_CURRENCY_PER_USD"))) * 1_000_000
    dollars = {ours: known.get(theirs) for ours, theirs in PRICES.items()}
    amounts = {name: Decimal(str(amount)) * rate for name, amount in dollars.items() if amount is not None}
    return Price.of(amounts, PriceSource.TABLE) if {"input", "output"} <= amounts.keys() else None


def _known_of(provider: Provider) -> Mapping[str, Any]:
    """What LiteLLM's own table says of the provider's model."""
    litellm, _httpx = _libraries()
    table = litellm.model_cost
    known: Mapping[str, Any] = table.get(provider.model) or table.get(provider.model.partition("/")[2]) or {}
    return known


def count_tokens(text: str) -> int:
    """Tokens in a text, by the tokenizer that LiteLLM carries: near enough for every model, and never a download."""
    litellm, _httpx = _libraries()
    # In pieces: the tokenizer takes quadratic time on a long text without spaces.
    pieces = (text[start : start + TOKENIZER_PIECE] for start in range(0, len(text), TOKENIZER_PIECE))
    return sum(len(litellm.encoding.encode(piece, disallowed_special=())) for piece in pieces)


def _seconds(provider: Provider, name: str) -> float:
    """A timeout: the provider's own, else the site's."""
    return float(provider.parameters.get(name.lower(), conf.get(f"AI_EXTENSIONS_{name}")))


def _total(provider: Provider, request: Request) -> float:
    """Seconds that the answer may take."""
    total = _seconds(provider, "TOTAL_TIMEOUT")
    return total if request.seconds is None else max(min(total, request.seconds), 0.001)


def _beginning(provider: Provider, request: Request) -> float:
    """Seconds in which the answer must have begun, if it streams, or be there."""
    total = _total(provider, request)
    return total if request.begin_within is None else max(min(total, request.begin_within), 0.001)


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
    wrapper = _call(provider, request, read_timeout=idle, stream=True)
    connection = StreamConnection(wrapper)
    pump.on_close = connection.shut_down
    pump.on_end = connection.give_back
    read = responses.read_stream if request.thread else chat.read_stream
    yield from read(wrapper, provider, pump)
