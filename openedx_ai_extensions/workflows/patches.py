"""For people who read or edit the patch of a profile: its text without credentials, and what it repeats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.json5 import comments, json_path
from openedx_ai_extensions.core.redaction import configured_secrets, mentions_credential, redact
from openedx_ai_extensions.workflows.template_utils import (
    JSON5DecodeError,
    lenient_patch,
    load_template,
    parse_patch,
    pretty,
)


@dataclass(frozen=True, slots=True)
class Readable:
    """A text for people.

    Attributes:
        text: the text.
        is_masked: credentials were removed; comments were removed too, because they may repeat them.
        is_unreadable: it is not JSON5, so credentials cannot be found; the text is empty.
    """

    text: str
    is_masked: bool = False
    is_unreadable: bool = False


def readable(json5_text: str) -> Readable:
    """A patch or template for people who may not see credentials."""
    try:
        value = parse_patch(json5_text)
    except JSON5DecodeError:
        return Readable("", is_unreadable=True)
    secrets = configured_secrets()
    shown = redact(value, secrets)
    is_harmless = redact(json5_text, secrets) == json5_text and not any(map(mentions_credential, comments(json5_text)))
    if shown == value and is_harmless:
        return Readable(json5_text)
    return Readable(pretty(shown), is_masked=True)


def redundant_keys(base_filepath: str, content_patch: str) -> list[Problem]:
    """The keys of a patch that change nothing, as warnings; none if the template or the patch cannot be read.

    An empty object is not reported.
    """
    base = load_template(base_filepath)
    return [] if base is None else list(_redundant("$", base, lenient_patch(content_patch)))


def _redundant(path: str, base: Mapping[str, Any], patch: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in patch.items():
        here = json_path(path, name)
        if value is None:
            if name not in base:
                yield Problem(here, _("This removes a key that the template does not contain."), Severity.WARNING)
        elif isinstance(value, Mapping) and isinstance(base.get(name), Mapping):
            yield from _redundant(here, base[name], value)
        elif name in base and _same(base[name], value):
            yield Problem(here, _("This repeats the template and changes nothing."), Severity.WARNING)


def _same(one: Any, other: Any) -> bool:
    # Compared as JSON, because in Python True == 1.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
