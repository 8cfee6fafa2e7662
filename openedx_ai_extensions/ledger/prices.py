"""What tokens cost, in micro-units of the site's currency: whole millionths, so that sums are exact."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openedx_ai_extensions.ledger import bounds

MICRO = 1_000_000


class PriceSource(enum.StrEnum):
    """Where a price comes from."""

    SITE = "site"  # the provider's entry in AI_EXTENSIONS
    TABLE = "table"  # LiteLLM's own, in US dollars
    NONE = "none"  # nobody knows


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-units of the site's currency for a million tokens.

    Attributes:
        input: prompt tokens.
        output: completion tokens.
        cached_input: prompt tokens that the provider read from its cache.
        cache_write: prompt tokens that the provider wrote to its cache.
        source: where the price comes from.
    """

    input: int
    output: int
    cached_input: int
    cache_write: int
    source: PriceSource

    @classmethod
    def of(cls, amounts: Mapping[str, Any], source: PriceSource) -> Price:
        """From amounts of the site's currency for a million tokens, by the names of the attributes; prompt tokens that
        have no price of their own cost what ``input`` costs.
        """
        fresh = amounts["input"]
        stated = {"cached_input": fresh, "cache_write": fresh, **amounts}
        micros = {name: round(Decimal(str(amount)) * MICRO) for name, amount in stated.items()}
        return cls(**micros, source=source)

    def cost(self, usage: Mapping[str, int]) -> int:
        """Of ``prompt_tokens`` (of these, ``cached_tokens`` and ``cache_written_tokens``) and ``completion_tokens``;
        rounded up to whole micro-units.
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
        return bounds.micros(-(-total // MICRO))
