"""Amounts of money, as people read them."""

from __future__ import annotations

from decimal import Decimal

from django.utils import formats

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.quota import money

CENT = Decimal("0.01")


def amount(micros: int) -> str:
    """In the site's currency: to the cent, and what is less than ten cents to the last digit that counts."""
    value = money(micros)
    value = value.quantize(CENT) if value >= 10 * CENT or not value else value.normalize()
    places = max(-int(value.as_tuple().exponent), 2)
    number = formats.number_format(value, decimal_pos=places, force_grouping=True)
    return f"{number} {conf.get('AI_EXTENSIONS_CURRENCY')}"
