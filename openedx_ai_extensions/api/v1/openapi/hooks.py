"""What drf-spectacular calls before and after it looks at the views; see ``settings``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openedx_ai_extensions.api.v1.openapi import actions, answers, errors, resources, security, views

__all__ = ["only_our_endpoints", "security", "views", "with_shared_parts"]  # these two register themselves

CONTEXT = {
    "name": "context",
    "in": "query",
    "description": "Where the request comes from: a JSON object, URL-encoded. Absent means `{}`.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Context"}}},
}


def only_our_endpoints(
    endpoints: Iterable[tuple[str, str, str, Any]], **_kwargs: Any
) -> list[tuple[str, str, str, Any]]:
    """Leave out what other apps of the site serve."""
    return [
        (path, pattern, method, callback)
        for path, pattern, method, callback in endpoints
        if getattr(callback, "cls", None) and callback.cls.__module__.startswith(f"{views.PACKAGE}.")
    ]


def with_shared_parts(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add the schemas that the operations refer to, and the parameter that all of them take."""
    components = result["components"]
    schemas = {**resources.SCHEMAS, **actions.SCHEMAS, **answers.SCHEMAS, **dict(errors.components())}
    components["schemas"] = {**components.get("schemas", {}), **dict(sorted(schemas.items()))}
    components["parameters"] = {"context": CONTEXT}
    for operations in result["paths"].values():
        for operation in operations.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [{"$ref": "#/components/parameters/context"}, *parameters]
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result
