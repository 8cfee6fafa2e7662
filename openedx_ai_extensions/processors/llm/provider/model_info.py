"""What LiteLLM's tables, and the site, know of a provider's model: options, size, prices, tokens."""

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

# Our names for the prices in LiteLLM's table, which are of one token, in US dollars.
PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}

# Options that a provider has refused in this process, by the name of its entry and its model.
_refused: dict[tuple[str, str], frozenset[str]] = {}


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


def unsupported_options(provider: Provider, options: Mapping[str, Any]) -> list[str]:
    """Names of the options, such as ``temperature``, that the provider's model does not take.

    LiteLLM knows most models. What it does not know counts as supported until the provider says otherwise.
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
    """The provider has refused this option: leave it out from now on."""
    key = (provider.name, provider.model)
    _refused[key] = _refused.get(key, frozenset()) | {option}


@lru_cache(maxsize=1_000)
def _refuses(model: str, kind: str, option: str, value: str) -> bool:
    """Does LiteLLM refuse this option, given as JSON, for this model?"""
    if kind.startswith("ollama"):
        return False  # LiteLLM would ask the server what its model can do
    litellm = litellm_module()
    try:
        litellm.utils.get_optional_params(
            model=model, custom_llm_provider=kind, drop_params=False, **{option: json.loads(value)}
        )
    except Exception as error:  # noqa: BLE001  # not hidden: the call itself fails of anything else
        return isinstance(error, litellm.UnsupportedParamsError)
    return False


def price(provider: Provider) -> Price | None:
    """What its tokens cost: as the site states, else by LiteLLM's own table; None when neither says."""
    stated = provider.parameters.get("prices")
    if stated:
        return Price.of({name.lower(): amount for name, amount in stated.items()}, PriceSource.SITE)
    known = _known_of(provider)
    rate = Decimal(str(conf.get("AI_EXTENSIONS_COSTS.CURRENCY_PER_USD"))) * 1_000_000
    dollars = {ours: known.get(theirs) for ours, theirs in PRICES.items()}
    amounts = {name: Decimal(str(amount)) * rate for name, amount in dollars.items() if amount is not None}
    return Price.of(amounts, PriceSource.TABLE) if {"input", "output"} <= amounts.keys() else None


def _known_of(provider: Provider) -> Mapping[str, Any]:
    """What LiteLLM's own table says of the provider's model."""
    table = litellm_module().model_cost
    model = provider.base_model
    known: Mapping[str, Any] = table.get(model) or table.get(model.partition("/")[2]) or {}
    return known


def count_tokens(text: str) -> int:
    """Tokens in a text, by the tokenizer that LiteLLM carries: near enough for every model, and never a download."""
    encoding = litellm_module().encoding
    # In pieces: the tokenizer takes quadratic time on a long text without spaces.
    pieces = (text[start : start + TOKENIZER_PIECE_CHARS] for start in range(0, len(text), TOKENIZER_PIECE_CHARS))
    return sum(len(encoding.encode(piece, disallowed_special=())) for piece in pieces)
