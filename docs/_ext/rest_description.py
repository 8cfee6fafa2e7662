"""The OpenAPI description of the endpoints, as a file to download and as a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.urls import include, path
from docutils import nodes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from from_code import FromCode
from rst_tables import plain, table
from sphinx.application import Sphinx

FILE = "openapi.yaml"


@cache
def description() -> dict[str, Any]:
    mounted = [path("openedx-ai-extensions/", include("openedx_ai_extensions.api.urls"))]
    made: dict[str, Any] = SchemaGenerator(patterns=mounted).get_schema(public=True)
    return made


class Operations(FromCode):
    """Every operation: what it takes, what it answers, which errors it knows."""

    def text(self) -> str:
        rows = (
            (
                f"``{method.upper()} {route.rpartition('/v1/')[2]}``",
                prose(operation["summary"]),
                *self._forms(operation),
            )
            for route, operations in description()["paths"].items()
            for method, operation in operations.items()
        )
        return table(("Operation", "What it is for", "Body", "Answer"), (26, 30, 20, 24), rows)

    @staticmethod
    def _forms(operation: Mapping[str, Any]) -> tuple[str, str]:
        body = operation.get("requestBody", {}).get("content", {})
        answer = operation["responses"]["200"]["content"]
        return (
            ", ".join(shown(each["schema"]) for each in body.values()) or "none",
            ", ".join(
                shown(each["schema"]) if media_type == "application/json" else f"``{media_type}``"
                for media_type, each in answer.items()
            ),
        )


class Schemas(FromCode):
    """Every schema but those of errors, which have a page of their own."""

    def text(self) -> str:
        schemas = description()["components"]["schemas"]
        return "\n".join(
            self._entry(name, schema) for name, schema in sorted(schemas.items()) if not name.endswith("Error")
        )

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(self.text(), allow_section_headings=True)

    def _entry(self, name: str, schema: Mapping[str, Any]) -> str:
        required = schema.get("required", ())
        lines = [f".. _openapi_{name.lower()}:", "", name, "=" * len(name), ""]
        if "description" in schema:
            lines += [prose(schema["description"]), ""]
        if "properties" not in schema:
            lines += [shown(schema), ""]
        for field, value in schema.get("properties", {}).items():
            optional = "" if field in required else ", optional"
            lines.append(f"- ``{field}``: {shown(value)}{optional}. {prose(value.get('description', ''))}".rstrip())
        return "\n".join([*lines, ""])


def prose(text: str) -> str:
    """Words of the description, where code is in backticks, as reStructuredText."""
    return "``".join(part if place % 2 else plain(part) for place, part in enumerate(text.split("`")))


def shown(schema: Mapping[str, Any]) -> str:
    """A schema in a few words of reStructuredText."""
    return " or ".join(dict.fromkeys(_alternatives(schema)))


def _alternatives(schema: Mapping[str, Any]) -> Iterator[str]:
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        for choice in choices:
            yield from _alternatives(choice)
    elif "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield f":ref:`{name} <openapi_{name.lower()}>`"
    elif "const" in schema:
        yield f'``"{schema["const"]}"``'
    elif "enum" in schema:
        yield from (f'``"{choice}"``' if isinstance(choice, str) else "``null``" for choice in schema["enum"])
    elif schema.get("type") == "array":
        yield f"list of {shown(schema['items'])}"
    elif schema.get("type") == "object" and "properties" in schema:
        yield f"object with {', '.join(f'``{name}``' for name in schema['properties'])}"
    else:
        kinds = schema.get("type", "anything")
        yield from kinds if isinstance(kinds, list) else [kinds]


def write(app: Sphinx, problem: Exception | None) -> None:
    """Put the file beside the pages."""
    if problem is None and app.builder.format == "html":
        Path(app.outdir, "reference", FILE).write_bytes(OpenApiYamlRenderer().render(description()))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("operations-from-code", Operations)
    app.add_directive("schemas-from-code", Schemas)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
