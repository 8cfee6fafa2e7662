"""A stand-in for the platform: modules with the names, signatures, results and errors that we rely on, and no others.

They are importable only inside ``installed()``, and all of them look at one ``World``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edx_django_utils.cache import RequestCache

from tests.fakes.openedx_platform import world
from tests.fakes.openedx_platform.world import World

SITE = Path(__file__).parent / "site"
_PACKAGES = frozenset(path.name for path in SITE.iterdir())


@contextmanager
def installed() -> Iterator[World]:
    """The platform's modules can be imported, and see the world that this gives."""
    before = {name: sys.modules.pop(name) for name in _platform_modules()}
    world.current = World()
    RequestCache.clear_all_namespaces()
    sys.path.insert(0, str(SITE))
    importlib.invalidate_caches()
    try:
        yield world.current
    finally:
        sys.path.remove(str(SITE))
        for name in _platform_modules():
            del sys.modules[name]
        sys.modules.update(before)
        RequestCache.clear_all_namespaces()
        importlib.invalidate_caches()


def _platform_modules() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]
