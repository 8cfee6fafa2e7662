"""The built-in prompt texts and the JSON schemas of structured answers, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def builtin_prompt(name: str) -> str:
    """Read ``texts/<name>.txt``.

    Raises:
        FileNotFoundError: there is no such text.
    """
    return (resources.files(__package__) / "texts" / f"{name}.txt").read_text(encoding="utf-8").strip()


@cache
def builtin_schema(name: str) -> Mapping[str, Any]:
    """Read the JSON Schema in ``schemas/<name>.json``. The returned object is shared: do not change it.

    Raises:
        FileNotFoundError: there is no such schema.
    """
    text = (resources.files(__package__) / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema
