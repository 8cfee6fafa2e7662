"""Finds keys of a profile's patch that repeat its template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.core.json5 import json_path
from openedx_ai_extensions.workflows.template_utils import lenient_patch, load_template


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
