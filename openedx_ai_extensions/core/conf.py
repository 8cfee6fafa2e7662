"""The site's settings, which are listed in ``setting_list``. No other module reads Django's settings.

A value of the site overrides the default. Values are cached until Django's signal ``setting_changed``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from openedx_ai_extensions.core import setting_problems as problems
from openedx_ai_extensions.core.credential_forms import is_credential
from openedx_ai_extensions.core.provider_entries import ProviderEntry, read_entry
from openedx_ai_extensions.core.setting_list import BUILT_IN_TEMPLATE_DIR, DICTIONARIES, PACKAGE_DIR, SETTINGS

__all__ = ["BUILT_IN_TEMPLATE_DIR", "DICTIONARIES", "PACKAGE_DIR", "SETTINGS"]


def get(name: str) -> Any:
    """The value of a setting: the site's, or the default.

    Args:
        name: as in ``SETTINGS``. A key of a dictionary is ``"AI_EXTENSIONS_ASYNC.LEASE"``.

    Raises:
        KeyError: there is no such setting in ``SETTINGS``.
        ImproperlyConfigured: a value that must be a dictionary is not one.
    """
    try:
        return _values[name]
    except KeyError:
        found = written(name)
        return _values.setdefault(name, found[1] if found else SETTINGS[name].default)


def written(name: str) -> tuple[str, Any] | None:
    """The name under which the site sets this setting, and its value there; None if the site does not set it.

    Raises:
        KeyError, ImproperlyConfigured: as ``get``.
    """
    former = SETTINGS[name].former
    dictionary, _dot, key = name.partition(".")
    if key:
        stated = stated_keys(dictionary)
        if key in stated:
            return path(name), stated[key]
        dictionary = former
    if dictionary and hasattr(django_settings, dictionary):
        return dictionary, getattr(django_settings, dictionary)
    return None


def stated_keys(dictionary: str) -> Mapping[str, Any]:
    """The site's values in one of ``DICTIONARIES``, with keys in upper case.

    Raises:
        ImproperlyConfigured: it is not a dictionary.
    """
    value = getattr(django_settings, dictionary, {})
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(f"{dictionary} must be a dictionary")
    return {str(key).upper(): item for key, item in value.items()}


def path(name: str) -> str:
    """A setting as it is written in Python: ``AI_EXTENSIONS_ASYNC["LEASE"]``."""
    dictionary, dot, key = name.partition(".")
    return f'{dictionary}["{key}"]' if dot else name


def has_feature(name: str) -> bool:
    """Is this feature flag of the platform on? In newer releases, some flags are settings instead of ``FEATURES``."""
    return bool((get("FEATURES") or {}).get(name, getattr(django_settings, name, False)))


_values: dict[str, Any] = {}
_entries: dict[str, tuple[Any, ProviderEntry]] = {}  # the value that was read, and the result
_derived: list[Callable[[], None]] = []


def when_changed(forget: Callable[[], None]) -> None:
    """Register a function that clears a cache when a setting changes."""
    _derived.append(forget)


def _forget_values(**_kwargs: Any) -> None:
    _values.clear()
    _entries.clear()
    for forget in _derived:
        forget()


setting_changed.connect(_forget_values)


def providers() -> Mapping[str, Any]:
    """The unvalidated entries of LLM providers by name, in the order of the setting. See ``provider_entry`` for the
    validated ones.
    """
    configured = get("AI_EXTENSIONS")
    entries = configured if isinstance(configured, Mapping) else {}
    return {name: entry for name, entry in entries.items() if isinstance(name, str) and not is_credential(name)}


def resolved_name(name: str, entries: Collection[str]) -> str:
    """Resolve ``default``: the entry of that name, otherwise the first entry."""
    return next(iter(entries), name) if name == "default" and name not in entries else name


def provider_entry(name: str) -> ProviderEntry | None:
    """The usable parts of the entry with that name; None if there is none."""
    entries = providers()
    if name not in entries:
        return None
    written_entry = entries[name]
    known = _entries.get(name)
    if known is None or known[0] != written_entry:  # code of the site may change it in place
        known = _entries[name] = copy(written_entry), read_entry(written_entry, name)
    return known[1]


def site_moderation() -> Mapping[str, Sequence[str]]:
    """Names of the site's moderators: ``before`` for messages, ``after`` for answers."""
    return {"before": get("AI_EXTENSIONS_MODERATION.BEFORE"), "after": get("AI_EXTENSIONS_MODERATION.AFTER")}


def mcp_servers() -> Mapping[str, Mapping[str, Any]]:
    """The configured MCP servers by name: keys in lower case, the address under ``url``. Invalid ones are omitted;
    ``manage.py check`` reports them.
    """
    configured = get("AI_EXTENSIONS_MCP_CONFIGS")
    names = configured if isinstance(configured, Mapping) else {}
    return {
        name: problems.mcp_parameters(configured[name])
        for name in names
        if not problems.mcp_servers({name: configured[name]})
    }


def values_with_credentials() -> Mapping[str, Any]:
    """Settings that may contain credentials: ours, under old names too, Django's, and those of libraries in use."""
    ours = {name.partition(".")[0] for name in SETTINGS} | {setting.former for setting in SETTINGS.values()}
    others = ("SECRET_KEY", "DATABASES", "CACHES", "EMAIL_HOST_PASSWORD", "CELERY_BROKER_URL", "BROKER_URL",
             "CELERY_RESULT_BACKEND", "EVENT_BUS_REDIS_CONNECTION_URL")  # fmt: skip
    return {name: getattr(django_settings, name) for name in (*ours, *others) if hasattr(django_settings, name)}


def longest_answer() -> float:
    """Seconds that an answer of the slowest provider may take."""
    total = get("AI_EXTENSIONS_PROVIDER_DEFAULTS.TIMEOUT")
    return max(float(read_entry(entry).parameters.get("total_timeout", total)) for entry in [{}, *providers().values()])


def site_language() -> str:
    """The code of the site's language."""
    language: str = django_settings.LANGUAGE_CODE
    return language


def service_variant() -> str:
    """Which service this process is: ``"lms"`` or ``"cms"``."""
    variant: str = get("SERVICE_VARIANT")
    return variant
