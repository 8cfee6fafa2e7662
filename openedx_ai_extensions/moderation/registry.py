"""The registered kinds of moderators, and the moderators that a site configures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.moderation.base import Moderator

logger = logging.getLogger(__name__)

ModeratorClass = TypeVar("ModeratorClass", bound=type[Moderator])

_kinds: dict[str, type[Moderator]] = {}


def moderator_kind(name: str) -> Callable[[ModeratorClass], ModeratorClass]:
    """Decorator: register a class under a name for ``KIND``. Other classes are named by their dotted path."""

    def register(kind: ModeratorClass) -> ModeratorClass:
        _kinds[name] = kind
        return kind

    return register


def find_moderator(name: str) -> Moderator:
    """The moderator of that name.

    Raises:
        LLMConfigError: it does not exist or cannot be created; nothing passes then.
    """
    try:
        return _moderator(name)
    except ImproperlyConfigured as error:
        logger.error("moderation.unusable moderator=%s reason=%s", name, error)
        raise LLMConfigError from None


def moderator_problem(name: str) -> str | None:
    """The problem with a configured moderator, or None."""
    try:
        _moderator(name)
    except ImproperlyConfigured as error:
        return str(error)
    return None


@lru_cache(maxsize=64)
def _moderator(name: str) -> Moderator:
    """The moderator of that name; cached until a setting changes.

    Raises:
        ImproperlyConfigured: it cannot be created.
    """
    configured: Mapping[str, Mapping[str, object]] = conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")
    entry = configured.get(name)
    if entry is None:
        raise ImproperlyConfigured("there is no such moderator")
    options = {key.lower(): value for key, value in entry.items()}
    return _kind(str(options.get("kind", "")))(name, options)


def _kind(name: str) -> type[Moderator]:
    if name in _kinds:
        return _kinds[name]
    try:
        found = import_string(name)
    except ImportError:
        known = ", ".join(sorted(_kinds))
        raise ImproperlyConfigured(f"its KIND must be one of {known}, or a class's dotted path") from None
    if not (isinstance(found, type) and issubclass(found, Moderator)):
        raise ImproperlyConfigured("its KIND is not a subclass of Moderator")
    return found


conf.when_changed(_moderator.cache_clear)
