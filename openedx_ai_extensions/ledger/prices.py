"""Prices of tokens in integer micro-units of the site's currency, so that sums are exact; amounts for people."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats

from openedx_ai_extensions.core import conf

MICRO = 1_000_000
# Larger numbers are errors of a provider and must not distort the totals of other runs.
MAX_TOKENS = 10**9
MAX_MICROS = 10**15  # 10^9 units of the site's currency
CENT = Decimal("0.01")


def bounded_tokens(number: int) -> int:
    """A number of tokens, limited to 0 … ``MAX_TOKENS``."""
    return min(max(number, 0), MAX_TOKENS)


def bounded_micros(number: int) -> int:
    """A cost in micro-units, limited to 0 … ``MAX_MICROS``."""
    return min(max(number, 0), MAX_MICROS)


class PriceSource(enum.StrEnum):
    """The source of a price."""

    SITE = "site"  # the provider's entry in AI_EXTENSIONS
    TABLE = "table"  # LiteLLM's table, in US dollars
    NONE = "none"  # unknown price


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in micro-units of the site's currency per million tokens.

    Attributes:
        input: prompt tokens.
        output: completion tokens.
        cached_input: prompt tokens that the provider read from its cache.
        cache_write: prompt tokens that the provider wrote to its cache.
        source: the source of the price.
    """

    input: int
    output: int
    cached_input: int
    cache_write: int
    source: PriceSource

    @classmethod
    def of(cls, amounts: Mapping[str, Any], source: PriceSource) -> Price:
        """Build a price from amounts of the site's currency per million tokens, keyed by attribute name. Kinds of
        prompt tokens without a price cost the same as ``input``.
        """
        fresh = amounts["input"]
        stated = {"cached_input": fresh, "cache_write": fresh, **amounts}
        micros = {name: round(Decimal(str(amount)) * MICRO) for name, amount in stated.items()}
        return cls(**micros, source=source)

    def cost(self, usage: Mapping[str, int]) -> int:
        """The cost of ``prompt_tokens`` (including ``cached_tokens`` and ``cache_written_tokens``) and
        ``completion_tokens``, rounded up to whole micro-units.
        """
        prompt = usage.get("prompt_tokens", 0)
        cached = min(usage.get("cached_tokens", 0), prompt)
        written = min(usage.get("cache_written_tokens", 0), prompt - cached)
        total = (
            (prompt - cached - written) * self.input
            + cached * self.cached_input
            + written * self.cache_write
            + usage.get("completion_tokens", 0) * self.output
        )
        return bounded_micros(-(-total // MICRO))


def money(micros: int) -> Decimal:
    """Convert micro-units to an amount of the site's currency."""
    return Decimal(micros) / MICRO


def amount(micros: int) -> str:
    """An amount in the site's currency, rounded to cents; below ten cents with all significant digits."""
    value = money(micros)
    value = value.quantize(CENT) if value >= 10 * CENT or not value else value.normalize()
    places = max(-int(value.as_tuple().exponent), 2)
    number = formats.number_format(value, decimal_pos=places, force_grouping=True)
    return f"{number} {conf.get('AI_EXTENSIONS_COSTS.CURRENCY')}"
