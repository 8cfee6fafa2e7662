"""The prompt texts that come with the app, by name."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def builtin_prompt(name: str) -> str:
    """The text of ``texts/<name>.txt``.

    Raises:
        FileNotFoundError: there is no such text.
    """
    return (resources.files(__package__) / "texts" / f"{name}.txt").read_text(encoding="utf-8").strip()
