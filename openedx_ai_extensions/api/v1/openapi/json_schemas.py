"""JSON Schemas for what no serializer describes: errors (the status of each code, when it occurs, its fields, and the
endpoints that answer with it), and parts of those for what ``workflows/`` accepts and answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiResponse

from openedx_ai_extensions import exceptions
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.ledger.limits import LimitKind
from openedx_ai_extensions.models import AILimit
from openedx_ai_extensions.policy import RefusalReason

Schema = dict[str, Any]

ANY: Schema = {}
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}


def described(schema: Schema, description: str, **more: Any) -> Schema:
    return {**schema, "description": description, **more}


def an_object(
    required: Mapping[str, Schema] | None = None, optional: Mapping[str, Schema] | None = None, **more: Any
) -> Schema:
    """An object with these properties; others are allowed."""
    schema: Schema = {"type": "object", "properties": {**(required or {}), **(optional or {})}, **more}
    return {**schema, "required": list(required)} if required else schema


def a_list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def one_of(words: Iterable[str], **more: Any) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": [str(word) for word in words], **more}


def any_of(*schemas: Schema, **more: Any) -> Schema:
    return {"anyOf": list(schemas), **more}


def ref(name: str) -> Schema:
    """A component, by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def component_name(*words: str) -> str:
    """The name of a component: ``clear_session`` becomes ``ClearSession``."""
    return "".join(word.capitalize() for word in "_".join(words).split("_"))


# A stream that has begun can only end with the first; a cancelled run has no client.
NO_ANSWERS = frozenset({exceptions.StreamInterrupted.code, exceptions.RunCancelled.code})

_NOTICE = {"notice": ref("Notice")}
_FAILED = {"failed": a_list(an_object({"index": COUNT, "message": TEXT}), description="Of `save`: why each failed.")}
_QUOTA = {
    "limit": one_of(LimitKind),
    "scope": one_of(AILimit.Per.values),
    "resets_at": {"type": ["string", "null"], "format": "date-time"},
}
_REASON = one_of(
    [*RefusalReason, "moderation", "filter"], description="There if the reason is not the person's permissions."
)
# The fields besides code and message, by code: those that are always there, and the others.
_FIELDS: Mapping[str, tuple[Mapping[str, Schema], Mapping[str, Schema]]] = {
    "validation_error": ({}, _NOTICE | _FAILED),
    "processor_error": ({}, _FAILED),
    "permission_denied": ({}, {"reason": _REASON, "resumes_at": described(MOMENT, "There if the end is known.")}),
    "consent_required": (_NOTICE, {}),
    "quota_exceeded": (_QUOTA, {}),
}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """An error code, the statuses that answers with it may have, and when it occurs."""

    code: str
    statuses: tuple[int, ...]
    when: str

    @property
    def component(self) -> str:
        return component_name(self.code).removesuffix("Error") + "Error"

    def schema(self) -> Schema:
        always, sometimes = _FIELDS.get(self.code, ({}, {}))
        message = any_of(TEXT, a_list(TEXT), description="Translated, for people.")
        error = an_object({"code": one_of([self.code]), "message": message, **always}, sometimes)
        return an_object({"error": error, "status": one_of(["error"]), "timestamp": MOMENT}, description=self.when)


def _codes() -> Iterator[ErrorCode]:
    yield ErrorCode(
        "not_authenticated", (401, 403), "No login. 401 or 403, depending on the site's authentication classes."
    )
    yield ErrorCode("not_found", (404,), "There is no such prompt.")
    yield ErrorCode("internal_error", (500,), "An unexpected failure. The message has a reference for the log.")
    for error in vars(exceptions).values():
        if isinstance(error, type) and issubclass(error, AIExtensionsError):
            when = (error.__doc__ or str(error.default_message)).partition("\n\n")[0].replace("``", "`")
            yield ErrorCode(error.code, (error.http_status,), when)


# The first class of a code describes it: its subclasses are only for code that catches them.
CODES: Mapping[str, ErrorCode] = {error.code: error for error in reversed([*_codes()]) if error.code not in NO_ANSWERS}

EVERYWHERE = ("validation_error", "not_authenticated", "permission_denied", "internal_error")
OF_A_BODY = (*EVERYWHERE, "parse_error", "payload_too_large")
OF_A_RUN = tuple(CODES.keys() - {"not_found", "answer_not_found", "outdated"})


def error_responses(codes: Iterable[str]) -> dict[int, OpenApiResponse]:
    """The error answers of an operation, by status."""
    found = sorted((CODES[code] for code in codes), key=lambda error: error.code)
    statuses = sorted({status for error in found for status in error.statuses})
    return {status: _response([error for error in found if status in error.statuses]) for status in statuses}


def _response(errors: list[ErrorCode]) -> OpenApiResponse:
    schemas = [ref(error.component) for error in errors]
    lines = "\n".join(f"- `{error.code}`: {error.when}" for error in errors)
    return OpenApiResponse({"oneOf": schemas} if len(schemas) > 1 else schemas[0], lines)


ERROR_SCHEMAS = {error.component: error.schema() for error in CODES.values()}
