"""What ``manage.py check`` says of how a site states our settings: what cannot be used, and former names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import Error, Warning  # noqa: A004  # Django's own names
from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.core import conf

# For check's messages: values may be long, or hold secrets.
LEFT_OUT = "…"


def setting_errors() -> Iterator[Error]:
    """What cannot be used, each with the place where it is written."""
    unusable = set()
    for dictionary, meaning in conf.DICTIONARIES.items():
        try:
            stated = conf.stated_keys(dictionary)
        except ImproperlyConfigured as error:
            unusable.add(dictionary)
            yield Error(f"{error}.", hint=meaning, id="openedx_ai_extensions.E001")
            continue
        if len(stated) < len(getattr(settings, dictionary, {})):
            yield Error(
                f"{dictionary} has a key twice, in different spellings.",
                hint="Write each key once.",
                id="openedx_ai_extensions.E001",
            )
        yield from _unknown_keys(dictionary, stated)
    for name, setting in conf.SETTINGS.items():
        found = None if name.partition(".")[0] in unusable else conf.written(name)
        problem = setting.problem(found[1]) if found else None
        if found and problem:
            yield Error(f"{found[0]} {problem}.", hint=setting.meaning, id="openedx_ai_extensions.E001")


def _unknown_keys(dictionary: str, stated: Mapping[str, Any]) -> Iterator[Error]:
    known = list(_members(dictionary))
    for key in stated:
        if key not in known:
            (nearest,) = get_close_matches(key, known, n=1, cutoff=0)
            yield Error(
                f'{dictionary}["{key}"] does not exist. Do you mean {dictionary}["{nearest}"]?',
                hint=f"Keys of {dictionary}: {', '.join(known)}.",
                id="openedx_ai_extensions.E001",
            )


def former_names() -> Iterator[Warning]:
    """Former names that a site still has: what to write in their place, and which of them are not read."""
    for dictionary in conf.DICTIONARIES:
        stated = conf.stated_keys(dictionary)
        found = {key: name for key, name in _members(dictionary).items() if name and hasattr(settings, name)}
        for key in found.keys() & stated:
            yield Warning(
                f'{found[key]} is not read, since {dictionary}["{key}"] is set.',
                hint=f"Remove {found[key]}.",
                id="openedx_ai_extensions.W006",
            )
        read = {key: getattr(settings, name) for key, name in found.items() if key not in stated}
        if read:
            names = ", ".join(found[key] for key in read)
            line = f"{dictionary} = {{{', '.join(_shown({**stated, **read}))}}}"
            note = f" ({LEFT_OUT} stands for what the setting holds now.)" if LEFT_OUT in line else ""
            yield Warning(
                f"Former names of settings, which a later release will not read: {names}.",
                hint=f"Write instead: {line}{note}",
                id="openedx_ai_extensions.W005",
            )


def _members(dictionary: str) -> dict[str, str]:
    """The keys of a dictionary, each with its former name."""
    prefix = f"{dictionary}."
    names = {name: setting.former for name, setting in conf.SETTINGS.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): former for name, former in names.items()}


def _shown(stated: Mapping[str, Any]) -> Iterator[str]:
    for key, value in stated.items():
        if isinstance(value, Mapping):
            yield f'"{key}": {{{LEFT_OUT}}}'
        elif isinstance(value, list | tuple):
            yield f'"{key}": [{LEFT_OUT}]'
        else:
            yield f'"{key}": {json.dumps(value) if isinstance(value, str) else value}'
