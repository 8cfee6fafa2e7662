"""Strategies for requests, right ones and wrong ones, from the OpenAPI description; and what their answers must be.

In a module of its own, as schemathesis takes a second to load: only who fuzzes needs it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.described import description

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def operations() -> dict[str, Any]:
    """Of the description, by name; they are asked of the site in this process."""
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    api = schemathesis.openapi.from_dict(description(), config=config)
    api.app = get_wsgi_application()
    found = (each.ok() for each in api.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


def requests_to(operation: Any, places: Sequence[dict[str, str]], prompt: str) -> st.SearchStrategy[Any]:
    """Anything at all, and the same at places where there is something, so that not all of it ends at the context."""
    somewhere: list[dict[str, Any]] = [{"query": {"context": json.dumps(place)}} for place in places]
    if operation.path_parameters:
        somewhere = [{**each, "path_parameters": {"identifier": prompt}} for each in somewhere]
    right, wrong = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    return st.one_of(
        *(operation.as_strategy(right, **each) for each in ({}, *somewhere)),
        *(operation.as_strategy(wrong, **each) for each in ({}, *(somewhere if operation.body else ()))),
    )


def send(case: Any, **more: Any) -> None:
    """Raises where the answer is not as it must be."""
    checks = [*CHECKS, negative_data_rejection] if _is_looked_at(case) else CHECKS
    case.validate_response(case.call(**more), checks=checks)


def _is_looked_at(case: Any) -> bool:
    """A wrong input is refused, but for a text that is as good as none."""
    body = case.body if isinstance(case.body, dict) else {}
    return body.get("user_input") != ""
