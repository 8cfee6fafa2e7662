"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# Only what is broken takes this long: a busy machine is slow, not wrong.
PATIENCE = 120  # seconds


def eventually(happens: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until this is true, and return it.

    Raises:
        AssertionError: it did not become true in time.
    """
    until = time.monotonic() + seconds
    while not (result := happens()):
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)
    return result
