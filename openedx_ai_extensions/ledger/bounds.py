"""The maximum usage of one run. Larger numbers are errors and must not distort the totals of other runs."""

from __future__ import annotations

MAX_TOKENS = 10**9
MAX_MICROS = 10**15  # 10^9 units of the site's currency


def tokens(number: int) -> int:
    """A number of tokens, limited to 0 … ``MAX_TOKENS``."""
    return min(max(number, 0), MAX_TOKENS)


def micros(number: int) -> int:
    """A cost in millionths, limited to 0 … ``MAX_MICROS``."""
    return min(max(number, 0), MAX_MICROS)
