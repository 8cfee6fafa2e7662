"""The site's LLM providers, their capabilities, and what LiteLLM's tables and the site know of their models."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.provider_entries import foreign_host, vendor_of
from openedx_ai_extensions.core.provider_parameters import is_sent
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.execution.execution import current_execution
from openedx_ai_extensions.ledger.prices import Price, PriceSource
from openedx_ai_extensions.moderation import Verdict
from openedx_ai_extensions.processors.llm.provider.library import litellm_module
from openedx_ai_extensions.processors.llm.provider.types import Answer, Completion, Request

logger = logging.getLogger(__name__)

TOKENIZER_PIECE_CHARS = 2_000
# Keys of LiteLLM's table for our kinds of prices; in US dollars per token.
PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
# Options that a provider has refused in this process, by entry and model.
_refused: dict[tuple[str, str], frozenset[str]] = {}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of a kind of provider.

    Attributes:
        streams_usage: accepts ``stream_options: {include_usage: true}``.
        starts_thinking: its template starts each answer with ``<think>``, so that only ``</think>`` is sent.
        keeps_threads: supports OpenAI's Responses API and stores conversations.
        runs_mcp: calls MCP servers itself, within such a thread.
        caches_marked_prefixes: caches a prompt up to a ``cache_control`` mark.
        structured_output: accepts ``response_format`` with a JSON schema; for others the prompt describes the format.
        wants_reasoning: expects a model's reasoning in ``reasoning``, where LiteLLM uses ``reasoning_content``.
    """

    streams_usage: bool = True
    starts_thinking: bool = False
    keeps_threads: bool = False
    runs_mcp: bool = False
    caches_marked_prefixes: bool = False
    structured_output: bool = False
    wants_reasoning: bool = False


# By LiteLLM's name of the provider: the part of the model's name before the slash. Extensions may add entries.
CAPABILITIES: dict[str, Capabilities] = {
    "openai": Capabilities(keeps_threads=True, runs_mcp=True, structured_output=True),
    "azure": Capabilities(keeps_threads=True, runs_mcp=True, structured_output=True),
    "anthropic": Capabilities(caches_marked_prefixes=True),
    "groq": Capabilities(wants_reasoning=True),
}
DEFAULT_CAPABILITIES = Capabilities()


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of the setting ``AI_EXTENSIONS``.

    Attributes:
        name: the entry's name.
        model: LiteLLM's name of the model, such as ``openai/gpt-4.1-mini``.
        parameters: all other valid parameters of the entry, names in lower case; see ``provider_entries``.
    """

    name: str
    model: str
    parameters: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """LiteLLM's name of the provider."""
        return _kind(self.model, self.parameters.get("custom_llm_provider"))

    @property
    def base_model(self) -> str:
        """The name of the model, if ``model`` is the name of a deployment."""
        return str(self.parameters.get("base_model", self.model))

    @property
    def sent_parameters(self) -> dict[str, Any]:
        """The parameters that are sent to LiteLLM with each call."""
        return {name: value for name, value in self.parameters.items() if is_sent(name)}

    @property
    def total_timeout(self) -> float:
        """Seconds for a complete answer, retries included."""
        return float(self._limit("total_timeout", "TIMEOUT"))

    @property
    def first_byte_timeout(self) -> float:
        """Seconds until the first byte, and between two chunks of a stream."""
        return float(self._limit("first_byte_timeout", "FIRST_BYTE_TIMEOUT"))

    @property
    def connect_timeout(self) -> float:
        """Seconds to connect to the provider."""
        return float(self._limit("connect_timeout", "CONNECT_TIMEOUT"))

    @property
    def max_retries(self) -> int:
        return int(self._limit("max_retries", "MAX_RETRIES"))

    def _limit(self, name: str, default: str) -> Any:
        """The entry's limit, otherwise the site's."""
        return self.parameters.get(name, conf.get(f"AI_EXTENSIONS_PROVIDER_DEFAULTS.{default}"))

    @property
    def fallbacks(self) -> Sequence[str]:
        """Names of the fallback entries, for profiles that name none."""
        return tuple(self.parameters.get("fallbacks", ()))

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities of its kind, unless the entry's ``CAPABILITIES`` overrides them.

        Raises:
            LLMConfigError: the entry states capabilities that do not exist.
        """
        capabilities = CAPABILITIES.get(self.kind, DEFAULT_CAPABILITIES)
        if self.kind == "openai" and self._has_foreign_host:
            # Servers that are compatible with OpenAI rarely keep threads, and some silently ignore the history.
            capabilities = replace(capabilities, keeps_threads=False, runs_mcp=False)
        capabilities = replace(capabilities, **_stated_capabilities(self.parameters.get("capabilities", {})))
        # No provider stores LiteLLM's mock answers; STORE is accepted only as False.
        if {"mock_response", "store"} & self.parameters.keys():
            capabilities = replace(capabilities, keeps_threads=False, runs_mcp=False)
        return capabilities

    @property
    def _has_foreign_host(self) -> bool:
        environment = (os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_BASE"))
        return _is_foreign(self.kind, self.parameters.get("api_base"), self.parameters.get("base_url"), environment)

    @property
    def context_tokens(self) -> int | None:
        """The size of the model's context window in tokens, from the site or LiteLLM's table; None if unknown."""
        stated = self.parameters.get("max_input_tokens")
        limit = self._known.get("max_input_tokens") if stated is None else int(stated)
        return limit if isinstance(limit, int) else None

    @property
    def price(self) -> Price | None:
        """The price of its tokens: the site's, otherwise that of LiteLLM's table; None if unknown."""
        stated = self.parameters.get("prices")
        if stated:
            return Price.of({name.lower(): amount for name, amount in stated.items()}, PriceSource.SITE)
        known = self._known
        rate = Decimal(str(conf.get("AI_EXTENSIONS_COSTS.CURRENCY_PER_USD"))) * 1_000_000
        dollars = {ours: known.get(theirs) for ours, theirs in PRICES.items()}
        amounts = {name: Decimal(str(amount)) * rate for name, amount in dollars.items() if amount is not None}
        return Price.of(amounts, PriceSource.TABLE) if {"input", "output"} <= amounts.keys() else None

    @property
    def _known(self) -> Mapping[str, Any]:
        """The entry of the model in LiteLLM's table."""
        table = litellm_module().model_cost
        known: Mapping[str, Any] = table.get(self.base_model) or table.get(self.base_model.partition("/")[2]) or {}
        return known

    def unsupported_options(self, options: Mapping[str, Any]) -> list[str]:
        """The options, such as ``temperature``, that the model does not support.

        LiteLLM knows most models. For an unknown one, options count as supported until the provider refuses them.
        """
        refused = _refused.get((self.name, self.model), frozenset())
        model = self.base_model.partition("/")[2] or self.base_model
        return [
            name
            for name, value in options.items()
            if name in refused or _refuses(model, self.kind, name, json.dumps(value, sort_keys=True))
        ]

    def record_refused(self, option: str) -> None:
        """Record that the provider has refused this option, so that it is not sent again."""
        key = (self.name, self.model)
        _refused[key] = _refused.get(key, frozenset()) | {option}


