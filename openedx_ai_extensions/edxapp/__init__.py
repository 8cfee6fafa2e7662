"""The only place that knows the platform. ``get_platform()`` is its door."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Platform

__all__ = ["Platform", "get_platform"]


def get_platform() -> Platform:
    """The backend that the setting ``AI_EXTENSIONS_BACKEND`` names; one instance a process.

    A site that names none gets the platform's own inside edx-platform, and the standalone one anywhere else.
    """
    return _backend(conf.get("AI_EXTENSIONS_BACKEND"))


@lru_cache(maxsize=1)
def _backend(dotted_path: str) -> Platform:
    backend: Platform = import_string(dotted_path)()
    return backend


def _forget_backend(*, setting: str, **_kwargs: object) -> None:
    if setting.startswith(("AI_EXTENSIONS_BACKEND", "AI_EXTENSIONS_STANDALONE")):
        _backend.cache_clear()


setting_changed.connect(_forget_backend)
