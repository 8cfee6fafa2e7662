"""Properties of a provider's model, from the site's settings and LiteLLM's tables: options, size, prices, tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.prices import Price, PriceSource
from openedx_ai_extensions.processors.llm.provider.library import litellm_module
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider

TOKENIZER_PIECE_CHARS = 2_000  # characters

# Keys of LiteLLM's table for our kinds of prices; in US dollars per token.
PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}

# Options that a provider has refused in this process, by entry and model.
_refused: dict[tuple[str, str], frozenset[str]] = {}


def context_tokens(provider_name: str) -> int | None:
    """The size of the model's context window in tokens, from the site or LiteLLM's table; None if unknown.

    Raises:
        LLMConfigError: the site has no such provider.
    """
    provider = find_provider(provider_name)
    stated = provider.parameters.get("max_input_tokens")
    if stated is not None:
        return int(stated)
    limit = _known_of(provider).get("max_input_tokens")
    return limit if isinstance(limit, int) else None


def unsupported_options(provider: Provider, options: Mapping[str, Any]) -> list[str]:
    """The options, such as ``temperature``, that the provider's model does not support.

    LiteLLM knows most models. For an unknown one, options count as supported until the provider refuses them.
    """
    refused = _refused.get((provider.name, provider.model), frozenset())
    model = provider.base_model
    model = model.partition("/")[2] or model
    return [
        name
        for name, value in options.items()
        if name in refused or _refuses(model, provider.kind, name, json.dumps(value, sort_keys=True))
    ]


def record_refused(provider: Provider, option: str) -> None:
    """Record that the provider has refused this option, so that it is not sent again."""
    key = (provider.name, provider.model)
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


def price(provider: Provider) -> Price | None:
    """The price of its tokens: the site's, otherwise that of LiteLLM's table; None if unknown."""
    stated = provider.parameters.get("prices")
    if stated:
        return Price.of({name.lower(): amount for name, amount in stated.items()}, PriceSource.SITE)
    known = _known_of(provider)
    rate = Decimal(str(conf.get("AI_EXTENSIONS_COSTS.CURRENCY_PER_USD"))) * 1_000_000
    dollars = {ours: known.get(theirs) for ours, theirs in PRICES.items()}
    amounts = {name: Decimal(str(amount)) * rate for name, amount in dollars.items() if amount is not None}
    return Price.of(amounts, PriceSource.TABLE) if {"input", "output"} <= amounts.keys() else None


def _known_of(provider: Provider) -> Mapping[str, Any]:
    """The entry of the provider's model in LiteLLM's table."""
    table = litellm_module().model_cost
    model = provider.base_model
    known: Mapping[str, Any] = table.get(model) or table.get(model.partition("/")[2]) or {}
    return known


def count_tokens(text: str) -> int:
    """The number of tokens in a text, by LiteLLM's bundled tokenizer: approximate for all models, without downloads."""
    encoding = litellm_module().encoding
    # In pieces: the tokenizer takes quadratic time on a long text without spaces.
    pieces = (text[start : start + TOKENIZER_PIECE_CHARS] for start in range(0, len(text), TOKENIZER_PIECE_CHARS))
    return sum(len(encoding.encode(piece, disallowed_special=())) for piece in pieces)
