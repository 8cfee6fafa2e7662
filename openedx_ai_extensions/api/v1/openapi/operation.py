"""How drf-spectacular is told of an operation, with nothing on the view itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from openedx_ai_extensions.api.v1.openapi import errors
from openedx_ai_extensions.api.v1.openapi.shapes import COUNT, Schema

RETRY_AFTER = OpenApiParameter(
    "Retry-After", COUNT, OpenApiParameter.HEADER, description="Seconds, when they are known.", response=[403, 429, 503]
)


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an endpoint.

    Attributes:
        name: for generated clients.
        answers: the schema of the answer, by media type.
        body: the schema of the request's body; None where there is none.
    """

    name: str
    summary: str
    answers: Mapping[str, Schema]
    failures: tuple[errors.Failure, ...] = errors.EVERYWHERE
    description: str = ""
    tag: str = "widgets"
    body: Schema | None = None
    parameters: tuple[OpenApiParameter, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)


class OperationSchema(AutoSchema):
    """Asks a table where ``AutoSchema`` looks at the view."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        super().__init__()
        self.operations = operations

    @property
    def operation(self) -> Operation:
        return self.operations[self.method]

    def get_operation_id(self) -> str:
        return self.operation.name

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override]  # AutoSchema's takes none either
        return self.operation.description

    def get_tags(self) -> list[str]:
        return [self.operation.tag]

    def get_override_parameters(self) -> list[Any]:
        return [*self.operation.parameters, RETRY_AFTER]

    def get_request_serializer(self) -> Any:
        return None if self.operation.body is None else {"application/json": self.operation.body}

    def get_response_serializers(self) -> Any:
        whole = {
            (200, media_type): OpenApiResponse(schema, "What was asked for.")
            for media_type, schema in self.operation.answers.items()
        }
        return {**whole, **errors.responses(*self.operation.failures)}

    def get_examples(self) -> list[OpenApiExample]:
        return [OpenApiExample(name, value=value, request_only=True) for name, value in self.operation.examples.items()]
