"""Formats amounts of money for people."""

from __future__ import annotations

from decimal import Decimal

from django.utils import formats

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.quota import money

CENT = Decimal("0.01")


def amount(micros: int) -> str:
    """An amount in the site's currency, rounded to cents; below ten cents with all significant digits."""
    value = money(micros)
    value = value.quantize(CENT) if value >= 10 * CENT or not value else value.normalize()
    places = max(-int(value.as_tuple().exponent), 2)
    number = formats.number_format(value, decimal_pos=places, force_grouping=True)
    return f"{number} {conf.get('AI_EXTENSIONS_COSTS.CURRENCY')}"
