"""Former names of modules that other packages import. Each works for one release, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any


def moved(old: str, new: str) -> Callable[[str], Any]:
    """A module's ``__getattr__`` (PEP 562) that returns names of another module, with a warning.

    Args:
        old, new: dotted paths of the modules.
    """

    def look_up(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {old!r} has no attribute {name!r}")
        value = getattr(import_module(new), name)
        warnings.warn(f"{old}.{name} is now {new}.{name}.", DeprecationWarning, stacklevel=2)
        return value

    return look_up
