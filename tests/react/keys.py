"""Keys of objects as the published React package turns them."""

from __future__ import annotations

import re
from typing import Any


def camel_cased(value: Any) -> Any:
    """Keys as the package turns them, at every depth."""
    if isinstance(value, list):
        return [camel_cased(item) for item in value]
    if isinstance(value, dict):
        return {re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), k): camel_cased(v) for k, v in value.items()}
    return value


def snake_cased(value: Any) -> Any:
    """Keys as the package sends them, at every depth."""
    if isinstance(value, list):
        return [snake_cased(item) for item in value]
    if isinstance(value, dict):
        return {re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", k): snake_cased(v) for k, v in value.items()}
    return value
