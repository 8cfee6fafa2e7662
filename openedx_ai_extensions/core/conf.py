"""The site's settings. Nothing else reads Django's; ``setting_list`` says which there are.

A site's own value always wins. Values are read once and kept until Django says that a setting changed.
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
    """The site's value of a setting, or its default.

    Args:
        name: as in ``SETTINGS``. A key of a dictionary is ``"AI_EXTENSIONS_ASYNC.LEASE"``.

    Raises:
        KeyError: the setting is not one of ours.
        ImproperlyConfigured: what must be a dictionary is none.
    """
    try:
        return _values[name]
    except KeyError:
        found = written(name)
        return _values.setdefault(name, found[1] if found else SETTINGS[name].default)


def written(name: str) -> tuple[str, Any] | None:
    """Where the site states a setting, as people write it, and the value there; None where it does not.

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
    """What the site states in one of ``DICTIONARIES``, its keys in capitals.

    Raises:
        ImproperlyConfigured: it is no dictionary.
    """
    value = getattr(django_settings, dictionary, {})
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(f"{dictionary} must be a dictionary")
    return {str(key).upper(): item for key, item in value.items()}


def path(name: str) -> str:
    """A setting as people write it: ``AI_EXTENSIONS_ASYNC["LEASE"]``."""
    dictionary, dot, key = name.partition(".")
    return f'{dictionary}["{key}"]' if dot else name


def has_feature(name: str) -> bool:
    """Is this switch of the platform's on? Releases move them out of ``FEATURES``, to be settings of their own."""
    return bool((get("FEATURES") or {}).get(name, getattr(django_settings, name, False)))


_values: dict[str, Any] = {}
_entries: dict[str, tuple[Any, ProviderEntry]] = {}  # as it was when it was read, and what it says
_derived: list[Callable[[], None]] = []


def when_changed(forget: Callable[[], None]) -> None:
    """Have ``forget`` called when Django says that a setting changed: it drops what was made of our settings."""
    _derived.append(forget)


def _forget_values(**_kwargs: Any) -> None:
    _values.clear()
    _entries.clear()
    for forget in _derived:
        forget()


setting_changed.connect(_forget_values)


def providers() -> Mapping[str, Any]:
    """The configured LLM providers by name, in the order the site wrote them: their entries, whatever these are. See
    ``provider_entry`` for what one says.
    """
    configured = get("AI_EXTENSIONS")
    entries = configured if isinstance(configured, Mapping) else {}
    return {name: entry for name, entry in entries.items() if isinstance(name, str) and not is_credential(name)}


def resolved_name(name: str, entries: Collection[str]) -> str:
    """Resolve ``default``: the entry of that name, otherwise the first entry."""
    return next(iter(entries), name) if name == "default" and name not in entries else name


def provider_entry(name: str) -> ProviderEntry | None:
    """What the entry of that name says, as far as it can be used; None when there is none."""
    entries = providers()
    if name not in entries:
        return None
    written_entry = entries[name]
    known = _entries.get(name)
    if known is None or known[0] != written_entry:  # a site's own code may change it in place
        known = _entries[name] = copy(written_entry), read_entry(written_entry, name)
    return known[1]


def site_moderation() -> Mapping[str, Sequence[str]]:
    """Names of the moderators that the site asks, by direction: ``before`` and ``after``."""
    return {"before": get("AI_EXTENSIONS_MODERATION.BEFORE"), "after": get("AI_EXTENSIONS_MODERATION.AFTER")}


def mcp_servers() -> Mapping[str, Mapping[str, Any]]:
    """The configured MCP servers by name: keys in lower case, the address under ``url``. Those that can't be used
    are left out; ``manage.py check`` says why.
    """
    configured = get("AI_EXTENSIONS_MCP_CONFIGS")
    names = configured if isinstance(configured, Mapping) else {}
    return {
        name: problems.mcp_parameters(configured[name])
        for name in names
        if not problems.mcp_servers({name: configured[name]})
    }


def values_with_credentials() -> Mapping[str, Any]:
    """The settings that may hold credentials: all of ours, former ones too; Django's, and those of what we use."""
    ours = {name.partition(".")[0] for name in SETTINGS} | {setting.former for setting in SETTINGS.values()}
    others = ("SECRET_KEY", "DATABASES", "CACHES", "EMAIL_HOST_PASSWORD", "CELERY_BROKER_URL", "BROKER_URL",
             "CELERY_RESULT_BACKEND", "EVENT_BUS_REDIS_CONNECTION_URL")  # fmt: skip
    return {name: getattr(django_settings, name) for name in (*ours, *others) if hasattr(django_settings, name)}


def longest_answer() -> float:
    """Seconds that an answer may take, of whichever provider."""
    total = get("AI_EXTENSIONS_PROVIDER_DEFAULTS.TIMEOUT")
    return max(float(read_entry(entry).parameters.get("total_timeout", total)) for entry in [{}, *providers().values()])


def service_variant() -> str:
    """Which service this process is: ``"lms"`` or ``"cms"``."""
    variant: str = get("SERVICE_VARIANT")
    return variant
