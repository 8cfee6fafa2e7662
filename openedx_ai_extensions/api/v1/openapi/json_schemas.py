"""JSON Schemas for what no serializer describes: errors, and what ``workflows/`` accepts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

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
