"""The settings of drf-spectacular. A settings module may import them: they need no Django that is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openedx_ai_extensions import __version__

DESCRIPTION = """\
AI workflows for courses. A widget needs `profile/`, `workflows/`, and at times `consent/` and `limits/`; the other
endpoints are for course staff.

Requests and answers are JSON in snake_case. Every endpoint takes the query parameter `context`, which says where the
request comes from. Every error has the same form: `code` is for programs and does not change, `message` is translated
and for people. A method that an endpoint does not have is `method_not_allowed` (405).

Extensions may publish further actions, and errors with codes of their own. This description does not contain them.
"""

SPECTACULAR: Mapping[str, Any] = {
    "TITLE": "Open edX AI extensions",
    "VERSION": __version__,
    "DESCRIPTION": DESCRIPTION,
    "LICENSE": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "OAS_VERSION": "3.1.0",
    "TAGS": [
        {"name": "widgets", "description": "For everyone who may see the place in the course."},
        {"name": "staff", "description": "For course staff and site staff."},
    ],
    "COMPONENT_SPLIT_PATCH": False,  # no field of a PATCH is optional
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # These import the rest of this package.
    "PREPROCESSING_HOOKS": ["openedx_ai_extensions.api.v1.openapi.generator.only_our_endpoints"],
    "POSTPROCESSING_HOOKS": ["openedx_ai_extensions.api.v1.openapi.generator.with_shared_parts"],
}
