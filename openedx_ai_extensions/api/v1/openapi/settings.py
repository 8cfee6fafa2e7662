"""What drf-spectacular has to be told. A module of settings may import this: it needs no Django that is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openedx_ai_extensions import __version__

DESCRIPTION = """\
AI workflows for courses. What a widget needs is `profile/`, `workflows/`, and at times `consent/` and `limits/`; the
rest is for course staff.

Requests and answers are JSON in snake_case. Every endpoint takes the query parameter `context`, which says where the
request comes from. Every error has the same form: `code` is for programs and stays as it is, `message` is translated
and fit to be shown. A method that an endpoint does not have is `method_not_allowed` (405).

Extensions may publish further actions, and errors with codes of their own. They are not in here.
"""

SPECTACULAR: Mapping[str, Any] = {
    "TITLE": "Open edX AI extensions",
    "VERSION": __version__,
    "DESCRIPTION": DESCRIPTION,
    "LICENSE": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "OAS_VERSION": "3.1.0",
    "TAGS": [
        {"name": "widgets", "description": "For everybody who may see the place in the course."},
        {"name": "staff", "description": "For course staff and site staff."},
    ],
    # They bring the rest of this package along.
    "PREPROCESSING_HOOKS": ["openedx_ai_extensions.api.v1.openapi.hooks.only_our_endpoints"],
    "POSTPROCESSING_HOOKS": ["openedx_ai_extensions.api.v1.openapi.hooks.with_shared_parts"],
}