@lru_cache(maxsize=1_000)
def _refuses(model: str, kind: str, option: str, value: str) -> bool:
    """Does LiteLLM refuse this option, given as JSON, for this model?"""
    if kind.startswith("ollama"):
        return False  # LiteLLM would query the server
    litellm = litellm_module()
    try:
        litellm.utils.get_optional_params(
            model=model, custom_llm_provider=kind, drop_params=False, **{option: json.loads(value)}
        )
    except Exception as error:  # noqa: BLE001  # not hidden: the call itself fails for any other reason
        return isinstance(error, litellm.UnsupportedParamsError)
    return False


def count_tokens(text: str) -> int:
    """The number of tokens in a text, by LiteLLM's bundled tokenizer: approximate for all models, without downloads."""
    encoding = litellm_module().encoding
    # In pieces: the tokenizer takes quadratic time on a long text without spaces.
    pieces = (text[start : start + TOKENIZER_PIECE_CHARS] for start in range(0, len(text), TOKENIZER_PIECE_CHARS))
    return sum(len(encoding.encode(piece, disallowed_special=())) for piece in pieces)


# Both are cached, because every call asks several times.
@lru_cache(maxsize=256)
def _kind(model: str, stated: str | None) -> str:
    return vendor_of(model, {"custom_llm_provider": stated})


@lru_cache(maxsize=256)
def _is_foreign(kind: str, api_base: str | None, base_url: str | None, _environment: tuple[str | None, ...]) -> bool:
    return bool(foreign_host(kind, {"api_base": api_base, "base_url": base_url}))


def _stated_capabilities(stated: Any) -> dict[str, bool]:
    known = {field.name for field in fields(Capabilities)}
    own = {str(name).lower(): value for name, value in stated.items()} if isinstance(stated, Mapping) else {"": stated}
    if not (own.keys() <= known and all(isinstance(value, bool) for value in own.values())):
        raise LLMConfigError
    return own


class Models(Protocol):
    """Replaces the site's providers, free of charge."""

    provider: Provider

    def complete(self, request: Request) -> Completion:
        """As ``calls.complete``."""

    def stream(self, request: Request) -> Answer:
        """As ``calls.stream``."""

    def moderate(self, text: str) -> Verdict:
        """The verdict of a moderation model on a text."""


def replaced_models() -> Models | None:
    """The models that replace the providers in the current execution; None for the real providers."""
    execution = current_execution()
    return execution.models if execution else None


def find_provider(name: str) -> Provider:
    """The provider of that name; ``default`` is the entry of that name, otherwise the first one.

    Raises:
        LLMConfigError: the site has no such provider, or it has no model.
    """
    models = replaced_models()
    if models is not None:
        return models.provider
    name = conf.resolved_name(name, conf.providers())
    entry = conf.provider_entry(name)
    if entry is None:
        raise LLMConfigError
    if entry.ignored:
        _warn_once(name, tuple(entry.ignored))
    if not entry.model:
        raise LLMConfigError
    return Provider(name, entry.model, entry.parameters)


@lru_cache(maxsize=100)  # each process logs it once
def _warn_once(name: str, ignored: tuple[str, ...]) -> None:
    logger.warning("llm.provider.parameters_ignored provider=%s parameters=%s", name, ",".join(ignored))
