"""What drf-spectacular calls: how requests are authenticated, and what is done before and after the views are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from openedx_ai_extensions.api.v1.openapi import actions, answers, errors, resources, views

__all__ = ["only_our_endpoints", "views", "with_shared_parts"]  # the views register themselves

CONTEXT = {
    "name": "context",
    "in": "query",
    "description": "Where the request comes from: a JSON object, URL-encoded. Absent means `{}`.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Context"}}},
}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session's cookie, with the CSRF token in a header."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    match_subclasses = True
    priority = 1  # before drf-spectacular's own, which leaves out the token
    name = ["session", "csrfToken"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "The session of the LMS or of Studio.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title(),
                "description": "The CSRF token, for POST and PATCH; on the platform from `/csrf/api/v1/token`.",
            },
        ]

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        is_read = auto_schema.method == "GET"
        return {name: [] for name in self.name if not (is_read and name == "csrfToken")}


class JwtScheme(OpenApiAuthenticationExtension):
    """The platform's tokens: in a header, or in the pair of cookies that its frontends send."""

    target_class = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"
    match_subclasses = True
    optional = True  # there on the platform only
    priority = 1
    name = ["jwtCookie", "useJwtCookie", "jwt"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "edx-jwt-cookie-header-payload",
                "description": "With `edx-jwt-cookie-signature`, as the platform's login sets them.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "USE-JWT-COOKIE",
                "description": "`true`: read the cookies. POST and PATCH need the CSRF token as well.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`JWT <token>`.",
            },
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        csrf: dict[str, list[Any]] = {} if auto_schema.method == "GET" else {"csrfToken": []}
        return [{"jwtCookie": [], "useJwtCookie": [], **csrf}, {"jwt": []}]


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
